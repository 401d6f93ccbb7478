/*
 * pairing.c: a small table of askers.
 */
#include "pairing.h"

#include "share.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FORGOTTEN_NS (INT64_C(600) * 1000 * 1000 * 1000)

void pairing_forget_old(struct pairing_table *table, int64_t now_ns)
{
    for (int i = 0; i < PAIRING_MAX; i++) {
        struct pairing *entry = &table->entries[i];
        if (entry->used && now_ns - entry->heard_ns >= FORGOTTEN_NS)
            OPENSSL_cleanse(entry, sizeof *entry);
    }
}

struct pairing *pairing_find(struct pairing_table *table, const char *id)
{
    for (int i = 0; i < PAIRING_MAX; i++)
        if (table->entries[i].used && strcmp(table->entries[i].id, id) == 0)
            return &table->entries[i];
    return NULL;
}

struct pairing *pairing_of_key(struct pairing_table *table,
                               const unsigned char key_hash[PAIRING_KEY_HASH_BYTES])
{
    for (int i = 0; i < PAIRING_MAX; i++)
        if (table->entries[i].used &&
            CRYPTO_memcmp(table->entries[i].key_hash, key_hash, PAIRING_KEY_HASH_BYTES) == 0)
            return &table->entries[i];
    return NULL;
}

bool pairing_is_sign_taken(const struct pairing_table *table, const char *sign)
{
    for (int i = 0; i < PAIRING_MAX; i++)
        if (table->entries[i].used && strcmp(table->entries[i].sign, sign) == 0)
            return true;
    return false;
}

bool pairing_has_double(const struct pairing_table *table, const struct pairing *of)
{
    for (int i = 0; i < PAIRING_MAX; i++) {
        const struct pairing *entry = &table->entries[i];
        if (entry->used && entry != of &&
            (strcasecmp(entry->name, of->name) == 0 ||
             strcmp(entry->device_id, of->device_id) == 0))
            return true;
    }
    return false;
}

struct pairing *pairing_add(struct pairing_table *table, const char *address, int64_t share_percent)
{
    struct pairing *room = NULL;
    int64_t used = 0, held = 0;
    for (int i = 0; i < PAIRING_MAX; i++) {
        struct pairing *entry = &table->entries[i];
        if (!entry->used) {
            room = entry;
            continue;
        }
        used++;
        held += strcmp(entry->address, address) == 0;
    }
    if (!room || !share_allows(held, used, PAIRING_MAX, share_percent))
        return NULL;
    *room = (struct pairing){.used = true};
    snprintf(room->address, sizeof room->address, "%s", address);
    return room;
}
