/*
 * echo_line.c: a weighted line through the echoes of the last ten minutes.
 *
 * On a quiet network, both edges of each echo's interval are points, weighted by how much longer
 * than the shortest the round trip was; that is the middle of the quickest.
 *
 * On one with jitter, the quickest round trips are too few, and the ways need not be alike: 20 ms
 * in one direction only would be 10 ms of error. All delays are positive, so each way's points lie
 * on one side of the truth: the line is taken that touches both ways' points from their side and is
 * nearest to them (the likeliest one for delays of an exponential distribution, each way with a
 * mean of its own).
 *
 * A round trip of seconds, by a backend that was stopped or a network that was away, says nothing
 * of what the network is like otherwise: it is left out of what means are taken of.
 */
#include "tutti/core/echo_line.h"

#include "tutti/core/golden_section.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static const int64_t ECHO_AGE_MAX_NS = 640 * NS_PER_S;
/* A round trip on a quiet machine is uncertain by about this, whatever its length. */
static const double ECHO_NOISE_S = 10e-6;
/* Round trips that vary by more than this on average: a network with jitter. */
static const double JITTER_S = 250e-6;
/* Of an exponential distribution's delays, one in a thousand is ten times the median. */
static const double FAR_MEDIANS = 10;
/* Frequency before it is measured; crystals differ by some tens of ppm. */
static const double FREQUENCY_SIGMA = 30e-6;
/* No two crystals differ by more; a golden-section search over this range ends within 0.1 ppm. */
static const double SLOPE_MAX = 400e-6;
#define SLOPE_STEPS 18
#define ENVELOPE_ROUNDS 2
#define MEAN_STEPS 8
/* e to the minus this is nothing. */
static const double UNLIKELY = 6;
/* How far off all points are together says much where delays are exponential, and nothing where they
 * are uniform, which nobody can tell: it counts by this much less, where likely lines are weighed. */
static const double DOUBT = 8;

bool echo_from_stamps(int64_t sent_ns, int64_t received_ns, int64_t their_received_ns,
                      int64_t their_sent_ns, struct echo *ret_echo)
{
    int64_t low_ns = their_sent_ns - received_ns, high_ns = their_received_ns - sent_ns;
    if (high_ns < low_ns)
        return false;
    *ret_echo = (struct echo){
        .at_ns = sent_ns + (received_ns - sent_ns) / 2,
        .offset_ns = low_ns + (high_ns - low_ns) / 2,
        .half_ns = (high_ns - low_ns) / 2,
    };
    return true;
}

void echo_line_clear(struct echo_line *line)
{
    line->head = line->count = 0;
}

static void drop_oldest(struct echo_line *line, size_t count)
{
    line->head = (line->head + count) % ECHO_LINE_MAX;
    line->count -= count;
}

void echo_line_add(struct echo_line *line, const struct echo *echo, int64_t now_ns)
{
    if (line->count == ECHO_LINE_MAX)
        drop_oldest(line, 1);
    line->echoes[(line->head + line->count++) % ECHO_LINE_MAX] = *echo;
    while (line->count > 1 &&
           now_ns - echo_line_echo(line, line->count - 1)->at_ns > ECHO_AGE_MAX_NS)
        drop_oldest(line, 1);
}

void echo_line_forget_older_half(struct echo_line *line)
{
    drop_oldest(line, line->count / 2);
}

const struct echo *echo_line_echo(const struct echo_line *line, size_t age)
{
    size_t index = line->head + line->count - 1 - age;
    return &line->echoes[index % ECHO_LINE_MAX];
}

int64_t echo_line_shortest_half_ns(const struct echo_line *line)
{
    int64_t shortest = INT64_MAX;
    for (size_t age = 0; age < line->count; age++)
        if (echo_line_echo(line, age)->half_ns < shortest)
            shortest = echo_line_echo(line, age)->half_ns;
    return shortest;
}

/* One edge of an echo's interval, moved in by the shortest way there is: the offset, if this way
 * was as short as that; too high (upper edge) or too low (lower edge) by what it was longer. */
