/*
 * voice.h: one track, rendered at the card's rate from any position on.
 *
 * decoder -> resampler, with positions in seconds of track time. Beyond the track's end a voice
 * renders silence whose position goes on, so that the filter's tail sounds and the timeline may
 * run on.
 */
#ifndef TUTTI_PLAYBACK_VOICE_H
#define TUTTI_PLAYBACK_VOICE_H

#include "tutti/audio/resampler.h"
#include "tutti/core/loudness.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct voice;
struct voice_backend;

enum voice_result {
    VOICE_OK,
    VOICE_AGAIN, /* bytes or time are wanting: see voice_wants_time() */
    VOICE_ERROR, /* not decodable: voice_error() */
};

/* fd and its bytes as in decoder.h; backend: NULL for a track. NULL when out of memory. */
struct voice *voice_create(const struct voice_backend *backend, int fd, int64_t available_bytes,
                           int64_t total_bytes, enum resampler_quality quality);
void voice_destroy(struct voice *voice);

void voice_set_available(struct voice *voice, int64_t available_bytes, bool complete);
const char *voice_error(const struct voice *voice);
bool voice_wants_time(const struct voice *voice);

/* Opens the decoder as soon as there are bytes enough. Idempotent. */
enum voice_result voice_prepare(struct voice *voice);
/* After a successful voice_prepare(). Seconds; a negative length is not known yet. */
unsigned voice_rate_hz(const struct voice *voice);
double voice_length_s(const struct voice *voice);

/* Is the file there up to this position, or the track's end before it? After voice_prepare(). */
bool voice_reaches(struct voice *voice, double position_s);

/*
 * How loud it is played among others. told: as the backend has it; where that is nothing, what the file
 * itself says counts. Of no effect once the voice has started: one factor from its first frame to its
 * last, so that no start of it is a step in level.
 */
void voice_set_loudness(struct voice *voice, enum replaygain mode, const struct loudness *told);

/*
 * The next rendered frame sounds position_s, exactly. VOICE_AGAIN: call again, with whatever
 * position is wanted by then.
 */
enum voice_result voice_start(struct voice *voice, double position_s, unsigned card_rate_hz);

/* Speed of the frames rendered from now on, in ppm around the nominal. */
void voice_set_ppm(struct voice *voice, double ppm);

/* Track time of the next frame, and how much it advances per frame. */
double voice_position_s(const struct voice *voice);
double voice_step_s(const struct voice *voice);

/* Up to count stereo frames; fewer (even 0) when bytes are wanting or decoding failed. */
size_t voice_render(struct voice *voice, float *frames, size_t count);

#endif
