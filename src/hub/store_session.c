/*
 * store_session.c: users, the sessions, who is a member of them, and what they play.
 */
#include "store_internal.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* Of a user, beside his first: links that were made for him. */
#define TOKENS_KEPT 50

#define NOW "CAST(strftime('%s', 'now') AS INTEGER)"
/* For seen_at: a clock that began in the past makes nobody unseen. */
#define LATEST_NOW "max(coalesce(seen_at, 0), " NOW ")"
/* Whoever calls is noted as seen so often. */
#define CALLER_SEEN_S "86400"

/* --- users --------------------------------------------------------------------------------- */

/* SHA-256: tokens are 128 random bits, so that salt and stretching would add nothing. */
static int hash_token(const char *token, char hash[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    if (!EVP_Digest(token, strlen(token), digest, &bytes, EVP_sha256(), NULL) || bytes != 32)
        return -ENOMEM;
    for (size_t i = 0; i < bytes; i++)
        snprintf(hash + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

int store_add_user(struct store *store, struct store_user *user, char token[STORE_TOKEN_MAX])
{
    char hash[65];
    store_random_hex(user->id, 32);
    store_random_hex(token, 32);
    int result = hash_token(token, hash);
    if (result < 0)
        return result;
    return db_run(store->db,
                  "INSERT INTO users (id, name, host, trusted, token_hash) VALUES (?, ?, ?, ?, ?)",
                  "ssiis", user->id, user->name, (int64_t)user->host, (int64_t)user->trusted, hash);
}

int store_add_token(struct store *store, const char *user_id, char token[STORE_TOKEN_MAX])
{
    char hash[65];
    store_random_hex(token, 32);
    int result = hash_token(token, hash);
    if (result == 0)
        result = db_run(store->db, "INSERT INTO tokens (hash, user_id) VALUES (?, ?)", "ss", hash,
                        user_id);
    if (result == 0)
        result = db_run(store->db,
                        "DELETE FROM tokens WHERE user_id = ?1 AND rowid NOT IN (SELECT rowid"
                        " FROM tokens WHERE user_id = ?1 ORDER BY rowid DESC LIMIT ?2)",
                        "si", user_id, (int64_t)TOKENS_KEPT);
    return result;
}

int store_find_user(struct store *store, const char *token, struct store_user *ret_user)
{
    char hash[65];
    /* The look-up is by hash: how long it takes says nothing about the token. */
    int result = hash_token(token, hash);
    if (result < 0)
        return result;
    struct db_rows rows =
        db_query(store->db,
                 "SELECT id, name, host, trusted FROM users WHERE token_hash = ?1 UNION ALL"
                 " SELECT id, name, host, trusted FROM users JOIN tokens ON user_id = users.id"
                 " WHERE tokens.hash = ?1 LIMIT 1",
                 "s", hash);
    result = db_next(&rows);
    if (result != 1)
        return result;
    db_copy(&rows, 0, ret_user->id, sizeof ret_user->id);
    db_copy(&rows, 1, ret_user->name, sizeof ret_user->name);
    ret_user->host = db_int(&rows, 2) != 0;
    ret_user->trusted = db_int(&rows, 3) != 0;
    db_done(&rows);
    return 1;
}

int store_forget_users(struct store *store, int64_t keep)
{
    return db_run(store->db,
                  "DELETE FROM users WHERE rowid IN (SELECT users.rowid FROM users"
                  " LEFT JOIN members ON members.user_id = users.id"
                  " WHERE members.user_id IS NULL ORDER BY users.rowid DESC LIMIT -1 OFFSET ?)",
                  "i", keep);
}

/* --- sessions ------------------------------------------------------------------------------ */

static void random_code(char code[STORE_CODE_MAX])
{
    store_random_hex(code, 6);
    for (char *c = code; *c; c++)
        if (*c >= 'a')
            *c = (char)(*c - 'a' + 'A');
}

static int unused_code(struct store *store, char code[STORE_CODE_MAX])
{
    int result;
    do {
        random_code(code);
        result = db_exists(store->db, "SELECT 1 FROM sessions WHERE code = ?", "s", code);
    } while (result == 1);
    return result;
}

int store_add_session(struct store *store, struct store_session *session, const char *name,
                      const char *address)
{
    store_random_hex(session->id, 32);
    int result = unused_code(store, session->code);
    if (result == 0)
        result = db_run(store->db,
                        "INSERT INTO sessions (id, code, host_id, max_duration_s, name, address,"
                        " updated_at) VALUES (?, ?, ?, nullif(?, -1), nullif(?, ''), ?,"
                        " strftime('%Y-%m-%dT%H:%M:%fZ'))",
                        "sssiss", session->id, session->code, session->host_id,
                        session->max_duration_s, name, address);
    if (result == 0)
        result = store_add_member(store, session->id, session->host_id, address);
    return result;
}

int store_each_session_id(struct store *store, void (*visit)(void *user, const char *session_id),
                          void *user)
{
    char id[STORE_ID_MAX];
    int result;
    struct db_rows rows = db_query(store->db, "SELECT id FROM sessions", "");
    while ((result = db_next(&rows)) == 1) {
        db_copy(&rows, 0, id, sizeof id);
        visit(user, id);
    }
    return result;
}

static int take_session(struct db_rows rows, struct store_session *ret_session)
{
    int result = db_next(&rows);
    if (result != 1)
        return result;
    db_copy(&rows, 0, ret_session->id, sizeof ret_session->id);
    db_copy(&rows, 1, ret_session->code, sizeof ret_session->code);
    db_copy(&rows, 2, ret_session->host_id, sizeof ret_session->host_id);
    ret_session->max_duration_s = db_is_null(&rows, 3) ? -1 : db_int(&rows, 3);
    db_done(&rows);
    return 1;
}

#define SELECT_SESSION "SELECT id, code, host_id, max_duration_s FROM sessions "

int store_session(struct store *store, const char *session_id, struct store_session *ret_session)
{
    return take_session(db_query(store->db, SELECT_SESSION "WHERE id = ?", "s", session_id),
                        ret_session);
}

int store_find_session_by_code(struct store *store, const char *code,
                               struct store_session *ret_session)
{
    return take_session(db_query(store->db, SELECT_SESSION "WHERE code = ?", "s", code),
                        ret_session);
}

int store_find_session_by_name(struct store *store, const char *name,
                               struct store_session *ret_session)
{
    return take_session(
        db_query(store->db, SELECT_SESSION "WHERE name = ? ORDER BY rowid LIMIT 1", "s", name),
        ret_session);
}

int store_set_host(struct store *store, const char *session_id, const char *user_id)
{
    int result = store_add_member(store, session_id, user_id, "");
    if (result < 0)
        return result;
    return db_run(store->db, "UPDATE sessions SET host_id = ? WHERE id = ?", "ss", user_id,
                  session_id);
}

/* A count always has a row: none is an error like any other. */
static int counted(int result)
{
    return result == 1 ? 0 : result == 0 ? -EIO : result;
}

int store_session_count(struct store *store, const char *address, int64_t *ret)
{
    return counted(db_number(store->db, ret,
                             "SELECT count(*) FROM sessions WHERE ?1 IS NULL OR address = ?1", "s",
                             address));
}

int store_each_session(struct store *store, int64_t limit,
                       void (*visit)(void *user, const struct store_summary *summary), void *user)
{
    int result;
    struct db_rows rows = db_query(store->db,
                                   "SELECT s.id, s.code, s.host_id, coalesce(s.name, ''),"
                                   " (SELECT name FROM users WHERE id = s.host_id), s.playing,"
                                   " (SELECT count(*) FROM items WHERE session_id = s.id)"
                                   " FROM sessions s ORDER BY s.updated_at DESC LIMIT ?",
                                   "i", limit);
    while ((result = db_next(&rows)) == 1) {
        struct store_summary summary = {.session.max_duration_s = -1};
        db_copy(&rows, 0, summary.session.id, sizeof summary.session.id);
        db_copy(&rows, 1, summary.session.code, sizeof summary.session.code);
        db_copy(&rows, 2, summary.session.host_id, sizeof summary.session.host_id);
        db_copy(&rows, 3, summary.name, sizeof summary.name);
        db_copy(&rows, 4, summary.host_name, sizeof summary.host_name);
        summary.playing = db_int(&rows, 5) != 0;
        summary.items = db_int(&rows, 6);
        visit(user, &summary);
    }
    return result;
}

/* What was uploaded for it goes with it, out of the library, but for what others play as well. */
static int unkeep_media_of(struct store *store, const char *session_id)
{
    return db_run(
        store->db,
        "UPDATE media SET kept = 0 WHERE path IN"
        " (SELECT media_path FROM items WHERE session_id = ?1) AND path NOT IN"
        " (SELECT media_path FROM items WHERE session_id <> ?1 AND media_path NOT NULL UNION"
        "  SELECT media_path FROM saved WHERE media_path NOT NULL)",
        "s", session_id);
}

int store_delete_session(struct store *store, const char *session_id)
{
    int result = unkeep_media_of(store, session_id);
    if (result < 0)
        return result;
    return db_run(store->db, "DELETE FROM sessions WHERE id = ?", "s", session_id);
}

int store_abandoned_session(struct store *store, int64_t older_than_s, char id[STORE_ID_MAX])
{
    struct db_rows rows = db_query(
        store->db,
        "SELECT s.id FROM sessions s"
        " JOIN members m ON m.session_id = s.id AND m.user_id = s.host_id"
        " WHERE m.seen_at IS NULL AND m.joined_at < " NOW " - ?"
        " AND NOT EXISTS (SELECT 1 FROM members WHERE session_id = s.id AND user_id <> s.host_id)"
        " AND NOT EXISTS (SELECT 1 FROM items WHERE session_id = s.id)"
        " AND NOT EXISTS (SELECT 1 FROM requests WHERE session_id = s.id)"
        " ORDER BY s.rowid LIMIT 1",
        "i", older_than_s);
    int result = db_next(&rows);
    if (result == 1)
        db_copy(&rows, 0, id, STORE_ID_MAX);
    db_done(&rows);
    return result;
}

/* --- members ------------------------------------------------------------------------------- */

int store_is_member_somewhere(struct store *store, const char *user_id)
{
    return db_exists(store->db, "SELECT 1 FROM members WHERE user_id = ? LIMIT 1", "s", user_id);
}

int store_is_member(struct store *store, const char *session_id, const char *user_id)
{
    return db_exists(store->db, "SELECT 1 FROM members WHERE session_id = ? AND user_id = ?", "ss",
                     session_id, user_id);
}

int store_has_member_named(struct store *store, const char *session_id, const char *name)
{
    return db_exists(store->db,
                     "SELECT 1 FROM members JOIN users ON users.id = members.user_id"
                     " WHERE members.session_id = ? AND users.name = ? COLLATE NOCASE",
                     "ss", session_id, name);
}

int store_add_member(struct store *store, const char *session_id, const char *user_id,
                     const char *address)
{
    return db_run(store->db,
                  "INSERT OR IGNORE INTO members (session_id, user_id, address, joined_at)"
                  " VALUES (?, ?, ?, " NOW ")",
                  "sss", session_id, user_id, address);
}

int store_remove_member(struct store *store, const char *session_id, const char *user_id)
{
    return db_run(store->db, "DELETE FROM members WHERE session_id = ? AND user_id = ?", "ss",
                  session_id, user_id);
}

int store_member_count(struct store *store, const char *session_id, const char *address,
                       int64_t *ret)
{
    return counted(db_number(store->db, ret,
                             "SELECT count(*) FROM members WHERE session_id = ?1"
                             " AND (?2 IS NULL OR address = ?2)",
                             "ss", session_id, address));
}

int store_see_member(struct store *store, const char *session_id, const char *user_id, int sockets)
{
    return db_run(store->db,
                  "UPDATE members SET seen_at = " LATEST_NOW ", sockets = max(0, sockets + ?)"
                  " WHERE session_id = ? AND user_id = ?",
                  "iss", (int64_t)sockets, session_id, user_id);
}

int store_see_caller(struct store *store, const char *session_id, const char *user_id)
{
    int due = db_exists(store->db,
                        "SELECT 1 FROM members m WHERE session_id = ?1 AND user_id = ?2"
                        " AND (max(joined_at, coalesce(seen_at, 0)) < " NOW " - " CALLER_SEEN_S
                        "  OR (seen_at IS NULL AND user_id <>"
                        "      (SELECT host_id FROM sessions WHERE id = ?1)))",
                        "ss", session_id, user_id);
    return due == 1 ? store_see_member(store, session_id, user_id, 0) : due;
}

int store_forget_sockets(struct store *store)
{
    return db_run(store->db,
                  "UPDATE members SET seen_at = " LATEST_NOW ", sockets = 0 WHERE sockets > 0", "");
}

int store_forget_stranger(struct store *store, const char *session_id, int64_t older_than_s)
{
    int before = sqlite3_total_changes(store->db);
    int result = db_run(store->db,
                        "DELETE FROM members WHERE session_id = ?1 AND user_id ="
                        " (SELECT user_id FROM members m WHERE session_id = ?1 AND seen_at IS NULL"
                        "   AND joined_at < " NOW " - ?2"
                        "   AND user_id <> (SELECT host_id FROM sessions WHERE id = ?1)"
                        "   AND NOT EXISTS (SELECT 1 FROM requests WHERE session_id = ?1"
                        "                   AND status = 'pending' AND requester_id = m.user_id)"
                        "   ORDER BY joined_at LIMIT 1)",
                        "si", session_id, older_than_s);
    return result < 0 ? result : sqlite3_total_changes(store->db) != before;
}

int store_forget_unseen(struct store *store, int64_t older_than_s)
{
    int before = sqlite3_total_changes(store->db);
    int result = db_run(
        store->db,
        "DELETE FROM members WHERE sockets = 0 AND max(joined_at, coalesce(seen_at, 0)) < " NOW
        " - ? AND user_id NOT IN (SELECT host_id FROM sessions)",
        "i", older_than_s);
    return result < 0 ? result : sqlite3_total_changes(store->db) != before;
}

/* --- playback ------------------------------------------------------------------------------ */

int store_get_playback(struct store *store, const char *session_id,
                       struct store_playback *ret_playback)
{
    struct db_rows rows =
        db_query(store->db,
                 "SELECT track_id, position_ms, playing, updated_at, item_id, turn_at FROM sessions"
                 " WHERE id = ?",
                 "s", session_id);
    int result = db_next(&rows);
    if (result != 1)
        return result;
    ret_playback->has_track = !db_is_null(&rows, 0);
    db_copy(&rows, 0, ret_playback->track_id, sizeof ret_playback->track_id);
    ret_playback->position_ms = db_int(&rows, 1);
    ret_playback->playing = db_int(&rows, 2) != 0;
    db_copy(&rows, 3, ret_playback->updated_at, sizeof ret_playback->updated_at);
    db_copy(&rows, 4, ret_playback->item_id, sizeof ret_playback->item_id);
    ret_playback->turn_at_ns = db_is_null(&rows, 5) ? STORE_NEVER : db_int(&rows, 5);
    db_done(&rows);
    return 1;
}

int store_set_playback(struct store *store, const char *session_id,
                       const struct store_playback *playback)
{
    return db_run(store->db,
                  "UPDATE sessions SET track_id = ?, position_ms = ?, playing = ?, updated_at = ?,"
                  " item_id = nullif(?, ''), turn_at = nullif(?, 9223372036854775807)"
                  " WHERE id = ?",
                  "siissis", playback->has_track ? playback->track_id : NULL, playback->position_ms,
                  (int64_t)playback->playing, playback->updated_at, playback->item_id,
                  playback->turn_at_ns, session_id);
}

/* --- how it goes on ------------------------------------------------------------------------ */

int store_get_rules(struct store *store, const char *session_id, struct store_rules *ret_rules)
{
    struct db_rows rows =
        db_query(store->db,
                 "SELECT advance, repeat, shuffle_seed, control, adding FROM sessions WHERE id = ?",
                 "s", session_id);
    int result = db_next(&rows);
    if (result != 1)
        return result;
    ret_rules->advance = db_is_null(&rows, 0) ? -1 : db_int(&rows, 0) != 0;
    if (!session_repeat_parse(db_text(&rows, 1), &ret_rules->repeat))
        ret_rules->repeat = REPEAT_OFF;
    if (!session_who_parse(db_text(&rows, 3), &ret_rules->control))
        ret_rules->control = WHO_HOST;
    if (!session_who_parse(db_text(&rows, 4), &ret_rules->add))
        ret_rules->add = WHO_HOST;
    ret_rules->shuffle = !db_is_null(&rows, 2);
    ret_rules->shuffle_seed = db_int(&rows, 2);
    db_done(&rows);
    return 1;
}

/* The current item is the first of the order, so that all others are still to come. */
static int shuffle(struct store *store, const char *session_id, int64_t seed)
{
    return db_run(store->db,
                  "UPDATE items SET shuffle_key = CASE WHEN id ="
                  " (SELECT item_id FROM sessions WHERE id = ?1) THEN 0 ELSE turn_key(?2, id) END"
                  " WHERE session_id = ?1",
                  "si", session_id, seed);
}

int store_set_rules(struct store *store, const char *session_id, const struct store_rules *rules)
{
    struct store_rules before;
    int result = store_get_rules(store, session_id, &before);
    if (result <= 0)
        return result < 0 ? result : -ENOENT;
    result = db_run(store->db,
                    "UPDATE sessions SET advance = nullif(?, -1), repeat = ?,"
                    " shuffle_seed = CASE WHEN ? THEN ? END, control = ?, adding = ? WHERE id = ?",
                    "isiisss", (int64_t)rules->advance, session_repeat_name(rules->repeat),
                    (int64_t)rules->shuffle, rules->shuffle_seed, session_who_name(rules->control),
                    session_who_name(rules->add), session_id);
    bool anew = rules->shuffle && (!before.shuffle || before.shuffle_seed != rules->shuffle_seed);
    return result == 0 && anew ? shuffle(store, session_id, rules->shuffle_seed) : result;
}

static int take_turn(struct db_rows rows, char session_id[STORE_ID_MAX], int64_t *ret_at_ns)
{
    int result = db_next(&rows);
    if (result != 1)
        return result;
    db_copy(&rows, 0, session_id, STORE_ID_MAX);
    *ret_at_ns = db_int(&rows, 1);
    db_done(&rows);
    return 1;
}

int store_next_turn(struct store *store, char session_id[STORE_ID_MAX], int64_t *ret_at_ns)
{
    return take_turn(db_query(store->db,
                              "SELECT id, turn_at FROM sessions WHERE turn_at IS NOT NULL"
                              " ORDER BY turn_at LIMIT 1",
                              ""),
                     session_id, ret_at_ns);
}

int store_turn_after(struct store *store, char session_id[STORE_ID_MAX], int64_t *at_ns)
{
    return take_turn(db_query(store->db,
                              "SELECT id, turn_at FROM sessions WHERE turn_at IS NOT NULL"
                              " AND (turn_at, id) > (?, ?) ORDER BY turn_at, id LIMIT 1",
                              "is", *at_ns, session_id),
                     session_id, at_ns);
}

static int next_session(struct db_rows rows, char session_id[STORE_ID_MAX])
{
    int result = db_next(&rows);
    if (result == 1)
        db_copy(&rows, 0, session_id, STORE_ID_MAX);
    db_done(&rows);
    return result;
}

int store_next_playing(struct store *store, char session_id[STORE_ID_MAX])
{
    return next_session(db_query(store->db,
                                 "SELECT id FROM sessions WHERE playing AND turn_at IS NULL"
                                 " AND id > ? ORDER BY id LIMIT 1",
                                 "s", session_id),
                        session_id);
}

int store_next_to_resume(struct store *store, char session_id[STORE_ID_MAX])
{
    return next_session(
        db_query(store->db, "SELECT id FROM sessions WHERE playing AND id > ? ORDER BY id LIMIT 1",
                 "s", session_id),
        session_id);
}

int store_is_playing(struct store *store)
{
    return db_exists(store->db, "SELECT 1 FROM sessions WHERE playing", "");
}

int store_get_alive(struct store *store, int64_t *ret_ns)
{
    return db_number(store->db, ret_ns, "SELECT alive_at FROM hub", "");
}

int store_set_alive(struct store *store, int64_t ns)
{
    return db_run(store->db, "INSERT OR REPLACE INTO hub (one, alive_at) VALUES (1, ?)", "i", ns);
}
