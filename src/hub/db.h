/*
 * db.h: SQLite with less ceremony: prepare, bind, step and finish in one or two calls.
 *
 * Whatever is read has three outcomes, and no caller gets to forget the third: 1, a row; 0, none;
 * -errno, it is not known. -ENOSPC: the disk is full; -EROFS: it is only read (see below);
 * -EUCLEAN: the database is damaged; -EBUSY; -ENOMEM; -EIO: anything else. A failure is logged
 * here, the same one at most once a minute. From the first damage on that is seen, a connection
 * only reads.
 */
#ifndef TUTTI_HUB_DB_H
#define TUTTI_HUB_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DB_CHECKED __attribute__((warn_unused_result))

struct db_rows {
    sqlite3_stmt *statement; /* NULL: there is nothing to step */
    int error;               /* -errno of the preparation, or 0 */
};

/*
 * types: one letter per parameter that follows: s (const char *, NULL gives NULL), i (int64_t),
 * d (double).
 */
struct db_rows db_query(sqlite3 *db, const char *sql, const char *types, ...);
/* The next row: 1. At the end 0, on failure -errno; the statement is finalized then. */
DB_CHECKED int db_next(struct db_rows *rows);
/* Stops early. */
void db_done(struct db_rows *rows);

/* Column as text, never NULL. */
const char *db_text(const struct db_rows *rows, int column);
/* The same, copied; cut where it does not fit. */
void db_copy(const struct db_rows *rows, int column, char *to, size_t size);
bool db_is_null(const struct db_rows *rows, int column);
int64_t db_int(const struct db_rows *rows, int column);
double db_double(const struct db_rows *rows, int column);

/* 0, or -errno. */
DB_CHECKED int db_run(sqlite3 *db, const char *sql, const char *types, ...);
/* The first column of the first row into *ret, which stays as it is without one. */
DB_CHECKED int db_number(sqlite3 *db, int64_t *ret, const char *sql, const char *types, ...);
/* Is there a row? */
DB_CHECKED int db_exists(sqlite3 *db, const char *sql, const char *types, ...);

DB_CHECKED int db_begin(sqlite3 *db);
/* Commits when result is 0, else undoes; 0, or why it was not committed. */
DB_CHECKED int db_end(sqlite3 *db, int result);

/* -errno of the connection's last failure, logged as one. */
int db_error(sqlite3 *db, const char *what);

#endif
