/*
 * track_tags.h: what a file says of the track in it, within bounds and made harmless (base/text.h).
 *
 * Whoever reads the file finds the values and names them by what they are; how they are written, and
 * what they come to, is known here.
 */
#ifndef TUTTI_CORE_TRACK_TAGS_H
#define TUTTI_CORE_TRACK_TAGS_H

#include "tutti/core/loudness.h"

#include <stdbool.h>
#include <stddef.h>

/* Of a text, with its end. */
#define TRACK_TAG_MAX 256
#define TRACK_NUMBER_MAX 9999

enum track_tag {
    TRACK_TAG_TITLE,
    TRACK_TAG_ARTIST,
    TRACK_TAG_ALBUM,
    TRACK_TAG_NUMBER, /* "3" or "3/12" */
    /* ReplayGain's: "-6.52 dB" and "0.988". */
    TRACK_TAG_TRACK_GAIN,
    TRACK_TAG_TRACK_PEAK,
    TRACK_TAG_ALBUM_GAIN,
    TRACK_TAG_ALBUM_PEAK,
    /* Opus's (RFC 7845, 5.2.1): 256ths of a dB, to -23 LUFS. */
    TRACK_TAG_R128_TRACK_GAIN,
    TRACK_TAG_R128_ALBUM_GAIN,
    TRACK_TAGS,
};

struct track_tags {
    char title[TRACK_TAG_MAX]; /* UTF-8; "": not told */
    char artist[TRACK_TAG_MAX];
    char album[TRACK_TAG_MAX];
    int number; /* on its album, from 1; 0: not told */
    struct loudness loudness;
};

/* Nothing is told. */
struct track_tags track_tags_none(void);

/* Is there anything? */
bool track_tags_are_told(const struct track_tags *tags);

/* Takes one that was found, as it is written: bytes of whatever kind. What makes no sense leaves the
 * tags as they were. */
void track_tags_take(struct track_tags *tags, enum track_tag tag, const char *text, size_t bytes);

/* A text from outside, made harmless and cut at the end of a character; without the blanks around it. */
void track_tags_copy_text(char to[TRACK_TAG_MAX], const char *text, size_t bytes);

#endif
