/*
 * library_index.c: see library_index.h. The words are an FTS5 table over a view, so that nothing
 * is kept twice; whoever changes a track takes its old words out first.
 */
#include "library_index.h"

#include "library_words.h"
#include "tag_columns.h"
#include "tutti/base/log.h"
#include "tutti/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VERSION 2
#define BUSY_MS 5000

struct library_index {
    sqlite3 *db;
    sqlite3_stmt *known; /* asked for every file: prepared once */
};

static const char schema[] =
    "CREATE TABLE folders (id INTEGER PRIMARY KEY, root TEXT NOT NULL, path TEXT NOT NULL,"
    " parent INTEGER NOT NULL, picture TEXT NOT NULL DEFAULT '',"
    " picture_bytes INTEGER NOT NULL DEFAULT 0, picture_changed INTEGER NOT NULL DEFAULT 0,"
    " cover TEXT NOT NULL DEFAULT '', UNIQUE (root, path));"
    "CREATE INDEX folders_by_parent ON folders(parent, path);"
    /* refused: a file that is no track, so that it is not looked at again. */
    "CREATE TABLE tracks (id INTEGER PRIMARY KEY, folder INTEGER NOT NULL, file TEXT NOT NULL,"
    " key TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL, changed INTEGER NOT NULL,"
    " refused INTEGER NOT NULL, kind INTEGER NOT NULL, duration_s REAL NOT NULL,"
    " title TEXT NOT NULL, artist TEXT NOT NULL, album TEXT NOT NULL, number INTEGER NOT NULL,"
    " track_gain_db REAL, track_peak REAL, album_gain_db REAL, album_peak REAL, cover TEXT NOT "
    "NULL,"
    " UNIQUE (folder, file));"
    "CREATE INDEX tracks_in_order ON tracks(artist COLLATE NOCASE, album COLLATE NOCASE, number,"
    " title COLLATE NOCASE, key) WHERE NOT refused;"
    "CREATE INDEX tracks_by_album ON tracks(album COLLATE NOCASE) WHERE NOT refused;"
    "CREATE VIEW spoken AS SELECT t.id AS id, title, artist, album,"
    " CASE WHEN root = '' THEN '' ELSE path || '/' || file END AS path"
    " FROM tracks t JOIN folders f ON f.id = t.folder WHERE NOT refused;"
    "CREATE VIRTUAL TABLE words USING fts5(title, artist, album, path, content = 'spoken',"
    " content_rowid = 'id', prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2');"
    "CREATE INDEX folders_by_cover ON folders(cover) WHERE cover != '';"
    "CREATE INDEX tracks_by_cover ON tracks(cover) WHERE cover != '';"
    "PRAGMA user_version = 2;";

#define TRACK_COLUMNS                                                                              \
    "t.key, t.bytes, t.changed, t.kind, t.duration_s, t.title, t.artist, t.album, t.number,"       \
    " t.track_gain_db, t.track_peak, t.album_gain_db, t.album_peak, f.root, f.path, t.file, "      \
    "iif(t.cover = '', f.cover, t.cover)"
#define TRACKS " FROM tracks t JOIN folders f ON f.id = t.folder WHERE NOT t.refused"
#define IN_ORDER                                                                                   \
    " ORDER BY t.artist COLLATE NOCASE, t.album COLLATE NOCASE, t.number,"                         \
    " t.title COLLATE NOCASE, t.key LIMIT ? OFFSET ?"

/* --- the database -------------------------------------------------------------------------- */

static struct library_index *open_file(const char *path, int flags)
{
    struct library_index *index = calloc(1, sizeof *index);
    if (!index)
        return NULL;
    if (sqlite3_open_v2(path, &index->db, flags, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(index->db, BUSY_MS) == SQLITE_OK)
        return index;
    library_index_close(index);
    return NULL;
}

static bool is_whole(sqlite3 *db)
{
    struct db_rows rows = db_query(db, "PRAGMA quick_check(1)", "");
    bool whole = db_next(&rows) == 1 && strcmp(db_text(&rows, 0), "ok") == 0;
    db_done(&rows);
    return whole;
}

/* 1: it is this version's, and whole; 0: it is not. */
static int is_usable(sqlite3 *db)
{
    int64_t version = 0;
    return db_number(db, &version, "PRAGMA user_version", "") == 1 && version == VERSION &&
           is_whole(db);
}

static bool prepare(sqlite3 *db, bool is_new)
{
    return sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", NULL, NULL,
                        NULL) == SQLITE_OK &&
           (!is_new || sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK);
}

