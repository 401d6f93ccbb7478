/*
 * share.h: how much of what all have together one of them may take. Pure.
 *
 * A share is a part of what is still free, not of the whole: however many take as much as they may,
 * each following one finds something left (ten who take a quarter of the rest leave more than a
 * twentieth). Buffers in switches are shared out like this (Choudhury and Hahne, "Dynamic queue
 * length thresholds for shared-memory packet switches", 1998).
 */
#ifndef TUTTI_HUB_SHARE_H
#define TUTTI_HUB_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#define SHARE_KEY_MAX 64

/* May somebody who holds `held` of the `used` take another one? percent: of what is free; from 100
 * on there are no shares. Who holds nothing gets one as long as there is one. */
bool share_allows(int64_t held, int64_t used, int64_t limit, int64_t percent);

/* Who holds how many. All zeroes: nobody holds any. */
struct share_table {
    struct share_holder *holders;
    unsigned count;
    unsigned room;
    int64_t used;
};

/* Takes one, if allowed; false when it is not, or for want of memory. Longer keys are cut. */
bool share_take(struct share_table *table, const char *key, int64_t limit, int64_t percent);
void share_give(struct share_table *table, const char *key);
/* The same for several at once. They are granted within the share, and as a whole to who holds
 * nothing if there is room; when nobody holds any, however many they are. */
bool share_take_many(struct share_table *table, const char *key, int64_t count, int64_t limit,
                     int64_t percent);
void share_give_many(struct share_table *table, const char *key, int64_t count);
int64_t share_held(const struct share_table *table, const char *key);
void share_end(struct share_table *table);

#endif
