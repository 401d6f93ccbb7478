#include "../cmocka_all.h"
#include "tutti/core/dac_line.h"

#include <math.h>
#include <stdlib.h>

#define COUNT 400
#define SLOPE 80e-6
#define LEVEL_S 0.02

static const struct dac_line_prior unknown = {0, 100e-6};

static double uniform(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)((*state * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

/* Observations below the true line over span_s, stale by up to range_s. */
static void observe(struct dac_line_point *points, size_t count, double span_s, double range_s,
                    uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        points[i].time_s = span_s * ((double)i + uniform(&seed)) / (double)count;
        points[i].phase_s = LEVEL_S + SLOPE * points[i].time_s - range_s * uniform(&seed);
    }
}

static double off_s(const struct dac_line *line, double time_s)
{
    return dac_line_at(line, time_s) - (LEVEL_S + SLOPE * time_s);
}

/* The boundary of n uniform stalenesses is known to about range / n, not to range / sqrt(n), and
 * without bias. */
static void the_line_touches_the_least_stale(void **state)
{
    (void)state;
    static struct dac_line_point points[COUNT];
    double sum_s = 0, worst_s = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        observe(points, COUNT, 30, 1e-3, seed);
        struct dac_line line = dac_line_fit(points, COUNT, unknown);
        sum_s += off_s(&line, 15);
        worst_s = fmax(worst_s, fabs(off_s(&line, 15)));
        assert_true(fabs(line.slope - SLOPE) < 2e-6);
    }
    assert_true(fabs(sum_s / 100) < 1e-3 / COUNT);
    assert_true(worst_s < 10e-3 / COUNT);
}

/* Most observations may be hopeless: it is the near ones that count. */
static void stale_ones_do_not_matter_however_many(void **state)
{
    (void)state;
    static struct dac_line_point points[COUNT];
    uint64_t seed = 7;
    observe(points, COUNT, 30, 50e-6, 3);
    for (size_t i = 0; i < COUNT; i++)
        points[i].phase_s -= i % 3 ? 9e-3 + 1e-3 * uniform(&seed) : 0;
    struct dac_line line = dac_line_fit(points, COUNT, unknown);
    assert_true(fabs(off_s(&line, 15)) < 3e-6);
    assert_true(fabs(line.slope - SLOPE) < 0.5e-6);
}

/* The stated uncertainty is that of the errors: 3 sigma holds in nearly all seeds, and is not idle.
 */
static void its_uncertainty_is_honest(void **state)
{
    (void)state;
    static struct dac_line_point points[COUNT];
    int outside = 0;
    double sum = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        observe(points, COUNT, 30, 4e-3, seed);
        struct dac_line line = dac_line_fit(points, COUNT, unknown);
        double phase = off_s(&line, line.reference_s) / line.phase_sigma_s;
        double slope = (line.slope - SLOPE) / line.slope_sigma;
        outside += fabs(phase) > 3 || fabs(slope) > 3;
        sum += phase * phase + slope * slope;
    }
    assert_true(outside < 200 / 20);
    assert_true(sum / 400 > 0.2 && sum / 400 < 2);
}

/* A few observations within an instant say where, and nothing of how fast: that is the prior's. */
static void the_prior_speaks_where_observations_do_not(void **state)
{
    (void)state;
    struct dac_line_point points[8];
    observe(points, 8, 0.01, 20e-6, 5);
    const struct dac_line_prior remembered = {40e-6, 3e-6};
    struct dac_line line = dac_line_fit(points, 8, remembered);
    assert_true(fabs(line.slope - 40e-6) < 3e-6);
    assert_true(fabs(line.slope_sigma - 3e-6) < 1e-6);
    assert_true(fabs(off_s(&line, 0.005)) < 20e-6);
}

static void two_observations_are_enough_to_say_something(void **state)
{
    (void)state;
    const struct dac_line_point points[] = {{0, 0}, {1, 50e-6}};
    struct dac_line line = dac_line_fit(points, 2, unknown);
    assert_true(isfinite(line.phase_s) && isfinite(line.slope_sigma));
    assert_true(fabs(line.slope - 50e-6) < 100e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_touches_the_least_stale),
        cmocka_unit_test(stale_ones_do_not_matter_however_many),
        cmocka_unit_test(its_uncertainty_is_honest),
        cmocka_unit_test(the_prior_speaks_where_observations_do_not),
        cmocka_unit_test(two_observations_are_enough_to_say_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
