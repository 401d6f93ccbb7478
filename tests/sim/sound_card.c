/*
 * sound_card.c: see sound_card.h.
 */
#include "sound_card.h"

#include "tone.h"
#include "tutti/base/units.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of two channels: more than any buffer and what a driver fetches ahead. A power of 2. */
#define RING_FRAMES 131072
/* As sink_alsa. */
#define REWIND_MARGIN_S 3e-3
/* Half a cosine over 4 ms rises by 0.009 from frame to frame; two may overlap. */
#define CLICK 0.02f
/* A playback rate is off by 0.6 % at most; what is in a float, by 0.2 %. */
#define SLIP 0.03f
/* A card that plays sound; before, it is looked at all the time, and sink_alsa knows better. */
#define BEGUN_S 0.05
/* Where it is quieter, how far a frame is from the next is not known well enough. */
#define AUDIBLE 0.1f

struct mono_time sim_local_time(const struct sim_crystal *crystal, double t)
{
    return (struct mono_time){s_to_ns(100 + sim_crystal_at(crystal, t))};
}

struct mono_time sim_sound_card_clock(void *clock)
{
    const struct sim_sound_card *card = clock;
    return sim_local_time(&card->config.local, card->now_s);
}

void sim_sound_card_init(struct sim_sound_card *card, const struct sim_sound_card_config *config,
                         struct sim_random *random)
{
    sim_sound_card_end(card);
    *card = (struct sim_sound_card){.config = *config, .random = random};
}

void sim_sound_card_end(struct sim_sound_card *card)
{
    free(card->ring);
    card->ring = NULL;
}

static float *ring_at(const struct sim_sound_card *card, int64_t frame)
{
    return card->ring + (size_t)(frame & (RING_FRAMES - 1)) * SINK_CHANNELS;
}

/* --- what is heard --------------------------------------------------------------------------- */

/* Each frame against the one before it. */
static void look_through(struct sim_sound_card *card, const float *frames, size_t count)
{
    float step = (float)(2 * M_PI / SIM_TONE_PERIOD_S / card->config.model.rate_hz);
    float least = step * (1 - SLIP), most = step * (1 + SLIP);
    int clicks = 0, slips = 0, sounded = 0;
    for (size_t i = 0; i < count; i++) {
        float l0 = frames[2 * i], r0 = frames[2 * i + 1];
        float l1 = frames[2 * i + 2], r1 = frames[2 * i + 3];
        float before = l0 * l0 + r0 * r0, after = l1 * l1 + r1 * r1;
        float turned = l1 * r0 - r1 * l0, power = (before + after) / 2;
        int loud = (before > AUDIBLE * AUDIBLE) & (after > AUDIBLE * AUDIBLE);
        clicks += (fabsf(l1 - l0) > CLICK) | (fabsf(r1 - r0) > CLICK);
        slips += loud & ((turned < least * power) | (turned > most * power));
        sounded += after > 0;
    }
    card->clicks += (uint64_t)clicks;
    card->slips += (uint64_t)slips;
    card->sounded += (uint64_t)sounded;
}

/* Looks through what was heard up to that frame. The frame before the first is silence. */
static void hear(struct sim_sound_card *card, int64_t until)
{
    static const float silence[SINK_CHANNELS];
    if (card->heard == 0 && until > 0) {
        float first[2 * SINK_CHANNELS];
        memcpy(first, silence, sizeof silence);
        memcpy(first + SINK_CHANNELS, ring_at(card, 0), sizeof silence);
        look_through(card, first, 1);
        card->heard = 1;
    }
    while (card->heard < until) {
        /* The ring's first frame stands behind its last once more. */
        int64_t from = (card->heard - 1) & (RING_FRAMES - 1);
        int64_t run = until - card->heard;
        if (run > RING_FRAMES - from)
            run = RING_FRAMES - from;
        look_through(card, card->ring + from * SINK_CHANNELS, (size_t)run);
        card->heard += run;
    }
}

