/*
 * When it is time to forget what is old, whatever the clock does (tidy.h).
 */
#include "../../../src/hub/tidy.h"
#include "../cmocka_all.h"
#include "tutti/base/units.h"

#define STEP_NS (2 * NS_PER_S)
#define HOUR_NS (3600 * NS_PER_S)

struct clocks {
    int64_t wall_ns, steady_ns;
};

/* How often it was time, while both clocks run on. */
static int run(struct tidy *tidy, struct clocks *clocks, int64_t for_ns)
{
    int times = 0;
    for (int64_t passed = 0; passed < for_ns; passed += STEP_NS) {
        clocks->wall_ns += STEP_NS;
        clocks->steady_ns += STEP_NS;
        times += tidy_is_due(tidy, clocks->wall_ns, clocks->steady_ns);
    }
    return times;
}

static void once_an_hour_and_not_at_the_start(void **state)
{
    (void)state;
    struct tidy tidy = {0};
    struct clocks clocks = {1800000000 * NS_PER_S, 77 * NS_PER_S};
    assert_int_equal(run(&tidy, &clocks, HOUR_NS - STEP_NS), 0);
    assert_int_equal(run(&tidy, &clocks, 4 * STEP_NS), 1);
    assert_int_equal(run(&tidy, &clocks, 10 * HOUR_NS), 10);
}

static void not_by_a_clock_that_was_set(void **state)
{
    (void)state;
    static const int64_t jumps_ns[] = {400LL * 24 * HOUR_NS, -400LL * 24 * HOUR_NS, HOUR_NS,
                                       -HOUR_NS};
    for (size_t i = 0; i < sizeof jumps_ns / sizeof *jumps_ns; i++) {
        struct tidy tidy = {0};
        struct clocks clocks = {0, 0};
        assert_int_equal(run(&tidy, &clocks, HOUR_NS / 2), 0);
        clocks.wall_ns += jumps_ns[i];
        assert_int_equal(run(&tidy, &clocks, HOUR_NS - STEP_NS), 0);
        assert_int_equal(run(&tidy, &clocks, 4 * STEP_NS), 1);
        /* Also when it is set at the very moment. */
        assert_int_equal(run(&tidy, &clocks, HOUR_NS - 4 * STEP_NS), 0);
        clocks.wall_ns += jumps_ns[i];
        assert_int_equal(run(&tidy, &clocks, HOUR_NS / 2), 0);
    }
}

static void slewing_is_no_setting(void **state)
{
    (void)state;
    struct tidy tidy = {0};
    int times = 0;
    for (int64_t steady_ns = 0; steady_ns < 2 * HOUR_NS; steady_ns += STEP_NS)
        times += tidy_is_due(&tidy, steady_ns + steady_ns / 1000, steady_ns);
    assert_int_equal(times, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_an_hour_and_not_at_the_start),
        cmocka_unit_test(not_by_a_clock_that_was_set),
        cmocka_unit_test(slewing_is_no_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
