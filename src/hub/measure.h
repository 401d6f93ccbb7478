/*
 * measure.h: what a stored track is: its length, and what it says of itself, as the decoder of the
 * speakers has it.
 */
#ifndef TUTTI_HUB_MEASURE_H
#define TUTTI_HUB_MEASURE_H

#include "covers.h"
#include "formats.h"
#include "tutti/codecs/helper.h"
#include "tutti/core/track_tags.h"

struct measurement {
    enum audio_kind kind;
    double seconds; /* < 0: not known */
    struct track_tags tags;
    char cover[COVER_NAME_MAX]; /* of measure_description() only */
};

enum measure_result {
    MEASURED,
    MEASURE_NOT_KNOWN, /* why: there is no decoder, or the file does not tell */
    MEASURE_REFUSED,   /* why: no speaker could play it, or it is not taken */
};

/* Waits for the disk and the decoder, some seconds at most; not in a loop. fd: of a complete file. */

/* What it is, and all that follows. tags are set whatever the result. An mp3 is MEASURED without a
 * decoder, too, but has no tags then. */
enum measure_result measure_file(int fd, formats_t formats, struct measurement *ret,
                                 char why[HELPER_ERROR_MAX]);

/* What it says of itself, also if it is an mp3, the picture that it brings along, which is kept, and how loud
 * it is where it does not say that; or cover_only. To be measured it has half a minute. */
enum measure_result measure_description(int fd, struct covers *covers, bool cover_only,
                                        struct measurement *track, char why[HELPER_ERROR_MAX]);

/* The rest of it: track->kind is known, and its length if it is an mp3. */
enum measure_result measure_track(int fd, struct measurement *track, char why[HELPER_ERROR_MAX]);

#endif
