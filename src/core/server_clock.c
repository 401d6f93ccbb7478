/*
 * server_clock.c: evidence in, one smooth line out.
 *
 * All hard evidence is kept as intervals. An interval widens as it ages, by as much as the two
 * clocks may have drifted apart; the youngest are intersected first, and an older one that
 * contradicts what younger ones agree on is passed over: a stepped server clock drops the old
 * evidence. Within what is left, the best kind of evidence there is says where the offset is.
 *
 * Echoes are better than that: echo_line.c.
 */
#include "tutti/core/server_clock.h"

#include "echo_line.h"

#include <math.h>
#include <string.h>

/* Two free crystals: what the offset may drift while the frequency is not known. */
static const double DRIFT_UNKNOWN = 100e-6;
/* And once it was measured over minutes: temperature. */
static const double DRIFT_KNOWN = 0.5e-6;
/* Stamps were seen to arrive 3 to 6 ms after they were made (loopback, up to 30 clients). */
static const int64_t STAMP_DELAY_NS = 4 * NS_PER_MS;
static const int64_t STAMP_SPREAD_NS = 5 * NS_PER_MS;
/* A Date header is refreshed about once a second, cut to whole seconds. */
static const int64_t DATE_LAG_MAX_NS = 2100 * NS_PER_MS;
/* Two disciplined machines: each kernel's bound holds for itself; this for the other's. */
static const int64_t OTHER_MACHINE_NS = 5 * NS_PER_MS;
static const int64_t WALL_FRESH_NS = 60 * NS_PER_S;
/* So many echoes are enough to begin with. */
static const size_t ECHOES_ENOUGH = 5;
/* And with so many, over minutes, the frequency is known. */
static const size_t ECHOES_MANY = 48;
static const int64_t ECHO_AGE_MAX_NS = 640 * NS_PER_S;
static const int64_t STEPPED_NS = 20 * NS_PER_MS;
static const unsigned CONTRADICTIONS_MAX = 3;
/* An estimate this uncertain is replaced at once by a better one. */
static const int64_t ROUGH_NS = 20 * NS_PER_MS;
/* How fast corrections decay into the output: slowly, once there is something to protect. */
static const double DECAY_MIN_S = 1;
static const double DECAY_MAX_S = 12;
static const double DECAY_PER_AGE = 0.2;
/* Other evidence moves it by milliseconds, at most: 0.1 % of pitch for a second or two. */
static const double DECAY_ROUGH_S = 2;
/* How long other evidence waits for an echo that may come. */
static const int64_t SETTLE_NS = 700 * NS_PER_MS;
/* And how long a start waits for better than a rough guess. */
static const int64_t GOOD_ENOUGH_NS = 50 * NS_PER_MS;
static const int64_t SETTLE_LATEST_NS = 2500 * NS_PER_MS;

/* A burst for the offset; then some seconds of single probes for the frequency; then, every ten
 * seconds, a burst to keep both. */
static const unsigned FIRST_BURST = 8;
static const int64_t EARLY_NS = 15 * NS_PER_S;
static const int64_t EARLY_STEP_NS = 400 * NS_PER_MS;
static const unsigned LATER_BURST = 8;
static const int64_t PROBE_STEP_NS = 60 * NS_PER_MS;
static const int64_t PROBE_PAUSE_NS = 10 * NS_PER_S;

void server_clock_init(struct server_clock *clock, int64_t step_ns)
{
    memset(clock, 0, sizeof *clock);
    clock->step_ns = step_ns;
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
    };
    return names[source];
}

static const struct server_clock_interval *interval_at(const struct server_clock *clock, size_t age)
{
    size_t index = clock->interval_head + clock->interval_count - 1 - age;
    return &clock->intervals[index % SERVER_CLOCK_INTERVALS];
}

static double target_at(const struct server_clock *clock, int64_t t_ns)
{
    return (double)(t_ns - clock->target_at_ns) * clock->frequency;
}

static double decay_s(const struct server_clock *clock)
{
    if (clock->source != SERVER_CLOCK_ECHO)
        return DECAY_ROUGH_S;
    double age_s = ns_to_s(echo_line_echo(clock, 0)->at_ns -
                           echo_line_echo(clock, clock->echo_count - 1)->at_ns);
    return fmin(fmax(age_s * DECAY_PER_AGE, DECAY_MIN_S), DECAY_MAX_S);
}

