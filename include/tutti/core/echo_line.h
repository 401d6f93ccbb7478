/*
 * echo_line.h: offset and frequency of another machine's clock, from exchanges of four time stamps.
 *
 * Each echo says: at at_ns by our clock, theirs was ahead of ours by offset_ns +- half_ns. Whose
 * clock it is, the backend's or another speaker's, is the caller's to know.
 */
#ifndef TUTTI_CORE_ECHO_LINE_H
#define TUTTI_CORE_ECHO_LINE_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ten minutes of bursts of eight every ten seconds, or of twice as many where they jitter. */
#define ECHO_LINE_MAX 1024

struct echo {
    int64_t at_ns; /* local, in the middle of the exchange */
    int64_t offset_ns;
    int64_t half_ns; /* half the round trip: the hard bound */
};

struct echo_line {
    struct echo echoes[ECHO_LINE_MAX];
    size_t head;
    size_t count;
};

/* offset = offset_ns + frequency * (t - at_ns). */
struct echo_fit {
    int64_t at_ns; /* of the newest echo */
    int64_t offset_ns;
    double frequency;
    double sigma_s; /* of the offset at at_ns */
    double frequency_sigma;
    bool jittery;    /* round trips vary much */
    double offset_s; /* relative to the newest echo's */
};

/* False: it took longer there than here, which is no echo. */
bool echo_from_stamps(int64_t sent_ns, int64_t received_ns, int64_t their_received_ns,
                      int64_t their_sent_ns, struct echo *ret_echo);

void echo_line_clear(struct echo_line *line);
/* The oldest makes room; those of more than ten minutes before now_ns go. */
void echo_line_add(struct echo_line *line, const struct echo *echo, int64_t now_ns);
void echo_line_forget_older_half(struct echo_line *line);

/* The age-th youngest echo; age < count. */
const struct echo *echo_line_echo(const struct echo_line *line, size_t age);

/* Half of the shortest round trip among them, in ns. */
int64_t echo_line_shortest_half_ns(const struct echo_line *line);

/* The line through them. There must be at least one. */
struct echo_fit echo_line_fit(const struct echo_line *line);

#endif
