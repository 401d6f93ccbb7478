/*
 * track.h: one file, as libavformat and libavcodec read it, as exact stereo float frames.
 *
 * Positions are frames of what is played: what an edit list, an encoder's delay or a pre-skip
 * takes away at the beginning is not counted, just as in Chromium, whose demuxer is libavformat
 * too. A seek decodes from some packets before, and throws that away.
 */
#ifndef TUTTI_DECODE_TRACK_H
#define TUTTI_DECODE_TRACK_H

#include "tutti/core/track_tags.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct track;

/* Once, before anything is locked. */
void track_prepare(void);

/* is_mp3: it is one, and nothing else is looked for; else everything but that is. NULL: why has a
 * line of DECODE_TEXT_MAX. */
struct track *track_open(int fd, int64_t bytes, bool is_mp3, char *why);
void track_close(struct track *track);

unsigned track_rate_hz(const struct track *track);
int64_t track_length(const struct track *track); /* -1: not known */
uint32_t track_damaged(const struct track *track);
/* As the file has it; NULL: it does not tell. */
const char *track_tag(const struct track *track, enum track_tag tag);
/* The picture that the file brings along, as attached_picture_find(); until the next seek. */
const unsigned char *track_picture(const struct track *track, size_t *ret_bytes);

/* The next frame read is this one, or the track's end. */
void track_seek(struct track *track, int64_t frame);
/* Up to count stereo frames; 0: the track's end, which is at track_position(). */
size_t track_read(struct track *track, float *frames, size_t count);
int64_t track_position(const struct track *track);

#endif
