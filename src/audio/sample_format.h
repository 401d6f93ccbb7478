/*
 * sample_format.h: float frames to what a device takes.
 */
#ifndef TUTTI_AUDIO_SAMPLE_FORMAT_H
#define TUTTI_AUDIO_SAMPLE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum sample_format {
    SAMPLE_S32,     /* 32 bits, native order */
    SAMPLE_S24,     /* 24 bits in the low part of 32, native order */
    SAMPLE_S24_3LE, /* 24 bits packed */
    SAMPLE_S16,     /* 16 bits, native order, with TPDF dither */
};

struct dither {
    uint32_t state; /* any value; each conversion is seeded from it, and moves it on */
};

size_t sample_format_bytes(enum sample_format format);

/* count samples (not frames); clips at full scale. At 16 bits, noise of triangular distribution,
 * two steps wide, makes the rounding error independent of the signal; digital silence stays silent.
 */
void sample_format_convert(enum sample_format format, const float *samples, size_t count, void *to,
                           struct dither *dither);

#endif
