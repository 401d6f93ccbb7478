/*
 * schema.c: the tables, and how an older hub's become those of this one.
 *
 * Each migration is one transaction: a hub that is killed meanwhile finds the older version whole.
 */
#include "store_internal.h"
#include "tutti/base/log.h"

#include <errno.h>
#include <stdio.h>

#define SCHEMA_VERSION 12

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
    /* Who was a member before has been seen: whoever was not is the first to go. */
    "ALTER TABLE users ADD COLUMN trusted INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE sessions ADD COLUMN name TEXT;"
    "ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX sessions_by_name ON sessions(name) WHERE name IS NOT NULL;"
    "ALTER TABLE members ADD COLUMN address TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE members ADD COLUMN joined_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE members ADD COLUMN seen_at INTEGER;"
    "ALTER TABLE members ADD COLUMN sockets INTEGER NOT NULL DEFAULT 0;"
    "UPDATE members SET joined_at = CAST(strftime('%s', 'now') AS INTEGER),"
    " seen_at = CAST(strftime('%s', 'now') AS INTEGER);"
    "ALTER TABLE media ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE requests ADD COLUMN requester_id TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE requests ADD COLUMN address TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE requests ADD COLUMN media_path TEXT;"
    "UPDATE requests SET media_path = json_extract(payload, '$.media_path')"
    " WHERE type = 'add' AND json_valid(payload);"
    "CREATE INDEX requests_by_media ON requests(media_path) WHERE status = 'pending';",
    "CREATE TABLE tokens (hash TEXT NOT NULL UNIQUE,"
    " user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE);"
    "CREATE INDEX tokens_by_user ON tokens(user_id);",
    /* advance NULL: as it is configured. turn_at: when the current track is over, in ns. */
    "ALTER TABLE sessions ADD COLUMN item_id TEXT;"
    "UPDATE sessions SET item_id = (SELECT id FROM items WHERE session_id = sessions.id"
    " AND track_id = sessions.track_id ORDER BY position LIMIT 1);"
    "ALTER TABLE sessions ADD COLUMN advance INTEGER;"
    "ALTER TABLE sessions ADD COLUMN repeat TEXT NOT NULL DEFAULT 'off';"
    "ALTER TABLE sessions ADD COLUMN shuffle_seed INTEGER;"
    "ALTER TABLE sessions ADD COLUMN turn_at INTEGER;"
    "CREATE INDEX sessions_by_turn ON sessions(turn_at) WHERE turn_at IS NOT NULL;"
    "ALTER TABLE items ADD COLUMN shuffle_key INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX items_by_shuffle ON items(session_id, shuffle_key, id);"
    "CREATE TABLE hub (one INTEGER PRIMARY KEY CHECK (one = 1), alive_at INTEGER NOT NULL);",
    /* name: given; since: of its connection, or the end of it; both times in ns. */
    "CREATE TABLE speakers ("
    " session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,"
    " device_id TEXT NOT NULL, user_id TEXT REFERENCES users(id) ON DELETE SET NULL,"
    " name TEXT NOT NULL DEFAULT '', own_name TEXT NOT NULL,"
    " since INTEGER NOT NULL, seen INTEGER NOT NULL,"
    " PRIMARY KEY (session_id, device_id)) WITHOUT ROWID;"
    "CREATE INDEX speakers_by_user ON speakers(user_id);",
    ("ALTER TABLE sessions ADD COLUMN control TEXT NOT NULL DEFAULT 'host';"
     "ALTER TABLE sessions ADD COLUMN adding TEXT NOT NULL DEFAULT 'requests';"),
    /* What files say of themselves; "" and NULL: nothing. */
    ("ALTER TABLE media ADD COLUMN title TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE media ADD COLUMN artist TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE media ADD COLUMN album TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE media ADD COLUMN number INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE media ADD COLUMN track_gain_db REAL;"
     "ALTER TABLE media ADD COLUMN track_peak REAL;"
     "ALTER TABLE media ADD COLUMN album_gain_db REAL;"
     "ALTER TABLE media ADD COLUMN album_peak REAL;"),
    /* described: 0: not yet; 1: but nobody has been told; 2: told. called: by its file's name, until its
     * title is known. */
    ("ALTER TABLE media ADD COLUMN described INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE media ADD COLUMN called TEXT NOT NULL DEFAULT '';"
     "CREATE INDEX media_by_described ON media(described) WHERE described < 2;"),
    /* kept: it was on a playlist, and so is in the library; left_at: on none since then. */
    ("ALTER TABLE media ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE media ADD COLUMN label TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE media ADD COLUMN left_at INTEGER;"
     "UPDATE media SET kept = 1, label = (SELECT name FROM items WHERE media_path = media.path)"
     " WHERE path IN (SELECT media_path FROM items);"
     "CREATE INDEX media_left ON media(left_at) WHERE kept;"),
    ("CREATE TABLE saved (list TEXT NOT NULL COLLATE NOCASE, position INTEGER NOT NULL,"
     " track_id TEXT NOT NULL, name TEXT NOT NULL, media_path TEXT, media_url TEXT,"
     " media_type TEXT NOT NULL, duration_s REAL, PRIMARY KEY (list, position)) WITHOUT ROWID;"
     "CREATE INDEX saved_by_media ON saved(media_path);"),
    /* cover: of covers.h; NULL: it has not been looked for one; "": there is none. */
    ("ALTER TABLE media ADD COLUMN cover TEXT;"
     "UPDATE media SET cover = '' WHERE path NOT LIKE 'uploads/%';"
     "CREATE INDEX media_by_cover ON media(cover);"),
};

static int apply(sqlite3 *db, const char *sql, int64_t version)
{
    char set[64];
    snprintf(set, sizeof set, "PRAGMA user_version = %lld", (long long)version);
    int result = db_begin(db);
    if (result < 0)
        return result;
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        result = db_error(db, "bringing it up to date");
    if (result == 0)
        result = db_run(db, set, "");
    return db_end(db, result);
}

int schema_migrate(sqlite3 *db, bool *ret_is_new)
{
    int64_t version = 0;
    int result = db_number(db, &version, "PRAGMA user_version", "");
    if (result < 0)
        return result;
    *ret_is_new = version == 0;
    if (version > SCHEMA_VERSION) {
        log_error("database: made by a newer tutti-hub (version %lld, this one knows %d)",
                  (long long)version, SCHEMA_VERSION);
        return -EPROTO;
    }
    for (; version < SCHEMA_VERSION; version++) {
        result = apply(db, migrations[version], version + 1);
        if (result < 0)
            return result;
    }
    return 0;
}
