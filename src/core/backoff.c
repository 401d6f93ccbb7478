/*
 * backoff.c: see backoff.h. The generator is xorshift64* (Vigna 2016): chance enough for jitter.
 */
#include "tutti/core/backoff.h"

void backoff_init(struct backoff *backoff, int64_t min_ns, int64_t max_ns, uint64_t seed)
{
    *backoff = (struct backoff){min_ns, max_ns, min_ns, seed ? seed : 1};
}

double backoff_random(struct backoff *backoff)
{
    backoff->random ^= backoff->random >> 12;
    backoff->random ^= backoff->random << 25;
    backoff->random ^= backoff->random >> 27;
    return (double)((backoff->random * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

int64_t backoff_next(struct backoff *backoff)
{
    int64_t step_ns = backoff->next_ns;
    backoff->next_ns = step_ns > backoff->max_ns / 2 ? backoff->max_ns : step_ns * 2;
    int64_t half_ns = step_ns / 2;
    return half_ns + (int64_t)(backoff_random(backoff) * (double)half_ns);
}

void backoff_reset(struct backoff *backoff)
{
    backoff->next_ns = backoff->min_ns;
}
