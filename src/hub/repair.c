/*
 * repair.c: what can still be read of a damaged database, row by row, into a new one.
 *
 * A table is read from its beginning to the first damage, from its end back to the last, and what
 * lies between row by row. Rows that lost what they belong to are mended: a session without its
 * host gets one without a token (tutti-hub session host names another), a track without its length
 * has its item's.
 */
#include "commands_internal.h"
#include "store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 512
/* Between two damages. */
#define PROBES_MAX 1000000

static const struct table {
    const char *name;
    const char *key; /* in whose order it is */
} tables[] = {
    {"users", "rowid"},  {"sessions", "rowid"},       {"members", "session_id, user_id"},
    {"items", "rowid"},  {"requests", "rowid"},       {"media", "path"},
    {"tokens", "rowid"}, {"saved", "list, position"},
};

struct salvage {
    sqlite3 *from;
    sqlite3 *to;
    const struct table *table;
    char columns[COLUMNS_MAX];
    sqlite3_stmt *insert;
    int64_t saved;
};

/* Those that both have. */
static int list_columns(struct salvage *salvage)
{
    char sql[128];
    sqlite3_stmt *row = NULL;
    salvage->columns[0] = '\0';
    snprintf(sql, sizeof sql, "SELECT name FROM pragma_table_info('%s')", salvage->table->name);
    if (sqlite3_prepare_v2(salvage->from, sql, -1, &row, NULL) != SQLITE_OK)
        return -EUCLEAN;
    while (sqlite3_step(row) == SQLITE_ROW) {
        size_t used = strlen(salvage->columns);
        snprintf(salvage->columns + used, COLUMNS_MAX - used, "%s%s", used ? ", " : "",
                 (const char *)sqlite3_column_text(row, 0));
    }
    sqlite3_finalize(row);
    return salvage->columns[0] ? 0 : -EUCLEAN;
}

static int prepare_insert(struct salvage *salvage)
{
    char sql[2 * COLUMNS_MAX], marks[128] = "?";
    for (const char *c = strchr(salvage->columns, ','); c; c = strchr(c + 1, ','))
        strcat(marks, ", ?");
    snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO %s (%s) VALUES (%s)", salvage->table->name,
             salvage->columns, marks);
    return sqlite3_prepare_v2(salvage->to, sql, -1, &salvage->insert, NULL) == SQLITE_OK ? 0 : -EIO;
}

/* first: the column before the table's own, which is not copied: 1, or 0. */
static void save_row(struct salvage *salvage, sqlite3_stmt *row, int first)
{
    int count = sqlite3_bind_parameter_count(salvage->insert);
    for (int i = 0; i < count; i++)
        sqlite3_bind_value(salvage->insert, i + 1, sqlite3_column_value(row, i + first));
    if (sqlite3_step(salvage->insert) == SQLITE_DONE)
        salvage->saved += sqlite3_changes(salvage->to);
    sqlite3_reset(salvage->insert);
}

/* Until its end or a damage. The last rowid that was read; 0: none. */
static int64_t read_on(struct salvage *salvage, const char *order, bool *ret_damaged)
{
    char sql[2 * COLUMNS_MAX];
    sqlite3_stmt *row = NULL;
    int64_t last = 0;
    bool has_rowid = strcmp(salvage->table->key, "rowid") == 0;
    snprintf(sql, sizeof sql, "SELECT %s%s FROM %s NOT INDEXED ORDER BY %s",
             has_rowid ? "rowid, " : "", salvage->columns, salvage->table->name, order);
    int result = sqlite3_prepare_v2(salvage->from, sql, -1, &row, NULL);
    while (result == SQLITE_OK && (result = sqlite3_step(row)) == SQLITE_ROW) {
        save_row(salvage, row, has_rowid);
        last = has_rowid ? sqlite3_column_int64(row, 0) : 0;
        result = SQLITE_OK;
    }
    *ret_damaged = result != SQLITE_DONE;
    sqlite3_finalize(row);
    return last;
}

static void read_between(struct salvage *salvage, int64_t low, int64_t high)
{
    char sql[2 * COLUMNS_MAX];
    sqlite3_stmt *row = NULL;
    snprintf(sql, sizeof sql, "SELECT %s FROM %s NOT INDEXED WHERE rowid = ?", salvage->columns,
             salvage->table->name);
    if (sqlite3_prepare_v2(salvage->from, sql, -1, &row, NULL) != SQLITE_OK)
        return;
    for (int64_t at = low + 1; at < high && at - low < PROBES_MAX; at++) {
        sqlite3_bind_int64(row, 1, at);
        if (sqlite3_step(row) == SQLITE_ROW)
            save_row(salvage, row, 0);
        sqlite3_reset(row);
    }
    sqlite3_finalize(row);
}

