/*
 * helper.h: a track in a process of its own, tutti-decode, which decodes what is no mp3, and reads what
 * any track says of itself.
 *
 * The process is given a descriptor of the file that can only be read, and a socket; no
 * environment, no other descriptor, and it locks itself in before it reads a byte
 * (docs/security.md). Nothing here waits for it: what has come is taken, a bounded amount per call.
 * What it says is checked (core/decode_message.h). A process that crashes, hangs or says nonsense
 * is a track that failed, and is killed.
 */
#ifndef TUTTI_CODECS_HELPER_H
#define TUTTI_CODECS_HELPER_H

#include "tutti/core/audio_probe.h"
#include "tutti/core/track_tags.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELPER_ERROR_MAX 160

struct helper;

enum helper_result {
    HELPER_OK,
    HELPER_AGAIN, /* ask again in some milliseconds */
    HELPER_END,   /* past the last frame */
    HELPER_ERROR, /* helper_error() */
};

/* Where the program is, instead of beside our own and in its installed place. For tests. */
void helper_set_program(const char *path);

/* fd: a complete file; stays the caller's, and may be closed afterwards. kind: AUDIO_MP3, or what else
 * it is, which the process finds out. NULL: error says why, in one line of HELPER_ERROR_MAX. */
struct helper *helper_create(int fd, enum audio_kind kind, char *error);
/* Kills the process. NULL is fine. */
void helper_destroy(struct helper *helper);

/* Does it know the track? On HELPER_OK rate, length and tags are known. */
enum helper_result helper_open(struct helper *helper);
unsigned helper_rate_hz(const struct helper *helper);
int64_t helper_length_frames(const struct helper *helper); /* -1: not known */
uint64_t helper_damaged(const struct helper *helper);
const struct track_tags *helper_tags(const struct helper *helper);
const char *helper_error(const struct helper *helper);

/* Measures how loud an opened track is, instead of playing it: on HELPER_OK the tags have the gain and
 * the peak of the track, if there is a measure of it. It takes as long as decoding all of it: how
 * long that may be is the caller's to say. */
enum helper_result helper_measure(struct helper *helper);

/* The picture that the file of an opened track brings along, before it is measured or played: on HELPER_OK
 * *ret_bytes are of jpeg, png or webp, by their beginning; the helper's, until it is destroyed. NULL: there
 * is none, or no good one. */
enum helper_result helper_picture(struct helper *helper, const unsigned char **ret_bytes,
                                  size_t *ret_count);

/* The next frame read is this one. HELPER_OK: there is enough for a start. A seek to what is held
 * already, or soon will be, costs nothing. */
enum helper_result helper_seek(struct helper *helper, int64_t frame);
/* Up to count stereo frames; *ret_count is set on HELPER_OK. */
enum helper_result helper_read(struct helper *helper, float *frames, size_t count,
                               size_t *ret_count);

#endif
