#include "../cmocka_all.h"
#include "tutti/core/golden_section.h"

#include <math.h>

struct valley {
    double bottom;
    int evaluations;
};

static double kink(const void *context, double x)
{
    struct valley *valley = *(struct valley *const *)context;
    valley->evaluations++;
    return x < valley->bottom ? 3 * (valley->bottom - x) : x - valley->bottom;
}

static double parabola(const void *context, double x)
{
    const struct valley *valley = *(struct valley *const *)context;
    return (x - valley->bottom) * (x - valley->bottom);
}

static void the_minimum_is_found_to_what_is_left_of_the_range(void **state)
{
    (void)state;
    for (int i = 0; i <= 100; i++) {
        struct valley valley = {.bottom = -2 + 0.05 * i}, *context = &valley;
        double bound = 5 * pow(0.6180339887498949, 24) / 2 + 1e-9; /* an end of the range rounds */
        assert_true(fabs(golden_section_minimum(kink, &context, -2, 3, 24) - valley.bottom) <=
                    bound);
        assert_true(fabs(golden_section_minimum(parabola, &context, -2, 3, 24) - valley.bottom) <=
                    bound);
    }
}

static void each_step_is_one_evaluation(void **state)
{
    (void)state;
    struct valley valley = {.bottom = 0.3}, *context = &valley;
    golden_section_minimum(kink, &context, 0, 1, 32);
    assert_int_equal(valley.evaluations, 34);
}

static void no_steps_are_the_middle(void **state)
{
    (void)state;
    struct valley valley = {.bottom = 0.3}, *context = &valley;
    assert_true(golden_section_minimum(kink, &context, 0, 1, 0) == 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_minimum_is_found_to_what_is_left_of_the_range),
        cmocka_unit_test(each_step_is_one_evaluation),
        cmocka_unit_test(no_steps_are_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
