#ifndef TUTTI_HUB_STORE_INTERNAL_H
#define TUTTI_HUB_STORE_INTERNAL_H

#include "checkpoint.h"
#include "db.h"
#include "store.h"

struct store {
    sqlite3 *db;
    char path[1024];
    struct checkpoint *checkpoint; /* NULL: none is needed */
    int64_t data_version;
    bool full; /* the last change did not fit on the disk */
};

/* digits <= 64 random hex digits and a terminator. */
void store_random_hex(char *to, size_t digits);

#endif