static int64_t frame_now(const struct sim_sound_card *card, double t)
{
    int64_t frame = (int64_t)floor(sim_card_frame(&card->config.model, t)) + 1;
    return frame < card->written ? frame : card->written;
}

/* What was not heard yet never is. */
static void halt(struct sim_sound_card *card, enum sink_state state)
{
    if (card->state == SINK_RUNNING) {
        hear(card, frame_now(card, card->now_s));
        if (card->heard > 0 && sim_tone_level(ring_at(card, card->heard - 1)) > 0)
            card->breaks++;
    }
    card->state = state;
}

const float *sim_sound_card_listen(const struct sim_sound_card *card, double t,
                                   double *ret_fraction)
{
    if (!card->open || card->state != SINK_RUNNING)
        return NULL;
    double frame = sim_card_frame(&card->config.model, t);
    if (frame < 0 || frame >= (double)card->written)
        return NULL;
    const float *sound = ring_at(card, (int64_t)frame);
    *ret_fraction = frame - floor(frame);
    return sim_tone_level(sound) > 0 ? sound : NULL;
}

/* --- the sink -------------------------------------------------------------------------------- */

static int64_t pointer_now(const struct sim_sound_card *card)
{
    if (card->state != SINK_RUNNING)
        return 0;
    double position = sim_driver_position(&card->driver, &card->config.model, card->now_s);
    return position > 0 ? (int64_t)position : 0;
}

/* Notices what has become of the card since. */
static void update(struct sim_sound_card *card)
{
    if (card->state == SINK_RUNNING)
        hear(card, frame_now(card, card->now_s));
    if (card->absent)
        halt(card, SINK_LOST);
    else if (card->suspended && card->state == SINK_RUNNING)
        halt(card, SINK_SUSPENDED);
    else if (card->state == SINK_RUNNING && pointer_now(card) >= card->written)
        halt(card, SINK_XRUN);
}

static int card_open(const struct sink_config *config, void **ret_self, struct sink_info *ret_info,
                     char *error)
{
    struct sim_sound_card *card = config->clock;
    (void)error;
    if (card->absent)
        return -ENODEV;
    if (!card->ring)
        card->ring = calloc((size_t)(RING_FRAMES + 1) * SINK_CHANNELS, sizeof *card->ring);
    if (!card->ring)
        return -ENOMEM;
    unsigned rate_hz = (unsigned)card->config.model.rate_hz;
    card->buffer_frames = (int64_t)ns_to_frames(config->buffer_ns, rate_hz);
    card->open = true;
    card->state = SINK_STOPPED;
    card->written = card->heard = card->shown = 0;
    stamp_pairing_init(&card->pairing);
    *ret_info = (struct sink_info){.format = "simulated",
                                   .rate_hz = rate_hz,
                                   .buffer_frames = (size_t)card->buffer_frames,
                                   .period_frames = rate_hz / 100,
                                   .can_rewind = !card->config.cannot_rewind,
                                   .card = -1};
    *ret_self = card;
    return 0;
}

static void card_close(void *self)
{
    struct sim_sound_card *card = self;
    halt(card, SINK_STOPPED);
    card->open = false;
}

static int64_t card_write(void *self, const float *frames, size_t count)
{
    struct sim_sound_card *card = self;
    update(card);
    if (card->state != SINK_RUNNING && card->state != SINK_STOPPED)
        return card->state == SINK_XRUN        ? -EPIPE
               : card->state == SINK_SUSPENDED ? -ESTRPIPE
                                               : -ENODEV;
    int64_t room = card->buffer_frames - (card->written - pointer_now(card));
    int64_t taken = (int64_t)count < room ? (int64_t)count : room;
    for (int64_t done = 0; done < taken;) {
        int64_t at = (card->written + done) & (RING_FRAMES - 1);
        int64_t run = taken - done < RING_FRAMES - at ? taken - done : RING_FRAMES - at;
        memcpy(card->ring + at * SINK_CHANNELS, frames + done * SINK_CHANNELS,
               (size_t)run * SINK_CHANNELS * sizeof *frames);
        done += run;
    }
    memcpy(card->ring + RING_FRAMES * SINK_CHANNELS, card->ring, SINK_CHANNELS * sizeof *frames);
    card->written += taken > 0 ? taken : 0;
    return taken > 0 ? taken : 0;
}

