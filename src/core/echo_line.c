/*
 * echo_line.c: a weighted line through the echoes of the last ten minutes.
 *
 * Both edges of each echo's interval are points, weighted by how much longer than the shortest the
 * round trip was; that is the middle of the quickest. Where one way has clearly more detours than
 * the other, the weights are made to fall with each way's own detour instead (iteratively
 * reweighted least squares, Cauchy's weight), so that the better way decides; an edge that would
 * have had to be faster than the shortest way keeps its full weight.
 *
 * Reweighting finds the nearest of several optima, so it must begin near the right one: the
 * envelope of the better way, which is the line below all of its points with the least mean
 * distance to them (the likeliest line for delays of an exponential distribution).
 */
#include "echo_line.h"

#include <math.h>

/* A round trip on a quiet machine is uncertain by about this, whatever its length. */
static const double ECHO_NOISE_S = 10e-6;
/* A way is worse than the other if its detours are so long, and so many times longer. */
static const double ONE_SIDED_MIN_S = 500e-6;
static const double ONE_SIDED_RATIO = 3;
/* Reweighting settles in a few rounds. */
#define ECHO_ROUNDS 4
/* Frequency before it is measured; crystals differ by some tens of ppm. */
static const double FREQUENCY_SIGMA = 30e-6;
/* No two crystals differ by more; a golden-section search over this range ends within 0.1 ppm. */
static const double SLOPE_MAX = 400e-6;
#define SLOPE_STEPS 18
static const double GOLDEN = 0.6180339887498949;

const struct server_clock_echo *echo_line_echo(const struct server_clock *clock, size_t age)
{
    size_t index = clock->echo_head + clock->echo_count - 1 - age;
    return &clock->echoes[index % SERVER_CLOCK_ECHOES];
}

int64_t echo_line_shortest_half_ns(const struct server_clock *clock)
{
    int64_t shortest = INT64_MAX;
    for (size_t age = 0; age < clock->echo_count; age++)
        if (echo_line_echo(clock, age)->half_ns < shortest)
            shortest = echo_line_echo(clock, age)->half_ns;
    return shortest;
}

/* One edge of an echo's interval, moved in by the shortest way there is: the offset, if this way
 * was as short as that; too high (upper edge) or too low (lower edge) by what it was longer. */
