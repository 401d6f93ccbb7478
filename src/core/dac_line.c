/*
 * dac_line.c: the posterior of the slope on a grid.
 *
 * Only corners of the upper convex hull can touch a line from below, so c(s) is a maximum over a
 * dozen points. It is convex in s, and so is minus the logarithm of the posterior: its minimum and
 * the range around it that matters are found by bisection.
 */
#include "tutti/core/dac_line.h"

#include "tutti/core/golden_section.h"

#include <math.h>
#include <stdlib.h>

/* The likelihood is taken this far below its maximum, in units of its logarithm. */
static const double DEPTH = 10;
#define GRID 32
/* 16 sigmas x 0.618^32: a slope to a thousandth of a ppm where nothing is known before. */
static const int SECTIONS = 32;
static const int BISECTIONS = 16;
/* Density and slope depend on each other. */
static const int ROUNDS = 2;
/* The density is that of the nearest quarter of the observations, some at least. */
#define NEAREST_MIN 4
#define NEAREST_MAX 32
/* Two observations touch the line because it was laid so; they say nothing of the density. */
static const double TOUCHING = 1.5;
/* No line is believed to better than this: the clock readings themselves scatter. */
static const double NOISE_FLOOR_S = 0.2e-6;

struct hull {
    struct dac_line_point corners[DAC_LINE_POINTS]; /* time from the reference on */
    size_t count;
};

/* Positive: the path a, b, c bends to the left, so that b is no corner of the upper hull. */
static double bend(const struct dac_line_point *a, const struct dac_line_point *b,
                   const struct dac_line_point *c)
{
    return (b->time_s - a->time_s) * (c->phase_s - a->phase_s) -
           (c->time_s - a->time_s) * (b->phase_s - a->phase_s);
}

/* Andrew's monotone chain; times are relative to reference_s. */
static void find_hull(const struct dac_line_point *points, size_t count, double reference_s,
                      struct hull *hull)
{
    hull->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct dac_line_point p = {points[i].time_s - reference_s, points[i].phase_s};
        while (hull->count >= 2 &&
               bend(&hull->corners[hull->count - 2], &hull->corners[hull->count - 1], &p) >= 0)
            hull->count--;
        hull->corners[hull->count++] = p;
    }
}

/* c(s): the height at the reference of a line of this slope that lies on the hull. */
static double height_s(const struct hull *hull, double slope)
{
    double height = -INFINITY;
    for (size_t i = 0; i < hull->count; i++) {
        double needed = hull->corners[i].phase_s - slope * hull->corners[i].time_s;
        height = needed > height ? needed : height;
    }
    return height;
}

struct posterior {
    const struct hull *hull;
    struct dac_line_prior prior;
    double density;
};

/* Minus its logarithm, but for a constant. */
static double cost(const struct posterior *posterior, double slope)
{
    double off = (slope - posterior->prior.slope) / posterior->prior.sigma;
    return posterior->density * height_s(posterior->hull, slope) + off * off / 2;
}

static double cost_of_slope(const void *context, double slope)
{
    return cost(context, slope);
}

/* Slopes between corners are bounded by the prior: nothing lies beyond some of its sigmas that it
 * could not be found at. */
static double find_minimum(const struct posterior *posterior)
{
    double middle = posterior->prior.slope, reach = 8 * posterior->prior.sigma;
    return golden_section_minimum(cost_of_slope, posterior, middle - reach, middle + reach,
                                  SECTIONS);
}

/* Where, on one side of the minimum, the cost has risen by DEPTH. */
static double find_edge(const struct posterior *posterior, double minimum, double side)
{
    double limit = cost(posterior, minimum) + DEPTH;
    double near = 0, far = 8 * posterior->prior.sigma;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = (near + far) / 2;
        if (cost(posterior, minimum + side * middle) < limit)
            near = middle;
        else
            far = middle;
    }
    return minimum + side * far;
}

/* Means and widths over the grid. Given the slope, the line lies above c(s) by an exponentially
 * distributed distance of mean 1 / density. */
static void integrate(const struct posterior *posterior, double minimum, struct dac_line *line)
{
    double low = find_edge(posterior, minimum, -1), high = find_edge(posterior, minimum, 1);
    double least = cost(posterior, minimum), base_s = height_s(posterior->hull, minimum);
    double sum = 0, s1 = 0, s2 = 0, h1 = 0, h2 = 0;
    for (int i = 0; i <= GRID; i++) {
        double off = low + (high - low) * i / GRID - minimum;
        double weight = exp(least - cost(posterior, minimum + off));
        double height = height_s(posterior->hull, minimum + off) - base_s;
        sum += weight;
        s1 += weight * off;
        s2 += weight * off * off;
        h1 += weight * height;
        h2 += weight * height * height;
    }
    double mean_s = s1 / sum, mean_h = h1 / sum, gap_s = 1 / posterior->density;
    line->slope = minimum + mean_s;
    line->slope_sigma = sqrt(fmax(s2 / sum - mean_s * mean_s, 0));
    line->phase_s = base_s + mean_h + gap_s;
    line->phase_sigma_s =
        sqrt(fmax(h2 / sum - mean_h * mean_h, 0) + gap_s * gap_s + NOISE_FLOOR_S * NOISE_FLOOR_S);
}

/* The count nearest residuals below the line, the nearest first. */
static double distance_of_nearest(const struct dac_line_point *points, size_t count,
                                  double reference_s, double height, double slope, size_t nearest)
{
    double kept[NEAREST_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        double below_s = height + slope * (points[i].time_s - reference_s) - points[i].phase_s;
        if (n == nearest && below_s >= kept[n - 1])
            continue;
        size_t k = n < nearest ? n++ : n - 1;
        for (; k > 0 && kept[k - 1] > below_s; k--)
            kept[k] = kept[k - 1];
        kept[k] = below_s;
    }
    return kept[n - 1];
}

static void measure_density(const struct dac_line_point *points, size_t count, double height,
                            struct dac_line *line)
{
    size_t nearest = count / 4 < NEAREST_MIN ? NEAREST_MIN : count / 4;
    nearest = nearest > NEAREST_MAX ? NEAREST_MAX : nearest;
    nearest = nearest > count ? count : nearest;
    double reach_s =
        distance_of_nearest(points, count, line->reference_s, height, line->slope, nearest);
    line->measured = fmax((double)nearest - TOUCHING, 0.5);
    line->density = line->measured / fmax(reach_s, NOISE_FLOOR_S);
}

static double mean_time(const struct dac_line_point *points, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += points[i].time_s;
    return sum / (double)count;
}

struct dac_line dac_line_fit(const struct dac_line_point *points, size_t count,
                             struct dac_line_prior prior)
{
    struct hull hull;
    struct dac_line line = {.reference_s = mean_time(points, count), .slope = prior.slope};
    find_hull(points, count, line.reference_s, &hull);
    for (int round = 0; round < ROUNDS; round++) {
        measure_density(points, count, height_s(&hull, line.slope), &line);
        struct posterior posterior = {&hull, prior, line.density};
        line.slope = find_minimum(&posterior);
        if (round == ROUNDS - 1)
            integrate(&posterior, line.slope, &line);
    }
    return line;
}

double dac_line_at(const struct dac_line *line, double time_s)
{
    return line->phase_s + line->slope * (time_s - line->reference_s);
}
