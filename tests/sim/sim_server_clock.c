/*
 * sim_server_clock.c: what is known of the server's time by each kind of evidence, over seeds.
 */
#include "../unit/cmocka_all.h"
#include "models.h"
#include "tutti/core/server_clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SEEDS 200

#define CHECK(seed, condition)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %llu: not " #condition, (unsigned long long)(seed));                    \
    } while (0)

/* A listener: its crystal, its chance, its estimate. True time is the server's. */
struct listener {
    struct sim_crystal crystal;
    struct sim_random random;
    struct server_clock clock;
};

static struct mono_time local(const struct listener *listener, double t)
{
    return (struct mono_time){s_to_ns(50 + sim_crystal_at(&listener->crystal, t))};
}

static struct server_time server(double t)
{
    return (struct server_time){INT64_C(1700000000) * NS_PER_S + s_to_ns(t)};
}

static void listener_init(struct listener *listener, uint64_t seed)
{
    sim_random_init(&listener->random, seed);
    listener->crystal = (struct sim_crystal){.ppm = sim_uniform(&listener->random, -50, 50)};
    server_clock_init(&listener->clock, 200 * NS_PER_MS);
    server_clock_connected(&listener->clock, local(listener, 0));
}

static double error_s(const struct listener *listener, double t)
{
    struct server_time estimate = server_clock_at(&listener->clock, local(listener, t));
    return ns_to_s(server_sub(estimate, server(t)));
}

static double uncertainty_s(const struct listener *listener, double t)
{
    return ns_to_s(server_clock_estimate(&listener->clock, local(listener, t)).uncertainty_ns);
}

static void hear_stamp(struct listener *listener, double t, double delay_s)
{
    server_clock_add_stamp(&listener->clock, local(listener, t + delay_s), server(t));
}

static void probe(struct listener *listener, double t, const struct sim_network *network)
{
    double there = sim_delay(network, &listener->random, false);
    double back = sim_delay(network, &listener->random, true);
    if (there < 0 || back < 0)
        return;
    server_clock_add_echo(&listener->clock, local(listener, t),
                          local(listener, t + there + back + 30e-6), server(t + there),
                          server(t + there + 30e-6));
}

/* As contract: refreshed every 1.006 s, cut to whole seconds, 0.007 to 2.003 s old. */
static void ask_date(struct listener *listener, double t, double phase_s)
{
    double there = sim_uniform(&listener->random, 0.5e-3, 3e-3);
    double at = t + there;
    double refreshed = floor((at + phase_s) / 1.006) * 1.006 - phase_s;
    struct server_time date = {(INT64_C(1700000000) + (int64_t)floor(refreshed - 0.007)) *
                               NS_PER_S};
    double back = sim_uniform(&listener->random, 0.5e-3, 3e-3);
    server_clock_add_date(&listener->clock, local(listener, t), local(listener, at + back), date,
                          true);
}

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
        for (double t = 0.1; t < 60; t += t < 0.6 ? 0.06 : t < 15 ? 0.4 : 1.25)
            probe(&listener, t, &lan);
        CHECK(seed, fabs(error_s(&listener, 60)) < 100e-6);
        CHECK(seed, fabs(error_s(&listener, 60)) < uncertainty_s(&listener, 60));
    }
}

/* As the daemon probes: bursts and single ones, when the clock asks for them. */
static void probe_until(struct listener *listener, double from, double to,
                        const struct sim_network *network)
{
    for (double t = from; t < to;) {
        server_clock_probe_sent(&listener->clock, local(listener, t));
        probe(listener, t, network);
        struct mono_time next = server_clock_next_probe(&listener->clock);
        t = fmax(t + 1e-3, t + ns_to_s(mono_sub(next, local(listener, t))));
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
        probe_until(&listener, 0.1, 60, &network);
        for (double t = 60; t < 300; t += 5) {
            probe_until(&listener, t, t + 5, &network);
            CHECK(seed, fabs(error_s(&listener, t + 5)) < 1e-3);
            CHECK(seed, fabs(error_s(&listener, t + 5)) < uncertainty_s(&listener, t + 5));
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
            probe(&listener, t, &lan);
        CHECK(seed, fabs(error_s(&listener, 900)) < 1e-3);
        CHECK(seed, fabs(error_s(&listener, 900)) < uncertainty_s(&listener, 900));
    }
}

/* 5 ms of independent jitter: the disagreement of two speakers that hear the same stamps. */
static void stamps_alone(void **state)
{
    (void)state;
    static double after_ten[SEEDS];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener pair[2];
        for (int i = 0; i < 2; i++) {
            listener_init(&pair[i], 2 * seed + (uint64_t)i);
            hear_stamp(&pair[i], 1, sim_uniform(&pair[i].random, 0, 5e-3));
        }
        CHECK(seed, fabs(error_s(&pair[0], 1.1) - error_s(&pair[1], 1.1)) < 5e-3);
        for (int stamp = 1; stamp < 10; stamp++)
            for (int i = 0; i < 2; i++)
                hear_stamp(&pair[i], 1 + 0.3 * stamp, sim_uniform(&pair[i].random, 0, 5e-3));
        after_ten[seed - 1] = fabs(error_s(&pair[0], 10) - error_s(&pair[1], 10));
        CHECK(seed, fabs(error_s(&pair[0], 10)) < uncertainty_s(&pair[0], 10));
    }
    qsort(after_ten, SEEDS, sizeof *after_ten, compare);
    assert_true(after_ten[SEEDS * 95 / 100] < 2e-3);
}

