/*
 * store.c: opening the database, and changes as one. What is in it: store_session.c,
 * store_playlist.c, store_requests.c; its tables: schema.c.
 *
 * WAL with synchronous = NORMAL: a commit survives the process, which is what a killed hub needs; a
 * power cut may cost the last moments but never the file's integrity.
 */
#include "store.h"

#include "store_internal.h"
#include "tutti/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 2000
/* The second at once, then after 1, 2 and 3 s. */
#define UNREAD_TRIES 4

/* turn_key(seed, id): see turn.h. */
static void turn_key_sql(sqlite3_context *context, int count, sqlite3_value **values)
{
    const char *id = (const char *)sqlite3_value_text(values[1]);
    (void)count;
    sqlite3_result_int64(context, turn_key(sqlite3_value_int64(values[0]), id ? id : "", 0));
}

static int open_file(struct store *store, int flags)
{
    sqlite3_close(store->db);
    store->db = NULL;
    if (sqlite3_open_v2(store->path, &store->db, flags, NULL) != SQLITE_OK) {
        log_error("database %s: %s", store->path, sqlite3_errmsg(store->db));
        return -EIO;
    }
    sqlite3_busy_timeout(store->db, BUSY_MS);
    if (sqlite3_create_function(store->db, "turn_key", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                turn_key_sql, NULL, NULL) != SQLITE_OK)
        return db_error(store->db, "opening it");
    return 0;
}

static int open_damaged(struct store *store)
{
    log_error("database %s is DAMAGED: it is only read, and every change is refused; stop the hub, "
              "and see: tutti-hub check, tutti-hub repair",
              store->path);
    store->damaged = true;
    return open_file(store, SQLITE_OPEN_READONLY);
}

static int prepare(struct store *store)
{
    if (sqlite3_exec(store->db,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                     "PRAGMA foreign_keys = ON;",
                     NULL, NULL, NULL) != SQLITE_OK)
        return db_error(store->db, "opening it");
    return schema_migrate(store->db, &store->is_new);
}

/* 1: it is whole; 0: damaged; -errno: it cannot be read. *ret_unread: it is damaged, or some of it
 * could not be read, for which SQLite has the same row. */
static int look_through(sqlite3 *db, bool *ret_unread)
{
    struct db_rows rows = db_query(db, "PRAGMA quick_check(1)", "");
    int result = db_next(&rows);
    bool whole = result == 1 && strcmp(db_text(&rows, 0), "ok") == 0;
    *ret_unread = result == 1 && strstr(db_text(&rows, 0), "unable to get the page") != NULL;
    if (result == 1)
        log_debug("database: quick_check: %s", db_text(&rows, 0));
    db_done(&rows);
    if (result == -EUCLEAN)
        return 0;
    return result < 0 ? result : whole;
}

/* What could not be read may be readable a moment later: only what stays so is damaged. */
static int is_whole(struct store *store)
{
    bool unread = false;
    int result = look_through(store->db, &unread);
    for (int tries = 0; result == 0 && unread && tries < UNREAD_TRIES; tries++) {
        sleep((unsigned)tries);
        result = open_file(store, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
        if (result == 0)
            result = look_through(store->db, &unread);
    }
    return result;
}

/* A new database beside the log of one that was moved away: SQLite would remove that log, and with
 * it what only it knows. */
static bool is_log_alone(const struct store *store)
{
    char log[sizeof store->path + 8];
    struct stat status;
    snprintf(log, sizeof log, "%s-wal", store->path);
    if (access(store->path, F_OK) == 0 || stat(log, &status) < 0 || status.st_size == 0)
        return false;
    log_error("database %s is missing, and its log " STORE_FILE "-wal is there: put the database "
              "back beside it, or move the log away as well",
              store->path);
    return true;
}

static int open_checked(struct store *store)
{
    if (is_log_alone(store))
        return -ENOENT;
    int result = open_file(store, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (result < 0)
        return result;
    result = is_whole(store);
    if (result < 0)
        return result;
    return result ? prepare(store) : open_damaged(store);
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
    snprintf(store->path, sizeof store->path, "%s/" STORE_FILE, directory);
    int result = open_checked(store);
    if (result == 0)
        return store;
    log_error("database %s: cannot be used: %s", store->path, strerror(-result));
    store_close(store);
    return NULL;
}

/* Found at the start, or since then by db_error(), which leaves this. */
bool store_is_damaged(const struct store *store)
{
    int64_t only_read = 0;
    return store->damaged || db_number(store->db, &only_read, "PRAGMA query_only", "") < 0 ||
           only_read != 0;
}

bool store_is_new(const struct store *store)
{
    return store->is_new;
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
    if (!store->checkpoint && !store->damaged)
        store->checkpoint = checkpoint_create(store->db, store->path);
}

int store_begin(struct store *store)
{
    return db_begin(store->db);
}

int store_end(struct store *store, int result)
{
    return db_end(store->db, result);
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

int store_was_changed(struct store *store)
{
    int64_t version = store->data_version;
    int result = db_number(store->db, &version, "PRAGMA data_version", "");
    if (result < 0)
        return result;
    bool changed = store->data_version != 0 && version != store->data_version;
    store->data_version = version;
    return changed;
}

int store_copy(struct store *store, const char *path)
{
    return db_run(store->db, "VACUUM INTO ?", "s", path);
}
