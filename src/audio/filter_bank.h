/*
 * filter_bank.h: windowed-sinc filters for every fraction of a frame.
 *
 * The impulse response h(d), d in input frames, is a sinc with its cut-off below the lower rate's
 * Nyquist frequency, under a Kaiser window `taps` long, scaled to a gain of 1 at frequency 0. A
 * sample at frame n and fraction f is
 *
 *     sum over k of x[n + 1 - taps/2 + k] * h(f + taps/2 - 1 - k),    0 <= k < taps
 *
 * [0, 1) is cut into `phases` of equal width. Within one, each tap's h is the parabola through its
 * values at both ends and in the middle: c0 + c1 t + c2 t^2 with t from 0 to 1 across the phase.
 *
 * Banks depend on the ratio only, are immutable, and are shared by all who take the same one. Any
 * thread.
 */
#ifndef TUTTI_AUDIO_FILTER_BANK_H
#define TUTTI_AUDIO_FILTER_BANK_H

#include "tutti/audio/resampler.h"

#define FILTER_DEGREES 3
#define FILTER_TAPS_UNIT 8 /* vectors, two at a time */

struct filter_bank {
    unsigned taps;       /* a multiple of FILTER_TAPS_UNIT */
    unsigned phase_bits; /* phases are 1 << phase_bits */
    float *rows;         /* of each phase c0[taps], c1[taps], c2[taps]; aligned for vectors */
};

/* NULL when out of memory. Given back as often as taken. */
const struct filter_bank *filter_bank_take(unsigned in_rate_hz, unsigned out_rate_hz,
                                           enum resampler_quality quality);
void filter_bank_give_back(const struct filter_bank *bank);

#endif
