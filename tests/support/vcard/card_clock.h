/*
 * card_clock.h: the crystal of the virtual card: CLOCK_MONOTONIC to frames and back.
 *
 * Between two changes the card's rate is hz * (1 + ppm e-6 + wander_ppm e-6 sin(2 pi T / period))
 * with T the absolute CLOCK_MONOTONIC, so that wander goes on through stops. Positions are the
 * closed integral from the last change, never a sum of steps: no error accumulates.
 */
#ifndef VCARD_CARD_CLOCK_H
#define VCARD_CARD_CLOCK_H

#include <stdint.h>

struct card_clock {
    double hz; /* nominal */
    double ppm;
    double wander_ppm;
    double wander_period_s;
    int64_t origin_ns;    /* CLOCK_MONOTONIC of the last change */
    double origin_frames; /* position then */
};

/* Position `frames` is reached at `ns`; from there on the clock runs. */
void card_clock_set_origin(struct card_clock *clock, int64_t ns, double frames);

/* Frames begun, fractional: frame n begins to sound when this is n. */
double card_clock_position(const struct card_clock *clock, int64_t ns);

/* When the position is `frames`, in ns of CLOCK_MONOTONIC. */
int64_t card_clock_time(const struct card_clock *clock, double frames);

/* Frames per second at an instant. */
double card_clock_rate_hz(const struct card_clock *clock, int64_t ns);

#endif
