/*
 * server_clock.c: evidence in, one smooth line out.
 *
 * Evidence is kept here; what it says together is found in clock_choice.c, for echoes in
 * echo_line.c, for Dates in date_filter.c. This file makes one smooth line of it.
 */
#include "tutti/core/server_clock.h"

#include "clock_choice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* So many echoes are enough to begin with. */
static const size_t ECHOES_ENOUGH = 5;
static const int64_t STEPPED_NS = 20 * NS_PER_MS;
static const unsigned CONTRADICTIONS_MAX = 3;
/* A line may be so far outside an echo's bounds: readings of clocks scatter. */
static const int64_t OUTSIDE_NS = 20 * NS_PER_US;
/* An estimate this uncertain is replaced at once by a better one. */
static const int64_t ROUGH_NS = 20 * NS_PER_MS;
/* How fast corrections decay into the output: slowly, once there is something to protect. */
static const double DECAY_MIN_S = 1;
static const double DECAY_MAX_S = 12;
static const double DECAY_PER_AGE = 0.2;
static const double DECAY_DATES_S = 40;
/* What would have to go faster is no smoothing any more but an error to be caught up: it is told at
 * once, for the player's controller bends the pitch more gently. 0.1 %, as it moves in a second. */
static const double EASE_MAX = 1000e-6;
/* Other evidence moves it by milliseconds, at most: 0.1 % of pitch for a second or two. */
static const double DECAY_ROUGH_S = 2;
/* Two halves of a group that find together are to be together in half a minute; who has just come,
 * within a second. */
static const double DECAY_YOUNG_S = 0.3;
static const double DECAY_GROUP_S = 3;
/* Who knows the time so well may say so. */
static const int64_t SETTLED_NS = 20 * NS_PER_MS;
static const int64_t TOGETHER_NS = NS_PER_MS;
/* How long other evidence waits for an echo that may come. */
static const int64_t SETTLE_NS = 700 * NS_PER_MS;
/* And how long a start waits for better than a rough guess. */
static const int64_t GOOD_ENOUGH_NS = 50 * NS_PER_MS;
static const int64_t SETTLE_LATEST_NS = 2500 * NS_PER_MS;

void server_clock_init(struct server_clock *clock, int64_t step_ns)
{
    memset(clock, 0, sizeof *clock);
    clock->step_ns = step_ns;
    clock->plan.pause_ns = PROBE_PAUSE_NS;
}

const char *server_clock_source_name(enum server_clock_source source)
{
    static const char *const names[] = {
        [SERVER_CLOCK_NONE] = "none",
        [SERVER_CLOCK_DATE] = "date",
        [SERVER_CLOCK_STAMPS] = "stamps",
        [SERVER_CLOCK_COMMAND] = "command",
        [SERVER_CLOCK_DISCIPLINED] = "disciplined",
        [SERVER_CLOCK_ECHO] = "echo",
        [SERVER_CLOCK_GROUP] = "group",
    };
    return names[source];
}

static const struct server_clock_segment *segment_at(const struct server_clock *clock, int64_t t_ns)
{
    unsigned index = clock->line.count;
    while (index > 1 && t_ns < clock->line.segments[index - 1].from_ns)
        index--;
    return &clock->line.segments[index > 0 ? index - 1 : 0];
}

/* Offsets are of 1970, in doubles they would lose their nanoseconds: they are taken from here. */
static int64_t base_ns(const struct server_clock *clock)
{
    return clock->line.segments[0].offset_ns;
}

/* Relative to base_ns(). */
static double line_at(const struct server_clock *clock, int64_t t_ns)
{
    const struct server_clock_segment *segment = segment_at(clock, t_ns);
    return (double)(segment->offset_ns - base_ns(clock)) +
           (double)(t_ns - segment->at_ns) * segment->frequency;
}

static double decay_s(const struct server_clock *clock)
{
    if (clock->line.source == SERVER_CLOCK_GROUP)
        return fmin(fmax(clock->line.age_s * DECAY_PER_AGE, DECAY_YOUNG_S), DECAY_GROUP_S);
    if (clock->line.source != SERVER_CLOCK_ECHO)
        return clock->line.source == SERVER_CLOCK_DATE ? DECAY_DATES_S : DECAY_ROUGH_S;
    double age_s = ns_to_s(echo_line_echo(&clock->echoes, 0)->at_ns -
                           echo_line_echo(&clock->echoes, clock->echoes.count - 1)->at_ns);
    return fmin(fmax(age_s * DECAY_PER_AGE, DECAY_MIN_S), DECAY_MAX_S);
}

