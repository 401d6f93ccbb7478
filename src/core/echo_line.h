/*
 * echo_line.h: offset and frequency of the server's clock from the echoes that were kept.
 */
#ifndef TUTTI_CORE_ECHO_LINE_H
#define TUTTI_CORE_ECHO_LINE_H

#include "tutti/core/server_clock.h"

struct echo_line {
    int64_t at_ns;
    int64_t offset_ns;
    double offset_s; /* relative to the newest echo's */
    double frequency;
    double sigma_s;
};

/* The age-th youngest echo; age < echo_count. */
const struct server_clock_echo *echo_line_echo(const struct server_clock *clock, size_t age);

/* Half of the shortest round trip among them, in ns. */
int64_t echo_line_shortest_half_ns(const struct server_clock *clock);

/* The line through them. There must be at least one. */
struct echo_line echo_line_fit(const struct server_clock *clock);

#endif
