/*
 * store_speakers.c: the speakers of a session that the hub has known, by which membership they are
 * there, and what they are called.
 */
#include "store_internal.h"

#include <stdio.h>

#define SELECT_SPEAKER                                                                             \
    "SELECT p.session_id, p.device_id, coalesce(p.user_id, ''), p.name, p.own_name, p.since,"      \
    " p.seen, p.user_id IS s.host_id FROM speakers p JOIN sessions s ON s.id = p.session_id "

static void take(const struct db_rows *rows, struct store_speaker *speaker)
{
    db_copy(rows, 0, speaker->session_id, sizeof speaker->session_id);
    db_copy(rows, 1, speaker->device_id, sizeof speaker->device_id);
    db_copy(rows, 2, speaker->user_id, sizeof speaker->user_id);
    db_copy(rows, 3, speaker->name, sizeof speaker->name);
    db_copy(rows, 4, speaker->own_name, sizeof speaker->own_name);
    speaker->since_ns = db_int(rows, 5);
    speaker->seen_ns = db_int(rows, 6);
    speaker->is_host = db_int(rows, 7) != 0;
}

int store_speaker(struct store *store, const char *session_id, const char *device_id,
                  struct store_speaker *ret)
{
    struct db_rows rows =
        db_query(store->db, SELECT_SPEAKER "WHERE p.session_id = ? AND p.device_id = ?", "ss",
                 session_id, device_id);
    int result = db_next(&rows);
    if (result == 1)
        take(&rows, ret);
    db_done(&rows);
    return result;
}

int store_each_speaker(struct store *store, const char *session_id,
                       void (*visit)(void *user, const struct store_speaker *speaker), void *user)
{
    struct store_speaker speaker;
    int result;
    struct db_rows rows =
        db_query(store->db,
                 SELECT_SPEAKER "WHERE p.session_id = ?"
                                " ORDER BY coalesce(nullif(p.name, ''), p.own_name), p.device_id",
                 "s", session_id);
    while ((result = db_next(&rows)) == 1) {
        take(&rows, &speaker);
        visit(user, &speaker);
    }
    return result;
}

/* A member is one speaker: what it was before is another's, or nobody's. */
int store_put_speaker(struct store *store, const struct store_speaker *speaker)
{
    int result = db_run(store->db,
                        "DELETE FROM speakers WHERE session_id = ? AND user_id = ?"
                        " AND device_id <> ?",
                        "sss", speaker->session_id, speaker->user_id, speaker->device_id);
    if (result < 0)
        return result;
    return db_run(store->db,
                  "INSERT INTO speakers (session_id, device_id, user_id, own_name, since, seen)"
                  " VALUES (?, ?, ?, ?, ?, ?)"
                  " ON CONFLICT (session_id, device_id) DO UPDATE SET user_id = excluded.user_id,"
                  " own_name = excluded.own_name, since = excluded.since, seen = excluded.seen",
                  "ssssii", speaker->session_id, speaker->device_id, speaker->user_id,
                  speaker->own_name, speaker->since_ns, speaker->seen_ns);
}

int store_see_speaker(struct store *store, const char *session_id, const char *device_id,
                      int64_t now_ns)
{
    return db_run(store->db,
                  "UPDATE speakers SET seen = ?1, since = ?1 WHERE session_id = ?2"
                  " AND device_id = ?3",
                  "iss", now_ns, session_id, device_id);
}

int store_name_speaker(struct store *store, const char *session_id, const char *device_id,
                       const char *name)
{
    return db_run(store->db, "UPDATE speakers SET name = ? WHERE session_id = ? AND device_id = ?",
                  "sss", name, session_id, device_id);
}

int store_forget_speaker(struct store *store, const char *session_id, const char *device_id)
{
    return db_run(store->db, "DELETE FROM speakers WHERE session_id = ? AND device_id = ?", "ss",
                  session_id, device_id);
}