/* Offset at t as it is applied, relative to base_ns(). */
static double applied_at(const struct server_clock *clock, int64_t t_ns)
{
    double since_s = ns_to_s(t_ns - clock->smooth_at_ns);
    double residue =
        since_s > 0 ? clock->residue_ns * exp(-since_s / decay_s(clock)) : clock->residue_ns;
    return line_at(clock, t_ns) + residue;
}

static int64_t offset_at(const struct server_clock *clock, int64_t t_ns)
{
    return base_ns(clock) + llround(applied_at(clock, t_ns));
}

/* --- adopting ---------------------------------------------------------------------------- */

static bool is_ready(const struct server_clock *clock, int64_t now_ns)
{
    if (clock->ready || (clock->known && clock->line.source == SERVER_CLOCK_GROUP))
        return true;
    if (clock->line.source == SERVER_CLOCK_ECHO)
        return clock->echoes.count >= ECHOES_ENOUGH;
    int64_t since_ns = now_ns - clock->connected_at_ns;
    return clock->known && clock->connected && since_ns >= SETTLE_NS &&
           (clock->line.uncertainty_ns <= GOOD_ENOUGH_NS || since_ns >= SETTLE_LATEST_NS);
}

/* Takes a new line; the difference to what was applied so far decays from now on. */
static void adopt(struct server_clock *clock, const struct server_clock_line *line, int64_t now_ns)
{
    double before_ns = clock->known ? (double)(base_ns(clock) - line->segments[0].offset_ns) +
                                          applied_at(clock, now_ns)
                                    : 0;
    /* What was known only roughly is not worth a glide to what is known better. */
    bool no_better = line->source == SERVER_CLOCK_DATE && clock->line.source == SERVER_CLOCK_DATE;
    bool smooth = clock->ready && (clock->line.uncertainty_ns < ROUGH_NS || no_better);
    clock->line = *line;
    clock->known = true;
    clock->smooth_at_ns = now_ns;
    double residue_ns = before_ns - line_at(clock, now_ns);
    double most_ns = fmin((double)clock->step_ns, EASE_MAX * decay_s(clock) * (double)NS_PER_S);
    clock->residue_ns = smooth && fabs(residue_ns) <= most_ns ? residue_ns : 0;
}

/* Between speakers, a common error is none: only who knows the backend's time as exactly as the
 * others' goes by itself. Not to and fro, where they are about the same. */
static bool is_group_better(const struct server_clock *clock, const struct clock_choice *own)
{
    bool follows = clock->line.source == SERVER_CLOCK_GROUP;
    if (clock->group.count == 0)
        return false;
    if (clock->group.ours)
        return own->source != SERVER_CLOCK_ECHO || own->uncertainty_ns > SERVER_CLOCK_SHARP_NS;
    return own->source != SERVER_CLOCK_ECHO ||
           clock->group.apart_ns < own->uncertainty_ns / (follows ? 1 : 2);
}

static void update(struct server_clock *clock, int64_t now_ns)
{
    struct clock_choice own;
    bool known = clock_choose(clock, now_ns, &own);
    clock->own_frequency = own.frequency;
    if (is_group_better(clock, &own)) {
        adopt(clock, &clock->group, now_ns);
    } else if (known) {
        struct server_clock_line line = {
            .count = 1,
            .segments = {{own.at_ns, own.at_ns, own.offset_ns, own.frequency}},
            .source = own.source,
            .uncertainty_ns = own.uncertainty_ns,
        };
        adopt(clock, &line, now_ns);
    } else {
        return;
    }
    clock->ready = is_ready(clock, now_ns);
}

/* --- evidence ------------------------------------------------------------------------------ */

static void add_interval(struct server_clock *clock, int64_t at_ns, int64_t low_ns, int64_t high_ns,
                         enum server_clock_source source)
{
    if (clock->interval_count == SERVER_CLOCK_INTERVALS) {
        clock->interval_head = (clock->interval_head + 1) % SERVER_CLOCK_INTERVALS;
        clock->interval_count--;
    }
    size_t slot = (clock->interval_head + clock->interval_count++) % SERVER_CLOCK_INTERVALS;
    clock->intervals[slot] = (struct server_clock_interval){at_ns, low_ns, high_ns, source};
}

static void forget_intervals(struct server_clock *clock)
{
    clock->interval_count = 0;
    date_filter_init(&clock->dates);
}

/* An echo whose hard bounds are far from the line: one may be an accident, three are a stepped
 * clock. What is only a little off is left to the fit: it may be the line that is wrong. */