static void remove_files(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char full[1100];
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(full, sizeof full, "%s%s", path, endings[i]);
        unlink(full);
    }
}

struct library_index *library_index_create(const char *path)
{
    bool existed = access(path, F_OK) == 0;
    struct library_index *index = open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    bool usable = index && existed && is_usable(index->db);
    if (existed && !usable) {
        log_info("library %s: of another version, or damaged; it is made anew", path);
        library_index_close(index);
        remove_files(path);
        index = open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    }
    if (index && prepare(index->db, !usable))
        return index;
    log_error("library %s: cannot be used: %s; there is no library", path,
              index ? sqlite3_errmsg(index->db) : strerror(errno));
    library_index_close(index);
    return NULL;
}

struct library_index *library_index_open(const char *path)
{
    return open_file(path, SQLITE_OPEN_READONLY);
}

void library_index_close(struct library_index *index)
{
    if (!index)
        return;
    sqlite3_finalize(index->known);
    sqlite3_close(index->db);
    free(index);
}

int library_index_begin(struct library_index *index)
{
    return db_begin(index->db);
}

int library_index_end(struct library_index *index, int result)
{
    return db_end(index->db, result);
}

/* --- folders ------------------------------------------------------------------------------- */

int library_index_folder(struct library_index *index, const char *root, const char *path,
                         int64_t parent, int64_t *ret_id)
{
    int result = db_number(index->db, ret_id, "SELECT id FROM folders WHERE root = ? AND path = ?",
                           "ss", root, path);
    if (result != 0)
        return result;
    result = db_run(index->db, "INSERT INTO folders (root, path, parent) VALUES (?, ?, ?)", "ssi",
                    root, path, parent);
    *ret_id = sqlite3_last_insert_rowid(index->db);
    return result;
}

static int take_next(struct db_rows rows, char *to, size_t size, int64_t *ret_id)
{
    int result = db_next(&rows);
    if (result == 1) {
        *ret_id = db_int(&rows, 0);
        db_copy(&rows, 1, to, size);
    }
    db_done(&rows);
    return result;
}

int library_index_next_folder(struct library_index *index, int64_t parent,
                              char path[LIBRARY_PATH_MAX], int64_t *ret_id)
{
    return take_next(db_query(index->db,
                              "SELECT id, path FROM folders WHERE parent = ? AND path > ?"
                              " ORDER BY path LIMIT 1",
                              "is", parent, path),
                     path, LIBRARY_PATH_MAX, ret_id);
}

int library_index_next_root(struct library_index *index, char *root, size_t size, int64_t *ret_id)
{
    return take_next(db_query(index->db,
                              "SELECT id, root FROM folders WHERE parent = 0 AND root > ?"
                              " ORDER BY root LIMIT 1",
                              "s", root),
                     root, size, ret_id);
}

int library_index_picture(struct library_index *index, int64_t folder, struct library_picture *ret)
{
    struct db_rows rows = db_query(index->db,
                                   "SELECT picture, picture_bytes, picture_changed, cover"
                                   " FROM folders WHERE id = ?",
                                   "i", folder);
    int result = db_next(&rows);
    *ret = (struct library_picture){0};
    if (result == 1) {
        db_copy(&rows, 0, ret->file, sizeof ret->file);
        ret->stamp = (struct library_stamp){db_int(&rows, 1), db_int(&rows, 2)};
        db_copy(&rows, 3, ret->cover, sizeof ret->cover);
    }
    db_done(&rows);
    return result;
}

int library_index_set_picture(struct library_index *index, int64_t folder,
                              const struct library_picture *picture)
{
    return db_run(
        index->db,
        "UPDATE folders SET picture = ?, picture_bytes = ?, picture_changed = ?, cover = ?"
        " WHERE id = ?",
        "siisi", picture->file, picture->stamp.bytes, picture->stamp.changed_ns, picture->cover,
        folder);
}