/* Offset at t as it is applied, relative to target_ns. */
static double applied_at(const struct server_clock *clock, int64_t t_ns)
{
    double since_s = ns_to_s(t_ns - clock->smooth_at_ns);
    double residue =
        since_s > 0 ? clock->residue_ns * exp(-since_s / decay_s(clock)) : clock->residue_ns;
    return target_at(clock, t_ns) + residue;
}

static int64_t offset_at(const struct server_clock *clock, int64_t t_ns)
{
    return clock->target_ns + llround(applied_at(clock, t_ns));
}

/* --- intersection -------------------------------------------------------------------------- */

struct bounds {
    int64_t low_ns;
    int64_t high_ns;
    int64_t low_told_ns; /* the evidence behind low_ns, not widened by its age */
    enum server_clock_source low_source;
    enum server_clock_source high_source;
    unsigned stamps;
};

static int64_t ageing(const struct server_clock *clock, int64_t age_ns)
{
    double rate = clock->echo_count >= ECHOES_MANY ? DRIFT_KNOWN : DRIFT_UNKNOWN;
    return (int64_t)((double)age_ns * rate);
}

static struct bounds intersect(const struct server_clock *clock, int64_t now_ns)
{
    struct bounds bounds = {.low_ns = INT64_MIN / 2, .high_ns = INT64_MAX / 2};
    for (size_t age = 0; age < clock->interval_count; age++) {
        const struct server_clock_interval *interval = interval_at(clock, age);
        int64_t age_ns = now_ns - interval->at_ns;
        int64_t widen_ns = ageing(clock, age_ns);
        int64_t move_ns = (int64_t)((double)age_ns * clock->frequency);
        int64_t low_ns = interval->low_ns + move_ns - widen_ns;
        int64_t high_ns =
            interval->high_ns == INT64_MAX ? INT64_MAX / 2 : interval->high_ns + move_ns + widen_ns;
        if (low_ns > bounds.high_ns || high_ns < bounds.low_ns)
            continue; /* contradicts what is younger */
        if (interval->source == SERVER_CLOCK_STAMPS)
            bounds.stamps++;
        if (low_ns > bounds.low_ns) {
            bounds.low_ns = low_ns;
            bounds.low_told_ns = low_ns + widen_ns;
            bounds.low_source = interval->source;
        }
        if (high_ns < bounds.high_ns) {
            bounds.high_ns = high_ns;
            bounds.high_source = interval->source;
        }
    }
    return bounds;
}

