/*
 * resampler.h: a position in, a sample out: rate conversion and drift correction in one pass.
 *
 * State is one position in the track and one step per output frame, both in fixed point (64 bits
 * behind the point): they are exact, and positions never creep. An output frame is the inner
 * product of the input around its position with a windowed sinc for just that fraction of a frame
 * (filter_bank.h). The filter is symmetric about the position: no delay, at any frequency.
 */
#ifndef TUTTI_AUDIO_RESAMPLER_H
#define TUTTI_AUDIO_RESAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESAMPLER_CHANNELS 2

struct resampler;

/*
 * What is kept below the lower of both rates' Nyquist frequency, as measured by
 * tests/unit/audio/test_resampler.c; at 44.1 kHz:
 */
enum resampler_quality {
    RESAMPLER_HIGH, /* to 19 kHz within 0.05 dB; images and aliases below -100 dB */
    RESAMPLER_LOW,  /* half the taps: to 17 kHz within 0.05 dB; images and aliases below -75 dB */
};

/* Where in the input: frame + fraction, in input frames. As it is told, 0 <= fraction < 1; as it
 * is given, any number. */
struct resampler_position {
    int64_t frame;
    double fraction;
};

/* Whether there is a way between these rates: both 8000 to 768000 Hz. Filters grow with the ratio.
 */
bool resampler_takes(unsigned in_rate_hz, unsigned out_rate_hz);

/* For rates that it takes. NULL when out of memory. */
struct resampler *resampler_create(unsigned in_rate_hz, unsigned out_rate_hz,
                                   enum resampler_quality quality);
void resampler_destroy(struct resampler *resampler);

/*
 * Starts over: the next output frame is at `position` (before 0: silence before the track). Returns
 * the input frame that the caller must feed first, half a filter before it; frames before 0 are to
 * be fed as silence.
 */
int64_t resampler_start(struct resampler *resampler, struct resampler_position position);

/*
 * Input frames per output frame relative to in_rate/out_rate, as ppm: positive plays faster. Holds
 * from the next output frame on. Clamped to +-10000; returns the value in effect.
 */
double resampler_set_ppm(struct resampler *resampler, double ppm);

/* Input frames per output frame, in effect. */
double resampler_step(const struct resampler *resampler);

/* Where the next output frame is. */
struct resampler_position resampler_position(const struct resampler *resampler);

/*
 * Consumes up to in_frames, produces up to out_capacity. Returns output frames written; sets
 * *ret_used. Input that later frames need is copied, and counts as used; it takes no more than it
 * needs for out_capacity, so that it holds back half a filter. As long as there is input, it uses
 * or writes something. in may be NULL with 0 frames.
 */
size_t resampler_process(struct resampler *resampler, const float *in, size_t in_frames,
                         size_t *ret_used, float *out, size_t out_capacity);

#endif
