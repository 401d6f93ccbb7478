/*
 * group_pace.c: when a word is said, and chance.
 */
#include "group_internal.h"

/* xorshift64* (Vigna 2016). */
uint64_t group_next_random(struct group *group)
{
    group->random ^= group->random >> 12;
    group->random ^= group->random << 25;
    group->random ^= group->random >> 27;
    return group->random * UINT64_C(2685821657736338717);
}

int64_t group_random(struct group *group, int64_t below)
{
    return (int64_t)(group_next_random(group) >> 1) % below;
}

static void speak_from(struct group *group, int64_t at_ns, struct mono_time now)
{
    if (at_ns < now.ns)
        at_ns = now.ns;
    if (at_ns < group->word_ns)
        group->word_ns = at_ns;
}

void group_speak_soon(struct group *group, struct mono_time now)
{
    speak_from(group, group->spoke_ns + GROUP_WORD_MIN_NS, now);
}

void group_speak_at_once(struct group *group, struct mono_time now)
{
    if (now.ns < group->urgent_ns) {
        group_speak_soon(group, now);
        return;
    }
    group->urgent_ns = now.ns + GROUP_WORD_MIN_NS;
    speak_from(group, now.ns, now);
}
