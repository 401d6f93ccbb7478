/*
 * dac_clock.h: what is the card playing now, and how fast does it really run?
 *
 * In: observations (local time, frame about to be heard). Out: the frame audible at any local
 * time, its inverse, and the card's rate error in ppm (positive: the card runs fast).
 *
 * What a driver reports is the truth or stale, never ahead of it: a pointer is rounded down to a
 * frame, a millisecond or a period, and a process may be descheduled after the pointer was read.
 * dac_line.h is the line that lies above all observations of a window. The window grows to a
 * minute while they are those of one line, and shrinks as soon as a wandering crystal bends it:
 * its length is a measure of how steady the card is.
 */
#ifndef TUTTI_CORE_DAC_CLOCK_H
#define TUTTI_CORE_DAC_CLOCK_H

#include "tutti/base/units.h"
#include "tutti/core/dac_line.h"
#include "tutti/core/pointer_grid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 64 s at 12 observations a second, and room for the burst at a start. */
#define DAC_CLOCK_POINTS DAC_LINE_POINTS

/* Crystals, by data sheet. A remembered rate holds to a few ppm over temperature. */
#define DAC_CLOCK_UNKNOWN_SIGMA_PPM 100.0
#define DAC_CLOCK_REMEMBERED_SIGMA_PPM 3.0

struct dac_clock {
    double nominal_hz;
    struct mono_time origin;
    struct pointer_grid grid;
    struct dac_line_point points[DAC_CLOCK_POINTS];
    size_t head; /* index of the oldest */
    size_t count;
    double prior_slope; /* rate error, as a fraction, known from before the window */
    double prior_sigma;
    struct dac_line line;
    unsigned unfitted;    /* observations since the line was laid */
    double window_s;      /* the length of the window that carries the fit */
    double staleness_s;   /* range of what observations lag behind the truth */
    double ahead_phase_s; /* of the last observation that the line does not allow */
    unsigned ahead;       /* such observations in a row that agree with each other */
    uint64_t disbelieved; /* such observations since the beginning */
};

/* nominal_hz: what the device was configured to. sigma_ppm: how far the rate may be off prior. */
void dac_clock_init(struct dac_clock *clock, double nominal_hz, double prior_ppm, double sigma_ppm);

/* The device was stopped: frames count from elsewhere now. The rate learned so far is kept. */
void dac_clock_restart(struct dac_clock *clock);

/*
 * At `at`, `frame` was about to be heard. Times must not go back; one that does is ignored. So is a
 * frame that the card cannot have reached yet (a driver that forgets its delay for a moment);
 * if the card goes on from there, the line begins anew.
 */
void dac_clock_observe(struct dac_clock *clock, struct mono_time at, int64_t frame);

/* True once there are observations enough for a first position (about ten over 16 ms). */
bool dac_clock_ready(const struct dac_clock *clock);

/* Fractional frame audible at a local time; extrapolates both ways. Call only when ready. */
double dac_clock_frame_at(const struct dac_clock *clock, struct mono_time at);
struct mono_time dac_clock_time_of(const struct dac_clock *clock, double frame);

/*
 * When to look, if about `at` will do: a coarse pointer is exact just after it has moved. walk (0
 * to 1, another one each time) spreads looks around that instant, as far as it is uncertain.
 */
struct mono_time dac_clock_aim(const struct dac_clock *clock, struct mono_time at, double walk);

/* Rate error of the card against the local clock and its standard uncertainty. */
double dac_clock_ppm(const struct dac_clock *clock);
double dac_clock_ppm_sigma(const struct dac_clock *clock);

/* Standard uncertainty, in s, of where the card is now. */
double dac_clock_sigma_s(const struct dac_clock *clock);

/* Seconds over which the card keeps to one straight line: 64 when steady, less in wander. */
double dac_clock_window_s(const struct dac_clock *clock);

#endif
