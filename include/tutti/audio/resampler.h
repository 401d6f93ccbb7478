/*
 * resampler.h: rate conversion and drift correction in one pass, with exact bookkeeping.
 *
 * The resampler always knows which track position, in fractional input frames, the next output
 * frame will sound: the filter's delay is accounted for, so that position and sound agree to
 * less than 0.01 frames (up to 2 kHz or so; towards the top of the band the filter's own phase
 * comes on top: 0.23 output frames at 10 kHz of 44.1).
 */
#ifndef TUTTI_AUDIO_RESAMPLER_H
#define TUTTI_AUDIO_RESAMPLER_H

#include <stddef.h>
#include <stdint.h>

#define RESAMPLER_CHANNELS 2

struct resampler;

/* Rates in Hz, 8000 to 192000. NULL when out of memory. */
struct resampler *resampler_create(unsigned in_rate_hz, unsigned out_rate_hz);
void resampler_destroy(struct resampler *resampler);

/*
 * Starts over so that the next output frame is at `position` (input frames, fractional, may be
 * negative: silence before the track). Returns the input frame that the caller must feed first,
 * a little before it, so that the filter is warm; frames before 0 are to be fed as silence.
 */
int64_t resampler_start(struct resampler *resampler, double position);

/*
 * Input frames per output frame relative to in_rate/out_rate, as ppm: positive plays faster.
 * Takes effect at the next output frame. |ppm| up to 10000. The value is rounded to what the
 * engine can represent; returns the value in effect.
 */
double resampler_set_ppm(struct resampler *resampler, double ppm);

/* The exact ratio in effect: input frames per output frame. */
double resampler_ratio(const struct resampler *resampler);

/* Fractional input frame that the next output frame will sound. */
double resampler_position(const struct resampler *resampler);

/*
 * Consumes up to in_frames, produces up to out_capacity. Returns output frames written; sets
 * *ret_used. Input that the filter holds back counts as used; it takes no more than it needs for
 * out_capacity. As long as there is input, it uses or writes something. in may be NULL with 0
 * frames.
 */
size_t resampler_process(struct resampler *resampler, const float *in, size_t in_frames,
                         size_t *ret_used, float *out, size_t out_capacity);

#endif
