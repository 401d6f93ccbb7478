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

int store_next_undescribed(struct store *store, char path[STORE_PATH_MAX])
{
    return one_text(db_query(store->db,
                             "SELECT path FROM media WHERE described = 0 AND path LIKE 'uploads/%'"
                             " LIMIT 1",
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

int store_describe_media(struct store *store, const char *path, const struct track_tags *tags)
{
    if (!tags)
        return db_run(store->db, "UPDATE media SET described = 2 WHERE path = ?", "s", path);
    const struct loudness *loudness = &tags->loudness;
    int result = rename_items(store, path, tags->title);
    if (result < 0)
        return result;
    return db_run(store->db,
                  "UPDATE media SET described = 1, title = ?, artist = ?, album = ?, number = ?,"
                  " track_gain_db = ?, track_peak = ?, album_gain_db = ?, album_peak = ?"
                  " WHERE path = ?",
                  "sssidddds", tags->title, tags->artist, tags->album, (int64_t)tags->number,
                  loudness->track_gain_db, loudness->track_peak, loudness->album_gain_db,
                  loudness->album_peak, path);
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
