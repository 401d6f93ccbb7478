/*
 * clock_choice.c: intervals are intersected, and the best kind of evidence says where in between.
 *
 * An interval widens as it ages, by as much as the two clocks may have drifted apart; the youngest
 * are intersected first, and an older one that contradicts what younger ones agree on is passed
 * over: a stepped server clock drops the old evidence. What this connection's stamps and commands
 * say comes before any Date: theirs is the clock that the timeline is written in, a Date's may be a
 * proxy's.
 *
 * All speakers hear the same stamp, equally late where the backend was slow to send it; each gets
 * Dates of its own. What is heard is how far they are apart, so the stamp is what the time is taken
 * from for as long as no Date says that it cannot be.
 */
#include "clock_choice.h"

/* Two free crystals: what the offset may drift while the frequency is not known; what it usually
 * does; and once the frequency was measured over minutes: temperature. */
static const double DRIFT_UNKNOWN = 100e-6;
static const double DRIFT_USUAL = 30e-6;
static const double DRIFT_KNOWN = 0.5e-6;
/* With so many echoes, over minutes, the frequency is known. */
static const size_t ECHOES_MANY = 48;
/* Stamps were seen to arrive 3 to 6 ms after they were made (loopback, up to 30 clients). */
static const int64_t STAMP_DELAY_NS = 4 * NS_PER_MS;
static const int64_t STAMP_SPREAD_NS = 5 * NS_PER_MS;
/* A stalled connection delivers within this, or is given up (ws_alive: 22 to 35 s). */
const int64_t CLOCK_STAMP_LATE_MAX_NS = 10 * NS_PER_S;
/* Stamps that are impossible by less than this are let pass: it may be the estimate that is off. */
static const int64_t STAMP_EARLY_NS = 20 * NS_PER_MS;
/* The filter's grid is no finer. */
static const int64_t DATES_AT_BEST_NS = 20 * NS_PER_MS;
/* Two disciplined machines: each kernel's bound holds for itself; this for the other's. */
static const int64_t OTHER_MACHINE_NS = 5 * NS_PER_MS;
/* Stamps were seen to be sent up to 80 ms after they were made, by a database that was slow: late
 * for all speakers alike. What is later was late for this speaker only. */
static const int64_t STAMP_LATE_FOR_ALL_NS = 100 * NS_PER_MS;
static const int64_t WALL_FRESH_NS = 60 * NS_PER_S;
/* So many stamps cannot all have been so late: it is the wall clock that is ahead. */
static const unsigned STAMPS_ENOUGH = 3;
static const int64_t STAMPS_LATE_NS = 100 * NS_PER_MS;

struct bounds {
    int64_t low_ns;
    int64_t high_ns;
    int64_t told_ns; /* the stamp or command that says most, not widened by its age */
    int64_t told_age_ns;
    enum server_clock_source low_source;
    enum server_clock_source high_source;
    unsigned stamps;
};

int64_t clock_ageing_ns(const struct server_clock *clock, int64_t age_ns)
{
    double rate = clock->echoes.count >= ECHOES_MANY ? DRIFT_KNOWN : DRIFT_UNKNOWN;
    return (int64_t)((double)age_ns * rate);
}

static const struct server_clock_interval *interval_at(const struct server_clock *clock, size_t age)
{
    size_t index = clock->interval_head + clock->interval_count - 1 - age;
    return &clock->intervals[index % SERVER_CLOCK_INTERVALS];
}

/* The stamp that says most, if clocks drift as they usually do. */
static void take_told(struct bounds *bounds, int64_t low_ns, int64_t age_ns)
{
    int64_t faded_ns = low_ns - (int64_t)((double)age_ns * DRIFT_USUAL);
    int64_t best_ns = bounds->told_ns - (int64_t)((double)bounds->told_age_ns * DRIFT_USUAL);
    if (bounds->stamps++ > 0 && faded_ns <= best_ns)
        return;
    bounds->told_ns = low_ns;
    bounds->told_age_ns = age_ns;
}

static void narrow(struct bounds *bounds, int64_t low_ns, int64_t high_ns,
                   enum server_clock_source source)
{
    if (low_ns > bounds->low_ns) {
        bounds->low_ns = low_ns;
        bounds->low_source = source;
    }
    if (high_ns < bounds->high_ns) {
        bounds->high_ns = high_ns;
        bounds->high_source = source;
    }
}

static void take_interval(const struct server_clock *clock, struct bounds *bounds,
                          const struct server_clock_interval *interval, int64_t now_ns)
{
    int64_t age_ns = now_ns - interval->at_ns;
    int64_t widen_ns = clock_ageing_ns(clock, age_ns);
    int64_t move_ns = (int64_t)((double)age_ns * clock->own_frequency);
    int64_t low_ns = interval->low_ns + move_ns - widen_ns;
    int64_t high_ns =
        interval->high_ns == INT64_MAX ? INT64_MAX / 2 : interval->high_ns + move_ns + widen_ns;
    if (low_ns > bounds->high_ns || high_ns < bounds->low_ns)
        return; /* contradicts what is younger, or better */
    if (interval->source == SERVER_CLOCK_STAMPS || interval->source == SERVER_CLOCK_COMMAND)
        take_told(bounds, low_ns + widen_ns, age_ns);
    narrow(bounds, low_ns, high_ns, interval->source);
}

