/*
 * store_requests.c: what members ask for, and what became of it.
 */
#include "store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SELECT_REQUEST                                                                             \
    "SELECT id, session_id, requester_id, requester, address, type, payload, media_path, status,"  \
    " reason, rowid FROM requests "

void store_request_end(struct store_request *request)
{
    free(request->payload);
    request->payload = NULL;
}

static int take_request(const struct db_rows *rows, struct store_request *request)
{
    db_copy(rows, 0, request->id, sizeof request->id);
    db_copy(rows, 1, request->session_id, sizeof request->session_id);
    db_copy(rows, 2, request->requester_id, sizeof request->requester_id);
    db_copy(rows, 3, request->requester, sizeof request->requester);
    db_copy(rows, 4, request->address, sizeof request->address);
    db_copy(rows, 5, request->type, sizeof request->type);
    db_copy(rows, 7, request->media_path, sizeof request->media_path);
    db_copy(rows, 8, request->status, sizeof request->status);
    request->has_reason = !db_is_null(rows, 9);
    db_copy(rows, 9, request->reason, sizeof request->reason);
    request->payload = strdup(db_text(rows, 6));
    return request->payload ? 1 : -ENOMEM;
}

int store_request(struct store *store, const char *request_id, struct store_request *ret_request)
{
    struct db_rows rows = db_query(store->db, SELECT_REQUEST "WHERE id = ?", "s", request_id);
    int result = db_next(&rows);
    if (result == 1)
        result = take_request(&rows, ret_request);
    db_done(&rows);
    return result;
}

int store_next_pending(struct store *store, const char *session_id, int64_t *place,
                       struct store_request *ret_request)
{
    struct db_rows rows =
        db_query(store->db,
                 SELECT_REQUEST "WHERE session_id = ? AND status = 'pending' AND rowid > ?"
                                " ORDER BY rowid LIMIT 1",
                 "si", session_id, *place);
    int result = db_next(&rows);
    if (result == 1)
        result = take_request(&rows, ret_request);
    if (result == 1)
        *place = db_int(&rows, 10);
    db_done(&rows);
    return result;
}

int store_add_request(struct store *store, struct store_request *request)
{
    store_random_hex(request->id, 32);
    return db_run(store->db,
                  "INSERT INTO requests (id, session_id, requester_id, requester, address, type,"
                  " payload, media_path) VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, ''))",
                  "ssssssss", request->id, request->session_id, request->requester_id,
                  request->requester, request->address, request->type, request->payload,
                  request->media_path);
}

int store_decide_request(struct store *store, const char *request_id, const char *status,
                         const char *reason)
{
    return db_run(store->db,
                  "UPDATE requests SET status = ?, reason = ?, decided_at = CURRENT_TIMESTAMP"
                  " WHERE id = ?",
                  "sss", status, reason, request_id);
}

int store_pending_requests(struct store *store, const char *session_id, const char *user_id,
                           const char *address, struct store_pending *ret)
{
    struct db_rows rows = db_query(
        store->db,
        "SELECT count(*), coalesce(sum(requester_id = ?), 0), coalesce(sum(address = ?), 0)"
        " FROM requests WHERE session_id = ? AND status = 'pending'",
        "sss", user_id, address, session_id);
    int result = db_next(&rows);
    if (result == 1)
        *ret = (struct store_pending){db_int(&rows, 0), db_int(&rows, 1), db_int(&rows, 2)};
    db_done(&rows);
    return result == 1 ? 0 : result == 0 ? -EIO : result;
}

int store_forget_requests(struct store *store, const char *session_id, int64_t keep)
{
    return db_run(store->db,
                  "DELETE FROM requests WHERE rowid IN (SELECT rowid FROM requests"
                  " WHERE session_id = ? AND status <> 'pending'"
                  " ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
                  "si", session_id, keep);
}
