/*
 * sample_format.c: scaling, clipping, rounding, dither.
 */
#include "sample_format.h"

#include <math.h>

/* Numerical Recipes' 32-bit linear congruential generator: good enough for noise. */
static float random_unit(struct dither *dither)
{
    dither->state = dither->state * 1664525u + 1013904223u;
    return (float)(dither->state >> 8) * (1.0f / 16777216.0f);
}

size_t sample_format_bytes(enum sample_format format)
{
    return format == SAMPLE_S16 ? 2 : format == SAMPLE_S24_3LE ? 3 : 4;
}

static int32_t scale(float sample, double full)
{
    double x = (double)sample * full;
    if (x >= full - 1)
        return (int32_t)(full - 1);
    if (x <= -full)
        return (int32_t)-full;
    return x == x ? (int32_t)lrint(x) : 0; /* no number: better silence than a bang */
}

static int16_t scale_dithered(float sample, struct dither *dither)
{
    if (sample == 0)
        return 0;
    float x = sample * 32768.0f + random_unit(dither) - random_unit(dither);
    if (x >= 32767.0f)
        return 32767;
    if (x <= -32768.0f)
        return -32768;
    return x == x ? (int16_t)lrintf(x) : 0;
}

void sample_format_convert(enum sample_format format, const float *samples, size_t count, void *to,
                           struct dither *dither)
{
    int32_t *wide = to;
    int16_t *narrow = to;
    uint8_t *bytes = to;
    switch (format) {
    case SAMPLE_S32:
        for (size_t i = 0; i < count; i++)
            wide[i] = scale(samples[i], 2147483648.0);
        break;
    case SAMPLE_S24:
        for (size_t i = 0; i < count; i++)
            wide[i] = scale(samples[i], 8388608.0);
        break;
    case SAMPLE_S24_3LE:
        for (size_t i = 0; i < count; i++) {
            uint32_t x = (uint32_t)scale(samples[i], 8388608.0);
            bytes[3 * i] = (uint8_t)x;
            bytes[3 * i + 1] = (uint8_t)(x >> 8);
            bytes[3 * i + 2] = (uint8_t)(x >> 16);
        }
        break;
    case SAMPLE_S16:
        for (size_t i = 0; i < count; i++)
            narrow[i] = scale_dithered(samples[i], dither);
        break;
    }
}
