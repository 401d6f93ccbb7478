/*
 * playlist_index.h: shared by playlist_index.c, which makes it, and playlist.c, which uses it.
 */
#ifndef TUTTI_CORE_PLAYLIST_INDEX_H
#define TUTTI_CORE_PLAYLIST_INDEX_H

#include <stdint.h>

struct playlist_index {
    unsigned references; /* to this and the items together */
    uint64_t digest;     /* of what playlist_equal() compares */
    uint64_t id_digest;  /* playlist_id_digest() */
    uint64_t *prints;    /* of each item: all that it says */
    uint32_t *by_id;     /* places of items, in the order of their ids, then of their places */
    uint32_t *by_track;  /* likewise, of their tracks */
};

#endif
