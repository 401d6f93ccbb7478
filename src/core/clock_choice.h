/*
 * clock_choice.h: what all the evidence that a server_clock keeps says, at one instant.
 */
#ifndef TUTTI_CORE_CLOCK_CHOICE_H
#define TUTTI_CORE_CLOCK_CHOICE_H

#include "tutti/core/server_clock.h"

/* A line: offset = offset_ns + frequency * (t - at_ns). */
struct clock_choice {
    enum server_clock_source source;
    int64_t at_ns;
    int64_t offset_ns;
    double frequency;
    int64_t uncertainty_ns;
};

/* By the best kind of evidence there is. False if there is none. */
bool clock_choose(const struct server_clock *clock, int64_t now_ns, struct clock_choice *choice);

/* Is a stamp that says "server - local is at least low_ns" impossible by what is known? */
bool clock_stamp_contradicts(const struct server_clock *clock, int64_t now_ns, int64_t low_ns);

/* What this connection's stamps, commands and echoes leave possible at now_ns, Dates aside. */
void clock_told_bounds(const struct server_clock *clock, int64_t now_ns, int64_t *ret_low_ns,
                       int64_t *ret_high_ns);

/* A stamp is taken for late, not for wrong, up to this. */
extern const int64_t CLOCK_STAMP_LATE_MAX_NS;

/* How far two clocks may drift apart in a time, by what is known of their frequencies. */
int64_t clock_ageing_ns(const struct server_clock *clock, int64_t age_ns);

#endif
