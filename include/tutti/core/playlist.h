/*
 * playlist.h: looking things up in what the session holds. Track ids need not be unique, item ids
 * are; the backend means the first item with a track id, and so do these.
 */
#ifndef TUTTI_CORE_PLAYLIST_H
#define TUTTI_CORE_PLAYLIST_H

#include "tutti/core/protocol.h"

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

/* The same tracks from the same places, in the same order. */
bool playlist_equal(const struct playlist_message *a, const struct playlist_message *b);

/*
 * The backend's path of an item's media, as an add request must carry it: "/static/uploads/x.mp3",
 * relative or absolute, is "uploads/x.mp3". False when the URL is none of the backend's, or does
 * not fit.
 */
bool playlist_media_path(const struct playlist_item *item, char path[PROTOCOL_PATH_MAX]);

#endif
