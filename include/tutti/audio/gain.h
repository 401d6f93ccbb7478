/*
 * gain.h: volume, mute and fades, as a gain for every frame number.
 *
 * An envelope can be evaluated for any frame, again and in any order, so that what was taken back
 * from a device can be rendered again. Pure arithmetic.
 */
#ifndef TUTTI_AUDIO_GAIN_H
#define TUTTI_AUDIO_GAIN_H

#include <stddef.h>
#include <stdint.h>

#define GAIN_CHANNELS 2

/*
 * Linear gain of a volume in percent, 0 to 100 (clamped): its cube. Loudness doubles about every
 * 10 dB; a cube comes close to that over the usable range (50 %: -18 dB, 25 %: -36 dB), and ends in
 * silence at 0. 100 % is exactly 1.
 */
float gain_of_volume(double percent);

/*
 * From one linear gain to another by half a cosine, beginning at first_frame and done `frames`
 * later; from before, target after. frames 0: target everywhere.
 */
struct gain_envelope {
    float from;
    float target;
    int64_t first_frame;
    int64_t frames;
};

struct gain_envelope gain_steady(float level);

/* Goes from what `before` is at first_frame to target, even if that was under way itself. */
struct gain_envelope gain_ramp(const struct gain_envelope *before, float target,
                               int64_t first_frame, int64_t frames);

float gain_at(const struct gain_envelope *envelope, int64_t frame);

/* out = in * envelope, frame by frame from first_frame on; out may be in. Where the gain is 1, bits
 * are copied. */
void gain_apply(const struct gain_envelope *envelope, int64_t first_frame, const float *in,
                float *out, size_t count);

#endif
