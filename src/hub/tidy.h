/*
 * tidy.h: when it is time to forget what is old. Pure.
 *
 * How old something is the wall clock says, and that may be wrong: a machine without a battery
 * begins years ago, and jumps when the network tells it the time. So nothing is old before the hub
 * has run for an hour by a clock that nobody set meanwhile.
 */
#ifndef TUTTI_HUB_TIDY_H
#define TUTTI_HUB_TIDY_H

#include <stdbool.h>
#include <stdint.h>

/* All zeroes: the hub has just started. */
struct tidy {
    bool began;
    int64_t wall_ns; /* when the hour began */
    int64_t steady_ns;
};

/* To be asked now and then. True about once an hour. */
bool tidy_is_due(struct tidy *tidy, int64_t wall_ns, int64_t steady_ns);

#endif
