/*
 * sim_server_clock.c: what is known of the server's time by each kind of evidence, over seeds.
 */
#include "../unit/cmocka_all.h"
#include "listener.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SEEDS 200

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void an_echo_on_a_quiet_lan(void **state)
{
    (void)state;
    const struct sim_network lan = {.kind = SIM_LAN};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener listener;
        listener_init(&listener, seed);
        listener_probe_until(&listener, 0.1, 60, &lan);
        CHECK(seed, fabs(listener_error_s(&listener, 60)) < 100e-6);
        CHECK(seed, fabs(listener_error_s(&listener, 60)) < listener_uncertainty_s(&listener, 60));
    }
}

/* A server that sleeps between probes answers late, in one direction only; not to a volley. */
static void a_sleepy_server_is_woken_first(void **state)
{
    (void)state;
    const struct sim_network network = {.kind = SIM_LAN, .wake_s = 100e-6};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener listener;
        listener_init(&listener, seed);
        for (double t = 0; t < 300; t += 10) {
            listener_probe_until(&listener, t, t + 10, &network);
            CHECK(seed, fabs(listener_error_s(&listener, t + 10)) < (t < 50 ? 20e-6 : 10e-6));
        }
    }
}

/* 20 ms of jitter in one direction, which the middle of a round trip would take for 10 ms. */
static void an_echo_with_one_sided_jitter(void **state)
{
    (void)state;
    const struct sim_network network = {.kind = SIM_ONE_SIDED, .jitter_s = 20e-3};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener listener;
        listener_init(&listener, seed);
        listener_probe_until(&listener, 0.1, 60, &network);
        for (double t = 60; t < 300; t += 5) {
            listener_probe_until(&listener, t, t + 5, &network);
            CHECK(seed, fabs(listener_error_s(&listener, t + 5)) < 1e-3);
            CHECK(seed, fabs(listener_error_s(&listener, t + 5)) <
                            listener_uncertainty_s(&listener, t + 5));
        }
    }
}

static void ten_minutes_without_the_backend(void **state)
{
    (void)state;
    const struct sim_network lan = {.kind = SIM_LAN};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener listener;
        listener_init(&listener, seed);
        for (double t = 0.1; t < 300; t += t < 15 ? 0.4 : 1.25)
            listener_probe(&listener, t, &lan);
        CHECK(seed, fabs(listener_error_s(&listener, 900)) < 1e-3);
        CHECK(seed,
              fabs(listener_error_s(&listener, 900)) < listener_uncertainty_s(&listener, 900));
    }
}

/* What two speakers that hear the same ten stamps differ by, at the 95th percentile of the seeds.
 */
static double disagreement_p95_s(double apart_s)
{
    static double after_ten[SEEDS];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener pair[2];
        for (int i = 0; i < 2; i++) {
            listener_init(&pair[i], 2 * seed + (uint64_t)i);
            listener_hear_stamp(&pair[i], 1, sim_uniform(&pair[i].random, 0, 5e-3), 0);
        }
        CHECK(seed, fabs(listener_error_s(&pair[0], 1.1) - listener_error_s(&pair[1], 1.1)) < 5e-3);
        double t = 1;
        for (int stamp = 1; stamp < 10; stamp++) {
            t += apart_s;
            for (int i = 0; i < 2; i++)
                listener_hear_stamp(&pair[i], t, sim_uniform(&pair[i].random, 0, 5e-3), 0);
        }
        t += 0.1;
        after_ten[seed - 1] = fabs(listener_error_s(&pair[0], t) - listener_error_s(&pair[1], t));
        CHECK(seed, fabs(listener_error_s(&pair[0], t)) < listener_uncertainty_s(&pair[0], t));
    }
    qsort(after_ten, SEEDS, sizeof *after_ten, compare);
    return after_ten[SEEDS * 95 / 100];
}

/* 5 ms of independent jitter. */
static void stamps_alone(void **state)
{
    (void)state;
    assert_true(disagreement_p95_s(0.3) < 2e-3);
    assert_true(disagreement_p95_s(1) < 2e-3);
}

/* A database that is slow to commit makes a stamp late for all alike; each asks for Dates by
 * itself, some of which say so. Without a command for twenty minutes, they part as their crystals
 * do. */
static void what_all_heard_stays_the_anchor(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener pair[2];
        double late_s = seed % 2 ? 3e-3 : 80e-3;
        for (int i = 0; i < 2; i++) {
            listener_init(&pair[i], 2 * seed + (uint64_t)i);
            pair[i].server_off_s = pair[i].date_phase_s = 0.37 + 1e-3 * (double)seed;
            pair[i].date_period_s = seed % 3 ? 0 : 1.006; /* nginx's, uvicorn's */
            listener_hear_stamp(&pair[i], 1, late_s + 1e-3 * i, 0);
        }
        for (double t = 1.5; t < 1200; t += 100) {
            for (int i = 0; i < 2; i++)
                listener_ask_dates_until(&pair[i], t > 2 ? t - 100 : 0, t);
            double parted_s = fabs(pair[0].crystal.ppm - pair[1].crystal.ppm) * 1e-6 * t;
            CHECK(seed, fabs(listener_error_s(&pair[0], t) - listener_error_s(&pair[1], t)) <
                            1.1e-3 + parted_s);
            if (late_s < 10e-3)
                CHECK(seed,
                      fabs(listener_error_s(&pair[0], t)) < listener_uncertainty_s(&pair[0], t));
        }
    }
}