static bool contradicts(const struct server_clock *clock, const struct echo *echo)
{
    if (clock->line.source != SERVER_CLOCK_ECHO)
        return false;
    double off_ns = (double)(echo->offset_ns - base_ns(clock)) - line_at(clock, echo->at_ns);
    double slack_ns = (double)(clock->line.uncertainty_ns + STEPPED_NS);
    return fabs(off_ns) > (double)echo->half_ns + slack_ns;
}

/* A line that the newest echo's hard bounds prove wrong has too long a memory: of before a slew, or
 * before the sun shone on it. The older half is forgotten, and the new line soon asked for more. */
static void forget_older_half(struct server_clock *clock, const struct echo *echo)
{
    for (;;) {
        double off_ns =
            fabs((double)(echo->offset_ns - base_ns(clock)) - line_at(clock, echo->at_ns));
        if (clock->line.source != SERVER_CLOCK_ECHO || clock->echoes.count < 2 * PROBE_VOLLEY ||
            off_ns < (double)(echo->half_ns + OUTSIDE_NS))
            return;
        echo_line_forget_older_half(&clock->echoes);
        probe_plan_be_early(&clock->plan, (struct mono_time){echo->at_ns});
        update(clock, echo->at_ns);
    }
}

void server_clock_add_echo(struct server_clock *clock, struct mono_time sent,
                           struct mono_time received, struct server_time server_received,
                           struct server_time server_sent)
{
    struct echo echo;
    if (!echo_from_stamps(sent.ns, received.ns, server_received.ns, server_sent.ns, &echo)) {
        clock->disbelieved++;
        return;
    }
    if (contradicts(clock, &echo)) {
        if (++clock->contradictions < CONTRADICTIONS_MAX) {
            clock->disbelieved++;
            return;
        }
        echo_line_clear(&clock->echoes);
        forget_intervals(clock);
    }
    clock->contradictions = 0;
    echo_line_add(&clock->echoes, &echo, received.ns);
    add_interval(clock, received.ns, server_sent.ns - received.ns, server_received.ns - sent.ns,
                 SERVER_CLOCK_ECHO);
    if (clock->echo_seen)
        probe_plan_answered(&clock->plan, received);
    else
        probe_plan_begin(&clock->plan, received);
    clock->echo_seen = true;
    update(clock, received.ns);
    forget_older_half(clock, &echo);
}

/* One stamp that cannot be may be an accident; two that agree are a stepped clock. Where the
 * backend echoes, echoes decide, at once. */
static bool is_believed(struct server_clock *clock, int64_t now_ns, int64_t low_ns)
{
    bool agrees = clock->doubted && llabs(low_ns - clock->doubted_ns) < CLOCK_STAMP_LATE_MAX_NS;
    if (!clock_stamp_contradicts(clock, now_ns, low_ns)) {
        clock->doubted = false;
        return true;
    }
    clock->doubted = true;
    clock->doubted_ns = low_ns;
    if (clock->line.source == SERVER_CLOCK_ECHO) {
        probe_plan_volley(&clock->plan, (struct mono_time){now_ns});
        return false;
    }
    if (!agrees)
        return false;
    clock->doubted = false;
    forget_intervals(clock);
    return true;
}

void server_clock_add_stamp(struct server_clock *clock, struct mono_time arrived,
                            struct server_time stamp)
{
    int64_t low_ns = stamp.ns - arrived.ns;
    if (!is_believed(clock, arrived.ns, low_ns)) {
        clock->disbelieved++;
        return;
    }
    add_interval(clock, arrived.ns, low_ns, low_ns + CLOCK_STAMP_LATE_MAX_NS, SERVER_CLOCK_STAMPS);
    update(clock, arrived.ns);
}

void server_clock_add_command(struct server_clock *clock, struct mono_time sent,
                              struct mono_time arrived, struct server_time stamp)
{
    add_interval(clock, arrived.ns, stamp.ns - arrived.ns, stamp.ns - sent.ns,
                 SERVER_CLOCK_COMMAND);
    update(clock, arrived.ns);
}

void server_clock_add_date(struct server_clock *clock, struct mono_time sent,
                           struct mono_time received, struct server_time date,
                           bool fresh_connection)
{
    int64_t high_ns = fresh_connection ? date.ns + DATE_FILTER_LAG_MAX_NS - sent.ns : INT64_MAX;
    add_interval(clock, received.ns, date.ns - received.ns, high_ns, SERVER_CLOCK_DATE);
    if (fresh_connection)
        date_filter_add(&clock->dates, sent, received, date);
    update(clock, received.ns);
}

void server_clock_add_wall(struct server_clock *clock, struct mono_time at, struct wall_time wall,
                           int64_t half_width_ns, bool disciplined, int64_t max_error_ns)
{
    clock->wall_known = true;
    clock->wall_disciplined = disciplined;
    clock->wall_at_ns = at.ns;
    clock->wall_offset_ns = wall.ns - at.ns;
    clock->wall_error_ns = max_error_ns + half_width_ns;
    update(clock, at.ns);
}

