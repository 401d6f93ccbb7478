/*
 * resampler.c: libsoxr's variable-rate engine with bookkeeping around it.
 *
 * Facts about that engine (soxr 0.1.3, vr32), kept true by tests/unit/audio/test_resampler.c:
 *   - it steps through its input in 32.32 fixed point, in a domain of 2, 1, 1/2, 1/4 ... times the
 *     input rate by the octave of the ratio, so a ratio that is a multiple of a small power of two
 *     is represented exactly and positions never creep;
 *   - the first ratio it is given sets its first position to half the fraction of one step;
 *   - if it was created for a ratio above 1 (always, here), a half-band IIR follows, which delays
 *     the sound by DELAY_FRAMES output frames;
 *   - it takes all input that it is offered up to the largest ratio, needed or not, so it is
 *     offered no more than the wanted output needs;
 *   - soxr_delay() is not implemented for it, and soxr_clear() re-creates it.
 *
 * A start at a fractional position runs the filter in over some frames that are thrown away, at a
 * ratio so slightly off that the first frame kept falls on the position.
 */
#include "tutti/audio/resampler.h"

#include <math.h>
#include <soxr.h>
#include <stdbool.h>
#include <stdlib.h>

/* Phase delay of the half-band IIR at low frequencies, in output frames. */
static const double DELAY_FRAMES = 1.86331;
/* Corrections stay well inside; the engine must have been created for the largest ratio. */
static const double RATIO_HEADROOM = 1.02;
static const double PPM_MAX = 10000;
/* Thrown away at a start. The IIR rings off by 28 dB per 128 output frames, so that these leave
 * nothing above -110 dB; the FIRs reach 66 input frames back where the ratio is below 1. */
static const double WARM_UP_OUT_FRAMES = 512;
static const double WARM_UP_IN_FRAMES = 72;
static const int FIRST_RATIO_ROUNDS = 4;
#define THROWN_FRAMES 64
/* Offered beyond what was computed, should the engine be hungrier than we think. */
#define EXTRA_IN_FRAMES 64

struct resampler {
    soxr_t soxr;
    double nominal;        /* input frames per output frame, uncorrected */
    double unit;           /* ratios are multiples of this */
    int64_t lookahead;     /* input frames that the engine wants beyond a position */
    double ratio;          /* in effect for what is delivered */
    double warm_ratio;     /* in effect while frames are thrown away */
    size_t warm_up_frames; /* output frames still to be thrown away */
    /* Engine position of the next output frame, before the IIR's delay: kept in two parts, so that
     * adding steps is exact. */
    int64_t whole;
    double part;
    int64_t fed; /* the input frame that is wanted next */
};

static double quantize(const struct resampler *resampler, double ratio)
{
    return round(ratio / resampler->unit) * resampler->unit;
}

/* Halvings of the input rate that an engine for ratios up to max_ratio may do. */
static int halvings(double max_ratio)
{
    int count = 0;
    while (max_ratio > 2) {
        max_ratio /= 2;
        count++;
    }
    return count;
}

