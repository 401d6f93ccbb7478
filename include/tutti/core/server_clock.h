/*
 * server_clock.h: what time is it at the backend?
 *
 * The only place where local and server time meet. Everything that says something about the
 * offset (server time - local monotonic time) is evidence, an interval with an age:
 *
 *   echo         [server_sent - received, server_received - sent]: hard, and the best
 *   command      a stamp that our own command caused: [stamp - arrived, stamp - sent]: hard
 *   stamp        a state that arrived was stamped before: >= stamp - arrived; usually by 3 to 6 ms
 *   Date         whole seconds, 0 to 2.1 s old: [date - received, date + 2.1 s - sent]; what they
 *                say together is much more (date_filter.h)
 *   disciplined  the kernel says that the wall clock is right: presumed to be the server's too,
 *                unless hard evidence says otherwise
 *   group        the line that the other speakers follow (core/group): what is heard is how far
 *                speakers are apart, so it comes before all that does not know the time as exactly
 *                as they know each other's
 *
 * What comes out is smooth: corrections decay into it, they do not step it, unless nothing was
 * settled before or the step is beyond step_ns.
 */
#ifndef TUTTI_CORE_SERVER_CLOCK_H
#define TUTTI_CORE_SERVER_CLOCK_H

#include "tutti/base/units.h"
#include "tutti/core/date_filter.h"
#include "tutti/core/echo_line.h"
#include "tutti/core/probe_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_CLOCK_INTERVALS 128

enum server_clock_source {
    SERVER_CLOCK_NONE,
    SERVER_CLOCK_DATE,
    SERVER_CLOCK_STAMPS,
    SERVER_CLOCK_COMMAND,
    SERVER_CLOCK_DISCIPLINED,
    SERVER_CLOCK_ECHO,
    SERVER_CLOCK_GROUP,
};

struct server_clock_estimate {
    bool known;   /* there is any evidence at all */
    bool ready;   /* nothing better is to be waited for: start playing by it */
    bool settled; /* the group agrees on it, or it is known to 20 ms */
    enum server_clock_source source;
    int64_t offset_ns;      /* server - local, as server_clock_at() applies it */
    int64_t uncertainty_ns; /* the true offset is within this, 99 times of 100 */
    double frequency_ppm;   /* server clock against the local one: positive, it runs faster */
    uint64_t disbelieved;   /* stamps and echoes passed over: they cannot be, by what was known */
};

struct server_clock_interval {
    int64_t at_ns; /* local */
    int64_t low_ns;
    int64_t high_ns; /* INT64_MAX: no upper bound */
    enum server_clock_source source;
};

/* A line that holds from a time on: offset = offset_ns + frequency * (t - at_ns). */
struct server_clock_segment {
    int64_t from_ns;
    int64_t at_ns;
    int64_t offset_ns;
    double frequency;
};

#define SERVER_CLOCK_SEGMENTS 2

/* One after another; the first holds before its beginning, too. */
struct server_clock_line {
    unsigned count; /* 0: none */
    struct server_clock_segment segments[SERVER_CLOCK_SEGMENTS];
    enum server_clock_source source;
    int64_t uncertainty_ns; /* of the server's time */
    bool ours;              /* of the group: it is we who tell it */
    bool together;          /* others follow it, too */
    int64_t apart_ns;       /* from how they know it */
    int64_t scatter_ns;     /* the part of that which is not the same all the time */
    double age_s; /* it has been measured for so long: what is corrected, decays as fast */
};

/* What one speaker knows by itself. */
struct server_clock_own {
    bool known;
    enum server_clock_source source;
    int64_t offset_ns; /* at the time that was asked for */
    double frequency;
    int64_t uncertainty_ns;
    int64_t low_ns; /* what stamps, commands and echoes of this connection leave possible */
    int64_t high_ns;
};

