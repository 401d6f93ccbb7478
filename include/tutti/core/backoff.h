/*
 * backoff.h: how long to wait before trying again: doubling, with jitter, bounded.
 */
#ifndef TUTTI_CORE_BACKOFF_H
#define TUTTI_CORE_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t min_ns;
    int64_t max_ns;
    int64_t next_ns;
    uint64_t random; /* state of a xorshift generator */
};

/* seed: any number; different speakers should have different ones, so that they do not come back
 * all at once. */
void backoff_init(struct backoff *backoff, int64_t min_ns, int64_t max_ns, uint64_t seed);
/* The next delay: between half and all of the current step, which then doubles. */
int64_t backoff_next(struct backoff *backoff);
/* It worked: the next failure starts small again. */
void backoff_reset(struct backoff *backoff);
/* A number in [0, 1) from the same generator. */
double backoff_random(struct backoff *backoff);

#endif
