/*
 * turn.c: see turn.h.
 */
#include "turn.h"

struct server_time turn_due(const struct turn_facts *facts)
{
    if (!facts->advance || !facts->timeline.playing || !(facts->length_s > 0))
        return (struct server_time){INT64_MAX};
    struct server_time end = timeline_time_of(&facts->timeline, facts->length_s);
    struct server_time least = server_add(facts->timeline.anchored_at, TURN_LEAST_NS);
    return server_sub(end, least) < 0 ? least : end;
}

bool turn_is_near(struct server_time due, struct server_time now)
{
    return due.ns != INT64_MAX && server_sub(due, now) <= TURN_NEAR_NS;
}

struct server_time turn_stamp(struct server_time due, struct server_time now, bool told)
{
    return server_sub(now, due) > (told ? TURN_TOLD_LATE_NS : TURN_LATE_NS) ? now : due;
}

enum turn_to turn_forward(enum session_repeat repeat, bool has_next)
{
    if (has_next)
        return TURN_NEXT;
    return repeat == REPEAT_ALL ? TURN_FIRST : TURN_NOWHERE;
}

enum turn_to turn_at_end(enum session_repeat repeat, bool has_next)
{
    return repeat == REPEAT_ONE ? TURN_SAME : turn_forward(repeat, has_next);
}

enum turn_to turn_back(enum session_repeat repeat, bool has_previous)
{
    if (has_previous)
        return TURN_PREVIOUS;
    return repeat == REPEAT_ALL ? TURN_LAST : TURN_SAME;
}

/* FNV-1a over the id, then the finalizer of MurmurHash3, in which every bit of the seed counts for
 * every bit of the result. */
static uint64_t mix(uint64_t seed, const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ seed;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ (hash >> 33);
}

int64_t turn_key(int64_t seed, const char *item_id, int64_t after)
{
    uint64_t room = (uint64_t)(TURN_KEY_MAX - after);
    return room == 0 ? TURN_KEY_MAX : after + 1 + (int64_t)(mix((uint64_t)seed, item_id) % room);
}
