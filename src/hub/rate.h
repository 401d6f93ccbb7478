/*
 * rate.h: leaky buckets: how often somebody may do something. Pure; now_ns is any steady clock's.
 */
#ifndef TUTTI_HUB_RATE_H
#define TUTTI_HUB_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* All zeroes: nothing was done yet. */
struct rate_bucket {
    double filled;
    int64_t at_ns;
};

/* `burst` times at once, per_s times a second in the long run. False, and not counted, when it is
 * too often; true when it was counted. */
bool rate_take(struct rate_bucket *bucket, double per_s, double burst, int64_t now_ns);
/* Would rate_take() succeed? */
bool rate_allows(const struct rate_bucket *bucket, double per_s, double burst, int64_t now_ns);

#define RATE_KEY_MAX 64
#define RATE_TABLE_SIZE 256

/* A bucket for each of those who came last. Who is forgotten begins anew. */
struct rate_table {
    struct {
        char key[RATE_KEY_MAX];
        struct rate_bucket bucket;
    } entries[RATE_TABLE_SIZE];
};

/* Longer keys are cut. */
struct rate_bucket *rate_find(struct rate_table *table, const char *key);

#endif
