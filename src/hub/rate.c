/*
 * rate.c: see rate.h.
 */
#include "rate.h"

#include <stdio.h>
#include <string.h>

#define FILLED_MAX 1e6

double rate_filled(const struct rate_bucket *bucket, double per_s, int64_t now_ns)
{
    double filled = bucket->filled - (double)(now_ns - bucket->at_ns) * 1e-9 * per_s;
    return filled > 0 ? filled : 0;
}

bool rate_allows(const struct rate_bucket *bucket, double per_s, double burst, int64_t now_ns)
{
    return rate_filled(bucket, per_s, now_ns) + 1 <= burst;
}

bool rate_take(struct rate_bucket *bucket, double per_s, double burst, int64_t now_ns)
{
    if (!rate_allows(bucket, per_s, burst, now_ns))
        return false;
    rate_count(bucket, per_s, now_ns);
    return true;
}

static void fill(struct rate_bucket *bucket, double amount, double per_s, int64_t now_ns)
{
    double filled = rate_filled(bucket, per_s, now_ns) + amount;
    bucket->filled = filled < FILLED_MAX ? filled : FILLED_MAX;
    bucket->at_ns = now_ns;
}

void rate_count(struct rate_bucket *bucket, double per_s, int64_t now_ns)
{
    fill(bucket, 1, per_s, now_ns);
}

static int find(const struct rate_table *table, const char *key)
{
    for (int i = 0; i < RATE_TABLE_SIZE; i++)
        if (strncmp(table->entries[i].key, key, RATE_KEY_MAX - 1) == 0)
            return i;
    return -1;
}

/* Whoever did much is remembered, however many come after him. */
static int emptiest(const struct rate_table *table, double per_s, int64_t now_ns)
{
    int best = 0;
    double least = FILLED_MAX;
    for (int i = 0; i < RATE_TABLE_SIZE; i++) {
        double filled = rate_filled(&table->entries[i].bucket, per_s, now_ns);
        if (filled >= least)
            continue;
        least = filled;
        best = i;
    }
    return best;
}

static struct rate_bucket *bucket_of(struct rate_table *table, const char *key, double per_s,
                                     int64_t now_ns)
{
    int at = find(table, key);
    if (at < 0) {
        at = emptiest(table, per_s, now_ns);
        snprintf(table->entries[at].key, RATE_KEY_MAX, "%s", key);
        table->entries[at].bucket = (struct rate_bucket){0};
    }
    return &table->entries[at].bucket;
}

bool rate_table_take(struct rate_table *table, const char *key, int64_t per_minute, int64_t now_ns)
{
    double often = (double)per_minute;
    return rate_take(bucket_of(table, key, often / 60, now_ns), often / 60, often, now_ns);
}

void rate_table_count(struct rate_table *table, const char *key, double amount, int64_t per_minute,
                      int64_t now_ns)
{
    double per_s = (double)per_minute / 60;
    fill(bucket_of(table, key, per_s, now_ns), amount, per_s, now_ns);
}

bool rate_table_allows(const struct rate_table *table, const char *key, int64_t per_minute,
                       int64_t now_ns)
{
    double often = (double)per_minute;
    int at = find(table, key);
    return at < 0 ? often >= 1 : rate_allows(&table->entries[at].bucket, often / 60, often, now_ns);
}
