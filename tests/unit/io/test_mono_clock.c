#include "../cmocka_all.h"
#include "tutti/io/mono_clock.h"

#include <time.h>

static void never_goes_back(void **state)
{
    (void)state;
    struct mono_time last = mono_clock_now();
    for (int i = 0; i < 100000; i++) {
        struct mono_time now = mono_clock_now();
        assert_true(mono_sub(now, last) >= 0);
        last = now;
    }
}

static void is_the_clock_that_it_names(void **state)
{
    (void)state;
    struct timespec before, after;
    clock_gettime((clockid_t)mono_clock_id(), &before);
    struct mono_time now = mono_clock_now();
    clock_gettime((clockid_t)mono_clock_id(), &after);
    assert_true(now.ns >= before.tv_sec * NS_PER_S + before.tv_nsec);
    assert_true(now.ns <= after.tv_sec * NS_PER_S + after.tv_nsec);
}

static void pairs_the_clocks_within_the_stated_width(void **state)
{
    (void)state;
    struct wall_time wall, wall_before = wall_clock_now();
    struct mono_time mono, mono_before = mono_clock_now();
    int64_t half_width = wall_clock_pair(&wall, &mono);
    struct mono_time mono_after = mono_clock_now();
    struct wall_time wall_after = wall_clock_now();
    assert_true(half_width >= 0);
    assert_true(mono_sub(mono, mono_before) >= 0 && mono_sub(mono_after, mono) >= 0);
    assert_true(wall.ns >= wall_before.ns && wall.ns <= wall_after.ns);
    assert_true(2 * half_width <= mono_sub(mono_after, mono_before));
}

static void says_what_the_kernel_knows_of_the_wall_clock(void **state)
{
    (void)state;
    int64_t max_error_ns = -1;
    if (wall_clock_disciplined(&max_error_ns))
        assert_true(max_error_ns >= 0);
    else
        assert_int_equal(max_error_ns, -1); /* outputs stay untouched */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_goes_back),
        cmocka_unit_test(is_the_clock_that_it_names),
        cmocka_unit_test(pairs_the_clocks_within_the_stated_width),
        cmocka_unit_test(says_what_the_kernel_knows_of_the_wall_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