static int forget_tracks(struct library_index *index, int64_t folder)
{
    char file[LIBRARY_TEXT_MAX] = "";
    int64_t id;
    int result;
    while ((result = library_index_next_file(index, folder, file, sizeof file, &id)) == 1) {
        result = library_index_forget(index, id);
        if (result < 0)
            return result;
    }
    return result;
}

/* Below it, or itself. */
static int find_leaf(struct library_index *index, int64_t folder, int64_t *ret_id)
{
    char path[LIBRARY_PATH_MAX];
    int result;
    *ret_id = folder;
    do {
        path[0] = '\0';
        result = library_index_next_folder(index, *ret_id, path, ret_id);
    } while (result == 1);
    return result;
}

/* Leaves first: whatever is interrupted, no folder loses its parent. */
int library_index_forget_folder(struct library_index *index, int64_t id)
{
    int64_t leaf = 0;
    int result = 0;
    while (result == 0 && leaf != id) {
        result = find_leaf(index, id, &leaf);
        if (result == 0)
            result = forget_tracks(index, leaf);
        if (result == 0)
            result = db_run(index->db, "DELETE FROM folders WHERE id = ?", "i", leaf);
    }
    return result;
}

int library_index_count(struct library_index *index, const char *root, int64_t *ret)
{
    int result =
        root ? db_number(index->db, ret,
                         "SELECT count(*) FROM tracks t JOIN folders f ON f.id = t.folder"
                         " WHERE NOT refused AND root = ?",
                         "s", root)
             : db_number(index->db, ret, "SELECT count(*) FROM tracks WHERE NOT refused", "");
    return result == 1 ? 0 : result == 0 ? -EIO : result;
}

/* --- tracks -------------------------------------------------------------------------------- */

int library_index_known(struct library_index *index, int64_t folder, const char *file,
                        struct library_known *ret)
{
    static const char sql[] = "SELECT id, bytes, changed FROM tracks WHERE folder = ? AND file = ?";
    if (!index->known && sqlite3_prepare_v2(index->db, sql, -1, &index->known, NULL) != SQLITE_OK)
        return db_error(index->db, sql);
    sqlite3_bind_int64(index->known, 1, folder);
    sqlite3_bind_text(index->known, 2, file, -1, SQLITE_STATIC);
    int step = sqlite3_step(index->known);
    if (step == SQLITE_ROW)
        *ret = (struct library_known){
            sqlite3_column_int64(index->known, 0),
            {sqlite3_column_int64(index->known, 1), sqlite3_column_int64(index->known, 2)}};
    int result = step == SQLITE_ROW ? 1 : step == SQLITE_DONE ? 0 : db_error(index->db, sql);
    sqlite3_reset(index->known);
    sqlite3_clear_bindings(index->known);
    return result;
}

int library_index_next_file(struct library_index *index, int64_t folder, char *file, size_t size,
                            int64_t *ret_id)
{
    return take_next(db_query(index->db,
                              "SELECT id, file FROM tracks WHERE folder = ? AND file > ?"
                              " ORDER BY file LIMIT 1",
                              "is", folder, file),
                     file, size, ret_id);
}

static int take_words_out(struct library_index *index, int64_t id)
{
    return db_run(index->db,
                  "INSERT INTO words (words, rowid, title, artist, album, path)"
                  " SELECT 'delete', id, title, artist, album, path FROM spoken WHERE id = ?",
                  "i", id);
}

static int put_words_in(struct library_index *index, int64_t id)
{
    return db_run(index->db,
                  "INSERT INTO words (rowid, title, artist, album, path)"
                  " SELECT id, title, artist, album, path FROM spoken WHERE id = ?",
                  "i", id);
}

int library_index_forget(struct library_index *index, int64_t id)
{
    int result = take_words_out(index, id);
    return result < 0 ? result : db_run(index->db, "DELETE FROM tracks WHERE id = ?", "i", id);
}

