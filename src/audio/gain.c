/*
 * gain.c: the volume curve and envelopes.
 */
#include "tutti/audio/gain.h"

#include <math.h>
#include <string.h>

float gain_of_volume(double percent)
{
    double x = fmin(fmax(percent, 0), 100) / 100;
    return (float)(x * x * x);
}

struct gain_envelope gain_steady(float level)
{
    return (struct gain_envelope){.from = level, .target = level};
}

struct gain_envelope gain_ramp(const struct gain_envelope *before, float target,
                               int64_t first_frame, int64_t frames)
{
    return (struct gain_envelope){.from = gain_at(before, first_frame),
                                  .target = target,
                                  .first_frame = first_frame,
                                  .frames = frames};
}

float gain_at(const struct gain_envelope *envelope, int64_t frame)
{
    int64_t done = frame - envelope->first_frame;
    if (envelope->frames <= 0 || done >= envelope->frames)
        return envelope->target;
    if (done <= 0)
        return envelope->from;
    double rise = 0.5 - 0.5 * cos(M_PI * (double)done / (double)envelope->frames);
    return (float)(envelope->from + (envelope->target - envelope->from) * rise);
}

static void apply_level(float level, const float *in, float *out, size_t samples)
{
    if (level == 1) {
        if (out != in)
            memcpy(out, in, samples * sizeof *out);
        return;
    }
    for (size_t i = 0; i < samples; i++)
        out[i] = in[i] * level;
}

/* How many of count frames from first_frame on have one gain: `from`, or `target`. */
static size_t steady_frames(const struct gain_envelope *envelope, int64_t first_frame, size_t count)
{
    int64_t done = first_frame - envelope->first_frame;
    if (envelope->frames <= 0 || done >= envelope->frames)
        return count;
    if (done > 0)
        return 0;
    return (int64_t)count < 1 - done ? count : (size_t)(1 - done);
}

void gain_apply(const struct gain_envelope *envelope, int64_t first_frame, const float *in,
                float *out, size_t count)
{
    while (count > 0) {
        size_t run = steady_frames(envelope, first_frame, count);
        if (run == 0)
            run = 1;
        apply_level(gain_at(envelope, first_frame), in, out, run * GAIN_CHANNELS);
        first_frame += (int64_t)run;
        in += run * GAIN_CHANNELS;
        out += run * GAIN_CHANNELS;
        count -= run;
    }
}
