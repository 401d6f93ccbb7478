/*
 * dac_line.h: the straight line that observations lie below.
 *
 * An observation of a card's position is true or stale, never ahead of the truth, and how stale is
 * a matter of chance. So the line of the truth touches the least stale ones from above, and the
 * others say nothing but that it is not below them. Where the observations near the line lie dense,
 * it is known well: with `density` of them per second of staleness, the next one above the highest
 * was to be expected within 1 / density.
 *
 * That is a likelihood: exp(-density x c(s)) for a line of slope s, where c(s) is how high it has
 * to lie, at the middle of the observations, to be above all of them. With a prior for the slope
 * its mean and its width are the estimate and its uncertainty. (Known as the boundary of a
 * regression with one-sided noise; for a level alone it is the estimate of an endpoint from the
 * maximum.)
 */
#ifndef TUTTI_CORE_DAC_LINE_H
#define TUTTI_CORE_DAC_LINE_H

#include <stddef.h>

/* So many observations at the most. */
#define DAC_LINE_POINTS 1024

struct dac_line_point {
    double time_s; /* local time since some origin, growing */
    double
        phase_s; /* frame / nominal rate - time_s: how far the card is ahead of the local clock */
};

/* What is known of the slope before: a normal distribution. */
struct dac_line_prior {
    double slope, sigma;
};

struct dac_line {
    double reference_s; /* where phase and slope are independent of each other */
    double phase_s;     /* at reference_s */
    double slope;
    double phase_sigma_s;
    double slope_sigma;
    double density;  /* observations per second of staleness, just below the line */
    double measured; /* from so many of them */
};

/* count: 2 to DAC_LINE_POINTS. */
struct dac_line dac_line_fit(const struct dac_line_point *points, size_t count,
                             struct dac_line_prior prior);

double dac_line_at(const struct dac_line *line, double time_s);

#endif
