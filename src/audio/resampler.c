/*
 * resampler.c: libsoxr's variable-rate engine with bookkeeping around it.
 *
 * Facts about that engine (soxr 0.1.3, vr32), found by phase measurement and kept true by
 * tests/unit/audio/test_resampler.c:
 *   - it steps through its input in 32.32 fixed point at half or twice the input rate, so a ratio
 *     that is a multiple of 2^-31 is represented exactly and positions never creep;
 *   - the first ratio it is given sets its first position to half the fraction of one step;
 *   - if it was created for a ratio above 1 (always, here), a half-band IIR follows, which delays
 *     the sound by DELAY_FRAMES output frames at low frequencies;
 *   - soxr_delay() is not implemented for it.
 *
 * A start at a fractional position runs the filter in over some frames that are thrown away, at a
 * ratio so slightly off that the first frame kept falls on the position.
 */
#include "tutti/audio/resampler.h"

#include <assert.h>
#include <math.h>
#include <soxr.h>
#include <stdbool.h>
#include <stdlib.h>

/* Group delay of the half-band IIR below 1 kHz, in output frames. */
static const double DELAY_FRAMES = 1.86331;
/* Output frames thrown away at a start; several times the filter's length. */
static const int WARM_UP_FRAMES = 128;
static const double RATIO_UNIT = 1.0 / 2147483648.0;
/* Corrections stay well inside; the engine must have been created for the largest ratio. */
static const double RATIO_HEADROOM = 1.02;
static const double PPM_MAX = 10000;

struct resampler {
    soxr_t soxr;
    double nominal; /* input frames per output frame, uncorrected */
    double ratio;   /* in effect for what is delivered */
    double raw;     /* engine position of the next output frame, before the IIR's delay */
    int warm_up;    /* output frames still to be thrown away */
    double warm_ratio;
};

static double quantize(double ratio)
{
    return round(ratio / RATIO_UNIT) * RATIO_UNIT;
}

struct resampler *resampler_create(unsigned in_rate_hz, unsigned out_rate_hz)
{
    struct resampler *resampler = calloc(1, sizeof *resampler);
    if (!resampler)
        return NULL;
    resampler->nominal = (double)in_rate_hz / out_rate_hz;
    resampler->ratio = quantize(resampler->nominal);
    resampler_start(resampler, 0);
    if (!resampler->soxr) {
        free(resampler);
        return NULL;
    }
    return resampler;
}

void resampler_destroy(struct resampler *resampler)
{
    if (!resampler)
        return;
    soxr_delete(resampler->soxr);
    free(resampler);
}

static soxr_t create_engine(double nominal)
{
    soxr_error_t error = NULL;
    soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, SOXR_VR);
    soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    double max_ratio = fmax(nominal, 1) * RATIO_HEADROOM;
    soxr_t soxr = soxr_create(max_ratio, 1, RESAMPLER_CHANNELS, &error, &io, &quality, NULL);
    return error ? NULL : soxr;
}

/*
 * Where the engine's first output falls, in input frames: half the fractional part of its step,
 * in the domain it steps in (input rate times 2, 1, 1/2, 1/4 ... by the octave of the ratio).
 */
static double first_position(double ratio)
{
    int octave = (int)floor(log2(ratio));
    bool up = octave < 0;
    double domain = up ? 0.5 : ldexp(1, octave); /* input frames per frame of the domain */
    double step = up ? ratio / domain : ratio / domain / 2;
    return (step - floor(step)) / 2 * domain;
}

int64_t resampler_start(struct resampler *resampler, double position)
{
    /* The engine cannot be set back to its first call, and creating one is cheap. */
    soxr_delete(resampler->soxr);
    resampler->soxr = create_engine(resampler->nominal);
    if (!resampler->soxr)
        return 0;
    /* After the warm-up, raw - DELAY * ratio = position - first. */
    double span = WARM_UP_FRAMES * resampler->ratio;
    double raw_wanted = position + DELAY_FRAMES * resampler->ratio;
    double first = floor(raw_wanted - span);
    double travel = raw_wanted - first; /* between span and span + 1 */
    double start = first_position(travel / WARM_UP_FRAMES);
    double ratio = quantize((travel - start) / WARM_UP_FRAMES);
    start = first_position(ratio);
    soxr_set_io_ratio(resampler->soxr, ratio, 0);
    resampler->warm_ratio = ratio;
    resampler->warm_up = WARM_UP_FRAMES;
    resampler->raw = first + start + WARM_UP_FRAMES * ratio;
    return (int64_t)first;
}

double resampler_set_ppm(struct resampler *resampler, double ppm)
{
    ppm = fmin(fmax(ppm, -PPM_MAX), PPM_MAX);
    double ratio = quantize(resampler->nominal * (1 + ppm * 1e-6));
    if (ratio != resampler->ratio) {
        resampler->ratio = ratio;
        if (resampler->warm_up == 0)
            soxr_set_io_ratio(resampler->soxr, ratio, 0);
    }
    return (ratio / resampler->nominal - 1) * 1e6;
}

double resampler_ratio(const struct resampler *resampler)
{
    return resampler->ratio;
}

double resampler_position(const struct resampler *resampler)
{
    return resampler->raw - DELAY_FRAMES * resampler->ratio;
}

/* Runs the engine until the frames of the warm-up have come out. Returns input frames used. */
static size_t warm_up(struct resampler *resampler, const float *in, size_t in_frames)
{
    float thrown[64 * RESAMPLER_CHANNELS];
    size_t used_in_all = 0;
    while (resampler->warm_up > 0) {
        size_t used = 0, done = 0;
        size_t want = resampler->warm_up < 64 ? (size_t)resampler->warm_up : 64;
        soxr_process(resampler->soxr, in + used_in_all * RESAMPLER_CHANNELS,
                     in_frames - used_in_all, &used, thrown, want, &done);
        used_in_all += used;
        resampler->warm_up -= (int)done;
        if (used == 0 && done == 0)
            return used_in_all;
    }
    soxr_set_io_ratio(resampler->soxr, resampler->ratio, 0);
    return used_in_all;
}

size_t resampler_process(struct resampler *resampler, const float *in, size_t in_frames,
                         size_t *ret_used, float *out, size_t out_capacity)
{
    size_t used = 0, done = 0;
    *ret_used = 0;
    if (resampler->warm_up > 0) {
        *ret_used = warm_up(resampler, in, in_frames);
        if (resampler->warm_up > 0)
            return 0;
    }
    soxr_process(resampler->soxr, in + *ret_used * RESAMPLER_CHANNELS, in_frames - *ret_used, &used,
                 out, out_capacity, &done);
    *ret_used += used;
    resampler->raw += (double)done * resampler->ratio;
    return done;
}
