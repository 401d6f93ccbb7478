/*
 * store_playlist.c: playlists, and the requests to change them.
 */
#include "store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_COLUMNS "id, track_id, name, media_path, media_url, media_type, duration_s, position"

static void add_text_or_null(cJSON *object, const char *name, const char *text, bool null)
{
    if (null)
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddStringToObject(object, name, text);
}

static cJSON *item_of(sqlite3_stmt *row)
{
    char url[1200];
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "id", db_text(row, 0));
    cJSON_AddStringToObject(item, "track_id", db_text(row, 1));
    cJSON_AddStringToObject(item, "name", db_text(row, 2));
    snprintf(url, sizeof url, "/static/%s", db_text(row, 3));
    if (!db_is_null(row, 3))
        cJSON_AddStringToObject(item, "media_url", url);
    else
        add_text_or_null(item, "media_url", db_text(row, 4), db_is_null(row, 4));
    cJSON_AddStringToObject(item, "media_type", db_text(row, 5));
    if (db_is_null(row, 6))
        cJSON_AddNullToObject(item, "duration_seconds");
    else
        cJSON_AddNumberToObject(item, "duration_seconds", (double)db_int(row, 6));
    cJSON_AddNumberToObject(item, "position", (double)db_int(row, 7));
    return item;
}

cJSON *store_playlist(struct store *store, const char *session_id)
{
    cJSON *array = cJSON_CreateArray();
    sqlite3_stmt *row = db_query(
        store->db, "SELECT " ITEM_COLUMNS " FROM items WHERE session_id = ? ORDER BY position", "s",
        session_id);
    while (db_next(row))
        cJSON_AddItemToArray(array, item_of(row));
    return array;
}

cJSON *store_item(struct store *store, const char *session_id, const char *item_id)
{
    sqlite3_stmt *row =
        db_query(store->db, "SELECT " ITEM_COLUMNS " FROM items WHERE session_id = ? AND id = ?",
                 "ss", session_id, item_id);
    if (!db_next(row))
        return NULL;
    cJSON *item = item_of(row);
    db_done(row);
    return item;
}

int64_t store_playlist_length(struct store *store, const char *session_id)
{
    return db_number(store->db, 0, "SELECT count(*) FROM items WHERE session_id = ?", "s",
                     session_id);
}

bool store_track_exists(struct store *store, const char *session_id, const char *track_id)
{
    return store_position_of(store, session_id, track_id) >= 0;
}

bool store_item_exists(struct store *store, const char *session_id, const char *item_id)
{
    return db_number(store->db, 0, "SELECT 1 FROM items WHERE session_id = ? AND id = ?", "ss",
                     session_id, item_id);
}

bool store_add_item(struct store *store, const char *session_id, struct store_item *item)
{
    store_random_hex(item->id, 32);
    return db_run(store->db,
                  "INSERT INTO items (id, session_id, track_id, name, media_path, media_url,"
                  " media_type, duration_s, position)"
                  " VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, -1.0),"
                  " (SELECT count(*) FROM items WHERE session_id = ?))",
                  "sssssssds", item->id, session_id, item->track_id, item->name, item->media_path,
                  item->media_url, item->media_type, item->duration_s < 0 ? -1.0 : item->duration_s,
                  session_id);
}

static int64_t item_position(struct store *store, const char *session_id, const char *item_id)
{
    return db_number(store->db, -1, "SELECT position FROM items WHERE session_id = ? AND id = ?",
                     "ss", session_id, item_id);
}

/* What lay between the two places moves by one towards the gap. */
bool store_move_item(struct store *store, const char *session_id, const char *item_id,
                     int64_t new_position)
{
    int64_t old = item_position(store, session_id, item_id);
    if (old < 0)
        return false;
    int64_t low = old < new_position ? old + 1 : new_position;
    int64_t high = old < new_position ? new_position : old - 1;
    int64_t by = old < new_position ? -1 : 1;
    return db_run(store->db,
                  "UPDATE items SET position = position + ?"
                  " WHERE session_id = ? AND position BETWEEN ? AND ?",
                  "isii", by, session_id, low, high) &&
           db_run(store->db, "UPDATE items SET position = ? WHERE id = ?", "is", new_position,
                  item_id);
}

bool store_remove_item(struct store *store, const char *session_id, const char *item_id)
{
    int64_t position = item_position(store, session_id, item_id);
    return position >= 0 && db_run(store->db, "DELETE FROM items WHERE id = ?", "s", item_id) &&
           db_run(store->db,
                  "UPDATE items SET position = position - 1"
                  " WHERE session_id = ? AND position > ?",
                  "si", session_id, position);
}

static bool one_text(sqlite3_stmt *row, char *to, size_t size)
{
    if (!db_next(row))
        return false;
    snprintf(to, size, "%s", db_text(row, 0));
    db_done(row);
    return true;
}

bool store_track_at(struct store *store, const char *session_id, int64_t position,
                    char track_id[STORE_NAME_MAX])
{
    return one_text(db_query(store->db,
                             "SELECT track_id FROM items WHERE session_id = ? AND position = ?",
                             "si", session_id, position),
                    track_id, STORE_NAME_MAX);
}

