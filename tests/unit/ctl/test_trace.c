#include "../../../src/ctl/trace.h"
#include "../cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct trace trace;

static int setup(void **state)
{
    (void)state;
    trace_clear(&trace);
    return 0;
}

static void assert_plot(int rows, int columns, double scale_us, const char *const *wanted)
{
    char text[TRACE_ROWS_MAX][1024], *to[TRACE_ROWS_MAX];
    for (int i = 0; i < TRACE_ROWS_MAX; i++)
        to[i] = text[i];
    trace_plot(&trace, rows, columns, scale_us, to);
    for (int i = 0; i < rows; i++)
        assert_string_equal(text[i], wanted[i]);
}

static void ahead_is_up_and_the_newest_at_the_right(void **state)
{
    (void)state;
    static const double errors[] = {-100, -100, 0, 100};
    for (int i = 0; i < 4; i++)
        trace_add(&trace, i * TRACE_STEP_MS, errors[i]);
    /* Two dots at the bottom; then a line up to just below the middle, then one to the top. */
    assert_plot(3, 4, 100, (const char *[]){"   ⢸", "┄┄┄⡼", "  ⣀⡇"});
    assert_plot(1, 3, 100, (const char *[]){"┄⣀⡼"});
}

static void beyond_the_scale_is_at_its_edge(void **state)
{
    (void)state;
    trace_add(&trace, 0, 1e9);
    assert_plot(1, 1, 10, (const char *[]){"⠈"});
}

static void silence_is_a_gap_and_a_missed_step_is_none(void **state)
{
    (void)state;
    trace_add(&trace, 0, 0);
    trace_add(&trace, 3 * TRACE_STEP_MS, 0); /* two steps missed: held */
    assert_plot(1, 2, 10, (const char *[]){"⠤⠤"});
    trace_add(&trace, 4 * TRACE_STEP_MS, NAN);
    trace_add(&trace, 5 * TRACE_STEP_MS, 0);
    assert_plot(1, 3, 10, (const char *[]){"⠤⠤⠠"});
    trace_add(&trace, 15 * TRACE_STEP_MS, 0);
    assert_plot(1, 3, 10, (const char *[]){"┄┄⠠"});
    trace_add(&trace, (int64_t)10 * TRACE_STEPS * TRACE_STEP_MS, 0);
    assert_plot(1, 3, 10, (const char *[]){"┄┄⠠"});
}

static void a_step_keeps_its_largest_excursion(void **state)
{
    (void)state;
    trace_add(&trace, 0, 1);
    trace_add(&trace, 1, -70);
    trace_add(&trace, 2, 3);
    trace_add(&trace, 3, NAN);
    assert_true(trace.error_us[0] == -70);
    assert_true(trace_scale_us(&trace, 1) == 100);
}

static void scales_are_round_and_never_too_fine(void **state)
{
    (void)state;
    static const struct {
        double error_us, scale_us;
    } cases[] = {{0.1, 10}, {10, 10},   {10.1, 20},   {-20.5, 50},
                 {99, 100}, {101, 200}, {4999, 5000}, {-2e6, 2e6}};
    assert_true(trace_scale_us(&trace, TRACE_STEPS) == 10);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trace_clear(&trace);
        trace_add(&trace, 0, cases[i].error_us);
        trace_add(&trace, TRACE_STEP_MS, 0);
        assert_true(fabs(trace_scale_us(&trace, TRACE_STEPS) - cases[i].scale_us) < 1e-6);
        assert_true(trace_scale_us(&trace, 1) == 10); /* what is not shown does not count */
    }
}

static void a_long_run_stays_in_its_ring(void **state)
{
    (void)state;
    srand(7);
    int64_t now_ms = 123456789012;
    char text[TRACE_ROWS_MAX][1024], *to[TRACE_ROWS_MAX];
    for (int i = 0; i < TRACE_ROWS_MAX; i++)
        to[i] = text[i];
    for (int i = 0; i < 20000; i++) {
        now_ms += rand() % 700;
        trace_add(&trace, now_ms, rand() % 50 ? (double)(rand() % 2001 - 1000) : (double)NAN);
        if (i % 100 == 0)
            trace_plot(&trace, 1 + rand() % TRACE_ROWS_MAX, 1 + rand() % 400, 1000, to);
    }
    assert_true(trace_scale_us(&trace, TRACE_STEPS) == 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ahead_is_up_and_the_newest_at_the_right, setup),
        cmocka_unit_test_setup(beyond_the_scale_is_at_its_edge, setup),
        cmocka_unit_test_setup(silence_is_a_gap_and_a_missed_step_is_none, setup),
        cmocka_unit_test_setup(a_step_keeps_its_largest_excursion, setup),
        cmocka_unit_test_setup(scales_are_round_and_never_too_fine, setup),
        cmocka_unit_test_setup(a_long_run_stays_in_its_ring, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