static bool is_first_class(const struct server_clock *clock,
                           const struct server_clock_interval *interval)
{
    return interval->source != SERVER_CLOCK_DATE && interval->at_ns >= clock->connected_at_ns;
}

static void take_class(const struct server_clock *clock, struct bounds *bounds, bool first_class,
                       int64_t now_ns)
{
    for (size_t age = 0; age < clock->interval_count; age++)
        if (is_first_class(clock, interval_at(clock, age)) == first_class)
            take_interval(clock, bounds, interval_at(clock, age), now_ns);
}

static struct bounds intersect_told(const struct server_clock *clock, int64_t now_ns)
{
    struct bounds bounds = {.low_ns = INT64_MIN / 2, .high_ns = INT64_MAX / 2};
    take_class(clock, &bounds, true, now_ns);
    return bounds;
}

static int64_t clamp_ns(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

static struct bounds intersect(const struct server_clock *clock, int64_t now_ns)
{
    struct bounds bounds = intersect_told(clock, now_ns);
    take_class(clock, &bounds, false, now_ns);
    return bounds;
}

void clock_told_bounds(const struct server_clock *clock, int64_t now_ns, int64_t *ret_low_ns,
                       int64_t *ret_high_ns)
{
    struct bounds bounds = intersect_told(clock, now_ns);
    *ret_low_ns = bounds.low_ns;
    *ret_high_ns = bounds.high_ns;
}

/* What the Dates say together; narrower than their intersection. */
static bool dates_range(const struct server_clock *clock, const struct bounds *bounds,
                        int64_t now_ns, struct date_range *ret)
{
    if (!clock->dates.known)
        return false;
    *ret = date_filter_range(&clock->dates);
    int64_t widen_ns = clock_ageing_ns(clock, now_ns - clock->dates.at_ns);
    ret->low_ns -= widen_ns;
    ret->high_ns += widen_ns;
    if (ret->low_ns > bounds->high_ns || ret->high_ns < bounds->low_ns)
        return false;
    if (ret->low_ns < bounds->low_ns)
        ret->low_ns = bounds->low_ns;
    if (ret->high_ns > bounds->high_ns)
        ret->high_ns = bounds->high_ns;
    ret->best_ns = clamp_ns(ret->best_ns, ret->low_ns, ret->high_ns);
    return true;
}

bool clock_stamp_contradicts(const struct server_clock *clock, int64_t now_ns, int64_t low_ns)
{
    struct bounds bounds = intersect(clock, now_ns);
    return low_ns > bounds.high_ns + STAMP_EARLY_NS ||
           low_ns < bounds.low_ns - CLOCK_STAMP_LATE_MAX_NS;
}

/* --- each kind of evidence ------------------------------------------------------------------ */

static bool choose_echo(const struct server_clock *clock, int64_t now_ns,
                        struct clock_choice *choice)
{
    if (clock->echoes.count == 0)
        return false;
    const struct echo *newest = echo_line_echo(&clock->echoes, 0);
    struct echo_fit line = echo_line_fit(&clock->echoes);
    choice->source = SERVER_CLOCK_ECHO;
    choice->at_ns = line.at_ns;
    choice->offset_ns = line.offset_ns;
    choice->frequency = line.frequency;
    choice->uncertainty_ns = s_to_ns(3 * line.sigma_s) +
                             echo_line_shortest_half_ns(&clock->echoes) / 2 +
                             clock_ageing_ns(clock, now_ns - newest->at_ns);
    return true;
}

/* Does anything say that the wall clock is not the server's? */
static bool wall_is_contradicted(const struct server_clock *clock, const struct bounds *bounds,
                                 int64_t slack_ns, int64_t now_ns)
{
    int64_t low_ns = clock->wall_offset_ns - slack_ns, high_ns = clock->wall_offset_ns + slack_ns;
    struct date_range dates;
    if (high_ns < bounds->low_ns || low_ns > bounds->high_ns)
        return true;
    if (bounds->stamps >= STAMPS_ENOUGH && low_ns > bounds->told_ns + STAMPS_LATE_NS)
        return true;
    return dates_range(clock, bounds, now_ns, &dates) &&
           (high_ns < dates.low_ns || low_ns > dates.high_ns);
}

static bool choose_wall(const struct server_clock *clock, const struct bounds *bounds,
                        int64_t now_ns, struct clock_choice *choice)
{
    if (!clock->wall_known || !clock->wall_disciplined ||
        now_ns - clock->wall_at_ns > WALL_FRESH_NS)
        return false;
    int64_t slack_ns = clock->wall_error_ns + OTHER_MACHINE_NS;
    if (wall_is_contradicted(clock, bounds, slack_ns, now_ns))
        return false;
    choice->source = SERVER_CLOCK_DISCIPLINED;
    choice->at_ns = now_ns;
    choice->offset_ns = clamp_ns(clock->wall_offset_ns, bounds->low_ns, bounds->high_ns);
    choice->uncertainty_ns = slack_ns;
    return true;
}

/* Two bounds that are close: a command of ours caused the stamp. */
static bool choose_command(const struct bounds *told, int64_t now_ns, struct clock_choice *choice)
{
    if (told->stamps == 0 || told->high_ns - told->low_ns > 2 * STAMP_DELAY_NS)
        return false;
    choice->source = SERVER_CLOCK_COMMAND;
    choice->at_ns = now_ns;
    choice->uncertainty_ns = (told->high_ns - told->low_ns) / 2;
    choice->offset_ns = told->low_ns + choice->uncertainty_ns;
    return true;
}

/* A stamp is a lower bound. What Dates leave possible says how good it is; only a stamp that was
 * later than it can have been for all gives way to them. */
static bool choose_stamps(const struct server_clock *clock, const struct bounds *bounds,
                          const struct bounds *told, int64_t now_ns, struct clock_choice *choice)
{
    struct date_range dates = {.low_ns = bounds->low_ns, .high_ns = bounds->high_ns};
    if (bounds->stamps == 0)
        return false;
    dates_range(clock, bounds, now_ns, &dates);
    /* The best of n independent delays is nearer to the shortest there is. */
    int64_t spread_ns = STAMP_SPREAD_NS / (bounds->stamps + 1);
    int64_t offset_ns =
        clamp_ns(bounds->told_ns + STAMP_DELAY_NS / 2 + spread_ns, told->low_ns, told->high_ns);
    int64_t ahead_ns = offset_ns - dates.high_ns, behind_ns = dates.low_ns - offset_ns;
    int64_t impossible_ns = ahead_ns > behind_ns ? ahead_ns : behind_ns;
    int64_t drift_ns = clock_ageing_ns(clock, bounds->told_age_ns);
    if (impossible_ns > STAMP_LATE_FOR_ALL_NS + drift_ns)
        return false;
    int64_t aged_ns = STAMP_SPREAD_NS + spread_ns + drift_ns;
    int64_t above_ns = dates.high_ns - offset_ns, below_ns = offset_ns - dates.low_ns;
    int64_t within_ns = above_ns > below_ns ? above_ns : below_ns;
    choice->source = SERVER_CLOCK_STAMPS;
    choice->at_ns = now_ns;
    choice->offset_ns = offset_ns;
    if (impossible_ns > 0) /* it was late by that at least, and hardly by more than twice that */
        aged_ns += 2 * impossible_ns;
    choice->uncertainty_ns = within_ns < aged_ns ? within_ns : aged_ns;
    return true;
}

static bool choose_dates(const struct server_clock *clock, const struct bounds *bounds,
                         int64_t now_ns, struct clock_choice *choice)
{
    struct date_range range = {bounds->low_ns, bounds->high_ns, 0};
    if (bounds->low_source == SERVER_CLOCK_NONE)
        return false;
    if (bounds->high_source == SERVER_CLOCK_NONE) /* a frozen Date is a lower bound */
        range.high_ns = bounds->low_ns + 2 * DATE_FILTER_LAG_MAX_NS;
    range.best_ns = range.low_ns + (range.high_ns - range.low_ns) / 2;
    dates_range(clock, bounds, now_ns, &range);
    choice->source = SERVER_CLOCK_DATE;
    choice->at_ns = now_ns;
    int64_t below_ns = range.best_ns - range.low_ns, above_ns = range.high_ns - range.best_ns;
    int64_t most_ns = below_ns > above_ns ? below_ns : above_ns;
    choice->offset_ns = range.best_ns;
    choice->uncertainty_ns = most_ns < DATES_AT_BEST_NS ? DATES_AT_BEST_NS : most_ns;
    return true;
}

bool clock_choose(const struct server_clock *clock, int64_t now_ns, struct clock_choice *choice)
{
    *choice = (struct clock_choice){.frequency = 0};
    if (choose_echo(clock, now_ns, choice))
        return true;
    struct bounds bounds = intersect(clock, now_ns);
    if (choose_wall(clock, &bounds, now_ns, choice))
        return true;
    struct bounds told = intersect_told(clock, now_ns);
    return choose_command(&told, now_ns, choice) ||
           choose_stamps(clock, &bounds, &told, now_ns, choice) ||
           choose_dates(clock, &bounds, now_ns, choice);
}
