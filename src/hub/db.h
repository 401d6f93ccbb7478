/*
 * db.h: SQLite with less ceremony: prepare, bind, step and finish in one or two calls.
 */
#ifndef TUTTI_HUB_DB_H
#define TUTTI_HUB_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * types: one letter per parameter that follows: s (const char *, NULL gives NULL), i (int64_t),
 * d (double). A failure is our own bug or a broken disk: it is logged, and NULL or false returned.
 */
sqlite3_stmt *db_query(sqlite3 *db, const char *sql, const char *types, ...);
bool db_run(sqlite3 *db, const char *sql, const char *types, ...);

/* The next row; false at the end. The statement is finalized then. */
bool db_next(sqlite3_stmt *row);
/* Stops early. NULL is fine. */
void db_done(sqlite3_stmt *row);

/* Column as text, never NULL. */
const char *db_text(sqlite3_stmt *row, int column);
bool db_is_null(sqlite3_stmt *row, int column);
int64_t db_int(sqlite3_stmt *row, int column);

/* The first column of the first row; fallback when there is none. */
int64_t db_number(sqlite3 *db, int64_t fallback, const char *sql, const char *types, ...);

bool db_begin(sqlite3 *db);
/* Commits, or rolls back when good is false. Returns whether it was committed. */
bool db_end(sqlite3 *db, bool good);

#endif