static void show_wall(struct listener *listener, double t, double off_s, bool disciplined)
{
    struct wall_time wall = {server(t + off_s).ns};
    server_clock_add_wall(&listener->clock, local(listener, t), wall, 1000, disciplined, NS_PER_MS);
}

static void disciplined_clocks_agree_and_a_third_joins_them(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener three[3];
        for (int i = 0; i < 3; i++) {
            listener_init(&three[i], 3 * seed + (uint64_t)i);
            ask_date(&three[i], 0.2, sim_uniform(&three[i].random, 0, 1));
            bool disciplined = i < 2;
            double off_s = disciplined ? sim_uniform(&three[i].random, -1e-3, 1e-3) : 4000;
            show_wall(&three[i], 0.3, off_s, disciplined);
        }
        CHECK(seed, fabs(error_s(&three[0], 1) - error_s(&three[1], 1)) < 2e-3 + 1e-4);
        for (int i = 0; i < 3; i++) /* 3 to 6 ms, as observed */
            hear_stamp(&three[i], 2, sim_uniform(&three[i].random, 3e-3, 6e-3));
        CHECK(seed, fabs(error_s(&three[0], 2.1) - error_s(&three[2], 2.1)) < 5e-3);
    }
}

static void dates_alone(void **state)
{
    (void)state;
    unsigned samples = 0, covered = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener listener;
        listener_init(&listener, seed);
        double phase_s = sim_uniform(&listener.random, 0, 1.006);
        for (int i = 0; i < 12; i++)
            ask_date(&listener, 0.5 + 0.11 * i, phase_s);
        CHECK(seed, fabs(error_s(&listener, 2)) < 0.6);
        for (double t = 10; t < 310; t += 10) {
            ask_date(&listener, t + sim_uniform(&listener.random, 0, 0.3), phase_s);
            samples++;
            covered += fabs(error_s(&listener, t + 1)) <= uncertainty_s(&listener, t + 1);
        }
        CHECK(seed, fabs(error_s(&listener, 310)) < 0.5);
        hear_stamp(&listener, 311, 4e-3);
        CHECK(seed, fabs(error_s(&listener, 311.1)) < 10e-3);
    }
    assert_true(covered >= samples * 99 / 100);
}

/* "Synchronized", says the kernel, but an hour off: what the backend says contradicts it. */
static void a_wrong_wall_clock_is_found_out(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct listener listener;
        listener_init(&listener, seed);
        ask_date(&listener, 0.2, 0.3);
        show_wall(&listener, 0.3, seed % 2 ? 3600 : -1.7e9, true);
        CHECK(seed, fabs(error_s(&listener, 1)) < 2.2);
        struct server_clock_estimate estimate =
            server_clock_estimate(&listener.clock, local(&listener, 1));
        CHECK(seed, estimate.source == SERVER_CLOCK_DATE);
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
            probe(&listener, t, &lan);
        double before_s = error_s(&listener, 30);
        show_wall(&listener, 30, 3600, seed % 2);
        CHECK(seed, fabs(error_s(&listener, 30) - before_s) < 1e-9);
    }
}

static void the_two_directions_are_inverse(void **state)
{
    (void)state;
    const struct sim_network wifi = {.kind = SIM_WIFI, .jitter_s = 20e-3, .loss = 0.1};
    struct listener listener;
    listener_init(&listener, 5);
    for (double t = 0.1; t < 60; t += 0.4) {
        probe(&listener, t, &wifi);
        struct mono_time at = local(&listener, t + 3);
        struct server_time there = server_clock_at(&listener.clock, at);
        int64_t off_ns = mono_sub(server_clock_mono_at(&listener.clock, there), at);
        assert_in_range(off_ns + 2, 0, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_echo_on_a_quiet_lan),
        cmocka_unit_test(an_echo_with_one_sided_jitter),
        cmocka_unit_test(ten_minutes_without_the_backend),
        cmocka_unit_test(stamps_alone),
        cmocka_unit_test(disciplined_clocks_agree_and_a_third_joins_them),
        cmocka_unit_test(dates_alone),
        cmocka_unit_test(a_wrong_wall_clock_is_found_out),
        cmocka_unit_test(a_stepped_wall_clock_moves_nothing),
        cmocka_unit_test(the_two_directions_are_inverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
