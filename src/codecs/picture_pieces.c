/*
 * picture_pieces.c: see picture_pieces.h.
 */
#include "picture_pieces.h"

#include <stdlib.h>
#include <string.h>

bool picture_pieces_take(struct picture_pieces *picture, const struct decode_message *piece)
{
    if (!piece->picture)
        return false;
    if (!picture->bytes) {
        picture->whole = (size_t)piece->frame;
        picture->bytes = malloc(picture->whole);
    }
    if (!picture->bytes || picture->whole != (size_t)piece->frame ||
        piece->count > picture->whole - picture->have)
        return false;
    memcpy(picture->bytes + picture->have, piece->picture, piece->count);
    picture->have += piece->count;
    return true;
}

bool picture_pieces_are_whole(const struct picture_pieces *picture)
{
    return picture->have == picture->whole &&
           (!picture->bytes || picture_kind(picture->bytes, picture->whole) != PICTURE_NONE);
}

void picture_pieces_forget(struct picture_pieces *picture)
{
    free(picture->bytes);
    *picture = (struct picture_pieces){0};
}
