/*
 * playlist_index.c: a playlist's items in the order of their ids and of their tracks, and hashes of
 * what they say.
 *
 * Sorted, not hashed: whoever chooses the ids cannot make a search longer.
 */
#include "playlist_index.h"

#include "tutti/core/playlist.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
#define FNV_BASIS UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ at[i]) * FNV_PRIME;
    return hash;
}

/* With its end, so that "ab" "c" is not "a" "bc". */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_place(uint64_t hash, const struct playlist_item *item)
{
    return hash_text(hash_text(hash_text(hash, item->id), item->track_id), item->media_url);
}

static uint64_t hash_tags(uint64_t hash, const struct track_tags *tags)
{
    hash = hash_text(hash_text(hash_text(hash, tags->title), tags->artist), tags->album);
    return hash_bytes(hash, &tags->number, sizeof tags->number);
}

static uint64_t print_of(const struct playlist_item *item)
{
    uint64_t hash = hash_place(FNV_BASIS, item);
    hash = hash_text(hash_text(hash, item->name), item->media_type);
    hash = hash_tags(hash, &item->tags);
    return hash_bytes(hash, &item->duration_s, sizeof item->duration_s);
}

/* --- sorting ------------------------------------------------------------------------------- */

static int order(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_ids(const void *a, const void *b, void *user)
{
    const struct playlist_item *items = user;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    int result = strcmp(items[left].id, items[right].id);
    return result != 0 ? result : order(left, right);
}

static int compare_tracks(const void *a, const void *b, void *user)
{
    const struct playlist_item *items = user;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    int result = strcmp(items[left].track_id, items[right].track_id);
    return result != 0 ? result : order(left, right);
}

/* --- making -------------------------------------------------------------------------------- */

static void fill(struct playlist_index *index, struct playlist_item *items, size_t count)
{
    uint64_t digest = FNV_BASIS, id_digest = FNV_BASIS;
    for (size_t i = 0; i < count; i++) {
        index->by_id[i] = index->by_track[i] = (uint32_t)i;
        index->prints[i] = print_of(&items[i]);
        digest = hash_place(digest, &items[i]);
        id_digest = hash_text(id_digest, items[i].id);
    }
    index->digest = digest;
    index->id_digest = id_digest | 1;
    qsort_r(index->by_id, count, sizeof *index->by_id, compare_ids, items);
    qsort_r(index->by_track, count, sizeof *index->by_track, compare_tracks, items);
}

bool playlist_index_create(struct playlist_message *playlist)
{
    size_t count = playlist->count;
    size_t entry_bytes = sizeof(uint64_t) + 2 * sizeof(uint32_t);
    struct playlist_index *index = malloc(sizeof *index + count * entry_bytes);
    if (!index)
        return false;
    index->references = 1;
    index->prints = (uint64_t *)(index + 1);
    index->by_id = (uint32_t *)(index->prints + count);
    index->by_track = index->by_id + count;
    fill(index, playlist->items, count);
    playlist->index = index;
    return true;
}

struct playlist_message playlist_share(const struct playlist_message *playlist)
{
    if (playlist->index)
        playlist->index->references++;
    return *playlist;
}

bool playlist_is_last(const struct playlist_message *playlist)
{
    return !playlist->index || playlist->index->references == 1;
}

void playlist_message_finish(struct playlist_message *playlist)
{
    if (!playlist->index || --playlist->index->references == 0) {
        free(playlist->index);
        free(playlist->items);
    }
    *playlist = (struct playlist_message){0};
}

const uint64_t *playlist_prints(const struct playlist_message *playlist)
{
    return playlist->index ? playlist->index->prints : NULL;
}

uint64_t playlist_id_digest(const struct playlist_message *playlist)
{
    return playlist->index ? playlist->index->id_digest : 0;
}
