/*
 * store.c: users, sessions and playback in SQLite. Playlists and requests are in store_playlist.c.
 *
 * WAL with synchronous = NORMAL: a commit survives the process, which is what a killed hub needs; a
 * power cut may cost the last moments but never the file's integrity.
 */
#include "store.h"

#include "store_internal.h"
#include "tutti/base/log.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>

#define SCHEMA_VERSION 2

/* migrations[n] takes a database from version n to n + 1. */
static const char *const migrations[SCHEMA_VERSION] = {
    "CREATE TABLE users ("
    " id TEXT PRIMARY KEY, name TEXT NOT NULL, host INTEGER NOT NULL,"
    " token_hash TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);"
    "CREATE TABLE sessions ("
    " id TEXT PRIMARY KEY, code TEXT NOT NULL UNIQUE,"
    " host_id TEXT NOT NULL REFERENCES users(id), max_duration_s INTEGER,"
    " track_id TEXT, position_ms INTEGER NOT NULL DEFAULT 0,"
    " playing INTEGER NOT NULL DEFAULT 0, updated_at TEXT NOT NULL,"
    " created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);"
    "CREATE TABLE members ("
    " session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,"
    " user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    " PRIMARY KEY (session_id, user_id)) WITHOUT ROWID;"
    "CREATE TABLE items ("
    " id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,"
    " track_id TEXT NOT NULL, name TEXT NOT NULL, media_path TEXT, media_url TEXT,"
    " media_type TEXT NOT NULL, duration_s REAL, position INTEGER NOT NULL);"
    "CREATE INDEX items_by_position ON items(session_id, position);"
    "CREATE TABLE requests ("
    " id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,"
    " requester TEXT NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL,"
    " status TEXT NOT NULL DEFAULT 'pending', reason TEXT,"
    " created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, decided_at TEXT);",
    "CREATE TABLE media (path TEXT PRIMARY KEY, duration_s REAL NOT NULL) WITHOUT ROWID;"
    "INSERT OR IGNORE INTO media"
    " SELECT media_path, coalesce(duration_s, 0) FROM items WHERE media_path IS NOT NULL;"
    "CREATE INDEX items_by_media ON items(media_path);"
    "CREATE INDEX members_by_user ON members(user_id);"
    "CREATE INDEX requests_by_session ON requests(session_id, status);",
};

static bool migrate(sqlite3 *db)
{
    int64_t version = db_number(db, 0, "PRAGMA user_version", "");
    if (version > SCHEMA_VERSION) {
        log_error("database: made by a newer tutti-hub (version %lld, this one knows %d)",
                  (long long)version, SCHEMA_VERSION);
        return false;
    }
    for (; version < SCHEMA_VERSION; version++) {
        char set[64];
        char *error = NULL;
        snprintf(set, sizeof set, "PRAGMA user_version = %lld", (long long)version + 1);
        bool good =
            db_begin(db) && sqlite3_exec(db, migrations[version], NULL, NULL, &error) == SQLITE_OK;
        if (error)
            log_error("database: migration %lld: %s", (long long)version, error);
        sqlite3_free(error);
        if (!db_end(db, good && db_run(db, set, "")))
            return false;
    }
    return true;
}

struct store *store_open(const char *directory)
{
    if (mkdir(directory, 0700) < 0 && errno != EEXIST) {
        log_error("data directory %s: %s", directory, strerror(errno));
        return NULL;
    }
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return NULL;
    const char *path = store->path;
    snprintf(store->path, sizeof store->path, "%s/hub.sqlite", directory);
    if (sqlite3_open(path, &store->db) != SQLITE_OK) {
        log_error("database %s: %s", path, sqlite3_errmsg(store->db));
        store_close(store);
        return NULL;
    }
    sqlite3_busy_timeout(store->db, 2000);
    bool good = sqlite3_exec(store->db,
                             "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                             "PRAGMA foreign_keys = ON;",
                             NULL, NULL, NULL) == SQLITE_OK &&
                migrate(store->db);
    if (!good) {
        log_error("database %s: cannot be used: %s", path, sqlite3_errmsg(store->db));
        store_close(store);
        return NULL;
    }
    return store;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    checkpoint_destroy(store->checkpoint);
    sqlite3_close(store->db);
    free(store);
}

