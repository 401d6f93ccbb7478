/*
 * tone.h: a voice whose frames tell what they are: track and position, to some ns, in two floats.
 *
 * A frame is a point on a circle that turns once in SIM_TONE_PERIOD_S of track time; each track
 * begins elsewhere on it. So what a simulated card has played tells what was heard, whatever the
 * player believes; and a click is a step that no fade makes.
 */
#ifndef TUTTI_SIM_TONE_H
#define TUTTI_SIM_TONE_H

#include "tutti/playback/voice_backend.h"

#include <stdbool.h>

#define SIM_TONE_PERIOD_S 4.0
#define SIM_TONES 8
#define SIM_TONE_BYTES_PER_S 16000

/* What a descriptor from 0 to SIM_TONES - 1 stands for. Tests may change it between runs. */
struct sim_tone {
    double length_s;
    unsigned rate_hz;
    bool broken;     /* no decoder takes it */
    unsigned slices; /* a start takes so many calls more, as a far seek does */
};

extern struct sim_tone sim_tones[SIM_TONES];

extern const struct voice_backend sim_tone_backend;

/* Loudness of a frame, 0 to 1. */
double sim_tone_level(const float *frame);
/* How far the frame's position in that track is from position_s, in s, as long as it is less than
 * half a period. Another track shows as an error of at least an eighth of a period. */
double sim_tone_error_s(const float *frame, int track, double position_s);

#endif
