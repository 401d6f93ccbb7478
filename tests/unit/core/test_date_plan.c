/*
 * test_date_plan.c: bounds of when and how often is asked. What it is good for is
 * tests/sim/sim_server_clock.c's.
 */
#include "../cmocka_all.h"
#include "tutti/core/date_plan.h"

#include <math.h>
#include <stdlib.h>

static struct date_plan plan;
static struct date_filter filter;
static const struct mono_time NOW = {500 * NS_PER_S};

static int set_up(void **state)
{
    (void)state;
    plan = (struct date_plan){0};
    date_filter_init(&filter);
    return 0;
}

static void without_a_burst_nothing_is_asked(void **state)
{
    (void)state;
    struct mono_time at;
    assert_false(date_plan_next(&plan, &filter, NOW, &at));
}

static void a_burst_is_bounded_even_if_nothing_is_answered(void **state)
{
    (void)state;
    struct mono_time at, now = NOW;
    unsigned asked = 0;
    date_filter_expect(&filter, DATE_SERVER_EACH_TIME);
    date_plan_begin(&plan);
    while (date_plan_next(&plan, &filter, now, &at)) {
        assert_true(mono_sub(at, now) >= DATE_PLAN_STEP_NS);
        assert_true(mono_sub(at, now) < 2 * NS_PER_S);
        now = at;
        asked++;
    }
    assert_int_equal(asked, DATE_PLAN_BURST);
}

static void an_unknown_server_is_asked_evenly(void **state)
{
    (void)state;
    struct mono_time at, now = NOW;
    unsigned asked = 0;
    date_plan_begin(&plan);
    for (; date_plan_next(&plan, &filter, now, &at); now = at, asked++)
        assert_int_equal(mono_sub(at, now), DATE_PLAN_STEP_NS);
    assert_int_equal(asked, DATE_PLAN_EVEN);
}

static void the_way_to_the_exchange_is_taken_off(void **state)
{
    (void)state;
    struct mono_time at, around;
    date_plan_note(&plan, NOW, mono_add(NOW, 30 * NS_PER_MS), mono_add(NOW, 50 * NS_PER_MS));
    assert_int_equal(plan.lead_ns, 40 * NS_PER_MS);
    date_plan_begin(&plan);
    assert_true(date_plan_next(&plan, &filter, NOW, &at));
    assert_true(mono_sub(at, NOW) >= DATE_PLAN_STEP_NS);
    date_plan_note(&plan, NOW, mono_add(NOW, 9 * NS_PER_S), mono_add(NOW, 9 * NS_PER_S));
    around = date_plan_around(&plan, &filter, mono_add(NOW, 10 * NS_PER_S));
    assert_true(llabs(mono_sub(around, NOW) - 10 * NS_PER_S) <= NS_PER_S);
}

static void checks_are_spread_where_dates_do_not_matter(void **state)
{
    (void)state;
    bool seen[10] = {false};
    unsigned tenths = 0;
    for (int i = 0; i < 20; i++) {
        int64_t off_ns = mono_sub(date_plan_around(&plan, NULL, NOW), NOW);
        assert_true(llabs(off_ns) <= NS_PER_S / 2);
        size_t tenth = (size_t)((off_ns + NS_PER_S / 2) * 10 / (NS_PER_S + 1));
        tenths += !seen[tenth];
        seen[tenth] = true;
    }
    assert_int_equal(tenths, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_a_burst_nothing_is_asked, set_up),
        cmocka_unit_test_setup(a_burst_is_bounded_even_if_nothing_is_answered, set_up),
        cmocka_unit_test_setup(an_unknown_server_is_asked_evenly, set_up),
        cmocka_unit_test_setup(the_way_to_the_exchange_is_taken_off, set_up),
        cmocka_unit_test_setup(checks_are_spread_where_dates_do_not_matter, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
