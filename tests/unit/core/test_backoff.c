#include "../cmocka_all.h"
#include "tutti/core/backoff.h"

static void delays_double_up_to_the_bound(void **state)
{
    (void)state;
    struct backoff backoff;
    backoff_init(&backoff, 250, 30000, 7);
    int64_t step = 250;
    for (int i = 0; i < 50; i++) {
        int64_t delay = backoff_next(&backoff);
        assert_in_range(delay, step / 2, step);
        step = step * 2 > 30000 ? 30000 : step * 2;
    }
    backoff_reset(&backoff);
    assert_in_range(backoff_next(&backoff), 125, 250);
}

static void seeds_differ(void **state)
{
    (void)state;
    struct backoff a, b;
    backoff_init(&a, 1000000, 1000000, 1);
    backoff_init(&b, 1000000, 1000000, 2);
    assert_int_not_equal(backoff_next(&a), backoff_next(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_up_to_the_bound),
        cmocka_unit_test(seeds_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