int library_index_put(struct library_index *index, int64_t folder, const char *file,
                      const char *key, const struct library_stamp *stamp,
                      const struct library_reading *reading)
{
    const struct library_reading none = {.duration_s = -1, .tags = track_tags_none()};
    const struct library_reading *said = reading ? reading : &none;
    const struct track_tags *tags = &said->tags;
    const struct loudness *loudness = &tags->loudness;
    int64_t id = 0;
    int result = db_number(index->db, &id, "SELECT id FROM tracks WHERE folder = ? AND file = ?",
                           "is", folder, file);
    if (result == 1)
        result = take_words_out(index, id);
    if (result == 0)
        result = db_run(
            index->db,
            "INSERT INTO tracks (folder, file, key, bytes, changed, refused, kind, duration_s,"
            " " TAG_COLUMNS ", cover)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
            " ON CONFLICT (folder, file) DO UPDATE SET bytes = ?4, changed = ?5, refused = ?6,"
            " kind = ?7, duration_s = ?8, title = ?9, artist = ?10, album = ?11, number = ?12,"
            " track_gain_db = ?13, track_peak = ?14, album_gain_db = ?15, album_peak = ?16,"
            " cover = ?17",
            "issiiiidsssidddds", folder, file, key, stamp->bytes, stamp->changed_ns,
            (int64_t)(reading == NULL), (int64_t)said->kind, said->duration_s, tags->title,
            tags->artist, tags->album, (int64_t)tags->number, loudness->track_gain_db,
            loudness->track_peak, loudness->album_gain_db, loudness->album_peak, said->cover);
    if (result == 0)
        result = db_number(index->db, &id, "SELECT id FROM tracks WHERE folder = ? AND file = ?",
                           "is", folder, file);
    return result < 0 ? result : put_words_in(index, id);
}

static void take_track(const struct db_rows *rows, struct library_track *track)
{
    const char *folder = db_text(rows, 14);
    db_copy(rows, 0, track->key, sizeof track->key);
    track->stamp = (struct library_stamp){db_int(rows, 1), db_int(rows, 2)};
    track->reading.kind = (enum audio_kind)db_int(rows, 3);
    track->reading.duration_s = db_double(rows, 4);
    track->reading.tags = tag_columns(rows, 5);
    db_copy(rows, 13, track->root, sizeof track->root);
    snprintf(track->path, sizeof track->path, "%s%s%s", folder, folder[0] ? "/" : "",
             db_text(rows, 15));
    db_copy(rows, 16, track->reading.cover, sizeof track->reading.cover);
}

int library_index_has_cover(struct library_index *index, const char *cover)
{
    int result =
        db_exists(index->db, "SELECT 1 FROM tracks WHERE cover != '' AND cover = ?", "s", cover);
    return result == 0
               ? db_exists(index->db, "SELECT 1 FROM folders WHERE cover != '' AND cover = ?", "s",
                           cover)
               : result;
}

int library_index_find(struct library_index *index, const char *key, struct library_track *ret)
{
    struct db_rows rows =
        db_query(index->db, "SELECT " TRACK_COLUMNS TRACKS " AND t.key = ?", "s", key);
    int result = db_next(&rows);
    if (result == 1)
        take_track(&rows, ret);
    db_done(&rows);
    return result;
}

static struct db_rows select_found(struct library_index *index, const struct library_query *query)
{
    char match[LIBRARY_MATCH_MAX];
    bool any = !library_words_match(query->words, match);
    if (query->album[0])
        return db_query(index->db,
                        "SELECT " TRACK_COLUMNS TRACKS " AND t.album = ? COLLATE NOCASE"
                        " ORDER BY f.path, t.number, t.file LIMIT ? OFFSET ?",
                        "sii", query->album, query->limit, query->after);
    if (any)
        return db_query(index->db, "SELECT " TRACK_COLUMNS TRACKS IN_ORDER, "ii", query->limit,
                        query->after);
    return db_query(index->db,
                    "SELECT " TRACK_COLUMNS TRACKS " AND t.id IN"
                    " (SELECT rowid FROM words WHERE words MATCH ? LIMIT ?)" IN_ORDER,
                    "siii", match, (int64_t)LIBRARY_FOUND_MAX, query->limit, query->after);
}

int library_index_search(struct library_index *index, const struct library_query *query,
                         void (*visit)(void *user, const struct library_track *track), void *user)
{
    struct library_track track;
    int result;
    struct db_rows rows = select_found(index, query);
    while ((result = db_next(&rows)) == 1) {
        take_track(&rows, &track);
        visit(user, &track);
    }
    return result;
}
