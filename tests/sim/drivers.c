/*
 * drivers.c: see drivers.h. One row of figures per driver, and three ways to stamp.
 */
#include "drivers.h"

#include <math.h>
#include <stddef.h>

/* What a call takes, and how far apart its clock readings can be on a machine at work. */
#define CALL_S 1.6e-6
#define CALL_EXTRA_S 3e-6

enum stamping {
    STAMPED_NEVER,
    STAMPED_IN_CALL,
    STAMPED_BY_TRANSFER, /* every stamp_s, whatever the position does */
    STAMPED_WHEN_SEEN,   /* when a look, or a timer every stamp_s, sees that the pointer moved */
};

static const struct figures {
    const char *name;
    enum stamping stamping;
    double step_s; /* of the position; 0: card.step_frames */
    double stamp_s;
    double fetched_s; /* at the start, */
    double fetched_within_s;
} figures[SIM_DRIVERS] = {
    [SIM_DRIVER_PLAIN] = {"plain", STAMPED_NEVER, 0, 0, 0, 0},
    [SIM_DRIVER_HDA] = {"snd-hda-intel", STAMPED_IN_CALL, 1e-3, 0, 38e-3, 15e-3},
    [SIM_DRIVER_AC97] = {"snd-intel8x0", STAMPED_IN_CALL, 1e-3, 0, 20e-3, 8e-3},
    [SIM_DRIVER_ENS1370] = {"snd-ens1370", STAMPED_IN_CALL, 1.25e-3, 0, 20e-3, 8e-3},
    [SIM_DRIVER_USB] = {"snd-usb-audio", STAMPED_BY_TRANSFER, 1e-3, 5e-3, 0, 0},
    [SIM_DRIVER_ALOOP] = {"snd-aloop", STAMPED_WHEN_SEEN, 4e-3, 12e-3, 0, 0},
};

const char *sim_driver_name(enum sim_driver_kind kind)
{
    return figures[kind].name;
}

/* A ring has no part of a frame. */
static double whole_frames(const struct figures *f, double rate_hz)
{
    return round(f->fetched_s * rate_hz);
}

double sim_driver_latency_s(enum sim_driver_kind kind, double rate_hz)
{
    return whole_frames(&figures[kind], rate_hz) / rate_hz;
}

/* What is fetched at the start is queued inside the card, and stays: the driver is ahead by it. */
static double fetched_frames(const struct figures *f, const struct sim_card *card, double t)
{
    if (f->fetched_s <= 0)
        return 0;
    double share = fmin(sim_card_frame(card, t) / card->rate_hz / f->fetched_within_s, 1);
    return round(share * whole_frames(f, card->rate_hz));
}

/* How long it has been moving. */
static double moved_s(const struct sim_card *card, double t)
{
    return t - card->started_s - sim_card_stood_s(card, t);
}

/* A pointer that moves with the system's timer, not with the card's crystal. */
static double frame_of_step(const struct figures *f, const struct sim_card *card, double step)
{
    struct sim_card steady = *card;
    steady.stands_to_s = steady.stands_from_s = 0;
    return floor(sim_card_frame(&steady, card->started_s + step * f->step_s));
}

double sim_driver_position(const struct sim_driver *driver, const struct sim_card *card, double t)
{
    const struct figures *f = &figures[driver->kind];
    if (f->stamping == STAMPED_WHEN_SEEN)
        return frame_of_step(f, card, floor(moved_s(card, t) / f->step_s));
    struct sim_card stepped = *card;
    if (f->step_s > 0)
        stepped.step_frames = f->step_s * card->rate_hz;
    return floor(sim_card_shown(&stepped, t)) + fetched_frames(f, card, t);
}

/* t: how long it has been moving. */
static double stamp_when_seen(struct sim_driver *driver, const struct figures *f, double t,
                              double call_s)
{
    double step = floor(t / f->step_s);
    double timer_s = floor(t / f->stamp_s) * f->stamp_s;
    if (timer_s > driver->stamp_s && floor(timer_s / f->step_s) > driver->step) {
        driver->step = floor(timer_s / f->step_s);
        driver->stamp_s = timer_s + 20e-6;
    }
    if (step > driver->step) {
        driver->step = step;
        driver->stamp_s = t + call_s / 2;
    }
    return driver->stamp_s;
}

struct sim_look sim_driver_look(struct sim_driver *driver, const struct sim_card *card, double t,
                                struct sim_random *random)
{
    const struct figures *f = &figures[driver->kind];
    double call_s = CALL_S + sim_uniform(random, 0, CALL_EXTRA_S);
    double at_s = t + sim_uniform(random, 0, call_s);
    struct sim_look look = {.before_s = t, .after_s = t + call_s, .stamp_s = NAN};
    double since_s = moved_s(card, at_s), start_s = at_s - since_s;
    look.position_frames = sim_driver_position(driver, card, at_s);
    switch (f->stamping) {
    case STAMPED_NEVER:
        break;
    case STAMPED_IN_CALL:
        look.stamp_s = at_s;
        break;
    case STAMPED_BY_TRANSFER:
        look.stamp_s = start_s + floor(since_s / f->stamp_s) * f->stamp_s;
        break;
    case STAMPED_WHEN_SEEN:
        look.stamp_s = start_s + stamp_when_seen(driver, f, moved_s(card, t), call_s);
        look.position_frames = frame_of_step(f, card, driver->step);
        break;
    }
    return look;
}