static double edge_s(const struct echo *echo, int64_t origin_ns, int64_t shortest_ns, int side)
{
    return ns_to_s(echo->offset_ns - origin_ns + side * (echo->half_ns - shortest_ns));
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Echoes of longer halves are out of the ordinary. At least half of all are not. There is one. */
static int64_t far_half_ns(const struct echo_line *line)
{
    int64_t halves_ns[ECHO_LINE_MAX] = {0};
    size_t count = line->count;
    assert(count > 0);
    for (size_t age = 0; age < count; age++)
        halves_ns[age] = echo_line_echo(line, age)->half_ns;
    qsort(halves_ns, count, sizeof *halves_ns, compare);
    double detour_s = ns_to_s(halves_ns[(count - 1) / 2] - halves_ns[0]);
    return halves_ns[0] + s_to_ns(FAR_MEDIANS * fmax(detour_s, ECHO_NOISE_S));
}

struct sums {
    double w, t, y, tt, ty;
};

static void add_point(struct sums *sums, double t, double y, double weight)
{
    sums->w += weight;
    sums->t += weight * t;
    sums->y += weight * y;
    sums->tt += weight * t * t;
    sums->ty += weight * t * y;
}

/* The weighted line, drawn towards frequency 0 by what crystals are like. */
static struct echo_fit solve(const struct sums *sums)
{
    double mean_t = sums->t / sums->w, mean_y = sums->y / sums->w;
    double s_tt = sums->tt - sums->t * mean_t + 1 / (FREQUENCY_SIGMA * FREQUENCY_SIGMA);
    double frequency = (sums->ty - sums->t * mean_y) / s_tt;
    return (struct echo_fit){
        .offset_s = mean_y - frequency * mean_t,
        .frequency = frequency,
        .sigma_s = sqrt(1 / sums->w + mean_t * mean_t / s_tt),
        .frequency_sigma = 1 / sqrt(s_tt),
    };
}

/* Points weighted by the detours of their round trips. */
static struct echo_fit fit_middle(const struct echo_line *line)
{
    const struct echo *newest = echo_line_echo(line, 0);
    int64_t shortest_ns = echo_line_shortest_half_ns(line);
    struct sums sums = {0};
    for (size_t age = 0; age < line->count; age++) {
        const struct echo *echo = echo_line_echo(line, age);
        double t = ns_to_s(echo->at_ns - newest->at_ns);
        double detour_s = ns_to_s(echo->half_ns - shortest_ns);
        double weight = 1 / (ECHO_NOISE_S * ECHO_NOISE_S + detour_s * detour_s);
        add_point(&sums, t, edge_s(echo, newest->offset_ns, shortest_ns, -1), weight);
        add_point(&sums, t, edge_s(echo, newest->offset_ns, shortest_ns, 1), weight);
    }
    return solve(&sums);
}

/* --- envelopes ------------------------------------------------------------------------------ */

/* One way's points, turned so that the envelope is below. */
struct way {
    int side;
    size_t count;
    double t[ECHO_LINE_MAX];
    double above_s[ECHO_LINE_MAX];
};

static void gather(const struct echo_line *line, int64_t far_ns, int side, struct way *ret)
{
    int64_t origin_ns = echo_line_echo(line, 0)->offset_ns;
    int64_t origin_at_ns = echo_line_echo(line, 0)->at_ns;
    int64_t shortest_ns = echo_line_shortest_half_ns(line);
    ret->side = side;
    ret->count = 0;
    for (size_t age = 0; age < line->count; age++) {
        const struct echo *echo = echo_line_echo(line, age);
        if (echo->half_ns > far_ns)
            continue;
        ret->t[ret->count] = ns_to_s(echo->at_ns - origin_at_ns);
        ret->above_s[ret->count++] = side * edge_s(echo, origin_ns, shortest_ns, side);
    }
}

/* The line of this slope that touches a way's points: where it is at the newest echo, and the mean
 * distance of the points, which is how bad the way is. */
struct envelope {
    double level_s;
    double distance_s;
};

static struct envelope envelope_of_slope(const struct way *way, double slope)
{
    double least = INFINITY, sum = 0;
    for (size_t i = 0; i < way->count; i++) {
        double above = way->above_s[i] - way->side * slope * way->t[i];
        least = above < least ? above : least;
        sum += above;
    }
    return (struct envelope){way->side * least, sum / (double)way->count - least};
}

/* -log of a slope's likelihood: convex. */
static double unlikeliness(const struct way ways[2], const double means_s[2], double slope)
{
    double sum = slope * slope / (2 * FREQUENCY_SIGMA * FREQUENCY_SIGMA);
    for (int i = 0; i < 2; i++)
        sum += (double)ways[i].count * envelope_of_slope(&ways[i], slope).distance_s / means_s[i];
    return sum;
}

struct likelihood {
    const struct way *ways; /* two */
    const double *means_s;  /* of each */
};

static double unlikeliness_of_slope(const void *context, double slope)
{
    const struct likelihood *likelihood = context;
    return unlikeliness(likelihood->ways, likelihood->means_s, slope);
}

static double likeliest_slope(const struct way ways[2], const double means_s[2])
{
    const struct likelihood likelihood = {ways, means_s};
    return golden_section_minimum(unlikeliness_of_slope, &likelihood, -SLOPE_MAX, SLOPE_MAX,
                                  SLOPE_STEPS);
}

/* How far from the likeliest slope others are still likely, one to either side. */
static double likely_width(const struct way ways[2], const double means_s[2], double best)
{
    double most = unlikeliness(ways, means_s, best) + DOUBT * UNLIKELY, width = SLOPE_MAX / 65536;
    while (width < SLOPE_MAX && (unlikeliness(ways, means_s, best - width) < most ||
                                 unlikeliness(ways, means_s, best + width) < most))
        width *= 2;
    return width;
}

/* Three points decide which line is the likeliest, and those are chance: the mean of all likely
 * ones, weighted by how likely they are, is nearer to the truth. */
static void mean_line(const struct way ways[2], const double means_s[2], double best,
                      double *ret_slope, double *ret_level_s)
{
    double width = likely_width(ways, means_s, best);
    double least = unlikeliness(ways, means_s, best);
    double sum = 0, slopes = 0, levels = 0;
    for (int i = -MEAN_STEPS; i <= MEAN_STEPS; i++) {
        double slope = best + width * i / MEAN_STEPS;
        double weight = exp((least - unlikeliness(ways, means_s, slope)) / DOUBT);
        sum += weight;
        slopes += weight * slope;
        levels += weight *
                  (envelope_of_slope(&ways[0], slope).level_s +
                   envelope_of_slope(&ways[1], slope).level_s) /
                  2;
    }
    *ret_slope = slopes / sum;
    *ret_level_s = levels / sum;
}

/* The slope depends on the mean delays, and these on the slope: a few rounds settle it. */
static struct echo_fit fit_envelopes(const struct echo_line *line, int64_t far_ns)
{
    struct way ways[2];
    struct envelope envelopes[2];
    double slope = 0, means_s[2];
    gather(line, far_ns, -1, &ways[0]);
    gather(line, far_ns, 1, &ways[1]);
    for (int round = 0; round <= ENVELOPE_ROUNDS; round++) {
        for (int i = 0; i < 2; i++) {
            envelopes[i] = envelope_of_slope(&ways[i], slope);
            means_s[i] = fmax(envelopes[i].distance_s, ECHO_NOISE_S);
        }
        if (round < ENVELOPE_ROUNDS)
            slope = likeliest_slope(ways, means_s);
    }
    /* The nearest of n points is off by mean / n (exponential) or twice that (uniform), which
     * is exponential itself: long tails. The middle of two of these. */
    double sigma_s = 2 * (means_s[0] + means_s[1]) / (double)ways[0].count;
    double span_s = fmax(-ways[0].t[ways[0].count - 1], 1);
    double level_s;
    mean_line(ways, means_s, slope, &slope, &level_s);
    return (struct echo_fit){
        .offset_s = level_s,
        .frequency = slope,
        .sigma_s = sigma_s,
        .frequency_sigma = fmin(FREQUENCY_SIGMA, sigma_s / span_s),
    };
}

static double mean_detour_s(const struct echo_line *line, int64_t far_ns)
{
    double sum_s = 0;
    size_t count = 0;
    for (size_t age = 0; age < line->count; age++) {
        int64_t half_ns = echo_line_echo(line, age)->half_ns;
        if (half_ns > far_ns)
            continue;
        sum_s += ns_to_s(half_ns);
        count++;
    }
    return sum_s / (double)count - ns_to_s(echo_line_shortest_half_ns(line));
}

struct echo_fit echo_line_fit(const struct echo_line *line)
{
    const struct echo *newest = echo_line_echo(line, 0);
    int64_t far_ns = far_half_ns(line);
    bool jittery = mean_detour_s(line, far_ns) > JITTER_S;
    struct echo_fit fit = jittery ? fit_envelopes(line, far_ns) : fit_middle(line);
    fit.jittery = jittery;
    fit.at_ns = newest->at_ns;
    fit.offset_ns = newest->offset_ns + s_to_ns(fit.offset_s);
    return fit;
}
