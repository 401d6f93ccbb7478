/*
 * echo_line.c: a weighted line through the echoes of the last ten minutes.
 *
 * Both edges of each echo's interval are points, weighted by how much longer than the shortest the
 * round trip was; that is the middle of the quickest. Where one way has clearly more detours than
 * the other, the weights are made to fall with each way's own detour instead (iteratively
 * reweighted least squares, Cauchy's weight), so that the better way decides; an edge that would
 * have had to be faster than the shortest way keeps its full weight.
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
 * from the line. ret_detour_s: the mean detour of each way, back and there. */
static struct echo_line fit_round(const struct server_clock *clock, const struct echo_line *line,
                                  double ret_detour_s[2])
{
    const struct server_clock_echo *newest = echo_line_echo(clock, 0);
    int64_t shortest_ns = echo_line_shortest_half_ns(clock);
    struct sums sums = {0};
    ret_detour_s[0] = ret_detour_s[1] = 0;
    for (size_t age = 0; age < clock->echo_count; age++) {
        const struct server_clock_echo *echo = echo_line_echo(clock, age);
        double t = ns_to_s(echo->at_ns - newest->at_ns);
        double doubt_s = ns_to_s(echo->half_ns - shortest_ns);
        for (int side = -1; side <= 1; side += 2) {
            double y = edge_s(echo, newest->offset_ns, shortest_ns, side);
            if (line)
                doubt_s = detour_of(y - line->offset_s - line->frequency * t, side);
            ret_detour_s[side > 0] += fabs(doubt_s) / (double)clock->echo_count;
            add_point(&sums, t, y, 1 / (ECHO_NOISE_S * ECHO_NOISE_S + doubt_s * doubt_s));
        }
    }
    return solve(&sums);
}

/* Both ways alike: the middle of the quickest round trips is the best there is. One way clearly
 * worse than the other: trust the better one. */
static bool is_one_sided(const double detour_s[2])
{
    double worse = fmax(detour_s[0], detour_s[1]), better = fmin(detour_s[0], detour_s[1]);
    return worse > ONE_SIDED_MIN_S && worse > ONE_SIDED_RATIO * better;
}

struct echo_line echo_line_fit(const struct server_clock *clock)
{
    const struct server_clock_echo *newest = echo_line_echo(clock, 0);
    double detour_s[2];
    struct echo_line line = fit_round(clock, NULL, detour_s);
    struct echo_line trial = fit_round(clock, &line, detour_s);
    for (int round = 0; is_one_sided(detour_s) && round < ECHO_ROUNDS; round++) {
        line = trial;
        trial = fit_round(clock, &line, detour_s);
    }
    line.at_ns = newest->at_ns;
    line.offset_ns = newest->offset_ns + s_to_ns(line.offset_s);
    return line;
}
