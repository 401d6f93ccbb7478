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
/* Counts it, however often; and what has not leaked away of all that was counted. */
void rate_count(struct rate_bucket *bucket, double per_s, int64_t now_ns);
double rate_filled(const struct rate_bucket *bucket, double per_s, int64_t now_ns);

#define RATE_KEY_MAX 64
#define RATE_TABLE_SIZE 256

/* A bucket for each of many. When there are more, those are forgotten who did the least. */
struct rate_table {
    struct {
        char key[RATE_KEY_MAX];
        struct rate_bucket bucket;
    } entries[RATE_TABLE_SIZE];
};

/* The same for one of them, at once or within a minute. Longer keys are cut. */
bool rate_table_take(struct rate_table *table, const char *key, int64_t per_minute, int64_t now_ns);
bool rate_table_allows(const struct rate_table *table, const char *key, int64_t per_minute,
                       int64_t now_ns);
/* Counts so many, however often. */
void rate_table_count(struct rate_table *table, const char *key, double amount, int64_t per_minute,
                      int64_t now_ns);

#endif
