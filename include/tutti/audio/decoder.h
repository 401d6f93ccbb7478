/*
 * decoder.h: a track's file, possibly still being downloaded, as exact stereo float frames.
 *
 * What the file is, is core's judgement (audio_probe.h). An mp3 is decoded here, while it grows;
 * what needs more (audio_kind_needs_codecs()) in a process of its own (codecs/helper.h), when it is
 * complete.
 *
 * Positions are frames of the gapless track (what the encoder put before and behind removed, where
 * the file tells it), at the track's first sampling rate; frame 0 is the first that a browser would
 * play. Seeking to n and reading gives the samples that reading through from 0 gives at n; of an
 * mp3 but for the last bits of a float (the order in which mpg123 adds depends on where it began).
 * Mono is delivered on both channels. Where an mp3 changes its rate, the odd stretch is
 * converted to the first rate. Garbage is skipped over and its stretches are counted. Samples far
 * beyond full scale, or that are no numbers, are silenced; much of that is an error. In a track
 * that is damaged bursts are turned down, and there samples may depend on where reading began.
 */
#ifndef TUTTI_AUDIO_DECODER_H
#define TUTTI_AUDIO_DECODER_H

#include "tutti/core/audio_probe.h"
#include "tutti/core/track_tags.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECODER_CHANNELS 2
#define DECODER_ERROR_MAX 160

enum decoder_result {
    DECODER_OK,        /* done; a read delivered at least one frame */
    DECODER_AGAIN,     /* bytes or time are wanting: see decoder_wants_time() */
    DECODER_END,       /* past the last frame */
    DECODER_ERROR,     /* not decodable: decoder_error() says why */
    DECODER_NO_MEMORY, /* of decoder_open() only: it may be there later */
};

struct decoder;

/*
 * fd: read with pread() only; stays the caller's and must outlive the decoder.
 * available_bytes of total_bytes are there so far (total -1: unknown until complete).
 * *opening is NULL at first. DECODER_OK: it is the decoder. DECODER_AGAIN: what begins the file is
 * not known yet; call again with *opening as it is, and more bytes, or where decoder_wants_time()
 * the same. Until then it may only be destroyed. DECODER_ERROR: *opening is NULL, and there is one
 * line in error[DECODER_ERROR_MAX]; so with DECODER_NO_MEMORY. Work per call is bounded, whatever
 * the file.
 */
enum decoder_result decoder_open(int fd, int64_t available_bytes, int64_t total_bytes,
                                 struct decoder **opening, char *error);
void decoder_destroy(struct decoder *decoder); /* NULL is fine */

/* More of the file has arrived; complete: nothing will follow. */
void decoder_set_available(struct decoder *decoder, int64_t available_bytes, bool complete);

/* What follows is about an opened decoder only. */
enum audio_kind decoder_kind(const struct decoder *decoder);
unsigned decoder_rate_hz(const struct decoder *decoder);
/*
 * Frames in the track; -1 while unknown. As a tag says at first; exact once the file is complete
 * and walked through, which happens by the way within the first seconds of reading.
 */
int64_t decoder_length_frames(const struct decoder *decoder);
uint64_t decoder_damaged_frames(const struct decoder *decoder);
/* What the track says of itself; of an mp3 nothing is known here. */
struct track_tags decoder_tags(const struct decoder *decoder);
const char *decoder_error(const struct decoder *decoder);

/*
 * The next frame read will be `frame` (clamped to the track). DECODER_AGAIN: call again later
 * with the same frame. Work per call is bounded to a few milliseconds: DECODER_AGAIN with
 * decoder_wants_time() true means call again soon, false means that bytes are wanting.
 */
enum decoder_result decoder_seek(struct decoder *decoder, int64_t frame);
bool decoder_wants_time(const struct decoder *decoder);

/* Is the file there up to this frame, or the track's end before it? Looks a bit farther with every
 * call. */
bool decoder_reaches(struct decoder *decoder, int64_t frame);

/* Walks a bit farther through the file; false: to its end, and the length is exact, or as far as
 * can be now. */
bool decoder_walk(struct decoder *decoder);

/* Up to count frames into frames[count * DECODER_CHANNELS]; *ret_count is set on DECODER_OK. */
enum decoder_result decoder_read(struct decoder *decoder, float *frames, size_t count,
                                 size_t *ret_count);

#endif