struct server_clock {
    int64_t step_ns;
    struct server_clock_interval intervals[SERVER_CLOCK_INTERVALS];
    size_t interval_head;
    size_t interval_count;
    struct echo_line echoes;
    bool wall_known;
    bool wall_disciplined;
    int64_t wall_at_ns;
    int64_t wall_offset_ns;
    int64_t wall_error_ns;
    struct date_filter dates;
    bool doubted; /* the last stamp was impossible by what was known */
    int64_t doubted_ns;
    unsigned contradictions; /* echoes in a row that the past does not agree with */
    uint64_t disbelieved;    /* since init */

    struct server_clock_line group; /* as the group has told it; count 0: it has not */
    double own_frequency;           /* by echoes */
    /* What is followed. */
    struct server_clock_line line;
    /* What is still to be corrected of an earlier line, decaying from smooth_at_ns on. */
    double residue_ns;
    int64_t smooth_at_ns;
    bool known;
    bool ready;

    bool connected;
    int64_t connected_at_ns;
    bool echo_seen;
    struct probe_plan plan;
};

/* step_ns: a correction beyond this is made at once (200 ms: where the player would seek anyway).
 */
void server_clock_init(struct server_clock *clock, int64_t step_ns);

void server_clock_add_echo(struct server_clock *clock, struct mono_time sent,
                           struct mono_time received, struct server_time server_received,
                           struct server_time server_sent);
/* A playback_state other than a connection's first. */
void server_clock_add_stamp(struct server_clock *clock, struct mono_time arrived,
                            struct server_time stamp);
/* The state that a command of ours, sent at `sent`, caused. */
void server_clock_add_command(struct server_clock *clock, struct mono_time sent,
                              struct mono_time arrived, struct server_time stamp);
/* The Date of an HTTP answer; on a kept-alive connection it may be frozen. */
void server_clock_add_date(struct server_clock *clock, struct mono_time sent,
                           struct mono_time received, struct server_time date,
                           bool fresh_connection);
/* The wall clock, about every 10 s: max_error_ns is the kernel's own bound. */
void server_clock_add_wall(struct server_clock *clock, struct mono_time at, struct wall_time wall,
                           int64_t half_width_ns, bool disciplined, int64_t max_error_ns);

/* A stamp that another speaker heard, when it arrived there, by our clock. */
void server_clock_add_shared_stamp(struct server_clock *clock, struct mono_time arrived,
                                   struct server_time stamp);
/* The line that the group follows; NULL: there is none to be followed. */
void server_clock_set_group(struct server_clock *clock, const struct server_clock_line *line,
                            struct mono_time now);
/* An echo so exact that nobody's word is better; its uncertainty. */
#define SERVER_CLOCK_SHARP_NS (300 * NS_PER_US)

struct server_clock_own server_clock_own(const struct server_clock *clock, struct mono_time now);
/* How fast the server's time, as it is applied, runs against ours, less 1. */
double server_clock_frequency_at(const struct server_clock *clock, struct mono_time t);

struct server_time server_clock_at(const struct server_clock *clock, struct mono_time t);
struct mono_time server_clock_mono_at(const struct server_clock *clock, struct server_time t);
struct server_clock_estimate server_clock_estimate(const struct server_clock *clock,
                                                   struct mono_time now);
const char *server_clock_source_name(enum server_clock_source source);

/*
 * When to send probes (sync_acks that a backend may echo). After server_clock_connected(): at
 * once; once a backend was seen to answer, in volleys, where the next one is due when the last was
 * answered; and then two volleys every 10 s, or one while resting. Without answers, one probe every
 * 10 s.
 */
void server_clock_connected(struct server_clock *clock, struct mono_time now);
void server_clock_disconnected(struct server_clock *clock);
/* While nothing sounds, a board is to sleep. */
void server_clock_rest(struct server_clock *clock, bool resting);
struct mono_time server_clock_next_probe(const struct server_clock *clock);
void server_clock_probe_sent(struct server_clock *clock, struct mono_time now);

#endif
