#ifndef TUTTI_HUB_STORE_INTERNAL_H
#define TUTTI_HUB_STORE_INTERNAL_H

#include "checkpoint.h"
#include "db.h"
#include "store.h"

#define STORE_FILE "hub.sqlite"

struct store {
    sqlite3 *db;
    char path[1024];
    struct checkpoint *checkpoint; /* NULL: none is needed */
    int64_t data_version;          /* 0: not asked for yet */
    bool damaged;
    bool is_new;
};

/* digits <= 64 random hex digits and a terminator. */
void store_random_hex(char *to, size_t digits);

/* Brings the tables up to date. Logged when it fails. */
DB_CHECKED int schema_migrate(sqlite3 *db, bool *ret_is_new);

#endif
