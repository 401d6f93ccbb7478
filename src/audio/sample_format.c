/*
 * sample_format.c: scaling, clipping, rounding, dither.
 *
 * 16 bits, which most cards get, are made four samples at a time in the compiler's vectors; a
 * generator per lane makes the noise.
 */
#include "sample_format.h"

#include <math.h>
#include <string.h>

typedef float floats __attribute__((vector_size(16)));
typedef int32_t integers __attribute__((vector_size(16)));
typedef uint32_t words __attribute__((vector_size(16)));
typedef int16_t shorts __attribute__((vector_size(8)));
#define LANES 4
/* Added to a float of less than 2^22 and taken off again, it rounds it to the nearest integer. */
#define ROUNDER 0x1.8p23f
#define ROUNDER_BITS 0x4b400000u

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

/* A seed for each lane, none of them 0: Numerical Recipes' linear congruential generator. */
static words seed(struct dither *dither)
{
    words seeds;
    for (int i = 0; i < LANES; i++) {
        dither->state = dither->state * 1664525u + 1013904223u;
        seeds[i] = dither->state | 1;
    }
    return seeds;
}

/* Marsaglia's xorshift. The difference of its halves is of triangular distribution, from -1 to 1:
 * what is returned is 2^16 times that. */
static integers triangular_noise(words *state)
{
    words x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return (integers)(x >> 16) - (integers)(x & 0xffff);
}

/* Digital silence stays silent, and what is no number becomes silence: better than a bang. The
 * square of either is not above 0. */
static inline __attribute__((always_inline)) void convert_four(const float *samples, int16_t *to,
                                                               words *noise)
{
    floats in;
    memcpy(&in, samples, sizeof in);
    floats x = in * 32768.0f;
    x += __builtin_convertvector(triangular_noise(noise), floats) * 0x1p-16f;
    integers over = x > 32767.0f, under = x < -32768.0f;
    integers sounds = in * in > 0;
    integers whole = (integers)((words)(x + ROUNDER) - ROUNDER_BITS);
    whole = (over & 32767) | (under & -32768) | (~(over | under) & whole);
    shorts narrow = __builtin_convertvector(whole & sounds, shorts);
    memcpy(to, &narrow, sizeof narrow);
}

static void convert_dithered(const float *samples, size_t count, int16_t *to, struct dither *dither)
{
    words noise = seed(dither);
    size_t done = 0;
    for (; done + LANES <= count; done += LANES)
        convert_four(samples + done, to + done, &noise);
    float in[LANES] = {0};
    int16_t out[LANES];
    memcpy(in, samples + done, (count - done) * sizeof *in);
    convert_four(in, out, &noise);
    memcpy(to + done, out, (count - done) * sizeof *out);
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
        convert_dithered(samples, count, narrow, dither);
        break;
    }
}
