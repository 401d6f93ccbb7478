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

/* --- who answers, and aiming --- */

static void a_server_is_known_by_its_name(void **state)
{
    (void)state;
    assert_int_equal(date_server_of("nginx/1.22.1"), DATE_SERVER_EACH_TIME);
    assert_int_equal(date_server_of("Apache"), DATE_SERVER_EACH_TIME);
    assert_int_equal(date_server_of("uvicorn"), DATE_SERVER_AT_TIMES);
    assert_int_equal(date_server_of("engine x"), DATE_SERVER_UNKNOWN);
    assert_int_equal(date_server_of(""), DATE_SERVER_UNKNOWN);
}

/* Aims and asks, n times; when it would have said nothing more, sooner. Returns how often. */
static int narrow(struct date_filter *filter, double server_s, int n)
{
    for (int i = 0; i < n; i++) {
        struct mono_time from = {s_to_ns(server_s - OFFSET_S)};
        double bits;
        struct mono_time at =
            date_filter_aim(filter, from, mono_add(from, 1100 * NS_PER_MS), &bits);
        assert_true(mono_sub(at, from) >= 0 && mono_sub(at, from) <= 1100 * NS_PER_MS);
        if (bits < 0.01)
            return i;
        server_s = ns_to_s(at.ns) + OFFSET_S;
        ask(filter, server_s, OFFSET_S);
        server_s += 0.11;
    }
    return n;
}

static void aimed_answers_of_nginx_find_the_second(void **state)
{
    (void)state;
    struct date_filter filter;
    date_filter_init(&filter);
    date_filter_expect(&filter, DATE_SERVER_EACH_TIME);
    int asked = narrow(&filter, 5000.37, 16);
    assert_holds(&filter, OFFSET_S);
    assert_true(width_s(&filter) <= 5e-3);
    assert_true(asked < 16); /* and then nothing is left to ask */
    assert_true(fabs(ns_to_s(date_filter_range(&filter).best_ns) - OFFSET_S) < 2.5e-3);
}

static void a_name_that_lies_is_found_out(void **state)
{
    (void)state;
    struct date_filter filter;
    date_filter_init(&filter);
    date_filter_expect(&filter, DATE_SERVER_EACH_TIME);
    for (int i = 0; i < 60; i++) { /* looks every 1.006 s, last 0.4 s ago at the beginning */
        double server_s = 5000.55 + 1.7 * i, looked_s = 5000.15;
        looked_s += floor((server_s - looked_s) / 1.006) * 1.006;
        int64_t middle_ns = s_to_ns(server_s - OFFSET_S);
        date_filter_add(&filter, (struct mono_time){middle_ns - RTT_NS / 2},
                        (struct mono_time){middle_ns + RTT_NS / 2},
                        (struct server_time){(int64_t)floor(looked_s) * NS_PER_S});
    }
    assert_holds(&filter, OFFSET_S);
}

static void another_server_begins_anew(void **state)
{
    (void)state;
    struct date_filter filter;
    date_filter_init(&filter);
    date_filter_expect(&filter, DATE_SERVER_EACH_TIME);
    ask(&filter, 5000.3, OFFSET_S);
    date_filter_expect(&filter, DATE_SERVER_EACH_TIME);
    assert_true(filter.known);
    date_filter_expect(&filter, DATE_SERVER_AT_TIMES);
    assert_false(filter.known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_answer_leaves_two_seconds),
        cmocka_unit_test(a_burst_over_a_second_leaves_one),
        cmocka_unit_test(the_same_fraction_says_the_same),
        cmocka_unit_test(a_stepped_server_begins_anew),
        cmocka_unit_test(slow_and_late_answers_say_nothing),
        cmocka_unit_test(a_server_is_known_by_its_name),
        cmocka_unit_test(aimed_answers_of_nginx_find_the_second),
        cmocka_unit_test(a_name_that_lies_is_found_out),
        cmocka_unit_test(another_server_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
