/*
 * tag_columns.c: see tag_columns.h.
 */
#include "tag_columns.h"

#include <math.h>

static double number_at(const struct db_rows *rows, int column)
{
    return db_is_null(rows, column) ? NAN : db_double(rows, column);
}

struct track_tags tag_columns(const struct db_rows *rows, int from)
{
    struct track_tags tags = {
        .number = (int)db_int(rows, from + 3),
        .loudness = {number_at(rows, from + 4), number_at(rows, from + 5),
                     number_at(rows, from + 6), number_at(rows, from + 7)},
    };
    db_copy(rows, from, tags.title, sizeof tags.title);
    db_copy(rows, from + 1, tags.artist, sizeof tags.artist);
    db_copy(rows, from + 2, tags.album, sizeof tags.album);
    return tags;
}
