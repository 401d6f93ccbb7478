/*
 * dac_clock.c: which observations to believe, and over how long a window.
 *
 * Phase is kept relative to the nominal rate, so that numbers stay small: a card at +80 ppm
 * advances its phase by 80 microseconds a second. dac_line finds the line that the observations of
 * a window lie below.
 */
#include "tutti/core/dac_clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Enough for a median, and cheap to sort. */
#define STALENESS_SAMPLE 128

static const double WINDOWS_S[] = {4.0, 8.0, 16.0, 32.0, 64.0};
#define WINDOW_COUNT (sizeof WINDOWS_S / sizeof *WINDOWS_S)

/* The line is laid anew after so many observations, a second of them, whatever they are. */
static const unsigned UNFITTED_MAX = 8;
/* A first position: enough looks to have met one that is hardly stale. */
static const size_t READY_POINTS = 8;
static const size_t FIT_MIN = 4;
static const double READY_SPAN_S = 0.014;
/* Crystals drift with temperature: what the window's rate is worth after a restart. */
static const double RESTART_SIGMA = 0.5e-6;
/* A window is looked at in so many parts, to see whether its line is straight. */
#define PARTS 4
/* A gap is no chance where its probability is exp(-this), for each part and look. */
static const double CHANCE = 10;
/* No line is doubted for less than this, however dense the observations. */
static const double STRAIGHT_S = 3e-6;
/* An observed slope this many of its standard errors from the prior one contradicts it. */
static const double DOUBT_SIGMAS = 3;
/* No observation is ahead of the truth; one that is ahead of the line by this, or by some
 * stalenesses, is wrong, unless the crystal wandered that far since the last one was taken. */
static const double AHEAD_S = 2e-3;
static const double AHEAD_STALENESSES = 4;
static const double WANDER_MAX = 50e-6;
static const double CRYSTAL_MAX = 300e-6;
/* Steps shorter than this are seen through well enough by looking at random. */
static const double AIM_STEP_MIN_S = 0.3e-3;
/* Looks are spread this far around the instant at which the pointer moves: what waking up takes,
 * and what the line is uncertain by. */
static const double AIM_SPREAD_S = 60e-6;
static const double AIM_SIGMAS = 4;
static const double AIM_LATE_S = 20e-6;
/* Some looks fall anywhere: a line that has gone astray is found out. */
static const double UNAIMED_SHARE = 0.25;
/* Half a second of looks. */
static const unsigned AHEAD_MAX = 4;

static const struct dac_line_point *point_at(const struct dac_clock *clock, size_t index)
{
    return &clock->points[(clock->head + index) % DAC_CLOCK_POINTS];
}

static const struct dac_line_point *newest(const struct dac_clock *clock)
{
    return point_at(clock, clock->count - 1);
}

void dac_clock_init(struct dac_clock *clock, double nominal_hz, double prior_ppm, double sigma_ppm)
{
    memset(clock, 0, sizeof *clock);
    clock->nominal_hz = nominal_hz;
    clock->prior_slope = prior_ppm * 1e-6;
    clock->prior_sigma = sigma_ppm * 1e-6;
    clock->line = (struct dac_line){.slope = prior_ppm * 1e-6, .slope_sigma = clock->prior_sigma};
}

void dac_clock_restart(struct dac_clock *clock)
{
    clock->prior_slope = clock->line.slope;
    clock->prior_sigma = fmax(clock->line.slope_sigma, RESTART_SIGMA);
    clock->line.slope_sigma = clock->prior_sigma;
    pointer_grid_init(&clock->grid);
    clock->head = 0;
    clock->count = 0;
    clock->window_s = 0;
    clock->staleness_s = 0;
}

bool dac_clock_ready(const struct dac_clock *clock)
{
    return clock->count >= READY_POINTS &&
           newest(clock)->time_s - point_at(clock, 0)->time_s >= READY_SPAN_S;
}

