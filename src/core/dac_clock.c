/*
 * dac_clock.c: a straight line through the least stale observations of a window.
 *
 * Phase is kept relative to the nominal rate, so that numbers stay small: a card at +80 ppm
 * advances its phase by 80 microseconds a second. Each block of a window gives one point, the
 * one with the highest phase above the slope known so far; least squares through these points,
 * with the remembered rate as one more weighted observation of the slope, gives the line. With m
 * observations of uniform staleness in [0, s], the best is stale by s / (m + 1) on average, which
 * is added back.
 */
#include "tutti/core/dac_clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 8
/* A block needs some looks, so that the best of them is a good one. */
#define LOOKS_PER_BLOCK 4
/* Enough for a median, and cheap to sort. */
#define STALENESS_SAMPLE 128

static const double WINDOWS_S[] = {4.0, 8.0, 16.0, 32.0, 64.0};
#define WINDOW_COUNT (sizeof WINDOWS_S / sizeof *WINDOWS_S)

/* A first position: enough looks to have met one that is hardly stale. */
static const size_t READY_POINTS = 8;
static const double READY_SPAN_S = 0.014;
/* Crystals drift with temperature: what the window's rate is worth after a restart. */
static const double RESTART_SIGMA = 0.5e-6;
/* Two lines that differ by less than this are the same for our purpose, however small the noise. */
static const double AGREE_S = 1.5e-6;
/* A line may be this many of its standard errors off before it is called another line. */
static const double AGREE_SIGMAS = 4.5;
/* No line is believed to better than this: the clock readings themselves scatter. */
static const double NOISE_FLOOR_S = 0.2e-6;
/* No observation is ahead of the truth; one that is ahead of the line by this, or by some
 * stalenesses, is wrong, unless the crystal wandered that far since the last one was taken. */
static const double AHEAD_S = 2e-3;
static const double AHEAD_STALENESSES = 4;
static const double WANDER_MAX = 50e-6;
static const double CRYSTAL_MAX = 300e-6;
/* Half a second of looks. */
static const unsigned AHEAD_MAX = 4;

struct line {
    double reference_s;
    double phase_s; /* at reference_s */
    double slope;
    double phase_sigma_s;
    double slope_sigma;
};

static const struct dac_clock_point *point_at(const struct dac_clock *clock, size_t index)
{
    return &clock->points[(clock->head + index) % DAC_CLOCK_POINTS];
}

static const struct dac_clock_point *newest(const struct dac_clock *clock)
{
    return point_at(clock, clock->count - 1);
}

static double line_at(const struct line *line, double time_s)
{
    return line->phase_s + line->slope * (time_s - line->reference_s);
}

void dac_clock_init(struct dac_clock *clock, double nominal_hz, double prior_ppm, double sigma_ppm)
{
    memset(clock, 0, sizeof *clock);
    clock->nominal_hz = nominal_hz;
    clock->prior_slope = prior_ppm * 1e-6;
    clock->prior_sigma = sigma_ppm * 1e-6;
    clock->slope = clock->prior_slope;
    clock->slope_sigma = clock->prior_sigma;
}