static void read_table(struct salvage *salvage)
{
    char backwards[64];
    bool damaged;
    bool has_rowid = strcmp(salvage->table->key, "rowid") == 0;
    int64_t low = read_on(salvage, salvage->table->key, &damaged);
    if (!damaged)
        return;
    snprintf(backwards, sizeof backwards, "%s",
             has_rowid                                    ? "rowid DESC"
             : strcmp(salvage->table->name, "media") == 0 ? "path DESC"
             : strcmp(salvage->table->name, "saved") == 0 ? "list DESC, position DESC"
                                                          : "session_id DESC, user_id DESC");
    int64_t high = read_on(salvage, backwards, &damaged);
    if (has_rowid)
        read_between(salvage, low, high > low ? high : low + PROBES_MAX);
}

/* An index has what it is ordered by, and may be whole where the table is not. */
static void read_members_by_user(struct salvage *salvage)
{
    sqlite3_stmt *row = NULL;
    static const char sql[] = "SELECT session_id, user_id FROM members INDEXED BY members_by_user";
    sqlite3_finalize(salvage->insert);
    if (sqlite3_prepare_v2(salvage->to,
                           "INSERT OR IGNORE INTO members (session_id, user_id) VALUES (?, ?)", -1,
                           &salvage->insert, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(salvage->from, sql, -1, &row, NULL) != SQLITE_OK)
        return;
    while (sqlite3_step(row) == SQLITE_ROW)
        save_row(salvage, row, 0);
    sqlite3_finalize(row);
}

static void save_table(struct salvage *salvage)
{
    salvage->saved = 0;
    salvage->insert = NULL;
    if (list_columns(salvage) == 0 && prepare_insert(salvage) == 0) {
        read_table(salvage);
        if (strcmp(salvage->table->name, "members") == 0)
            read_members_by_user(salvage);
    }
    sqlite3_finalize(salvage->insert);
    printf("%-9s %lld rows saved\n", salvage->table->name, (long long)salvage->saved);
}

static const char mend[] =
    "INSERT OR IGNORE INTO users (id, name, host, token_hash)"
    " SELECT host_id, 'lost', 1, 'lost ' || host_id FROM sessions;"
    "DELETE FROM items WHERE session_id NOT IN (SELECT id FROM sessions);"
    "DELETE FROM requests WHERE session_id NOT IN (SELECT id FROM sessions);"
    "DELETE FROM members WHERE session_id NOT IN (SELECT id FROM sessions)"
    " OR user_id NOT IN (SELECT id FROM users);"
    "INSERT OR IGNORE INTO members (session_id, user_id) SELECT id, host_id FROM sessions;"
    "INSERT OR IGNORE INTO media (path, duration_s, kept, label)"
    " SELECT media_path, coalesce(duration_s, -1), 1, name FROM items"
    " WHERE media_path LIKE 'uploads/%';"
    "UPDATE members SET joined_at = CAST(strftime('%s', 'now') AS INTEGER),"
    " seen_at = CAST(strftime('%s', 'now') AS INTEGER) WHERE joined_at = 0;"
    /* Places without gaps. */
    "UPDATE items SET position = n FROM (SELECT id AS i, row_number() OVER"
    " (PARTITION BY session_id ORDER BY position) - 1 AS n FROM items) WHERE id = i;";

static int salvage_all(struct salvage *salvage)
{
    bool is_new;
    int result = schema_migrate(salvage->to, &is_new);
    if (result < 0)
        return result;
    int64_t saved = 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        salvage->table = &tables[i];
        save_table(salvage);
        saved += salvage->saved;
    }
    if (saved == 0)
        return -EUCLEAN;
    return sqlite3_exec(salvage->to, mend, NULL, NULL, NULL) == SQLITE_OK ? 0 : -EIO;
}

int repair_salvage(const char *from, const char *to)
{
    struct salvage salvage = {0};
    int result = -EIO;
    /* One transaction: else each of a million probes would lock the file and look for a journal. */
    if (sqlite3_open_v2(from, &salvage.from, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_open(to, &salvage.to) == SQLITE_OK &&
        sqlite3_exec(salvage.from, "BEGIN", NULL, NULL, NULL) == SQLITE_OK)
        result = salvage_all(&salvage);
    sqlite3_close(salvage.from);
    sqlite3_close(salvage.to);
    return result;
}
