/*
 * turn.h: where a session goes at the end of a track, and when; and in which order a shuffled list
 * is played. Pure: `now` is a parameter, and what is beside the current item is asked of the
 * caller.
 */
#ifndef TUTTI_HUB_TURN_H
#define TUTTI_HUB_TURN_H

#include "tutti/core/protocol.h"
#include "tutti/core/timeline.h"

#include <stdbool.h>
#include <stdint.h>

/* What is played, as it was told. */
struct turn_facts {
    struct timeline timeline;
    double length_s; /* of the current track; <= 0: not known, and then it has no end */
    bool advance;    /* the hub goes on by itself */
};

/* When the current track is over; ns INT64_MAX: never. Later than its stamp at least by
 * TURN_LEAST_NS: a list of tiny tracks is not run through in a blink. */
#define TURN_LEAST_NS (500 * NS_PER_MS)
struct server_time turn_due(const struct turn_facts *facts);

/* Members that can are told so long before the end what starts then: time enough to fetch a track
 * that nobody expected, as in a shuffled list. */
#define TURN_NEAR_NS (15 * NS_PER_S)
bool turn_is_near(struct server_time due, struct server_time now);

/*
 * The stamp of what follows what was over at `due`: that moment itself, so that there is no gap
 * between the two. Where it has long passed (nobody was there to go on), what follows begins now.
 * told: members were told before, and went on by themselves: they are waited for longer.
 */
#define TURN_LATE_NS NS_PER_S
#define TURN_TOLD_LATE_NS (10 * NS_PER_S)
struct server_time turn_stamp(struct server_time due, struct server_time now, bool told);

/* Which item is meant, from the current one. */
enum turn_to {
    TURN_NOWHERE, /* there is none */
    TURN_SAME,    /* it begins again */
    TURN_NEXT,
    TURN_PREVIOUS,
    TURN_FIRST,
    TURN_LAST,
};
/* has_next, has_previous: in the order in which it is played. */
enum turn_to turn_at_end(enum session_repeat repeat, bool has_next);
enum turn_to turn_forward(enum session_repeat repeat, bool has_next);
enum turn_to turn_back(enum session_repeat repeat, bool has_previous);

/*
 * The place of an item in a shuffled list, after `after`: 1 to TURN_KEY_MAX. The same for the same
 * seed and id. after: of the current item, so that what is added now is still to come.
 */
#define TURN_KEY_MAX (INT64_C(1) << 62)
int64_t turn_key(int64_t seed, const char *item_id, int64_t after);

#endif