struct resampler *resampler_create(unsigned in_rate_hz, unsigned out_rate_hz)
{
    struct resampler *resampler = calloc(1, sizeof *resampler);
    if (!resampler)
        return NULL;
    resampler->nominal = (double)in_rate_hz / out_rate_hz;
    int deepest = halvings(resampler->nominal * RATIO_HEADROOM);
    resampler->unit = ldexp(1, deepest - 31);
    resampler->lookahead = 240;
    for (int i = 0; i < deepest; i++)
        resampler->lookahead = 2 * resampler->lookahead + 120;
    resampler->ratio = quantize(resampler, resampler->nominal);
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

/* Where the engine's first output falls, in input frames; see the top of this file. */
static double first_position(double ratio)
{
    int octave = (int)floor(log2(ratio));
    bool up = octave < 0;
    double domain = up ? 0.5 : ldexp(1, octave); /* input frames per frame of the domain */
    double step = up ? ratio / domain : ratio / domain / 2;
    return (step - floor(step)) / 2 * domain;
}

/* The ratio that covers travel input frames in count output frames, the first position included;
 * 0 where that has no solution, because the first position jumps just there. */
static double ratio_for(const struct resampler *resampler, double travel, double count)
{
    double ratio = travel / count;
    for (int i = 0; i < FIRST_RATIO_ROUNDS; i++)
        ratio = quantize(resampler, (travel - first_position(ratio)) / count);
    double missed = travel - first_position(ratio) - ratio * count;
    return fabs(missed) < count * resampler->unit ? ratio : 0;
}

int64_t resampler_start(struct resampler *resampler, double position)
{
    soxr_delete(resampler->soxr);
    resampler->soxr = create_engine(resampler->nominal);
    if (!resampler->soxr)
        return 0;
    double count = ceil(fmax(WARM_UP_OUT_FRAMES, WARM_UP_IN_FRAMES / fmin(resampler->nominal, 1)));
    double wanted = position + DELAY_FRAMES * resampler->ratio;
    double first = wanted - first_position(resampler->ratio) - count * resampler->ratio;
    /* The warm-up's ratio errs away from 1, where the engine changes its way of working. */
    double away = resampler->ratio < 1 ? 1 : -1;
    first = resampler->ratio < 1 ? ceil(first) : floor(first);
    double ratio = ratio_for(resampler, wanted - first, count);
    for (int i = 0; ratio == 0 && i < 2; i++) {
        first += away;
        ratio = ratio_for(resampler, wanted - first, count);
    }
    if (ratio == 0)
        ratio = resampler->ratio; /* resampler_position() tells what came of it */
    soxr_set_io_ratio(resampler->soxr, ratio, 0);
    resampler->warm_ratio = ratio;
    resampler->warm_up_frames = (size_t)count;
    resampler->fed = (int64_t)first;
    resampler->whole = (int64_t)first;
    resampler->part = first_position(ratio);
    return (int64_t)first;
}

double resampler_set_ppm(struct resampler *resampler, double ppm)
{
    ppm = fmin(fmax(ppm, -PPM_MAX), PPM_MAX);
    double ratio = quantize(resampler, resampler->nominal * (1 + ppm * 1e-6));
    if (ratio != resampler->ratio) {
        resampler->ratio = ratio;
        if (resampler->warm_up_frames == 0)
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
    double warm_up = (double)resampler->warm_up_frames * resampler->warm_ratio;
    return (double)resampler->whole + (resampler->part + warm_up - DELAY_FRAMES * resampler->ratio);
}

static void advance(struct resampler *resampler, size_t frames, double ratio)
{
    resampler->part += (double)frames * ratio;
    double whole = floor(resampler->part);
    resampler->whole += (int64_t)whole;
    resampler->part -= whole;
}

/* Input frames that must still be fed for `frames` more output frames. */
static size_t frames_wanting(const struct resampler *resampler, size_t frames, double ratio)
{
    double last = resampler->part + (double)frames * ratio;
    int64_t until = resampler->whole + (int64_t)last + resampler->lookahead + 1;
    return until > resampler->fed ? (size_t)(until - resampler->fed) : 0;
}

/*
 * Runs the engine for up to count output frames at the ratio it is set to, offering it what it
 * needs of in. Returns the frames written; *used_frames grows by what was taken.
 */
static size_t run(struct resampler *resampler, double ratio, const float *in, size_t in_frames,
                  size_t *used_frames, float *out, size_t count)
{
    size_t done = 0;
    size_t extra = 0;
    while (done < count) {
        size_t left = in_frames - *used_frames;
        size_t offered = frames_wanting(resampler, count - done, ratio) + extra;
        if (offered > left)
            offered = left;
        size_t used = 0, got = 0;
        /* Without a buffer the engine would take it for the end of its input. */
        const float *from = in ? in + *used_frames * RESAMPLER_CHANNELS : out;
        soxr_process(resampler->soxr, from, offered, &used, out + done * RESAMPLER_CHANNELS,
                     count - done, &got);
        *used_frames += used;
        resampler->fed += (int64_t)used;
        advance(resampler, got, ratio);
        done += got;
        if (used > 0 || got > 0)
            continue;
        if (left == 0 || extra > 0)
            break;
        extra = EXTRA_IN_FRAMES;
    }
    return done;
}

/* Runs the engine until the frames of the warm-up have come out; false if input is wanting. */
static bool warm_up(struct resampler *resampler, const float *in, size_t in_frames,
                    size_t *used_frames)
{
    float thrown[THROWN_FRAMES * RESAMPLER_CHANNELS];
    while (resampler->warm_up_frames > 0) {
        size_t want = resampler->warm_up_frames;
        if (want > THROWN_FRAMES)
            want = THROWN_FRAMES;
        size_t done =
            run(resampler, resampler->warm_ratio, in, in_frames, used_frames, thrown, want);
        resampler->warm_up_frames -= done;
        if (done < want)
            return false;
    }
    soxr_set_io_ratio(resampler->soxr, resampler->ratio, 0);
    return true;
}

size_t resampler_process(struct resampler *resampler, const float *in, size_t in_frames,
                         size_t *ret_used, float *out, size_t out_capacity)
{
    *ret_used = 0;
    if (resampler->warm_up_frames > 0 && !warm_up(resampler, in, in_frames, ret_used))
        return 0;
    return run(resampler, resampler->ratio, in, in_frames, ret_used, out, out_capacity);
}
