/*
 * store_playlist.c: playlists, and the tracks that were uploaded for them.
 */
#include "store_internal.h"
#include "tag_columns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* All there is of items; what their files say of themselves is kept once, however often they are on
 * lists. */
#define ITEMS                                                                                      \
    "SELECT id, track_id, name, media_path, media_url, media_type, items.duration_s, position,"    \
    " shuffle_key, " TAG_COLUMNS ", cover FROM items LEFT JOIN media ON path = media_path"
#define ITEM_TAGS 9 /* the column where they begin */
#define ITEM_COVER 17

static void take_item(const struct db_rows *rows, struct store_item *item)
{
    db_copy(rows, 0, item->id, sizeof item->id);
    db_copy(rows, 1, item->track_id, sizeof item->track_id);
    db_copy(rows, 2, item->name, sizeof item->name);
    db_copy(rows, 3, item->media_path, sizeof item->media_path);
    db_copy(rows, 4, item->media_url, sizeof item->media_url);
    db_copy(rows, 5, item->media_type, sizeof item->media_type);
    item->duration_s = db_is_null(rows, 6) ? -1 : db_double(rows, 6);
    item->position = db_int(rows, 7);
    item->shuffle_key = db_int(rows, 8);
    item->tags = tag_columns(rows, ITEM_TAGS);
    db_copy(rows, ITEM_COVER, item->cover, sizeof item->cover);
}

int store_each_item(struct store *store, const char *session_id,
                    void (*visit)(void *user, const struct store_item *item), void *user)
{
    struct store_item item;
    int result;
    struct db_rows rows =
        db_query(store->db, ITEMS " WHERE session_id = ? ORDER BY position", "s", session_id);
    while ((result = db_next(&rows)) == 1) {
        take_item(&rows, &item);
        visit(user, &item);
    }
    return result;
}

static int one_item(struct db_rows rows, struct store_item *ret_item)
{
    int result = db_next(&rows);
    if (result == 1)
        take_item(&rows, ret_item);
    db_done(&rows);
    return result;
}

int store_item(struct store *store, const char *session_id, const char *item_id,
               struct store_item *ret_item)
{
    return one_item(
        db_query(store->db, ITEMS " WHERE session_id = ? AND id = ?", "ss", session_id, item_id),
        ret_item);
}

int store_item_at(struct store *store, const char *session_id, int64_t position,
                  struct store_item *ret_item)
{
    return one_item(db_query(store->db, ITEMS " WHERE session_id = ? AND position = ?", "si",
                             session_id, position),
                    ret_item);
}

int store_item_of(struct store *store, const char *session_id, const char *track_id,
                  struct store_item *ret_item)
{
    return one_item(db_query(store->db,
                             ITEMS " WHERE session_id = ?"
                                   " AND track_id = ? ORDER BY position LIMIT 1",
                             "ss", session_id, track_id),
                    ret_item);
}

int store_item_beside(struct store *store, const char *session_id, bool shuffle,
                      const struct store_item *item, int by, struct store_item *ret_item)
{
    if (!shuffle)
        return store_item_at(store, session_id, item->position + by, ret_item);
    const char *sql = by > 0 ? ITEMS
                          " WHERE session_id = ?"
                          " AND (shuffle_key, id) > (?, ?) ORDER BY shuffle_key, id LIMIT 1"
                             : ITEMS " WHERE session_id = ?"
                                     " AND (shuffle_key, id) < (?, ?)"
                                     " ORDER BY shuffle_key DESC, id DESC LIMIT 1";
    return one_item(db_query(store->db, sql, "sis", session_id, item->shuffle_key, item->id),
                    ret_item);
}

int store_item_at_end(struct store *store, const char *session_id, bool shuffle, int by,
                      struct store_item *ret_item)
{
    static const char *const sql[2][2] = {
        {ITEMS " WHERE session_id = ? ORDER BY position DESC LIMIT 1",
         ITEMS " WHERE session_id = ? ORDER BY position LIMIT 1"},
        {ITEMS " WHERE session_id = ? ORDER BY shuffle_key DESC, id DESC LIMIT 1",
         ITEMS " WHERE session_id = ? ORDER BY shuffle_key, id LIMIT 1"},
    };
    return one_item(db_query(store->db, sql[shuffle][by > 0], "s", session_id), ret_item);
}

int store_playlist_length(struct store *store, const char *session_id, int64_t *ret)
{
    int result = db_number(store->db, ret, "SELECT count(*) FROM items WHERE session_id = ?", "s",
                           session_id);
    return result == 1 ? 0 : result == 0 ? -EIO : result;
}

