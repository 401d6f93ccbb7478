/*
 * share.c: see share.h. The table has a row for each who holds something, and is as long as that.
 */
#include "share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct share_holder {
    char key[SHARE_KEY_MAX];
    int64_t held;
};

bool share_allows(int64_t held, int64_t used, int64_t limit, int64_t percent)
{
    if (used >= limit)
        return false;
    return held == 0 || percent >= 100 || held * 100 < percent * (limit - used);
}

static struct share_holder *find(const struct share_table *table, const char *key)
{
    for (unsigned i = 0; i < table->count; i++)
        if (strncmp(table->holders[i].key, key, SHARE_KEY_MAX - 1) == 0)
            return &table->holders[i];
    return NULL;
}

static struct share_holder *add(struct share_table *table, const char *key)
{
    if (table->count == table->room) {
        unsigned room = table->room ? 2 * table->room : 16;
        struct share_holder *grown = realloc(table->holders, room * sizeof *grown);
        if (!grown)
            return NULL;
        table->holders = grown;
        table->room = room;
    }
    struct share_holder *holder = &table->holders[table->count++];
    snprintf(holder->key, sizeof holder->key, "%s", key);
    holder->held = 0;
    return holder;
}

static bool take(struct share_table *table, struct share_holder *holder, const char *key,
                 int64_t count)
{
    if (!holder)
        holder = add(table, key);
    if (!holder)
        return false;
    holder->held += count;
    table->used += count;
    return true;
}

bool share_take(struct share_table *table, const char *key, int64_t limit, int64_t percent)
{
    struct share_holder *holder = find(table, key);
    return share_allows(holder ? holder->held : 0, table->used, limit, percent) &&
           take(table, holder, key, 1);
}

bool share_take_many(struct share_table *table, const char *key, int64_t count, int64_t limit,
                     int64_t percent)
{
    struct share_holder *holder = find(table, key);
    int64_t room = limit - table->used;
    if (table->used > 0 && count > room)
        return false;
    if (holder && percent < 100 && (holder->held + count) * 100 > percent * room)
        return false;
    return take(table, holder, key, count);
}

void share_give(struct share_table *table, const char *key)
{
    share_give_many(table, key, 1);
}

void share_give_many(struct share_table *table, const char *key, int64_t count)
{
    struct share_holder *holder = find(table, key);
    if (!holder)
        return;
    table->used -= count;
    holder->held -= count;
    if (holder->held == 0)
        *holder = table->holders[--table->count];
}

int64_t share_held(const struct share_table *table, const char *key)
{
    const struct share_holder *holder = find(table, key);
    return holder ? holder->held : 0;
}

void share_end(struct share_table *table)
{
    free(table->holders);
    *table = (struct share_table){0};
}
