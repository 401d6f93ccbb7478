/*
 * drivers.h: what the kernel's sound drivers say of a card's position, as they were seen to in a
 * virtual machine.
 *
 * A look is the time around the call, the driver's time stamp and the position that came with it.
 * The figures are measured (docs/audio.md, "Drivers"): how far the pointer moves at a time, when it
 * is stamped, what is fetched at once when a stream starts.
 */
#ifndef TUTTI_SIM_DRIVERS_H
#define TUTTI_SIM_DRIVERS_H

#include "models.h"

enum sim_driver_kind {
    SIM_DRIVER_PLAIN,   /* steps of card.step_frames, no stamps */
    SIM_DRIVER_HDA,     /* steps of 1 ms, stamped in the call; fetches 38 ms at its start */
    SIM_DRIVER_AC97,    /* the same, 20 ms */
    SIM_DRIVER_ENS1370, /* steps of 1.25 ms, stamped in the call; fetches 20 ms */
    SIM_DRIVER_USB,     /* stamped every 5 ms; the delay is of the call, in steps of 1 ms */
    SIM_DRIVER_ALOOP,   /* steps of 4 ms, stamped when a look or its timer of 12 ms sees them */
    SIM_DRIVERS,
};

struct sim_driver {
    enum sim_driver_kind kind;
    double stamp_s; /* of the last step that the driver noticed, since the start */
    double step;    /* its number */
};

struct sim_look {
    double before_s, after_s; /* true time */
    double stamp_s;           /* NAN: the driver has none */
    double position_frames;   /* as the driver has it */
};

const char *sim_driver_name(enum sim_driver_kind kind);

/* How much later than the driver says a frame is heard: what it fetched at the start. */
double sim_driver_latency_s(enum sim_driver_kind kind, double rate_hz);

/* The position at true time t, without looking: what is free in the buffer follows from it. */
double sim_driver_position(const struct sim_driver *driver, const struct sim_card *card, double t);

/* A look at true time t, growing. What is heard is sim_card_frame(). */
struct sim_look sim_driver_look(struct sim_driver *driver, const struct sim_card *card, double t,
                                struct sim_random *random);

#endif