/* After the current item, so that it is still to come. */
static int find_shuffle_key(struct store *store, const char *session_id, struct store_item *item)
{
    struct db_rows rows = db_query(store->db,
                                   "SELECT s.shuffle_seed, i.shuffle_key FROM sessions s"
                                   " LEFT JOIN items i ON i.id = s.item_id WHERE s.id = ?",
                                   "s", session_id);
    int result = db_next(&rows);
    item->shuffle_key = 0;
    if (result != 1)
        return result;
    if (!db_is_null(&rows, 0))
        item->shuffle_key = turn_key(db_int(&rows, 0), item->id, db_int(&rows, 1));
    db_done(&rows);
    return 0;
}

int store_add_item(struct store *store, const char *session_id, struct store_item *item)
{
    int result = store_playlist_length(store, session_id, &item->position);
    if (result < 0)
        return result;
    store_random_hex(item->id, 32);
    result = find_shuffle_key(store, session_id, item);
    if (result < 0)
        return result;
    return db_run(store->db,
                  "INSERT INTO items (id, session_id, track_id, name, media_path, media_url,"
                  " media_type, duration_s, position, shuffle_key)"
                  " VALUES (?, ?, ?, ?, nullif(?, ''), nullif(?, ''), ?, nullif(?, -1.0), ?, ?)",
                  "sssssssdii", item->id, session_id, item->track_id, item->name, item->media_path,
                  item->media_url, item->media_type, item->duration_s < 0 ? -1.0 : item->duration_s,
                  item->position, item->shuffle_key);
}

/* What lay between the two places moves by one towards the gap. */
int store_move_item(struct store *store, const char *session_id, const struct store_item *item,
                    int64_t new_position)
{
    int64_t old = item->position;
    int64_t low = old < new_position ? old + 1 : new_position;
    int64_t high = old < new_position ? new_position : old - 1;
    int64_t by = old < new_position ? -1 : 1;
    int result = db_run(store->db,
                        "UPDATE items SET position = position + ?"
                        " WHERE session_id = ? AND position BETWEEN ? AND ?",
                        "isii", by, session_id, low, high);
    if (result < 0)
        return result;
    return db_run(store->db, "UPDATE items SET position = ? WHERE id = ?", "is", new_position,
                  item->id);
}

int store_remove_item(struct store *store, const char *session_id, const struct store_item *item)
{
    int result = db_run(store->db, "DELETE FROM items WHERE id = ?", "s", item->id);
    if (result < 0)
        return result;
    return db_run(store->db,
                  "UPDATE items SET position = position - 1"
                  " WHERE session_id = ? AND position > ?",
                  "si", session_id, item->position);
}

/* What was uploaded is left in the library. */
int store_remove_items(struct store *store, const char *session_id, int64_t now_ns)
{
    int result = db_run(store->db,
                        "UPDATE media SET left_at = ? WHERE path IN"
                        " (SELECT media_path FROM items WHERE session_id = ?)",
                        "is", now_ns, session_id);
    return result < 0
               ? result
               : db_run(store->db, "DELETE FROM items WHERE session_id = ?", "s", session_id);
}

/* --- tracks that were uploaded ------------------------------------------------------------- */

int store_media(struct store *store, const char *path, struct store_media *ret)
{
    struct db_rows rows =
        db_query(store->db, "SELECT duration_s, bytes, " TAG_COLUMNS " FROM media WHERE path = ?",
                 "s", path);
    int result = db_next(&rows);
    if (result == 1) {
        *ret = (struct store_media){.duration_s = db_double(&rows, 0), .bytes = db_int(&rows, 1)};
        snprintf(ret->path, sizeof ret->path, "%s", path);
        ret->tags = tag_columns(&rows, 2);
    }
    db_done(&rows);
    return result;
}

int store_forget_media(struct store *store, const char *path)
{
    return db_run(store->db, "DELETE FROM media WHERE path = ?", "s", path);
}

/* Of the library's directories. */
#define TRACKS "path LIKE 'library/%'"

static int insert_media(struct store *store, const char *insert, const struct store_media *media)
{
    char sql[256];
    const struct track_tags *tags = &media->tags;
    const struct loudness *loudness = &tags->loudness;
    snprintf(sql, sizeof sql,
             "%s INTO media (path, duration_s, bytes, " TAG_COLUMNS ")"
             " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
             insert);
    return db_run(store->db, sql, "sdisssidddd", media->path, media->duration_s, media->bytes,
                  tags->title, tags->artist, tags->album, (int64_t)tags->number,
                  loudness->track_gain_db, loudness->track_peak, loudness->album_gain_db,
                  loudness->album_peak);
}

