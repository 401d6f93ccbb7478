/*
 * pairing.h: speakers that ask to be let in: who they say they are, and what was decided. Pure; in
 * memory only.
 *
 * An asker is known by its key, a secret of its own, of which only the hash is kept: only who has
 * it hears what was decided. The sign is four digits that the speaker shows, so that whoever
 * decides can tell it from another that calls itself the same; no two that wait have the same one.
 * It follows from the key and the address that was called (io/device_key.h).
 */
#ifndef TUTTI_HUB_PAIRING_H
#define TUTTI_HUB_PAIRING_H

#include "store.h"

#include <stdbool.h>
#include <stdint.h>

#define PAIRING_MAX 64
#define PAIRING_KEY_HASH_BYTES 32
#define PAIRING_SIGN_MAX 5
#define PAIRING_DEVICE_MAX 33
#define PAIRING_ID_MAX 17

enum pairing_status {
    PAIRING_WAITING,
    PAIRING_ALLOWED,
    PAIRING_DENIED,
};

struct pairing {
    bool used;
    char id[PAIRING_ID_MAX]; /* by which a host speaks of it */
    char device_id[PAIRING_DEVICE_MAX];
    char name[STORE_NAME_MAX];
    char sign[PAIRING_SIGN_MAX];
    unsigned char key_hash[PAIRING_KEY_HASH_BYTES];
    char address[STORE_ADDRESS_MAX];
    int64_t began_ns;
    int64_t heard_ns; /* asked last, or decided */
    enum pairing_status status;
    char session_id[STORE_ID_MAX]; /* allowed: into this one, with this token */
    char token[STORE_TOKEN_MAX];
};

/* All zeroes: nobody asks. */
struct pairing_table {
    struct pairing entries[PAIRING_MAX];
};

/* Those of whom nothing was heard for ten minutes are forgotten, and their tokens wiped. */
void pairing_forget_old(struct pairing_table *table, int64_t now_ns);
struct pairing *pairing_find(struct pairing_table *table, const char *id);
struct pairing *pairing_of_key(struct pairing_table *table,
                               const unsigned char key_hash[PAIRING_KEY_HASH_BYTES]);
bool pairing_is_sign_taken(const struct pairing_table *table, const char *sign);
/* Another than this one calls itself the same, or says that it is the same device. */
bool pairing_has_double(const struct pairing_table *table, const struct pairing *of);
/* Room for one from there, share_percent of what is free at most; NULL: none. What it returns is
 * used from then on, with its address. */
struct pairing *pairing_add(struct pairing_table *table, const char *address,
                            int64_t share_percent);

#endif
