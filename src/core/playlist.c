/*
 * playlist.c: see playlist.h. Binary searches where there is an index.
 */
#include "tutti/core/playlist.h"

#include "playlist_index.h"

#include <stdio.h>
#include <string.h>

#define STATIC_PREFIX "/static/"

static const char *id_of(const struct playlist_item *item)
{
    return item->id;
}

static const char *track_of(const struct playlist_item *item)
{
    return item->track_id;
}

typedef const char *text_of(const struct playlist_item *item);

/* How many in this order come before the text, or, with `through`, before what follows it. */
static size_t rank(const struct playlist_message *playlist, const uint32_t *order, text_of *of,
                   const char *text, bool through)
{
    size_t from = 0, to = playlist->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int result = strcmp(of(&playlist->items[order[middle]]), text);
        if (result < 0 || (through && result == 0))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static const struct playlist_item *find(const struct playlist_message *playlist,
                                        const uint32_t *order, text_of *of, const char *text)
{
    size_t at = rank(playlist, order, of, text, false);
    if (at == playlist->count)
        return NULL;
    const struct playlist_item *item = &playlist->items[order[at]];
    return strcmp(of(item), text) == 0 ? item : NULL;
}

static const struct playlist_item *look_through(const struct playlist_message *playlist,
                                                text_of *of, const char *text)
{
    for (size_t i = 0; i < playlist->count; i++)
        if (strcmp(of(&playlist->items[i]), text) == 0)
            return &playlist->items[i];
    return NULL;
}

const struct playlist_item *playlist_find(const struct playlist_message *playlist,
                                          const char *item_id)
{
    return playlist->index ? find(playlist, playlist->index->by_id, id_of, item_id)
                           : look_through(playlist, id_of, item_id);
}

const struct playlist_item *playlist_find_track(const struct playlist_message *playlist,
                                                const char *track_id)
{
    return playlist->index ? find(playlist, playlist->index->by_track, track_of, track_id)
                           : look_through(playlist, track_of, track_id);
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
    const struct playlist_index *index = playlist->index;
    size_t count = 0;
    if (index)
        return rank(playlist, index->by_track, track_of, track_id, true) -
               rank(playlist, index->by_track, track_of, track_id, false);
    for (size_t i = 0; i < playlist->count; i++)
        count += strcmp(playlist->items[i].track_id, track_id) == 0;
    return count;
}

bool playlist_equal(const struct playlist_message *a, const struct playlist_message *b)
{
    if (a->count != b->count)
        return false;
    if (a->index && b->index)
        return a->index->digest == b->index->digest;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].id, b->items[i].id) != 0 ||
            strcmp(a->items[i].track_id, b->items[i].track_id) != 0 ||
            strcmp(a->items[i].media_url, b->items[i].media_url) != 0)
            return false;
    return true;
}

/* --- what has changed ---------------------------------------------------------------------- */

static bool same_prints(const uint64_t *a, const uint64_t *b, size_t count)
{
    return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

static size_t same_at_start(const uint64_t *a, const uint64_t *b, size_t most)
{
    size_t same = 0;
    while (same < most && a[same] == b[same])
        same++;
    return same;
}

static size_t same_at_end(const uint64_t *a_end, const uint64_t *b_end, size_t most)
{
    size_t same = 0;
    while (same < most && a_end[-1 - (ptrdiff_t)same] == b_end[-1 - (ptrdiff_t)same])
        same++;
    return same;
}

/* Of so many that are others, whose first has become the last, or the other way round. */
static size_t find_move(const uint64_t *from, const uint64_t *to, size_t at, size_t count,
                        struct playlist_change changes[PLAYLIST_CHANGES_MAX])
{
    size_t last = at + count - 1;
    bool down = from[at] == to[last] && same_prints(from + at + 1, to + at, count - 1);
    bool up = from[last] == to[at] && same_prints(from + at, to + at + 1, count - 1);
    if (!down && !up)
        return 0;
    changes[0] = (struct playlist_change){.at = down ? at : last, .removed = 1};
    changes[1] = (struct playlist_change){.at = down ? last : at, .added = 1};
    return 2;
}

size_t playlist_compare(const uint64_t *from, size_t from_count, const uint64_t *to,
                        size_t to_count, struct playlist_change changes[PLAYLIST_CHANGES_MAX])
{
    size_t both = from_count < to_count ? from_count : to_count;
    size_t start = same_at_start(from, to, both);
    size_t end = same_at_end(from + from_count, to + to_count, both - start);
    size_t removed = from_count - start - end, added = to_count - start - end;
    if (removed == 0 && added == 0)
        return 0;
    size_t moves =
        removed == added && removed > 2 ? find_move(from, to, start, removed, changes) : 0;
    if (moves > 0)
        return moves;
    changes[0] = (struct playlist_change){.at = start, .removed = removed, .added = added};
    return 1;
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
