#include "../cmocka_all.h"
#include "tutti/core/drift.h"

#include <math.h>

static const struct drift_config config = {.jump_s = 0.2, .max_slew_ppm = 5000};
static const struct drift_quality good = {.steady_s = 60, .sigma_s = 1e-6};
static const double STEP_S = 0.14;

struct recovery {
    double within_1_ms_s; /* for good */
    double overshoot_s;
    double rate_max_ppm;
    double slope_max_ppm_per_s;
};

static struct recovery recover(double error_s)
{
    struct drift drift;
    struct recovery result = {0};
    double sign = error_s < 0 ? -1 : 1, rate_ppm = 0;
    drift_init(&drift, &config);
    for (double t = 0; t < 120; t += STEP_S) {
        struct drift_decision decision = drift_step(&drift, error_s, 0, &good, STEP_S);
        assert_int_equal(decision.action, DRIFT_SLEW);
        result.rate_max_ppm = fmax(result.rate_max_ppm, fabs(decision.rate_ppm));
        result.slope_max_ppm_per_s =
            fmax(result.slope_max_ppm_per_s, fabs(decision.rate_ppm - rate_ppm) / STEP_S);
        rate_ppm = decision.rate_ppm;
        error_s += rate_ppm * 1e-6 * STEP_S;
        result.overshoot_s = fmax(result.overshoot_s, -sign * error_s);
        if (fabs(error_s) > 1e-3)
            result.within_1_ms_s = t + STEP_S;
    }
    assert_true(fabs(error_s) < 20e-6);
    return result;
}

static void catches_up_by_rate_alone(void **state)
{
    (void)state;
    const double errors_s[] = {0.15, -0.15, 0.199, 0.05, -0.01, 0.002};
    for (size_t i = 0; i < sizeof errors_s / sizeof *errors_s; i++) {
        struct recovery result = recover(errors_s[i]);
        assert_true(result.rate_max_ppm <= 5000);
        assert_true(result.slope_max_ppm_per_s < 1001);
        assert_true(result.overshoot_s < 1e-3);
        assert_true(result.within_1_ms_s < (fabs(errors_s[i]) <= 0.15 ? 40 : 50));
    }
}

static void beyond_the_threshold_it_jumps(void **state)
{
    (void)state;
    struct drift drift;
    drift_init(&drift, &config);
    assert_int_equal(drift_step(&drift, 0.21, 0, &good, STEP_S).action, DRIFT_JUMP);
    assert_int_equal(drift_step(&drift, -0.21, 0, &good, STEP_S).action, DRIFT_JUMP);
    assert_int_equal(drift_step(&drift, 0.19, 0, &good, STEP_S).action, DRIFT_SLEW);
}

static void ahead_means_slower(void **state)
{
    (void)state;
    struct drift drift;
    drift_init(&drift, &config);
    assert_true(drift_step(&drift, 0.01, 0, &good, STEP_S).rate_ppm < 0);
    drift_init(&drift, &config);
    assert_true(drift_step(&drift, -0.01, 0, &good, STEP_S).rate_ppm > 0);
}

static void the_feed_forward_passes_through(void **state)
{
    (void)state;
    struct drift drift;
    drift_init(&drift, &config);
    assert_true(drift_step(&drift, 0, -83.5, &good, STEP_S).rate_ppm == -83.5);
}

static void when_settled_the_ratio_hardly_moves(void **state)
{
    (void)state;
    struct drift drift;
    double before = 0;
    drift_init(&drift, &config);
    /* 0.1 ppm per second keep a sine's wobble below its own noise. */
    for (int i = 0; i < 200; i++) {
        double error_s = i % 2 ? 2e-6 : -2e-6;
        double rate = drift_step(&drift, error_s, 0, &good, STEP_S).rate_ppm;
        assert_true(fabs(rate - before) / STEP_S < 0.12);
        before = rate;
    }
}

static void there_is_no_dead_band(void **state)
{
    (void)state;
    struct drift drift;
    double error_s = 3e-6;
    drift_init(&drift, &config);
    for (int i = 0; i < 2000; i++)
        error_s += drift_step(&drift, error_s, 0, &good, STEP_S).rate_ppm * 1e-6 * STEP_S;
    assert_true(fabs(error_s) < 0.05e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catches_up_by_rate_alone),
        cmocka_unit_test(beyond_the_threshold_it_jumps),
        cmocka_unit_test(ahead_means_slower),
        cmocka_unit_test(the_feed_forward_passes_through),
        cmocka_unit_test(when_settled_the_ratio_hardly_moves),
        cmocka_unit_test(there_is_no_dead_band),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
