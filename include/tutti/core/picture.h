/*
 * picture.h: which bytes are taken for the picture of a track: what every browser draws and nothing
 * can be hidden in that runs. What a file calls it is not looked at.
 */
#ifndef TUTTI_CORE_PICTURE_H
#define TUTTI_CORE_PICTURE_H

#include <stddef.h>

/* Of one picture; a larger one is none. Covers of music shops are of some hundred kB. */
#define PICTURE_BYTES_MAX (2u << 20)
/* So many bytes of its beginning tell what it is. */
#define PICTURE_PROBE_BYTES 16

enum picture_kind {
    PICTURE_NONE, /* and everything that is not one of these, SVG among it */
    PICTURE_JPEG,
    PICTURE_PNG,
    PICTURE_WEBP,
};

/* By its first bytes: PICTURE_PROBE_BYTES of it or more, if it has as many. */
enum picture_kind picture_kind(const unsigned char *bytes, size_t count);

/* "image/jpeg", and "jpg", the ending of its file's name; NULL for PICTURE_NONE. */
const char *picture_media_type(enum picture_kind kind);
const char *picture_ending(enum picture_kind kind);

#endif
