/*
 * db.c: see db.h.
 */
#include "db.h"

#include "tutti/base/log.h"

#include <stdarg.h>

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql, const char *types, va_list args)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        log_error("database: %s: %s", sqlite3_errmsg(db), sql);
        return NULL;
    }
    for (int i = 1; *types; types++, i++) {
        switch (*types) {
        case 's':
            sqlite3_bind_text(statement, i, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
            break;
        case 'i':
            sqlite3_bind_int64(statement, i, va_arg(args, int64_t));
            break;
        case 'd':
            sqlite3_bind_double(statement, i, va_arg(args, double));
            break;
        default:
            break;
        }
    }
    return statement;
}

sqlite3_stmt *db_query(sqlite3 *db, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    sqlite3_stmt *statement = prepare(db, sql, types, args);
    va_end(args);
    return statement;
}

static bool run(sqlite3 *db, sqlite3_stmt *statement)
{
    if (!statement)
        return false;
    int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (result == SQLITE_DONE || result == SQLITE_ROW)
        return true;
    log_error("database: %s", sqlite3_errmsg(db));
    return false;
}

bool db_run(sqlite3 *db, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    sqlite3_stmt *statement = prepare(db, sql, types, args);
    va_end(args);
    return run(db, statement);
}

bool db_next(sqlite3_stmt *row)
{
    if (row && sqlite3_step(row) == SQLITE_ROW)
        return true;
    sqlite3_finalize(row);
    return false;
}

void db_done(sqlite3_stmt *row)
{
    sqlite3_finalize(row);
}

const char *db_text(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text ? text : "";
}

bool db_is_null(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL;
}

int64_t db_int(sqlite3_stmt *row, int column)
{
    return sqlite3_column_int64(row, column);
}

int64_t db_number(sqlite3 *db, int64_t fallback, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    sqlite3_stmt *row = prepare(db, sql, types, args);
    va_end(args);
    if (!db_next(row))
        return fallback;
    int64_t number = db_int(row, 0);
    db_done(row);
    return number;
}

bool db_begin(sqlite3 *db)
{
    return db_run(db, "BEGIN IMMEDIATE", "");
}

bool db_end(sqlite3 *db, bool good)
{
    if (good && db_run(db, "COMMIT", ""))
        return true;
    db_run(db, "ROLLBACK", "");
    return false;
}
