/*
 * drift.c: a proportional-integral controller whose gain depends on the size of the error.
 *
 * Three wishes conflict: 150 ms are to be caught up in 40 s, without an overshoot; a wandering
 * crystal is to be followed to some microseconds; and in the steady state the ratio may not move
 * by more than 0.1 ppm per second, for a moving ratio is phase noise: 10 ns of wobble in a second
 * is -84 dB on a 1 kHz sine. So:
 *
 *   gain      k(e) rises from 1/tau_small at zero to 1/tau_large for errors well above KNEE_S;
 *             tau_small follows the steadiness of the card.
 *   braking   the correction never exceeds sqrt(2 A |e|): from there, a ratio that changes by A per
 *             second comes to rest at zero error, as a lift does at its floor.
 *   slew      the ratio moves by at most A per second; near zero by at most QUIET, plus what
 *             following k(e) as the error shrinks needs.
 *
 * The integral of the classical PI loop is dac_clock's slope, which arrives as the feed-forward: it
 * is learned by regression over the card's own pointer instead of by accumulating error, so it
 * cannot wind up and does not overshoot, and an error never has to build up before it is right.
 * There is no dead band: an error is never too small to be corrected, only corrected more gently.
 * The constants were chosen with tests/sim/sim_speaker.c.
 */
#include "tutti/core/drift.h"

#include <math.h>

/* A, per second: 0.1 % of pitch per second is far below what is heard as a warble. */
static const double SLEW_MAX_PER_S = 1000e-6;
/* Of which braking plans to use this part, so that it can be kept to. */
static const double BRAKING_PART = 0.85;
/* Time constant for errors above the knee, up to where following it needs all of A. */
static const double TAU_LARGE_S = 1.5;
static const double KNEE_S = 500e-6;
/* An error of a few times its own uncertainty is no reason for haste. */
static const double KNEE_SIGMAS = 10;
/* tau_small: this part of the window over which the card is steady, within bounds. */
static const double TAU_PER_STEADY = 0.5;
static const double TAU_SMALL_MIN_S = 2.0;
static const double TAU_SMALL_MAX_S = 30.0;
/* QUIET: 0.08 ppm/s for a card that is steady over a minute, in inverse proportion. */
static const double QUIET_STEADY_S2 = 5e-6;
static const double QUIET_MAX_PER_S = 5e-6;
/* Two crystals and a server's clock that is being slewed do not differ by more; a card clock that
 * says so was misled, and is not to bend the pitch. */
static const double FEED_FORWARD_MAX_PPM = 2000;
/* Following k(e) takes k^2 e per second; with room to spare. */
static const double FOLLOW = 2.0;

void drift_init(struct drift *drift, const struct drift_config *config)
{
    drift->config = *config;
    drift_reset(drift);
}

void drift_reset(struct drift *drift)
{
    drift->correction = 0;
}

double drift_correction_ppm(const struct drift *drift)
{
    return drift->correction * 1e6;
}

static double clamp(double x, double low, double high)
{
    return fmin(fmax(x, low), high);
}

static double tau_small(double steady_s)
{
    return clamp(steady_s * TAU_PER_STEADY, TAU_SMALL_MIN_S, TAU_SMALL_MAX_S);
}

static double gain(double size_s, const struct drift_quality *quality)
{
    double low = 1 / tau_small(quality->steady_s), high = 1 / TAU_LARGE_S;
    double knee_s = fmax(KNEE_S, KNEE_SIGMAS * quality->sigma_s);
    return low + (high - low) * size_s / (size_s + knee_s);
}

/* The correction that an error of this size calls for, without its sign. */
static double wanted_correction(const struct drift *drift, double size_s,
                                const struct drift_quality *quality)
{
    double linear = size_s * gain(size_s, quality);
    /* v = e / tau decelerates by e / tau^2; beyond the size where that is the limit, v follows the
     * parabola that touches the line there. */
    double deceleration = BRAKING_PART * SLEW_MAX_PER_S;
    double touch_s = deceleration * TAU_LARGE_S * TAU_LARGE_S;
    double braking = size_s > touch_s ? sqrt(2 * deceleration * (size_s - touch_s / 2)) : INFINITY;
    return fmin(fmin(linear, braking), drift->config.max_slew_ppm * 1e-6);
}

static double slew_limit(double size_s, const struct drift_quality *quality)
{
    double quiet = fmin(QUIET_STEADY_S2 / fmax(quality->steady_s, 1), QUIET_MAX_PER_S);
    double k = gain(size_s, quality);
    return fmin(quiet + FOLLOW * k * k * size_s, SLEW_MAX_PER_S);
}

struct drift_decision drift_step(struct drift *drift, double error_s, double feed_forward_ppm,
                                 const struct drift_quality *quality, double dt_s)
{
    double size_s = fabs(error_s);
    feed_forward_ppm = clamp(feed_forward_ppm, -FEED_FORWARD_MAX_PPM, FEED_FORWARD_MAX_PPM);
    if (size_s > drift->config.jump_s) {
        drift_reset(drift);
        return (struct drift_decision){DRIFT_JUMP, feed_forward_ppm};
    }
    double limit = drift->config.max_slew_ppm * 1e-6;
    double target = -copysign(wanted_correction(drift, size_s, quality), error_s);
    double step = slew_limit(size_s, quality) * dt_s;
    drift->correction += clamp(target - drift->correction, -step, step);
    drift->correction = clamp(drift->correction, -limit, limit);
    return (struct drift_decision){DRIFT_SLEW, feed_forward_ppm + drift->correction * 1e6};
}