/* --- asking -------------------------------------------------------------------------------- */

struct server_time server_clock_at(const struct server_clock *clock, struct mono_time t)
{
    return (struct server_time){t.ns + offset_at(clock, t.ns)};
}

struct mono_time server_clock_mono_at(const struct server_clock *clock, struct server_time t)
{
    int64_t guess_ns = t.ns - base_ns(clock);
    for (int i = 0; i < 3; i++) /* the offset moves by ppm: each round gains four digits */
        guess_ns = t.ns - offset_at(clock, guess_ns);
    return (struct mono_time){guess_ns};
}

/* As it was said, with how far off it still is on purpose, and how old that is. */
static int64_t uncertainty_at(const struct server_clock *clock, int64_t now_ns)
{
    double residue_ns = applied_at(clock, now_ns) - line_at(clock, now_ns);
    return clock->line.uncertainty_ns + clock->line.apart_ns + llround(fabs(residue_ns)) +
           clock_ageing_ns(clock, now_ns - clock->smooth_at_ns);
}

/* A guess that one starts by is not settled. */
static bool is_settled(const struct server_clock *clock, int64_t now_ns)
{
    bool together = clock->line.together && clock->line.apart_ns < TOGETHER_NS;
    return is_ready(clock, now_ns) && (together || uncertainty_at(clock, now_ns) <= SETTLED_NS);
}

struct server_clock_estimate server_clock_estimate(const struct server_clock *clock,
                                                   struct mono_time now)
{
    if (!clock->known)
        return (struct server_clock_estimate){.disbelieved = clock->disbelieved};
    return (struct server_clock_estimate){
        .known = true,
        .ready = is_ready(clock, now.ns),
        .settled = is_settled(clock, now.ns),
        .source = clock->line.source,
        .offset_ns = offset_at(clock, now.ns),
        .uncertainty_ns = uncertainty_at(clock, now.ns),
        .frequency_ppm = segment_at(clock, now.ns)->frequency * 1e6,
        .disbelieved = clock->disbelieved,
    };
}

/* --- the group ----------------------------------------------------------------------------- */

void server_clock_add_shared_stamp(struct server_clock *clock, struct mono_time arrived,
                                   struct server_time stamp)
{
    int64_t low_ns = stamp.ns - arrived.ns;
    if (clock_stamp_contradicts(clock, arrived.ns, low_ns)) {
        clock->disbelieved++;
        return;
    }
    add_interval(clock, arrived.ns, low_ns, low_ns + CLOCK_STAMP_LATE_MAX_NS, SERVER_CLOCK_STAMPS);
    update(clock, arrived.ns);
}

void server_clock_set_group(struct server_clock *clock, const struct server_clock_line *line,
                            struct mono_time now)
{
    if (!line && clock->group.count == 0)
        return;
    clock->group = line ? *line : (struct server_clock_line){0};
    update(clock, now.ns);
}

struct server_clock_own server_clock_own(const struct server_clock *clock, struct mono_time now)
{
    struct server_clock_own own = {0};
    struct clock_choice choice;
    clock_told_bounds(clock, now.ns, &own.low_ns, &own.high_ns);
    if (!clock_choose(clock, now.ns, &choice))
        return own;
    own.known = true;
    own.source = choice.source;
    own.offset_ns = choice.offset_ns + llround((double)(now.ns - choice.at_ns) * choice.frequency);
    own.frequency = choice.frequency;
    own.uncertainty_ns = choice.uncertainty_ns;
    return own;
}

double server_clock_frequency_at(const struct server_clock *clock, struct mono_time t)
{
    return clock->known ? segment_at(clock, t.ns)->frequency : 0;
}

void server_clock_connected(struct server_clock *clock, struct mono_time now)
{
    clock->connected = true;
    clock->connected_at_ns = now.ns;
    probe_plan_begin(&clock->plan, now);
}

void server_clock_disconnected(struct server_clock *clock)
{
    clock->connected = false;
}

void server_clock_rest(struct server_clock *clock, bool resting)
{
    clock->plan.resting = resting;
}

struct mono_time server_clock_next_probe(const struct server_clock *clock)
{
    return (struct mono_time){clock->connected ? clock->plan.next_ns : INT64_MAX};
}

void server_clock_probe_sent(struct server_clock *clock, struct mono_time now)
{
    if (clock->echo_seen)
        probe_plan_sent(&clock->plan, now);
    else
        clock->plan.next_ns = now.ns + PROBE_PAUSE_NS;
}