void dac_clock_restart(struct dac_clock *clock)
{
    clock->prior_slope = clock->slope;
    clock->prior_sigma = fmax(clock->slope_sigma, RESTART_SIGMA);
    clock->slope_sigma = clock->prior_sigma;
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

struct envelope {
    struct dac_clock_point best[BLOCKS];
    size_t members[BLOCKS];
    size_t count;
};

static size_t block_count(size_t looks)
{
    size_t blocks = looks / LOOKS_PER_BLOCK;
    return blocks < 2 ? 2 : blocks > BLOCKS ? BLOCKS : blocks;
}

/* The least stale observation of each block, seen along `slope`. */
static void find_envelope(const struct dac_clock *clock, size_t start, double window_s,
                          double slope, struct envelope *ret)
{
    double from_s = newest(clock)->time_s - window_s;
    size_t blocks = block_count(clock->count - start);
    size_t i = start;
    ret->count = 0;
    for (size_t block = 0; block < blocks && i < clock->count; block++) {
        bool last = block == blocks - 1;
        double end_s = from_s + window_s * (double)(block + 1) / (double)blocks;
        size_t first = i, best = i;
        double best_s = -INFINITY;
        for (; i < clock->count && (last || point_at(clock, i)->time_s < end_s); i++) {
            const struct dac_clock_point *p = point_at(clock, i);
            double level_s = p->phase_s - slope * (p->time_s - from_s);
            if (level_s > best_s) {
                best_s = level_s;
                best = i;
            }
        }
        if (i == first)
            continue;
        ret->members[ret->count] = i - first;
        ret->best[ret->count++] = *point_at(clock, best);
    }
}

/* Lifts each block's best by what the best of so many is expected to be stale. */
static void lift_envelope(struct envelope *envelope, double staleness_s)
{
    for (size_t k = 0; k < envelope->count; k++)
        envelope->best[k].phase_s += staleness_s / (double)(envelope->members[k] + 1);
}

/* Least squares, with the prior slope as one more observation. */
static struct line fit_points(const struct dac_clock *clock, const struct envelope *envelope,
                              const bool *left_out, double noise_s)
{
    double n = 0, sum_t = 0, sum_y = 0;
    for (size_t k = 0; k < envelope->count; k++) {
        if (left_out[k])
            continue;
        n += 1;
        sum_t += envelope->best[k].time_s;
        sum_y += envelope->best[k].phase_s;
    }
    double mean_t = sum_t / n, mean_y = sum_y / n, s_tt = 0, s_ty = 0;
    for (size_t k = 0; k < envelope->count; k++) {
        if (left_out[k])
            continue;
        double t = envelope->best[k].time_s - mean_t;
        s_tt += t * t;
        s_ty += t * (envelope->best[k].phase_s - mean_y);
    }
    double weight = s_tt / (noise_s * noise_s);
    double prior_weight = 1 / (clock->prior_sigma * clock->prior_sigma);
    struct line line = {.reference_s = mean_t, .phase_s = mean_y};
    line.slope =
        (s_ty / (noise_s * noise_s) + clock->prior_slope * prior_weight) / (weight + prior_weight);
    line.slope_sigma = 1 / sqrt(weight + prior_weight);
    line.phase_sigma_s = noise_s / sqrt(n);
    return line;
}

static double residual(const struct envelope *envelope, const struct line *line, size_t k)
{
    return envelope->best[k].phase_s - line_at(line, envelope->best[k].time_s);
}

/* Leaves out blocks in which every look was stale by far: a card that has reached the best of the
 * others had come further by then, whatever its crystal. */
static void leave_out_stale(const struct envelope *envelope, double staleness_s, bool *left_out)
{
    double slack_s = fmax(AHEAD_S, AHEAD_STALENESSES * staleness_s);
    for (size_t k = 0; k < envelope->count; k++) {
        const struct dac_clock_point *p = &envelope->best[k];
        for (size_t j = 0; j < envelope->count; j++) {
            const struct dac_clock_point *other = &envelope->best[j];
            double reached_s = other->phase_s - CRYSTAL_MAX * fabs(other->time_s - p->time_s);
            left_out[k] = left_out[k] || p->phase_s < reached_s - slack_s;
        }
    }
}

/* The block that spoils the fit most, if it clearly does; BLOCKS if none. */
static size_t find_outlier(const struct envelope *envelope, const struct line *line,
                           const bool *left_out)
{
    size_t worst = 0, count = 0;
    double worst_s = 0, sum_s = 0;
    for (size_t k = 0; k < envelope->count; k++) {
        if (left_out[k])
            continue;
        count++;
        double r = fabs(residual(envelope, line, k));
        sum_s += r;
        if (r > worst_s) {
            worst_s = r;
            worst = k;
        }
    }
    if (count < 5)
        return BLOCKS;
    double others_s = (sum_s - worst_s) / (double)(count - 1);
    return worst_s > 6 * others_s + 5e-6 ? worst : BLOCKS;
}

static struct line fit_window(const struct dac_clock *clock, double window_s)
{
    size_t start = window_start(clock, window_s);
    double slope = clock->slope;
    struct line line = {0};
    /* The slope decides which look of a block is the best, and these decide the slope. */
    for (int round = 0; round < 2; round++) {
        struct envelope envelope;
        find_envelope(clock, start, window_s, slope, &envelope);
        lift_envelope(&envelope, clock->staleness_s);
        double per_block = (double)(clock->count - start) / (double)envelope.count;
        double noise_s = fmax(clock->staleness_s / (per_block + 1), NOISE_FLOOR_S);
        bool left_out[BLOCKS] = {false};
        leave_out_stale(&envelope, clock->staleness_s, left_out);
        line = fit_points(clock, &envelope, left_out, noise_s);
        size_t outlier = find_outlier(&envelope, &line, left_out);
        if (outlier < BLOCKS) {
            left_out[outlier] = true;
            line = fit_points(clock, &envelope, left_out, noise_s);
        }
        slope = line.slope;
    }
    return line;
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
static double measure_staleness(const struct dac_clock *clock, const struct line *line,
                                double window_s)
{
    double below_s[STALENESS_SAMPLE];
    size_t start = window_start(clock, window_s), n = 0;
    size_t stride = (clock->count - start) / STALENESS_SAMPLE + 1;
    for (size_t i = start; i < clock->count; i += stride) {
        const struct dac_clock_point *p = point_at(clock, i);
        below_s[n++] = line_at(line, p->time_s) - p->phase_s;
    }
    qsort(below_s, n, sizeof *below_s, compare_doubles);
    return fmax(2 * below_s[n / 2], 1 / clock->nominal_hz);
}

/* Do the line of a window and that of its younger half say the same of that half? */
static bool lines_agree(const struct line *whole, const struct line *half, double now_s,
                        double half_s)
{
    double half_sigma_s = hypot(half->phase_sigma_s, half->slope_sigma * half_s / 2);
    double whole_sigma_s = hypot(whole->phase_sigma_s, whole->slope_sigma * half_s);
    double bound_s = AGREE_S + AGREE_SIGMAS * hypot(half_sigma_s, whole_sigma_s);
    return fabs(line_at(whole, now_s) - line_at(half, now_s)) < bound_s &&
           fabs(line_at(whole, now_s - half_s) - line_at(half, now_s - half_s)) < bound_s;
}

static void refit(struct dac_clock *clock)
{
    double now_s = newest(clock)->time_s;
    double span_s = now_s - point_at(clock, 0)->time_s;
    double window_s = fmin(WINDOWS_S[0], fmax(span_s, 1e-3));
    struct line line = fit_window(clock, window_s);
    for (size_t i = 1; i < WINDOW_COUNT && span_s > WINDOWS_S[i - 1]; i++) {
        double wider_s = fmin(WINDOWS_S[i], span_s);
        struct line wider = fit_window(clock, wider_s);
        if (!lines_agree(&wider, &line, now_s, window_s))
            break;
        line = wider;
        window_s = wider_s;
    }
    clock->staleness_s = measure_staleness(clock, &line, window_s);
    clock->reference_s = line.reference_s;
    clock->phase_s = line.phase_s;
    clock->slope = line.slope;
    clock->slope_sigma = line.slope_sigma;
    clock->phase_sigma_s = line.phase_sigma_s;
    clock->window_s = fmin(window_s, span_s);
}

/* Is it ahead of all that the line allows? The card cannot have come there. */
static bool is_ahead(const struct dac_clock *clock, const struct dac_clock_point *point)
{
    if (!dac_clock_ready(clock))
        return false;
    double since_s = point->time_s - newest(clock)->time_s;
    double line_s = clock->phase_s + clock->slope * (point->time_s - clock->reference_s);
    double slack_s = (WANDER_MAX + 3 * clock->slope_sigma) * since_s;
    return point->phase_s - line_s >
           fmax(AHEAD_S, AHEAD_STALENESSES * clock->staleness_s) + slack_s;
}

/* Forgets what a card that is now at this point cannot have shown: stale observations that bent the
 * line, or all, if the card has lost frames. */
static void keep_agreeing(struct dac_clock *clock, const struct dac_clock_point *point)
{
    size_t kept = 0;
    for (size_t i = 0; i < clock->count; i++) {
        struct dac_clock_point old = *point_at(clock, i);
        double allowed_s = AHEAD_S + CRYSTAL_MAX * (point->time_s - old.time_s);
        if (fabs(point->phase_s - old.phase_s) < allowed_s)
            clock->points[(clock->head + kept++) % DAC_CLOCK_POINTS] = old;
    }
    clock->count = kept;
}

/* True if the observation is to be passed over. Some in a row that are ahead and agree, as those of
 * one card do, whatever the line says: then it is the line that is wrong. */
static bool disbelieve(struct dac_clock *clock, const struct dac_clock_point *point)
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

void dac_clock_observe(struct dac_clock *clock, struct mono_time at, int64_t frame)
{
    if (clock->count == 0)
        clock->origin = at;
    double time_s = ns_to_s(mono_sub(at, clock->origin));
    if (clock->count > 0 && time_s <= newest(clock)->time_s)
        return;
    struct dac_clock_point point = {.time_s = time_s,
                                    .phase_s = (double)frame / clock->nominal_hz - time_s};
    if (disbelieve(clock, &point))
        return;
    if (clock->count == DAC_CLOCK_POINTS) {
        clock->head = (clock->head + 1) % DAC_CLOCK_POINTS;
        clock->count--;
    }
    size_t slot = (clock->head + clock->count++) % DAC_CLOCK_POINTS;
    clock->points[slot] = point;
    refit(clock);
}

double dac_clock_frame_at(const struct dac_clock *clock, struct mono_time at)
{
    double time_s = ns_to_s(mono_sub(at, clock->origin));
    double phase_s = clock->phase_s + clock->slope * (time_s - clock->reference_s);
    return (time_s + phase_s) * clock->nominal_hz;
}

struct mono_time dac_clock_time_of(const struct dac_clock *clock, double frame)
{
    /* Solves frame / nominal = t + phase + slope (t - reference) for t. */
    double y = frame / clock->nominal_hz - clock->phase_s + clock->slope * clock->reference_s;
    return mono_add(clock->origin, s_to_ns(y / (1 + clock->slope)));
}

double dac_clock_ppm(const struct dac_clock *clock)
{
    return clock->slope * 1e6;
}

double dac_clock_ppm_sigma(const struct dac_clock *clock)
{
    return clock->slope_sigma * 1e6;
}

double dac_clock_sigma_s(const struct dac_clock *clock)
{
    return hypot(clock->phase_sigma_s, clock->slope_sigma * clock->window_s / 2);
}

double dac_clock_window_s(const struct dac_clock *clock)
{
    return clock->window_s;
}
