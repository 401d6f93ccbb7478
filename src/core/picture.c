/*
 * picture.c: see picture.h. The signatures are those of the formats' own specifications: JPEG's SOI
 * and the beginning of a marker (ITU-T T.81, B.1.1.3), PNG's (ISO 15948, 5.2), RIFF with "WEBP".
 */
#include "tutti/core/picture.h"

#include <string.h>

static const struct {
    const char *media_type, *ending;
    size_t at, bytes;
    const char *magic;
} kinds[] = {
    [PICTURE_JPEG] = {"image/jpeg", "jpg", 0, 3, "\xff\xd8\xff"},
    [PICTURE_PNG] = {"image/png", "png", 0, 8, "\x89PNG\r\n\x1a\n"},
    [PICTURE_WEBP] = {"image/webp", "webp", 8, 4, "WEBP"},
};

enum picture_kind picture_kind(const unsigned char *bytes, size_t count)
{
    if (count < PICTURE_PROBE_BYTES)
        return PICTURE_NONE;
    for (enum picture_kind kind = PICTURE_JPEG; kind <= PICTURE_WEBP; kind++)
        if (memcmp(bytes + kinds[kind].at, kinds[kind].magic, kinds[kind].bytes) == 0 &&
            (kind != PICTURE_WEBP || memcmp(bytes, "RIFF", 4) == 0))
            return kind;
    return PICTURE_NONE;
}

const char *picture_media_type(enum picture_kind kind)
{
    return kinds[kind].media_type;
}

const char *picture_ending(enum picture_kind kind)
{
    return kinds[kind].ending;
}
