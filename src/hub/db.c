/*
 * db.c: see db.h. Failures become -errno in one place, db_error().
 */
#include "db.h"

#include "hub_clock.h"
#include "tutti/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define SAY_AGAIN_NS (INT64_C(60) * NS_PER_S)

static int errno_of(sqlite3 *db)
{
    int code = sqlite3_errcode(db);
    switch (code & 0xff) {
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return -EROFS;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EUCLEAN;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_NOMEM:
        return -ENOMEM;
    default:
        return sqlite3_system_errno(db) == ENOSPC ? -ENOSPC : -EIO;
    }
}

/* A disk that fails does so for every call: what was said a moment ago is not said again, by one
 * thread. */
static bool is_news(int code)
{
    static _Thread_local int said_code;
    static _Thread_local int64_t said_at_ns;
    int64_t now_ns = hub_clock_steady_ns();
    if (code == said_code && now_ns - said_at_ns < SAY_AGAIN_NS)
        return false;
    said_code = code;
    said_at_ns = now_ns;
    return true;
}

int db_error(sqlite3 *db, const char *what)
{
    int error = errno_of(db);
    if (is_news(sqlite3_extended_errcode(db)))
        log_error("database: %s: %s", sqlite3_errmsg(db), what);
    if (error == -EUCLEAN && !sqlite3_db_readonly(db, "main"))
        sqlite3_exec(db, "PRAGMA query_only = ON", NULL, NULL, NULL);
    return error;
}

static struct db_rows prepare(sqlite3 *db, const char *sql, const char *types, va_list args)
{
    struct db_rows rows = {0};
    if (sqlite3_prepare_v2(db, sql, -1, &rows.statement, NULL) != SQLITE_OK) {
        rows.error = db_error(db, sql);
        return rows;
    }
    for (int i = 1; *types; types++, i++) {
        int bound = SQLITE_OK;
        if (*types == 's')
            bound = sqlite3_bind_text(rows.statement, i, va_arg(args, const char *), -1,
                                      SQLITE_TRANSIENT);
        else if (*types == 'i')
            bound = sqlite3_bind_int64(rows.statement, i, va_arg(args, int64_t));
        else
            bound = sqlite3_bind_double(rows.statement, i, va_arg(args, double));
        if (bound == SQLITE_OK)
            continue;
        rows.error = db_error(db, sql);
        db_done(&rows);
        return rows;
    }
    return rows;
}

struct db_rows db_query(sqlite3 *db, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    struct db_rows rows = prepare(db, sql, types, args);
    va_end(args);
    return rows;
}

int db_next(struct db_rows *rows)
{
    if (!rows->statement)
        return rows->error;
    int result = sqlite3_step(rows->statement);
    if (result == SQLITE_ROW)
        return 1;
    if (result != SQLITE_DONE)
        rows->error = db_error(sqlite3_db_handle(rows->statement), sqlite3_sql(rows->statement));
    db_done(rows);
    return rows->error;
}

void db_done(struct db_rows *rows)
{
    sqlite3_finalize(rows->statement);
    rows->statement = NULL;
}

const char *db_text(const struct db_rows *rows, int column)
{
    const char *text = (const char *)sqlite3_column_text(rows->statement, column);
    return text ? text : "";
}

void db_copy(const struct db_rows *rows, int column, char *to, size_t size)
{
    snprintf(to, size, "%s", db_text(rows, column));
}

bool db_is_null(const struct db_rows *rows, int column)
{
    return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

int64_t db_int(const struct db_rows *rows, int column)
{
    return sqlite3_column_int64(rows->statement, column);
}

double db_double(const struct db_rows *rows, int column)
{
    return sqlite3_column_double(rows->statement, column);
}

static int finish(struct db_rows *rows)
{
    int result = db_next(rows);
    db_done(rows);
    return result;
}

int db_run(sqlite3 *db, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    struct db_rows rows = prepare(db, sql, types, args);
    va_end(args);
    int result = finish(&rows);
    return result < 0 ? result : 0;
}

int db_number(sqlite3 *db, int64_t *ret, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    struct db_rows rows = prepare(db, sql, types, args);
    va_end(args);
    int result = db_next(&rows);
    if (result == 1)
        *ret = db_int(&rows, 0);
    db_done(&rows);
    return result;
}

int db_exists(sqlite3 *db, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    struct db_rows rows = prepare(db, sql, types, args);
    va_end(args);
    return finish(&rows);
}

int db_begin(sqlite3 *db)
{
    return db_run(db, "BEGIN IMMEDIATE", "");
}

int db_end(sqlite3 *db, int result)
{
    if (result == 0)
        result = db_run(db, "COMMIT", "");
    /* Some failures undo the transaction by themselves. */
    if (result < 0 && !sqlite3_get_autocommit(db) && db_run(db, "ROLLBACK", "") < 0)
        log_error("database: a change could not be undone");
    return result;
}