/* The index of the oldest observation that is at most window_s older than the newest. */
static size_t window_start(const struct dac_clock *clock, double window_s)
{
    double oldest_s = newest(clock)->time_s - window_s;
    size_t low = 0, high = clock->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (point_at(clock, middle)->time_s < oldest_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What the prior slope is worth beside one that was observed: no more than it is off by, once that
 * is beyond doubt. A remembered rate may be another card's, and crystals do not keep theirs. */
static struct dac_line_prior weigh_prior(const struct dac_clock *clock,
                                         const struct dac_line *observed)
{
    double off = fabs(observed->slope - clock->prior_slope);
    double beyond = off - DOUBT_SIGMAS * observed->slope_sigma;
    return (struct dac_line_prior){clock->prior_slope, hypot(clock->prior_sigma, fmax(beyond, 0))};
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/*
 * The range of staleness, taken as uniform: twice the median distance from the line. The median,
 * because looks that a busy machine made very late say nothing of the driver.
 */
static double measure_staleness(const struct dac_clock *clock, const struct dac_line *line,
                                double window_s)
{
    double below_s[STALENESS_SAMPLE];
    size_t start = window_start(clock, window_s), n = 0;
    size_t stride = (clock->count - start) / STALENESS_SAMPLE + 1;
    for (size_t i = start; i < clock->count; i += stride) {
        const struct dac_line_point *p = point_at(clock, i);
        below_s[n++] = dac_line_at(line, p->time_s) - p->phase_s;
    }
    qsort(below_s, n, sizeof *below_s, compare_doubles);
    return fmax(2 * below_s[n / 2], 1 / clock->nominal_hz);
}

/*
 * Are these still observations of one straight line? In a part of the window in which the card kept
 * to it, the highest observation is expected within 1 / density of the line; a crystal that
 * wandered leaves a gap somewhere. The density is that of `half`, the younger half of the window,
 * which is believed already. It was measured from a few observations, so that gaps follow a Pareto
 * distribution: (1 + gap x density / measured) ^ -measured.
 */
static bool is_straight(const struct dac_line *line, const struct dac_line_point *points,
                        size_t count, const struct dac_line *half, size_t half_count)
{
    double gaps = half->measured * expm1(CHANCE / half->measured);
    double from_s = points[0].time_s, part_s = (points[count - 1].time_s - from_s) / PARTS;
    size_t first = 0;
    for (int part = 1; part <= PARTS; part++) {
        size_t end = first;
        double gap_s = INFINITY;
        for (; end < count && (part == PARTS || points[end].time_s < from_s + part * part_s); end++)
            gap_s = fmin(gap_s, dac_line_at(line, points[end].time_s) - points[end].phase_s);
        double expected_s = (double)half_count / (half->density * (double)(end - first));
        if (end > first && gap_s > STRAIGHT_S + gaps * expected_s)
            return false;
        first = end;
    }
    return true;
}

static void refit(struct dac_clock *clock)
{
    clock->unfitted = 0;
    static const struct dac_line_prior unknown = {0, DAC_CLOCK_UNKNOWN_SIGMA_PPM * 1e-6};
    struct dac_line_point points[DAC_CLOCK_POINTS]; /* in a row, for the ring is not */
    for (size_t i = 0; i < clock->count; i++)
        points[i] = *point_at(clock, i);
    double span_s = newest(clock)->time_s - points[0].time_s;
    double window_s = fmin(WINDOWS_S[0], span_s);
    size_t start = window_start(clock, window_s);
    struct dac_line line = dac_line_fit(points + start, clock->count - start, unknown);
    for (size_t i = 1; i < WINDOW_COUNT && span_s > WINDOWS_S[i - 1]; i++) {
        double wider_s = fmin(WINDOWS_S[i], span_s);
        size_t wider_start = window_start(clock, wider_s), wider_count = clock->count - wider_start;
        struct dac_line wider = dac_line_fit(points + wider_start, wider_count, unknown);
        if (!is_straight(&wider, points + wider_start, wider_count, &line, clock->count - start))
            break;
        line = wider;
        window_s = wider_s;
        start = wider_start;
    }
    clock->line = dac_line_fit(points + start, clock->count - start, weigh_prior(clock, &line));
    clock->window_s = window_s;
    clock->staleness_s = measure_staleness(clock, &clock->line, window_s);
}

static double highest_phase_s(const struct dac_clock *clock)
{
    double highest_s = -INFINITY;
    for (size_t i = 0; i < clock->count; i++)
        highest_s = fmax(highest_s, point_at(clock, i)->phase_s);
    return highest_s;
}

/* Is it ahead of all that the line allows? The card cannot have come there. Before there is a line:
 * ahead of all that was seen, as while a card that has just started fills its own buffers. */
static bool is_ahead(const struct dac_clock *clock, const struct dac_line_point *point)
{
    if (!dac_clock_ready(clock))
        return clock->count > 0 && point->phase_s - highest_phase_s(clock) > AHEAD_S;
    double since_s = point->time_s - newest(clock)->time_s;
    double line_s = dac_line_at(&clock->line, point->time_s);
    double slack_s = (WANDER_MAX + 3 * clock->line.slope_sigma) * since_s;
    return point->phase_s - line_s >
           fmax(AHEAD_S, AHEAD_STALENESSES * clock->staleness_s) + slack_s;
}

/* Forgets what a card that is now at this point cannot have shown: stale observations that bent the
 * line, or all, if the card has lost frames. */
static void keep_agreeing(struct dac_clock *clock, const struct dac_line_point *point)
{
    size_t kept = 0;
    for (size_t i = 0; i < clock->count; i++) {
        struct dac_line_point old = *point_at(clock, i);
        double allowed_s = AHEAD_S + CRYSTAL_MAX * (point->time_s - old.time_s);
        if (fabs(point->phase_s - old.phase_s) < allowed_s)
            clock->points[(clock->head + kept++) % DAC_CLOCK_POINTS] = old;
    }
    clock->count = kept;
}

/* True if the observation is to be passed over. Some in a row that are ahead and agree, as those of
 * one card do, whatever the line says: then it is the line that is wrong. */
static bool disbelieve(struct dac_clock *clock, const struct dac_line_point *point)
{
    if (!is_ahead(clock, point)) {
        clock->ahead = 0;
        return false;
    }
    bool agrees = fabs(point->phase_s - clock->ahead_phase_s) < AHEAD_S;
    clock->ahead_phase_s = point->phase_s;
    clock->ahead = clock->ahead > 0 && agrees ? clock->ahead + 1 : 1;
    clock->disbelieved++;
    if (clock->ahead < AHEAD_MAX)
        return true;
    clock->ahead = 0;
    keep_agreeing(clock, point);
    return false;
}

/* An observation that is far below the line leaves it as it is. While little is known all count. */
static bool tells_something(const struct dac_clock *clock, const struct dac_line_point *point)
{
    double near_s = (clock->line.measured + 1) / clock->line.density;
    return clock->window_s < WINDOWS_S[0] ||
           point->phase_s > dac_line_at(&clock->line, point->time_s) - near_s;
}

void dac_clock_observe(struct dac_clock *clock, struct mono_time at, int64_t frame)
{
    if (clock->count == 0)
        clock->origin = at;
    double time_s = ns_to_s(mono_sub(at, clock->origin));
    if (clock->count > 0 && time_s <= newest(clock)->time_s)
        return;
    pointer_grid_observe(&clock->grid, frame);
    struct dac_line_point point = {.time_s = time_s,
                                   .phase_s = (double)frame / clock->nominal_hz - time_s};
    if (disbelieve(clock, &point))
        return;
    if (clock->count == DAC_CLOCK_POINTS) {
        clock->head = (clock->head + 1) % DAC_CLOCK_POINTS;
        clock->count--;
    }
    size_t slot = (clock->head + clock->count++) % DAC_CLOCK_POINTS;
    clock->points[slot] = point;
    clock->unfitted++;
    if (clock->count >= FIT_MIN &&
        (clock->unfitted >= UNFITTED_MAX || tells_something(clock, &point)))
        refit(clock);
}

double dac_clock_frame_at(const struct dac_clock *clock, struct mono_time at)
{
    double time_s = ns_to_s(mono_sub(at, clock->origin));
    double phase_s = dac_line_at(&clock->line, time_s);
    return (time_s + phase_s) * clock->nominal_hz;
}

struct mono_time dac_clock_time_of(const struct dac_clock *clock, double frame)
{
    /* Solves frame / nominal = t + phase + slope (t - reference) for t. */
    const struct dac_line *line = &clock->line;
    double y = frame / clock->nominal_hz - line->phase_s + line->slope * line->reference_s;
    return mono_add(clock->origin, s_to_ns(y / (1 + line->slope)));
}

struct mono_time dac_clock_aim(const struct dac_clock *clock, struct mono_time at, double walk)
{
    double step_s = pointer_grid_step(&clock->grid) / clock->nominal_hz;
    if (!dac_clock_ready(clock) || step_s < AIM_STEP_MIN_S || walk < UNAIMED_SHARE)
        return at;
    double spread_s = fmin(AIM_SPREAD_S + AIM_SIGMAS * dac_clock_sigma_s(clock), step_s / 2);
    double around = (walk - UNAIMED_SHARE) / (1 - UNAIMED_SHARE) * 2 - 1;
    double moves = pointer_grid_next(&clock->grid, dac_clock_frame_at(clock, at));
    return mono_add(dac_clock_time_of(clock, moves), s_to_ns(spread_s * around + AIM_LATE_S));
}

double dac_clock_ppm(const struct dac_clock *clock)
{
    return clock->line.slope * 1e6;
}

double dac_clock_ppm_sigma(const struct dac_clock *clock)
{
    return clock->line.slope_sigma * 1e6;
}

double dac_clock_sigma_s(const struct dac_clock *clock)
{
    return hypot(clock->line.phase_sigma_s, clock->line.slope_sigma * clock->window_s / 2);
}

double dac_clock_window_s(const struct dac_clock *clock)
{
    return clock->window_s;
}
