/*
 * store_lists.c: playlists that were kept under a name, of the house: what they name, and no files.
 */
#include "store_internal.h"

#include <errno.h>

int store_save_list(struct store *store, const char *name, const char *session_id)
{
    int result = db_run(store->db, "DELETE FROM saved WHERE list = ?", "s", name);
    if (result < 0)
        return result;
    return db_run(store->db,
                  "INSERT INTO saved (list, position, track_id, name, media_path, media_url,"
                  " media_type, duration_s) SELECT ?, position, track_id, name, media_path,"
                  " media_url, media_type, duration_s FROM items WHERE session_id = ?",
                  "ss", name, session_id);
}

int store_forget_list(struct store *store, const char *name)
{
    int known = db_exists(store->db, "SELECT 1 FROM saved WHERE list = ?", "s", name);
    if (known != 1)
        return known;
    int result = db_run(store->db, "DELETE FROM saved WHERE list = ?", "s", name);
    return result < 0 ? result : 1;
}

/* From one name to the next, and from it to its last track, past the tracks between: anybody may
 * ask. */
#define LISTS                                                                                      \
    "WITH RECURSIVE lists(called) AS (SELECT min(list) FROM saved UNION ALL"                       \
    " SELECT (SELECT min(list) FROM saved WHERE list > called) FROM lists"                         \
    " WHERE called NOT NULL)"

int store_count_other_lists(struct store *store, const char *name, int64_t *ret)
{
    int result =
        db_number(store->db, ret,
                  LISTS " SELECT count(*) FROM lists WHERE called <> ? COLLATE NOCASE", "s", name);
    return result == 1 ? 0 : result == 0 ? -EIO : result;
}

int store_each_list(struct store *store,
                    void (*visit)(void *user, const char *name, int64_t tracks), void *user)
{
    int result;
    struct db_rows rows = db_query(store->db,
                                   LISTS " SELECT called, (SELECT max(position) + 1 FROM saved"
                                         " WHERE list = called) FROM lists WHERE called NOT NULL",
                                   "");
    while ((result = db_next(&rows)) == 1)
        visit(user, db_text(&rows, 0), db_int(&rows, 1));
    return result;
}

static void take_saved(const struct db_rows *rows, struct store_item *item)
{
    *item = (struct store_item){.tags = track_tags_none()};
    db_copy(rows, 0, item->track_id, sizeof item->track_id);
    db_copy(rows, 1, item->name, sizeof item->name);
    db_copy(rows, 2, item->media_path, sizeof item->media_path);
    db_copy(rows, 3, item->media_url, sizeof item->media_url);
    db_copy(rows, 4, item->media_type, sizeof item->media_type);
    item->duration_s = db_is_null(rows, 5) ? -1 : db_double(rows, 5);
}

int store_each_saved(struct store *store, const char *name, int64_t limit,
                     void (*visit)(void *user, const struct store_item *item), void *user)
{
    struct store_item item;
    int result;
    struct db_rows rows = db_query(store->db,
                                   "SELECT track_id, name, media_path, media_url, media_type,"
                                   " duration_s FROM saved WHERE list = ? ORDER BY position"
                                   " LIMIT ?",
                                   "si", name, limit);
    while ((result = db_next(&rows)) == 1) {
        take_saved(&rows, &item);
        visit(user, &item);
    }
    return result;
}
