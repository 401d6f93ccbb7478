/*
 * drift.h: error in; hold, slew or jump out.
 *
 * Error is heard - wanted in seconds of track time: positive, we are ahead and must slow down.
 * The rate that comes out is in ppm, positive: play faster. It is
 *
 *     feed-forward (the rate at which the wanted position passes per nominal card frame)
 *   + correction   (what brings the error to zero)
 *
 * The error is to be taken where the next frame will be written, not where the ear is: then the
 * loop has no delay, and its plant is a pure integrator.
 */
#ifndef TUTTI_CORE_DRIFT_H
#define TUTTI_CORE_DRIFT_H

#include <stdbool.h>

struct drift_config {
    double jump_s;       /* beyond this, seek: the playbook's 200 ms */
    double max_slew_ppm; /* no correction is larger: 5000 is 9 cents, below what is noticed */
};

enum drift_action {
    DRIFT_SLEW, /* play at rate_ppm */
    DRIFT_JUMP, /* seek to where the timeline is */
};

struct drift_decision {
    enum drift_action action;
    double rate_ppm; /* feed-forward and correction together */
};

struct drift {
    struct drift_config config;
    double correction; /* as a fraction, in effect */
};

void drift_init(struct drift *drift, const struct drift_config *config);

/* After a realigned start: the error is zero and nothing is left of the past. */
void drift_reset(struct drift *drift);

/* How good the error is: the steadier and the less certain, the gentler and the quieter the loop.
 */
struct drift_quality {
    double steady_s; /* how long the card has kept to one rate: dac_clock_window_s() */
    double sigma_s;  /* standard uncertainty of the error: dac_clock_sigma_s() */
};

/* dt_s: since the last step, in played time. */
struct drift_decision drift_step(struct drift *drift, double error_s, double feed_forward_ppm,
                                 const struct drift_quality *quality, double dt_s);

/* The correction in effect in ppm, without the feed-forward. */
double drift_correction_ppm(const struct drift *drift);

#endif