static double edge_s(const struct server_clock_echo *echo, int64_t origin_ns, int64_t shortest_ns,
                     int side)
{
    return ns_to_s(echo->offset_ns - origin_ns + side * (echo->half_ns - shortest_ns));
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
static struct echo_line solve(const struct sums *sums)
{
    double mean_t = sums->t / sums->w, mean_y = sums->y / sums->w;
    double s_tt = sums->tt - sums->t * mean_t + 1 / (FREQUENCY_SIGMA * FREQUENCY_SIGMA);
    double frequency = (sums->ty - sums->t * mean_y) / s_tt;
    return (struct echo_line){
        .offset_s = mean_y - frequency * mean_t,
        .frequency = frequency,
        .sigma_s = sqrt(1 / sums->w + mean_t * mean_t / s_tt),
    };
}

/* By how much this way was a detour, if the line is right. An edge on the wrong side of the line is
 * no detour but a contradiction, which counts in full. */
static double detour_of(double off_s, int side)
{
    return side * off_s > 0 ? off_s : 0;
}

/* One round: points weighted by the detours of their round trips (line NULL), or by their distance
 * from the line. */
static struct echo_line fit_round(const struct server_clock *clock, const struct echo_line *line)
{
    const struct server_clock_echo *newest = echo_line_echo(clock, 0);
    int64_t shortest_ns = echo_line_shortest_half_ns(clock);
    struct sums sums = {0};
    for (size_t age = 0; age < clock->echo_count; age++) {
        const struct server_clock_echo *echo = echo_line_echo(clock, age);
        double t = ns_to_s(echo->at_ns - newest->at_ns);
        double doubt_s = ns_to_s(echo->half_ns - shortest_ns);
        for (int side = -1; side <= 1; side += 2) {
            double y = edge_s(echo, newest->offset_ns, shortest_ns, side);
            if (line)
                doubt_s = detour_of(y - line->offset_s - line->frequency * t, side);
            add_point(&sums, t, y, 1 / (ECHO_NOISE_S * ECHO_NOISE_S + doubt_s * doubt_s));
        }
    }
    return solve(&sums);
}

/* The envelope of one way's points: all delays are positive, so all lie on one side of it. */
struct envelope {
    double slope;
    double level_s;    /* at t = 0, the newest echo */
    double distance_s; /* mean distance of the points: how bad this way is */
};

/* One way's points, turned so that the envelope is below. */
struct way {
    int side;
    size_t count;
    double t[SERVER_CLOCK_ECHOES];
    double above_s[SERVER_CLOCK_ECHOES];
};

static void gather(const struct server_clock *clock, int side, struct way *ret)
{
    int64_t origin_ns = echo_line_echo(clock, 0)->offset_ns;
    int64_t origin_at_ns = echo_line_echo(clock, 0)->at_ns;
    int64_t shortest_ns = echo_line_shortest_half_ns(clock);
    ret->side = side;
    ret->count = clock->echo_count;
    for (size_t age = 0; age < clock->echo_count; age++) {
        const struct server_clock_echo *echo = echo_line_echo(clock, age);
        ret->t[age] = ns_to_s(echo->at_ns - origin_at_ns);
        ret->above_s[age] = side * edge_s(echo, origin_ns, shortest_ns, side);
    }
}

static struct envelope envelope_of_slope(const struct way *way, double slope)
{
    double least = INFINITY, sum = 0;
    for (size_t i = 0; i < way->count; i++) {
        double above = way->above_s[i] - way->side * slope * way->t[i];
        least = above < least ? above : least;
        sum += above;
    }
    return (struct envelope){slope, way->side * least, sum / (double)way->count - least};
}

/* The mean distance is convex in the slope: golden-section search. */
static struct envelope find_envelope(const struct server_clock *clock, int side)
{
    struct way way;
    gather(clock, side, &way);
    double low = -SLOPE_MAX, high = SLOPE_MAX;
    struct envelope left = envelope_of_slope(&way, high - GOLDEN * (high - low));
    struct envelope right = envelope_of_slope(&way, low + GOLDEN * (high - low));
    for (int step = 0; step < SLOPE_STEPS; step++) {
        if (left.distance_s < right.distance_s) {
            high = right.slope;
            right = left;
            left = envelope_of_slope(&way, high - GOLDEN * (high - low));
        } else {
            low = left.slope;
            left = right;
            right = envelope_of_slope(&way, low + GOLDEN * (high - low));
        }
    }
    return left.distance_s < right.distance_s ? left : right;
}

static double mean_detour_s(const struct server_clock *clock)
{
    double sum_s = 0;
    for (size_t age = 0; age < clock->echo_count; age++)
        sum_s += ns_to_s(echo_line_echo(clock, age)->half_ns);
    return sum_s / (double)clock->echo_count - ns_to_s(echo_line_shortest_half_ns(clock));
}

/* Both ways alike: the middle of the quickest round trips is the best there is. One way clearly
 * worse than the other: trust the better one, whose envelope is left in ret. */
static bool is_one_sided(const struct server_clock *clock, struct echo_line *ret)
{
    *ret = (struct echo_line){.frequency = 0};
    if (mean_detour_s(clock) < ONE_SIDED_MIN_S / 2)
        return false; /* round trips that hardly differ: the usual case, at little cost */
    struct envelope back = find_envelope(clock, -1), there = find_envelope(clock, 1);
    const struct envelope *better = back.distance_s < there.distance_s ? &back : &there;
    double worse_s = fmax(back.distance_s, there.distance_s);
    *ret = (struct echo_line){.offset_s = better->level_s, .frequency = better->slope};
    return worse_s > ONE_SIDED_MIN_S && worse_s > ONE_SIDED_RATIO * better->distance_s;
}

struct echo_line echo_line_fit(const struct server_clock *clock)
{
    const struct server_clock_echo *newest = echo_line_echo(clock, 0);
    struct echo_line line;
    bool one_sided = is_one_sided(clock, &line);
    if (!one_sided)
        line = fit_round(clock, NULL);
    for (int round = 0; one_sided && round < ECHO_ROUNDS; round++)
        line = fit_round(clock, &line);
    line.one_sided = one_sided;
    line.at_ns = newest->at_ns;
    line.offset_ns = newest->offset_ns + s_to_ns(line.offset_s);
    return line;
}
