/*
 * playlist.h: looking things up in what the session holds, and what has changed in it. Track ids
 * need not be unique, item ids are; the backend means the first item with a track id, and so do
 * these.
 */
#ifndef TUTTI_CORE_PLAYLIST_H
#define TUTTI_CORE_PLAYLIST_H

#include "tutti/core/protocol.h"

/*
 * What is parsed has an index, made by whoever parses: 20,000 items take their time. With it,
 * looking something up takes 15 comparisons of 20,000 items, comparing two playlists none.
 */
/* False: out of memory. The items, from malloc(), become the index's. */
bool playlist_index_create(struct playlist_message *playlist);
/* The same items once more, for somebody else, who finishes them (playlist_message_finish()). */
struct playlist_message playlist_share(const struct playlist_message *playlist);
/* Nobody else has them: finishing frees them, which takes its time, too. */
bool playlist_is_last(const struct playlist_message *playlist);

/* NULL when there is none. */
const struct playlist_item *playlist_find(const struct playlist_message *playlist,
                                          const char *item_id);
const struct playlist_item *playlist_find_track(const struct playlist_message *playlist,
                                                const char *track_id);
/* The one so many places after item, or before it (steps < 0); NULL beyond the ends. */
const struct playlist_item *playlist_step(const struct playlist_message *playlist,
                                          const struct playlist_item *item, int steps);
/* Where it stands now, 0-based; the items' own `position` is what the backend said. */
int playlist_position(const struct playlist_message *playlist, const struct playlist_item *item);
size_t playlist_count_track(const struct playlist_message *playlist, const char *track_id);

/* The same tracks from the same places, in the same order; with indexes by 64 bits of hash. */
bool playlist_equal(const struct playlist_message *a, const struct playlist_message *b);

/* 64 bits of hash (FNV-1a) for the items' ids in their order, the same on every speaker and never 0;
 * 0: it has no index. */
uint64_t playlist_id_digest(const struct playlist_message *playlist);

/* Where `from` has removed items at `at`, `to` has added ones. */
struct playlist_change {
    size_t at, removed, added;
};
#define PLAYLIST_CHANGES_MAX 2
/*
 * What must be done, one after the other, to make `from` into `to`: nothing, one change, or, where
 * an item was moved, two. By the prints of both: 64 bits of hash for all that an item says.
 */
size_t playlist_compare(const uint64_t *from, size_t from_count, const uint64_t *to,
                        size_t to_count, struct playlist_change changes[PLAYLIST_CHANGES_MAX]);
/* NULL: it has no index. */
const uint64_t *playlist_prints(const struct playlist_message *playlist);

/*
 * The backend's path of an item's media, as an add request must carry it: "/static/uploads/x.mp3",
 * relative or absolute, is "uploads/x.mp3". False when the URL is none of the backend's, or does
 * not fit.
 */
bool playlist_media_path(const struct playlist_item *item, char path[PROTOCOL_PATH_MAX]);

#endif