static int card_start(void *self)
{
    struct sim_sound_card *card = self;
    update(card);
    if (card->state == SINK_LOST)
        return -ENODEV;
    if (card->written == 0)
        return -EPIPE;
    sim_card_start(&card->config.model, card->now_s);
    card->driver = (struct sim_driver){.kind = card->config.driver};
    card->state = SINK_RUNNING;
    return 0;
}

/* As sink_alsa has it: by the stamp, where it is the position's, else by the call. */
static struct mono_time time_of(struct sim_sound_card *card, const struct sim_look *look,
                                struct mono_time before, struct mono_time after, int64_t position)
{
    if (isnan(look->stamp_s))
        return mono_add(before, mono_sub(after, before) / 2);
    struct mono_time stamp = sim_local_time(&card->config.local, look->stamp_s);
    return stamp_pairing_choose(&card->pairing, before, after, stamp, position);
}

static bool happens(struct sim_sound_card *card, double share)
{
    return share > 0 && sim_uniform(card->random, 0, 1) < share;
}

static struct sink_observation card_observe(void *self)
{
    struct sim_sound_card *card = self;
    update(card);
    struct sink_observation seen = {.state = card->state, .written_frames = card->written};
    if (card->state != SINK_RUNNING)
        return seen;
    struct sim_look look =
        sim_driver_look(&card->driver, &card->config.model, card->now_s, card->random);
    if (happens(card, card->config.late_look_share))
        look.after_s += sim_uniform(card->random, 0, 250e-6);
    int64_t position = (int64_t)look.position_frames;
    if (happens(card, card->config.stuck_share))
        position = card->shown;
    card->shown = position;
    bool begun = look.before_s > card->config.model.started_s + BEGUN_S;
    if (begun && happens(card, card->config.zero_delay_share))
        position = card->written;
    struct mono_time before = sim_local_time(&card->config.local, look.before_s);
    struct mono_time after = sim_local_time(&card->config.local, look.after_s);
    seen.time = time_of(card, &look, before, after, position);
    seen.uncertainty_ns = mono_sub(after, before);
    seen.delay_frames = card->written - position;
    seen.pairing = stamp_pairing_kind(&card->pairing);
    card->now_s = look.after_s;
    return seen;
}

static size_t card_rewind(void *self, size_t count)
{
    struct sim_sound_card *card = self;
    update(card);
    if (card->config.cannot_rewind || (card->state != SINK_RUNNING && card->state != SINK_STOPPED))
        return 0;
    double margin = REWIND_MARGIN_S * card->config.model.rate_hz;
    if (card->config.model.step_frames > 1) /* it fetches a step ahead of what it says */
        margin += card->config.model.step_frames;
    int64_t possible = card->written - pointer_now(card) - (int64_t)margin;
    if (possible <= 0)
        return 0;
    int64_t taken = (int64_t)count < possible ? (int64_t)count : possible;
    card->written -= taken;
    return (size_t)taken;
}

static int card_reset(void *self)
{
    struct sim_sound_card *card = self;
    if (card->absent)
        return -ENODEV;
    halt(card, SINK_STOPPED);
    card->suspended = false;
    card->written = card->heard = card->shown = 0;
    return 0;
}

const struct sink_backend sim_sound_card_backend = {
    .open = card_open,
    .close = card_close,
    .write = card_write,
    .start = card_start,
    .observe = card_observe,
    .rewind = card_rewind,
    .reset = card_reset,
};
