/*
 * sanity.c: see sanity.h.
 */
#include "sanity.h"

#include <math.h>

#define CHANNELS 2
/* What no encoder has made of music: 12 dB beyond full scale. */
#define INSANE_LEVEL 4.0f
/* So many more checks (of up to two mp3 frames) with than without it are no accident any more. */
#define INSANE_RUNS_MAX 24
/* A granule of an mp3 frame, which is what damage strikes. */
#define BLOCK_FRAMES 576
/* Where bursts are turned down to: -3 dB. */
#define BURST_LEVEL 0.7f
/* A loud block counts so much, another one the other way; beyond the limit it is loud music. In
 * blocks: so much loudness at a stretch, or more than every third block for long. */
#define LOUD_BLOCK 2
#define LOUD_MUSIC (24 * LOUD_BLOCK)

static bool silence_insane(float *samples, size_t count)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (fabsf(samples[i]) <= INSANE_LEVEL) /* false for what is no number */
            continue;
        samples[i] = 0;
        found = true;
    }
    return found;
}

static void turn_down(struct sanity *sanity, float *samples, size_t count)
{
    float peak = 0;
    for (size_t i = 0; i < count; i++)
        peak = fmaxf(peak, fabsf(samples[i]));
    bool loud = peak > BURST_LEVEL;
    sanity->loudness += loud ? LOUD_BLOCK : -1;
    if (sanity->loudness < 0)
        sanity->loudness = 0;
    if (sanity->loudness > 2 * LOUD_MUSIC)
        sanity->loudness = 2 * LOUD_MUSIC;
    if (!loud || !sanity->damaged || sanity->loudness > LOUD_MUSIC)
        return;
    for (size_t i = 0; i < count; i++)
        samples[i] *= BURST_LEVEL / peak;
}

bool sanity_check(struct sanity *sanity, float *frames, size_t count)
{
    if (silence_insane(frames, count * CHANNELS)) {
        sanity->damaged = true;
        sanity->insane_runs++;
    } else if (sanity->insane_runs > 0) {
        sanity->insane_runs--;
    }
    for (size_t at = 0; at < count; at += BLOCK_FRAMES) {
        size_t here = count - at < BLOCK_FRAMES ? count - at : BLOCK_FRAMES;
        turn_down(sanity, frames + at * CHANNELS, here * CHANNELS);
    }
    return sanity->insane_runs <= INSANE_RUNS_MAX;
}
