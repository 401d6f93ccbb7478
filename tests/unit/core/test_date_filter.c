/*
 * test_date_filter.c: what a few Dates say, and what they cannot say. Its accuracy over seeds is
 * tests/sim/sim_server_clock.c's.
 */
#include "../cmocka_all.h"
#include "tutti/core/date_filter.h"

#include <math.h>

#define OFFSET_S 1000.0 /* server - local */
#define RTT_NS (2 * NS_PER_MS)

/* A server that looks at its clock for every answer; at its time server_s. */
static void ask(struct date_filter *filter, double server_s, double offset_s)
{
    int64_t middle_ns = s_to_ns(server_s - offset_s);
    date_filter_add(filter, (struct mono_time){middle_ns - RTT_NS / 2},
                    (struct mono_time){middle_ns + RTT_NS / 2},
                    (struct server_time){(int64_t)floor(server_s) * NS_PER_S});
}

static double width_s(const struct date_filter *filter)
{
    struct date_range range = date_filter_range(filter);
    return ns_to_s(range.high_ns - range.low_ns);
}

static void assert_holds(const struct date_filter *filter, double offset_s)
{
    struct date_range range = date_filter_range(filter);
    assert_true(range.low_ns <= s_to_ns(offset_s) && range.high_ns >= s_to_ns(offset_s));
}

static void one_answer_leaves_two_seconds(void **state)
{
    (void)state;
    struct date_filter filter;
    date_filter_init(&filter);
    assert_false(filter.known);
    ask(&filter, 5000.7, OFFSET_S);
    assert_true(filter.known);
    assert_holds(&filter, OFFSET_S);
    assert_true(width_s(&filter) > 1.9 && width_s(&filter) < 2.3);
}

static void a_burst_over_a_second_leaves_one(void **state)
{
    (void)state;
    struct date_filter filter;
    date_filter_init(&filter);
    for (int i = 0; i < 12; i++)
        ask(&filter, 5000.3 + 0.11 * i, OFFSET_S);
    assert_holds(&filter, OFFSET_S);
    assert_true(width_s(&filter) < 1.2);
}

/* Always at the same fraction of a second: always the same answer. */
static void the_same_fraction_says_the_same(void **state)
{
    (void)state;
    struct date_filter same, other;
    date_filter_init(&same);
    date_filter_init(&other);
    for (int i = 0; i < 30; i++) {
        ask(&same, 5000.5 + 10 * i, OFFSET_S);
        ask(&other, 5000.5 + 10 * i + fmod(i * 0.618, 1), OFFSET_S);
    }
    assert_holds(&same, OFFSET_S);
    assert_holds(&other, OFFSET_S);
    assert_true(width_s(&same) > 0.8);
    assert_true(width_s(&other) < 0.3);
}

static void a_stepped_server_begins_anew(void **state)
{
    (void)state;
    struct date_filter filter;
    date_filter_init(&filter);
    for (int i = 0; i < 12; i++)
        ask(&filter, 5000.3 + 0.11 * i, OFFSET_S);
    ask(&filter, 5010 - 3600, OFFSET_S - 3600);
    assert_holds(&filter, OFFSET_S - 3600);
    assert_true(width_s(&filter) > 1.9);
}

static void slow_and_late_answers_say_nothing(void **state)
{
    (void)state;
    struct date_filter filter;
    date_filter_init(&filter);
    struct mono_time sent = {0}, received = {NS_PER_S};
    date_filter_add(&filter, sent, received, (struct server_time){5000 * NS_PER_S});
    assert_false(filter.known);
    date_filter_add(&filter, received, sent, (struct server_time){5000 * NS_PER_S});
    assert_false(filter.known);
    ask(&filter, 5000.3, OFFSET_S);
    struct date_range before = date_filter_range(&filter);
    ask(&filter, 4900.3, OFFSET_S);
    assert_int_equal(date_filter_range(&filter).low_ns, before.low_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_answer_leaves_two_seconds),
        cmocka_unit_test(a_burst_over_a_second_leaves_one),
        cmocka_unit_test(the_same_fraction_says_the_same),
        cmocka_unit_test(a_stepped_server_begins_anew),
        cmocka_unit_test(slow_and_late_answers_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