int store_add_media(struct store *store, const struct store_media *media)
{
    return insert_media(store, "INSERT", media);
}

int store_note_track(struct store *store, const struct store_item *item)
{
    struct store_media media = {.duration_s = item->duration_s, .tags = item->tags};
    snprintf(media.path, sizeof media.path, "%s", item->media_path);
    int result = insert_media(store, "INSERT OR REPLACE", &media);
    return result < 0 ? result
                      : db_run(store->db, "UPDATE media SET cover = ? WHERE path = ?", "ss",
                               item->cover, media.path);
}

int store_forget_tracks(struct store *store)
{
    return db_run(store->db,
                  "DELETE FROM media WHERE " TRACKS
                  " AND NOT EXISTS (SELECT 1 FROM items WHERE media_path = media.path)"
                  " AND NOT EXISTS (SELECT 1 FROM requests WHERE status = 'pending'"
                  " AND media_path = media.path)",
                  "");
}

int store_keep_media(struct store *store, const char *path, const char *name)
{
    return db_run(store->db,
                  "UPDATE media SET kept = 1, left_at = NULL, label = iif(kept, label, ?2)"
                  " WHERE path = ?1",
                  "ss", path, name);
}

#define LISTED                                                                                     \
    "EXISTS (SELECT 1 FROM items WHERE media_path = ?1) OR"                                        \
    " EXISTS (SELECT 1 FROM saved WHERE media_path = ?1) OR EXISTS"                                \
    " (SELECT 1 FROM requests WHERE status = 'pending' AND media_path = ?1)"

static int is_so(struct store *store, const char *sql, const char *path)
{
    int64_t so = 0;
    int result = db_number(store->db, &so, sql, "s", path);
    return result == 1 ? so != 0 : result == 0 ? -EIO : result;
}

int store_media_is_listed(struct store *store, const char *path)
{
    return is_so(store, "SELECT " LISTED, path);
}

int store_media_is_used(struct store *store, const char *path)
{
    return is_so(store, "SELECT EXISTS (SELECT 1 FROM media WHERE path = ?1 AND kept) OR " LISTED,
                 path);
}

int store_leave_media(struct store *store, const char *path, int64_t now_ns)
{
    return db_run(store->db, "UPDATE media SET left_at = ? WHERE path = ?", "is", now_ns, path);
}

int store_left_media(struct store *store, char path[STORE_PATH_MAX], int64_t *ret_bytes)
{
    struct db_rows rows = db_query(store->db,
                                   "SELECT path, bytes FROM media m WHERE kept"
                                   " AND NOT EXISTS (SELECT 1 FROM items WHERE media_path = m.path)"
                                   " AND NOT EXISTS (SELECT 1 FROM saved WHERE media_path = m.path)"
                                   " AND NOT EXISTS (SELECT 1 FROM requests"
                                   "  WHERE status = 'pending' AND media_path = m.path)"
                                   " ORDER BY left_at LIMIT 1",
                                   "");
    int result = db_next(&rows);
    if (result == 1) {
        db_copy(&rows, 0, path, STORE_PATH_MAX);
        *ret_bytes = db_int(&rows, 1);
    }
    db_done(&rows);
    return result;
}

int store_each_media(struct store *store, void (*visit)(void *user, const char *path), void *user)
{
    int result;
    struct db_rows rows =
        db_query(store->db,
                 "SELECT path FROM media WHERE kept UNION"
                 " SELECT media_path FROM items WHERE media_path IS NOT NULL UNION"
                 " SELECT media_path FROM requests"
                 " WHERE status = 'pending' AND media_path IS NOT NULL",
                 "");
    while ((result = db_next(&rows)) == 1)
        visit(user, db_text(&rows, 0));
    return result;
}

int store_waiting_bytes(struct store *store, const char *address, int64_t *ret)
{
    int result = db_number(store->db, ret,
                           "SELECT coalesce(sum(bytes), 0) FROM media WHERE path IN"
                           " (SELECT media_path FROM requests WHERE status = 'pending'"
                           "  AND media_path IS NOT NULL AND (?1 IS NULL OR address = ?1))",
                           "s", address);
    return result == 1 ? 0 : result == 0 ? -EIO : result;
}
