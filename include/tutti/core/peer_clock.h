/*
 * peer_clock.h: what does another speaker's monotonic clock show?
 *
 * The only place where local time and a peer's meet. Fed with the answers to probes; says the
 * peer's time at any local time, and how sure that is.
 */
#ifndef TUTTI_CORE_PEER_CLOCK_H
#define TUTTI_CORE_PEER_CLOCK_H

#include "tutti/core/echo_line.h"
#include "tutti/core/group_message.h"

#include <stdbool.h>

struct peer_clock {
    struct echo_line echoes;
    struct echo_fit fit; /* peer - local, through them */
    unsigned contradictions;
};

void peer_clock_init(struct peer_clock *clock);

/* False: not taken; it cannot be, or the past does not agree with it (three in a row: the past is
 * forgotten). */
bool peer_clock_add(struct peer_clock *clock, struct mono_time sent, struct mono_time received,
                    struct peer_time peer_received, struct peer_time peer_sent);

/* Enough was measured to ask the rest. */
bool peer_clock_is_known(const struct peer_clock *clock);

struct peer_time peer_clock_at(const struct peer_clock *clock, struct mono_time t);
struct mono_time peer_clock_mono_at(const struct peer_clock *clock, struct peer_time t);
/* How much faster than ours it runs. */
double peer_clock_frequency(const struct peer_clock *clock);

/* What peer_clock_at() says is within this, 99 times of 100, but for what makes one way always
 * longer than the other. */
int64_t peer_clock_scatter_ns(const struct peer_clock *clock, struct mono_time t);
/* And with that, too. */
int64_t peer_clock_uncertainty_ns(const struct peer_clock *clock, struct mono_time t);
int64_t peer_clock_round_trip_ns(const struct peer_clock *clock); /* the shortest */

#endif
