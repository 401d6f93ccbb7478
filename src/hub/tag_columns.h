/*
 * tag_columns.h: what a track says of itself (core/track_tags), as the hub's tables and the library's
 * index keep it.
 */
#ifndef TUTTI_HUB_TAG_COLUMNS_H
#define TUTTI_HUB_TAG_COLUMNS_H

#include "db.h"
#include "tutti/core/track_tags.h"

#define TAG_COLUMNS                                                                                \
    "title, artist, album, number, track_gain_db, track_peak, album_gain_db, album_peak"

/* TAG_COLUMNS of a row, of which `from` is the first. Where the row has none of them, they are none. */
struct track_tags tag_columns(const struct db_rows *rows, int from);

#endif
