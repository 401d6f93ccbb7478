/*
 * cue.h: short sounds over what is played: a chime by which a room is found, and a click by which two
 * rooms are heard to be together. Pure arithmetic.
 *
 * A cue takes the place of a part of what is played, at most CUE_PEAK: a mean of two sounds within
 * full scale is within it.
 */
#ifndef TUTTI_AUDIO_CUE_H
#define TUTTI_AUDIO_CUE_H

#include <stddef.h>

#define CUE_CHANNELS 2
#define CUE_PEAK 0.2 /* of any of them; full scale is 1 */

enum cue_kind {
    CUE_CHIME, /* three soft notes, up */
    CUE_CLICK, /* some ms, the same at any fraction of a frame */
};

double cue_length_s(enum cue_kind kind);

/* Over `frames`, whose first is at first_s of the cue: negative, or beyond its length, where nothing of
 * it sounds yet or any more. */
void cue_mix(enum cue_kind kind, double first_s, double rate_hz, float *frames, size_t count);

#endif