int64_t store_position_of(struct store *store, const char *session_id, const char *track_id)
{
    return db_number(store->db, -1,
                     "SELECT position FROM items WHERE session_id = ? AND track_id = ?"
                     " ORDER BY position LIMIT 1",
                     "ss", session_id, track_id);
}

bool store_item_track(struct store *store, const char *session_id, const char *item_id,
                      char track_id[STORE_NAME_MAX])
{
    return one_text(db_query(store->db,
                             "SELECT track_id FROM items WHERE session_id = ? AND id = ?", "ss",
                             session_id, item_id),
                    track_id, STORE_NAME_MAX);
}

cJSON *store_request(struct store *store, const char *request_id)
{
    sqlite3_stmt *row = db_query(store->db,
                                 "SELECT id, session_id, requester, type, payload, status, reason"
                                 " FROM requests WHERE id = ?",
                                 "s", request_id);
    if (!db_next(row))
        return NULL;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "id", db_text(row, 0));
    cJSON_AddStringToObject(request, "session_id", db_text(row, 1));
    cJSON_AddStringToObject(request, "requester", db_text(row, 2));
    cJSON_AddStringToObject(request, "request_type", db_text(row, 3));
    cJSON_AddItemToObject(request, "payload", cJSON_Parse(db_text(row, 4)));
    cJSON_AddStringToObject(request, "status", db_text(row, 5));
    add_text_or_null(request, "reason", db_text(row, 6), db_is_null(row, 6));
    db_done(row);
    return request;
}

cJSON *store_add_request(struct store *store, const char *session_id, const struct store_user *user,
                         const char *type, const cJSON *payload)
{
    char id[STORE_ID_MAX];
    char *text = cJSON_PrintUnformatted(payload);
    store_random_hex(id, 32);
    bool good = text && db_run(store->db,
                               "INSERT INTO requests (id, session_id, requester, type, payload)"
                               " VALUES (?, ?, ?, ?, ?)",
                               "sssss", id, session_id, user->name, type, text);
    free(text);
    return good ? store_request(store, id) : NULL;
}

bool store_get_request(struct store *store, const char *request_id,
                       struct store_request *ret_request)
{
    sqlite3_stmt *row =
        db_query(store->db, "SELECT session_id, type, status, payload FROM requests WHERE id = ?",
                 "s", request_id);
    if (!db_next(row))
        return false;
    snprintf(ret_request->session_id, sizeof ret_request->session_id, "%s", db_text(row, 0));
    snprintf(ret_request->type, sizeof ret_request->type, "%s", db_text(row, 1));
    snprintf(ret_request->status, sizeof ret_request->status, "%s", db_text(row, 2));
    ret_request->payload = cJSON_Parse(db_text(row, 3));
    db_done(row);
    return true;
}

bool store_decide_request(struct store *store, const char *request_id, const char *status,
                          const char *reason)
{
    return db_run(store->db,
                  "UPDATE requests SET status = ?, reason = ?, decided_at = CURRENT_TIMESTAMP"
                  " WHERE id = ?",
                  "sss", status, reason, request_id);
}

bool store_add_media(struct store *store, const char *path, double duration_s)
{
    return db_run(store->db, "INSERT INTO media (path, duration_s) VALUES (?, ?)", "sd", path,
                  duration_s);
}

double store_media_duration(struct store *store, const char *path)
{
    sqlite3_stmt *row =
        db_query(store->db, "SELECT duration_s FROM media WHERE path = ?", "s", path);
    if (!db_next(row))
        return -1;
    double duration_s = sqlite3_column_double(row, 0);
    db_done(row);
    return duration_s;
}

bool store_forget_media(struct store *store, const char *path)
{
    return db_run(store->db, "DELETE FROM media WHERE path = ?", "s", path);
}

bool store_media_is_used(struct store *store, const char *path)
{
    return db_number(store->db, 0,
                     "SELECT EXISTS (SELECT 1 FROM items WHERE media_path = ?1) OR EXISTS"
                     " (SELECT 1 FROM requests WHERE status = 'pending' AND instr(payload, ?1))",
                     "s", path) != 0;
}

bool store_item_media(struct store *store, const char *session_id, const char *item_id, char *path,
                      size_t size)
{
    return one_text(db_query(store->db,
                             "SELECT media_path FROM items WHERE session_id = ? AND id = ?"
                             " AND media_path IS NOT NULL",
                             "ss", session_id, item_id),
                    path, size);
}

int64_t store_pending_requests(struct store *store, const char *session_id)
{
    return db_number(store->db, 0,
                     "SELECT count(*) FROM requests WHERE session_id = ? AND status = 'pending'",
                     "s", session_id);
}

bool store_forget_requests(struct store *store, const char *session_id, int64_t keep)
{
    return db_run(store->db,
                  "DELETE FROM requests WHERE rowid IN (SELECT rowid FROM requests"
                  " WHERE session_id = ? AND status <> 'pending'"
                  " ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
                  "si", session_id, keep);
}
