/*
 * rate.c: see rate.h.
 */
#include "rate.h"

#include <stdio.h>
#include <string.h>

static double filled_at(const struct rate_bucket *bucket, double per_s, int64_t now_ns)
{
    double filled = bucket->filled - (double)(now_ns - bucket->at_ns) * 1e-9 * per_s;
    return filled > 0 ? filled : 0;
}

bool rate_allows(const struct rate_bucket *bucket, double per_s, double burst, int64_t now_ns)
{
    return filled_at(bucket, per_s, now_ns) + 1 <= burst;
}

bool rate_take(struct rate_bucket *bucket, double per_s, double burst, int64_t now_ns)
{
    if (!rate_allows(bucket, per_s, burst, now_ns))
        return false;
    bucket->filled = filled_at(bucket, per_s, now_ns) + 1;
    bucket->at_ns = now_ns;
    return true;
}

struct rate_bucket *rate_find(struct rate_table *table, const char *key)
{
    unsigned oldest = 0;
    for (unsigned i = 0; i < RATE_TABLE_SIZE; i++) {
        if (strncmp(table->entries[i].key, key, RATE_KEY_MAX - 1) == 0)
            return &table->entries[i].bucket;
        if (table->entries[i].bucket.at_ns < table->entries[oldest].bucket.at_ns)
            oldest = i;
    }
    snprintf(table->entries[oldest].key, RATE_KEY_MAX, "%s", key);
    table->entries[oldest].bucket = (struct rate_bucket){0};
    return &table->entries[oldest].bucket;
}
