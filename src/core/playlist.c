/*
 * playlist.c: see playlist.h. Linear searches: a playlist is read far less often than it is short.
 */
#include "tutti/core/playlist.h"

#include <stdio.h>
#include <string.h>

#define STATIC_PREFIX "/static/"

const struct playlist_item *playlist_find(const struct playlist_message *playlist,
                                          const char *item_id)
{
    for (size_t i = 0; i < playlist->count; i++)
        if (strcmp(playlist->items[i].id, item_id) == 0)
            return &playlist->items[i];
    return NULL;
}

const struct playlist_item *playlist_find_track(const struct playlist_message *playlist,
                                                const char *track_id)
{
    for (size_t i = 0; i < playlist->count; i++)
        if (strcmp(playlist->items[i].track_id, track_id) == 0)
            return &playlist->items[i];
    return NULL;
}

const struct playlist_item *playlist_step(const struct playlist_message *playlist,
                                          const struct playlist_item *item, int steps)
{
    int to = playlist_position(playlist, item) + steps;
    return to >= 0 && to < (int)playlist->count ? &playlist->items[to] : NULL;
}

int playlist_position(const struct playlist_message *playlist, const struct playlist_item *item)
{
    return (int)(item - playlist->items);
}

size_t playlist_count_track(const struct playlist_message *playlist, const char *track_id)
{
    size_t count = 0;
    for (size_t i = 0; i < playlist->count; i++)
        count += strcmp(playlist->items[i].track_id, track_id) == 0;
    return count;
}

bool playlist_equal(const struct playlist_message *a, const struct playlist_message *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].id, b->items[i].id) != 0 ||
            strcmp(a->items[i].track_id, b->items[i].track_id) != 0 ||
            strcmp(a->items[i].media_url, b->items[i].media_url) != 0)
            return false;
    return true;
}

bool playlist_media_path(const struct playlist_item *item, char path[PROTOCOL_PATH_MAX])
{
    const char *from = strstr(item->media_url, STATIC_PREFIX);
    if (!from)
        return false;
    from += strlen(STATIC_PREFIX);
    if (!from[0] || strlen(from) >= PROTOCOL_PATH_MAX)
        return false;
    strcpy(path, from);
    return true;
}
