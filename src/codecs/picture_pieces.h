/*
 * picture_pieces.h: a picture as tutti-decode sends it, in pieces (core/decode_message.h).
 */
#ifndef TUTTI_CODECS_PICTURE_PIECES_H
#define TUTTI_CODECS_PICTURE_PIECES_H

#include "tutti/core/decode_message.h"

/* Zero at first: there is none. */
struct picture_pieces {
    unsigned char *bytes;
    size_t have, whole;
};

/* The next piece. False: it does not belong there, or there is no memory. */
bool picture_pieces_take(struct picture_pieces *picture, const struct decode_message *piece);

/* There is none, or all of one; and what it is, its bytes say. */
bool picture_pieces_are_whole(const struct picture_pieces *picture);

/* There is none any more. */
void picture_pieces_forget(struct picture_pieces *picture);

#endif