void store_stay_swift(struct store *store)
{
    if (!store->checkpoint)
        store->checkpoint = checkpoint_create(store->db, store->path);
}

bool store_begin(struct store *store)
{
    store->full = false;
    return db_begin(store->db);
}

bool store_end(struct store *store, bool good)
{
    if (good && db_run(store->db, "COMMIT", ""))
        return true;
    store->full = sqlite3_errcode(store->db) == SQLITE_FULL;
    db_run(store->db, "ROLLBACK", "");
    return false;
}

bool store_is_full(const struct store *store)
{
    return store->full || sqlite3_errcode(store->db) == SQLITE_FULL;
}

void store_random_hex(char *to, size_t digits)
{
    unsigned char bytes[32];
    static const char hex[] = "0123456789abcdef";
    /* Up to 256 bytes, getrandom() does not fail and does not give less. */
    ssize_t got = getrandom(bytes, sizeof bytes, 0);
    if (got != sizeof bytes)
        abort();
    for (size_t i = 0; i < digits; i++)
        to[i] = hex[i % 2 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4];
    to[digits] = '\0';
}

/* SHA-256: tokens are 128 random bits, so that salt and stretching would add nothing. */
static bool hash_token(const char *token, char hash[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    if (!EVP_Digest(token, strlen(token), digest, &bytes, EVP_sha256(), NULL) || bytes != 32)
        return false;
    for (size_t i = 0; i < bytes; i++)
        snprintf(hash + 2 * i, 3, "%02x", digest[i]);
    return true;
}

bool store_add_user(struct store *store, const char *name, bool host, char id[STORE_ID_MAX],
                    char token[STORE_TOKEN_MAX])
{
    char hash[65];
    store_random_hex(id, 32);
    store_random_hex(token, 32);
    return hash_token(token, hash) &&
           db_run(store->db, "INSERT INTO users (id, name, host, token_hash) VALUES (?, ?, ?, ?)",
                  "ssis", id, name, (int64_t)host, hash);
}

bool store_find_user(struct store *store, const char *token, struct store_user *ret_user)
{
    char hash[65];
    /* The look-up is by hash: how long it takes says nothing about the token. */
    if (!hash_token(token, hash))
        return false;
    sqlite3_stmt *row =
        db_query(store->db, "SELECT id, name, host FROM users WHERE token_hash = ?", "s", hash);
    if (!db_next(row))
        return false;
    snprintf(ret_user->id, sizeof ret_user->id, "%s", db_text(row, 0));
    snprintf(ret_user->name, sizeof ret_user->name, "%s", db_text(row, 1));
    ret_user->host = db_int(row, 2) != 0;
    db_done(row);
    return true;
}

static void random_code(char code[16])
{
    store_random_hex(code, 6);
    for (char *c = code; *c; c++)
        if (*c >= 'a')
            *c = (char)(*c - 'a' + 'A');
}

bool store_add_session(struct store *store, const char *host_id, int64_t max_duration_s,
                       char id[STORE_ID_MAX], char code[16])
{
    store_random_hex(id, 32);
    do
        random_code(code);
    while (db_number(store->db, 0, "SELECT 1 FROM sessions WHERE code = ?", "s", code));
    bool good = db_begin(store->db) &&
                db_run(store->db,
                       "INSERT INTO sessions (id, code, host_id, max_duration_s, updated_at)"
                       " VALUES (?, ?, ?, nullif(?, -1), strftime('%Y-%m-%dT%H:%M:%fZ'))",
                       "sssi", id, code, host_id, max_duration_s) &&
                store_add_member(store, id, host_id);
    return db_end(store->db, good);
}

bool store_find_session_by_code(struct store *store, const char *code, char id[STORE_ID_MAX])
{
    sqlite3_stmt *row = db_query(store->db, "SELECT id FROM sessions WHERE code = ?", "s", code);
    if (!db_next(row))
        return false;
    snprintf(id, STORE_ID_MAX, "%s", db_text(row, 0));
    db_done(row);
    return true;
}

bool store_session_exists(struct store *store, const char *session_id)
{
    return db_number(store->db, 0, "SELECT 1 FROM sessions WHERE id = ?", "s", session_id);
}

bool store_session_code(struct store *store, const char *session_id, char code[16])
{
    sqlite3_stmt *row =
        db_query(store->db, "SELECT code FROM sessions WHERE id = ?", "s", session_id);
    if (!db_next(row))
        return false;
    snprintf(code, 16, "%s", db_text(row, 0));
    db_done(row);
    return true;
}

bool store_is_host(struct store *store, const char *session_id, const char *user_id)
{
    return db_number(store->db, 0, "SELECT 1 FROM sessions WHERE id = ? AND host_id = ?", "ss",
                     session_id, user_id);
}

bool store_is_member(struct store *store, const char *session_id, const char *user_id)
{
    return db_number(store->db, 0, "SELECT 1 FROM members WHERE session_id = ? AND user_id = ?",
                     "ss", session_id, user_id);
}

bool store_add_member(struct store *store, const char *session_id, const char *user_id)
{
    return db_run(store->db, "INSERT OR IGNORE INTO members VALUES (?, ?)", "ss", session_id,
                  user_id);
}

int64_t store_max_duration(struct store *store, const char *session_id)
{
    return db_number(store->db, -1,
                     "SELECT coalesce(max_duration_s, -1) FROM sessions WHERE id = ?", "s",
                     session_id);
}

bool store_get_playback(struct store *store, const char *session_id,
                        struct store_playback *ret_playback)
{
    sqlite3_stmt *row = db_query(
        store->db, "SELECT track_id, position_ms, playing, updated_at FROM sessions WHERE id = ?",
        "s", session_id);
    if (!db_next(row))
        return false;
    ret_playback->has_track = !db_is_null(row, 0);
    snprintf(ret_playback->track_id, sizeof ret_playback->track_id, "%s", db_text(row, 0));
    ret_playback->position_ms = db_int(row, 1);
    ret_playback->playing = db_int(row, 2) != 0;
    snprintf(ret_playback->updated_at, sizeof ret_playback->updated_at, "%s", db_text(row, 3));
    db_done(row);
    return true;
}

bool store_set_playback(struct store *store, const char *session_id,
                        const struct store_playback *playback)
{
    return db_run(store->db,
                  "UPDATE sessions SET track_id = ?, position_ms = ?, playing = ?, updated_at = ?"
                  " WHERE id = ?",
                  "siiss", playback->has_track ? playback->track_id : NULL, playback->position_ms,
                  (int64_t)playback->playing, playback->updated_at, session_id);
}

int64_t store_session_count(struct store *store)
{
    return db_number(store->db, 0, "SELECT count(*) FROM sessions", "");
}

int64_t store_member_count(struct store *store, const char *session_id)
{
    return db_number(store->db, 0, "SELECT count(*) FROM members WHERE session_id = ?", "s",
                     session_id);
}

bool store_forget_users(struct store *store, int64_t keep)
{
    return db_run(store->db,
                  "DELETE FROM users WHERE rowid IN (SELECT users.rowid FROM users"
                  " LEFT JOIN members ON members.user_id = users.id"
                  " WHERE members.user_id IS NULL ORDER BY users.rowid DESC LIMIT -1 OFFSET ?)",
                  "i", keep);
}

bool store_delete_session(struct store *store, const char *session_id)
{
    return db_run(store->db, "DELETE FROM sessions WHERE id = ?", "s", session_id);
}

bool store_was_changed(struct store *store)
{
    int64_t version = db_number(store->db, 0, "PRAGMA data_version", "");
    bool changed = store->data_version != 0 && version != store->data_version;
    store->data_version = version;
    return changed;
}

bool store_copy(struct store *store, const char *path)
{
    return db_run(store->db, "VACUUM INTO ?", "s", path);
}