static void disciplined_clocks_agree_and_a_third_joins_them(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener three[3];
        for (int i = 0; i < 3; i++) {
            listener_init(&three[i], 3 * seed + (uint64_t)i);
            three[i].server_off_s = three[i].date_phase_s = 0.1;
            listener_ask_date(&three[i], 0.2);
            bool disciplined = i < 2;
            double off_s = disciplined ? sim_uniform(&three[i].random, -1e-3, 1e-3) : 4000;
            listener_show_wall(&three[i], 0.3, off_s, disciplined);
        }
        CHECK(seed,
              fabs(listener_error_s(&three[0], 1) - listener_error_s(&three[1], 1)) < 2e-3 + 1e-4);
        for (int i = 0; i < 3; i++) /* 3 to 6 ms, as observed */
            listener_hear_stamp(&three[i], 2, sim_uniform(&three[i].random, 3e-3, 6e-3), 0);
        CHECK(seed,
              fabs(listener_error_s(&three[0], 2.1) - listener_error_s(&three[2], 2.1)) < 5e-3);
    }
}

/* As soon as the burst is over, and after five minutes of one request in 10 s. */
static void dates_alone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener listener;
        listener_init(&listener, seed);
        if (seed % 4 == 0)
            listener.date_period_s = 0; /* looks at its clock for every answer */
        listener_ask_dates_until(&listener, 0, 2);
        CHECK(seed, fabs(listener_error_s(&listener, 2)) < 0.6);
        listener_ask_dates_until(&listener, 2, 300);
        CHECK(seed, fabs(listener_error_s(&listener, 300)) < 0.25);
        listener_hear_stamp(&listener, 301, 4e-3, 0);
        CHECK(seed, fabs(listener_error_s(&listener, 301.1)) < 10e-3);
    }
}

/* A backend that says who answers: a proxy's second is found in a few requests; uvicorn's slides
 * by, 6 ms at a time, and takes its time. */
static void dates_of_a_server_with_a_name(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener proxy, uvicorn;
        listener_init(&proxy, seed);
        listener_init(&uvicorn, seed);
        proxy.date_period_s = 0;
        date_filter_expect(&proxy.clock.dates, DATE_SERVER_EACH_TIME);
        date_filter_expect(&uvicorn.clock.dates, DATE_SERVER_AT_TIMES);
        listener_ask_dates_until(&proxy, 0, 5);
        listener_ask_dates_until(&uvicorn, 0, 5);
        CHECK(seed, fabs(listener_error_s(&proxy, 5)) < 0.05);
        CHECK(seed, fabs(listener_error_s(&uvicorn, 5)) < 0.6);
        listener_ask_dates_until(&proxy, 5, 300);
        listener_ask_dates_until(&uvicorn, 5, 300);
        CHECK(seed, fabs(listener_error_s(&proxy, 300)) < 5e-3);
        CHECK(seed, fabs(listener_error_s(&uvicorn, 300)) < 0.1);
    }
}

/* "Synchronized", says the kernel, but an hour off: what the backend says contradicts it. */
static void a_wrong_wall_clock_is_found_out(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener listener;
        listener_init(&listener, seed);
        listener_ask_date(&listener, 0.2);
        listener_show_wall(&listener, 0.3, seed % 2 ? 3600 : -1.7e9, true);
        CHECK(seed, fabs(listener_error_s(&listener, 1)) < 2.2);
        CHECK(seed, listener_estimate(&listener, 1).source == SERVER_CLOCK_DATE);
    }
}

static void a_stepped_wall_clock_moves_nothing(void **state)
{
    (void)state;
    const struct sim_network lan = {.kind = SIM_LAN};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener listener;
        listener_init(&listener, seed);
        for (double t = 0.1; t < 30; t += 0.4)
            listener_probe(&listener, t, &lan);
        double before_s = listener_error_s(&listener, 30);
        listener_show_wall(&listener, 30, 3600, seed % 2);
        CHECK(seed, fabs(listener_error_s(&listener, 30) - before_s) < 1e-9);
    }
}

static void the_two_directions_are_inverse(void **state)
{
    (void)state;
    const struct sim_network wifi = {.kind = SIM_WIFI, .jitter_s = 20e-3, .loss = 0.1};
    struct listener listener;
    listener_init(&listener, 5);
    for (double t = 0.1; t < 60; t += 0.4) {
        listener_probe(&listener, t, &wifi);
        struct mono_time at = {s_to_ns(t + 53)};
        struct server_time there = server_clock_at(&listener.clock, at);
        int64_t off_ns = mono_sub(server_clock_mono_at(&listener.clock, there), at);
        assert_in_range(off_ns + 2, 0, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_echo_on_a_quiet_lan),
        cmocka_unit_test(a_sleepy_server_is_woken_first),
        cmocka_unit_test(an_echo_with_one_sided_jitter),
        cmocka_unit_test(ten_minutes_without_the_backend),
        cmocka_unit_test(stamps_alone),
        cmocka_unit_test(what_all_heard_stays_the_anchor),
        cmocka_unit_test(disciplined_clocks_agree_and_a_third_joins_them),
        cmocka_unit_test(dates_alone),
        cmocka_unit_test(dates_of_a_server_with_a_name),
        cmocka_unit_test(a_wrong_wall_clock_is_found_out),
        cmocka_unit_test(a_stepped_wall_clock_moves_nothing),
        cmocka_unit_test(the_two_directions_are_inverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
