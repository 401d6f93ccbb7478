/*
 * store_describe.c: what becomes known of uploaded files after their upload.
 */
#include "store_internal.h"

#include <stdio.h>

int store_call_media(struct store *store, const char *path, const char *name)
{
    return db_run(store->db, "UPDATE media SET called = ? WHERE path = ?", "ss", name, path);
}

static int one_text(struct db_rows rows, char *to, size_t size)
{
    int result = db_next(&rows);
    if (result == 1)
        db_copy(&rows, 0, to, size);
    db_done(&rows);
    return result;
}

int store_title_of_called(struct store *store, const char *path, const char *name,
                          char title[STORE_NAME_MAX])
{
    return one_text(
        db_query(store->db, "SELECT title FROM media WHERE path = ? AND called = ? AND title != ''",
                 "ss", path, name),
        title, STORE_NAME_MAX);
}

int store_next_undescribed(struct store *store, char path[STORE_PATH_MAX], bool *ret_cover_only)
{
    int result = one_text(
        db_query(store->db,
                 "SELECT path FROM media WHERE described = 0 AND path LIKE 'uploads/%' LIMIT 1",
                 ""),
        path, STORE_PATH_MAX);
    *ret_cover_only = result == 0;
    if (result != 0)
        return result;
    return one_text(
        db_query(store->db,
                 "SELECT path FROM media WHERE cover IS NULL AND path LIKE 'uploads/%' LIMIT 1",
                 ""),
        path, STORE_PATH_MAX);
}

static int rename_items(struct store *store, const char *path, const char *title)
{
    if (!title[0])
        return 0;
    return db_run(store->db,
                  "UPDATE items SET name = ?1 WHERE media_path = ?2 AND name ="
                  " (SELECT called FROM media WHERE path = ?2)",
                  "ss", title, path);
}

int store_describe_media(struct store *store, const char *path, const struct track_tags *tags,
                         const char *cover)
{
    if (!tags)
        return db_run(store->db,
                      "UPDATE media SET cover = ?1, described = iif(?1 = '', max(described, 2), 1)"
                      " WHERE path = ?2",
                      "ss", cover, path);
    const struct loudness *loudness = &tags->loudness;
    int result = rename_items(store, path, tags->title);
    if (result < 0)
        return result;
    return db_run(store->db,
                  "UPDATE media SET described = 1, title = ?, artist = ?, album = ?, number = ?,"
                  " track_gain_db = ?, track_peak = ?, album_gain_db = ?, album_peak = ?,"
                  " cover = ? WHERE path = ?",
                  "sssiddddss", tags->title, tags->artist, tags->album, (int64_t)tags->number,
                  loudness->track_gain_db, loudness->track_peak, loudness->album_gain_db,
                  loudness->album_peak, cover, path);
}

int store_has_cover(struct store *store, const char *cover)
{
    return db_exists(store->db, "SELECT 1 FROM media WHERE cover = ?", "s", cover);
}

int store_next_session_described(struct store *store, char session_id[STORE_ID_MAX])
{
    return one_text(db_query(store->db,
                             "SELECT min(session_id) FROM items WHERE session_id > ? AND media_path"
                             " IN (SELECT path FROM media WHERE described = 1)"
                             " HAVING min(session_id) IS NOT NULL",
                             "s", session_id),
                    session_id, STORE_ID_MAX);
}

int store_told_described(struct store *store)
{
    return db_run(store->db, "UPDATE media SET described = 2 WHERE described = 1", "");
}