static int64_t clamp_ns(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* --- choosing ------------------------------------------------------------------------------ */

struct choice {
    enum server_clock_source source;
    int64_t at_ns;
    int64_t offset_ns;
    double frequency;
    int64_t uncertainty_ns;
};

static bool choose_echo(const struct server_clock *clock, int64_t now_ns, struct choice *choice)
{
    if (clock->echo_count == 0)
        return false;
    const struct server_clock_echo *newest = echo_line_echo(clock, 0);
    struct echo_line line = echo_line_fit(clock);
    choice->source = SERVER_CLOCK_ECHO;
    choice->at_ns = line.at_ns;
    choice->offset_ns = line.offset_ns;
    choice->frequency = line.frequency;
    /* The worse way may never have been as short as the better one: all of the half, then. */
    int64_t half_ns = echo_line_shortest_half_ns(clock);
    choice->uncertainty_ns = s_to_ns(3 * line.sigma_s) + (line.one_sided ? half_ns : half_ns / 2) +
                             ageing(clock, now_ns - newest->at_ns);
    return true;
}

static bool choose_wall(const struct server_clock *clock, const struct bounds *bounds,
                        int64_t now_ns, struct choice *choice)
{
    if (!clock->wall_known || !clock->wall_disciplined ||
        now_ns - clock->wall_at_ns > WALL_FRESH_NS)
        return false;
    int64_t slack_ns = clock->wall_error_ns + OTHER_MACHINE_NS;
    if (clock->wall_offset_ns + slack_ns < bounds->low_ns ||
        clock->wall_offset_ns - slack_ns > bounds->high_ns)
        return false;
    choice->source = SERVER_CLOCK_DISCIPLINED;
    choice->at_ns = now_ns;
    choice->offset_ns = clamp_ns(clock->wall_offset_ns, bounds->low_ns, bounds->high_ns);
    choice->uncertainty_ns = slack_ns;
    return true;
}

static bool choose_bounds(const struct bounds *bounds, int64_t now_ns, struct choice *choice)
{
    bool low = bounds->low_source != SERVER_CLOCK_NONE;
    bool high = bounds->high_source != SERVER_CLOCK_NONE;
    if (!low)
        return false;
    int64_t width_ns = high ? bounds->high_ns - bounds->low_ns : INT64_MAX / 2;
    choice->at_ns = now_ns;
    choice->frequency = 0;
    bool tight =
        bounds->low_source == SERVER_CLOCK_STAMPS || bounds->low_source == SERVER_CLOCK_COMMAND;
    if (tight && width_ns > 2 * STAMP_DELAY_NS) {
        choice->source = SERVER_CLOCK_STAMPS;
        /* The best of n independent delays is nearer to the shortest there is. */
        int64_t spread_ns = STAMP_SPREAD_NS / (bounds->stamps + 1);
        choice->offset_ns = bounds->low_told_ns + STAMP_DELAY_NS / 2 + spread_ns;
        if (choice->offset_ns > bounds->high_ns)
            choice->offset_ns = bounds->high_ns;
        choice->uncertainty_ns = STAMP_SPREAD_NS + spread_ns + bounds->low_told_ns - bounds->low_ns;
        return true;
    }
    choice->source = tight ? SERVER_CLOCK_COMMAND : SERVER_CLOCK_DATE;
    if (!high) {
        choice->offset_ns = bounds->low_ns + DATE_LAG_MAX_NS / 2;
        choice->uncertainty_ns = DATE_LAG_MAX_NS;
        return true;
    }
    choice->offset_ns = bounds->low_ns + width_ns / 2;
    choice->uncertainty_ns = width_ns / 2;
    return true;
}

static bool is_settled(const struct server_clock *clock, int64_t now_ns)
{
    if (clock->settled)
        return true;
    if (clock->source == SERVER_CLOCK_ECHO)
        return clock->echo_count >= ECHOES_ENOUGH;
    int64_t since_ns = now_ns - clock->connected_at_ns;
    return clock->known && clock->connected && since_ns >= SETTLE_NS &&
           (clock->uncertainty_ns <= GOOD_ENOUGH_NS || since_ns >= SETTLE_LATEST_NS);
}

/* Takes a new line; the difference to what was applied so far decays from now on. */
static void adopt(struct server_clock *clock, const struct choice *choice, int64_t now_ns)
{
    double before_ns =
        clock->known ? (double)(clock->target_ns - choice->offset_ns) + applied_at(clock, now_ns)
                     : 0;
    /* What was known only roughly is not worth a glide to what is known better. */
    bool smooth = clock->settled && clock->uncertainty_ns < ROUGH_NS;
    clock->source = choice->source;
    clock->target_at_ns = choice->at_ns;
    clock->target_ns = choice->offset_ns;
    clock->frequency = choice->frequency;
    clock->uncertainty_ns = choice->uncertainty_ns;
    clock->known = true;
    clock->smooth_at_ns = now_ns;
    double residue_ns = before_ns - target_at(clock, now_ns);
    clock->residue_ns = smooth && fabs(residue_ns) <= (double)clock->step_ns ? residue_ns : 0;
}

static void update(struct server_clock *clock, int64_t now_ns)
{
    struct choice choice = {.frequency = 0};
    struct bounds bounds = intersect(clock, now_ns);
    if (!choose_echo(clock, now_ns, &choice) && !choose_wall(clock, &bounds, now_ns, &choice) &&
        !choose_bounds(&bounds, now_ns, &choice))
        return;
    adopt(clock, &choice, now_ns);
    clock->settled = is_settled(clock, now_ns);
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

static void keep_echo(struct server_clock *clock, const struct server_clock_echo *echo)
{
    if (clock->echo_count == SERVER_CLOCK_ECHOES) {
        clock->echo_head = (clock->echo_head + 1) % SERVER_CLOCK_ECHOES;
        clock->echo_count--;
    }
    clock->echoes[(clock->echo_head + clock->echo_count++) % SERVER_CLOCK_ECHOES] = *echo;
}

static void forget_old_echoes(struct server_clock *clock, int64_t now_ns)
{
    while (clock->echo_count > 1 &&
           now_ns - echo_line_echo(clock, clock->echo_count - 1)->at_ns > ECHO_AGE_MAX_NS) {
        clock->echo_head = (clock->echo_head + 1) % SERVER_CLOCK_ECHOES;
        clock->echo_count--;
    }
}

/* An echo whose hard bounds are far from the line: one may be an accident, three are a stepped
 * clock. What is only a little off is left to the fit: it may be the line that is wrong. */
static bool contradicts(const struct server_clock *clock, const struct server_clock_echo *echo)
{
    if (clock->source != SERVER_CLOCK_ECHO)
        return false;
    double line_ns = (double)clock->target_ns + target_at(clock, echo->at_ns);
    double slack_ns = (double)(clock->uncertainty_ns + STEPPED_NS);
    return fabs((double)echo->offset_ns - line_ns) > (double)echo->half_ns + slack_ns;
}

void server_clock_add_echo(struct server_clock *clock, struct mono_time sent,
                           struct mono_time received, struct server_time server_received,
                           struct server_time server_sent)
{
    int64_t low_ns = server_sent.ns - received.ns;
    int64_t high_ns = server_received.ns - sent.ns;
    if (high_ns < low_ns)
        return; /* it took longer there than here: not an echo */
    struct server_clock_echo echo = {
        .at_ns = sent.ns + (received.ns - sent.ns) / 2,
        .offset_ns = low_ns + (high_ns - low_ns) / 2,
        .half_ns = (high_ns - low_ns) / 2,
    };
    if (contradicts(clock, &echo)) {
        if (++clock->contradictions < CONTRADICTIONS_MAX)
            return;
        clock->echo_count = 0;
        clock->interval_count = 0;
    }
    clock->contradictions = 0;
    keep_echo(clock, &echo);
    forget_old_echoes(clock, received.ns);
    add_interval(clock, received.ns, low_ns, high_ns, SERVER_CLOCK_ECHO);
    if (!clock->echo_seen) {
        clock->echo_seen = true;
        clock->probes_left = FIRST_BURST;
        clock->next_probe_ns = received.ns + PROBE_STEP_NS;
    }
    update(clock, received.ns);
}

void server_clock_add_stamp(struct server_clock *clock, struct mono_time arrived,
                            struct server_time stamp)
{
    add_interval(clock, arrived.ns, stamp.ns - arrived.ns, INT64_MAX, SERVER_CLOCK_STAMPS);
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
    int64_t high_ns = fresh_connection ? date.ns + DATE_LAG_MAX_NS - sent.ns : INT64_MAX;
    add_interval(clock, received.ns, date.ns - received.ns, high_ns, SERVER_CLOCK_DATE);
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
    int64_t guess_ns = t.ns - clock->target_ns;
    for (int i = 0; i < 3; i++) /* the offset moves by ppm: each round gains four digits */
        guess_ns = t.ns - offset_at(clock, guess_ns);
    return (struct mono_time){guess_ns};
}

struct server_clock_estimate server_clock_estimate(const struct server_clock *clock,
                                                   struct mono_time now)
{
    double residue_ns = applied_at(clock, now.ns) - target_at(clock, now.ns);
    return (struct server_clock_estimate){
        .known = clock->known,
        .settled = clock->known && is_settled(clock, now.ns),
        .source = clock->source,
        .offset_ns = clock->known ? offset_at(clock, now.ns) : 0,
        .uncertainty_ns = clock->known ? clock->uncertainty_ns + llround(fabs(residue_ns)) +
                                             ageing(clock, now.ns - clock->smooth_at_ns)
                                       : 0,
        .frequency_ppm = clock->frequency * 1e6,
    };
}

void server_clock_connected(struct server_clock *clock, struct mono_time now)
{
    clock->connected = true;
    clock->connected_at_ns = now.ns;
    clock->probes_left = clock->echo_seen ? FIRST_BURST : 1;
    clock->next_probe_ns = now.ns;
}

void server_clock_disconnected(struct server_clock *clock)
{
    clock->connected = false;
}

struct mono_time server_clock_next_probe(const struct server_clock *clock)
{
    return (struct mono_time){clock->connected ? clock->next_probe_ns : INT64_MAX};
}

void server_clock_probe_sent(struct server_clock *clock, struct mono_time now)
{
    if (clock->probes_left > 0)
        clock->probes_left--;
    if (clock->probes_left > 0) {
        clock->next_probe_ns = now.ns + PROBE_STEP_NS;
        return;
    }
    bool early = clock->echo_seen && now.ns - clock->connected_at_ns < EARLY_NS;
    clock->probes_left = clock->echo_seen && !early ? LATER_BURST : 1;
    clock->next_probe_ns = now.ns + (early ? EARLY_STEP_NS : PROBE_PAUSE_NS);
}
