#include "../cmocka_all.h"
#include "tutti/core/server_clock.h"

#define HOUR (3600 * NS_PER_S)
#define STEP_NS (200 * NS_PER_MS)
/* Server time - local time, in all of these. */
#define OFFSET_NS (INT64_C(1700000000) * NS_PER_S)
#define DELAY_NS (4 * NS_PER_MS)

static struct mono_time local(int64_t s)
{
    return (struct mono_time){s * NS_PER_S};
}

static struct server_time server(int64_t s, int64_t off_ns)
{
    return (struct server_time){s * NS_PER_S + OFFSET_NS + off_ns};
}

static void hear_stamp(struct server_clock *clock, int64_t s, int64_t off_ns)
{
    server_clock_add_stamp(clock, mono_add(local(s), DELAY_NS), server(s, off_ns));
}

/* 100 us each way; the server answers at once. */
static void hear_echo(struct server_clock *clock, int64_t s, int64_t off_ns)
{
    const int64_t way_ns = 100 * NS_PER_US;
    struct server_time there = server(s, off_ns + way_ns);
    server_clock_add_echo(clock, local(s), mono_add(local(s), 2 * way_ns), there, there);
}

static uint64_t disbelieved(const struct server_clock *clock, int64_t s)
{
    return server_clock_estimate(clock, local(s)).disbelieved;
}

static int64_t off_ns(const struct server_clock *clock, int64_t s)
{
    return server_sub(server_clock_at(clock, local(s)), server(s, 0));
}

static struct server_clock connected(void)
{
    struct server_clock clock;
    server_clock_init(&clock, STEP_NS);
    server_clock_connected(&clock, local(1));
    return clock;
}

static void a_stamp_that_cannot_be_is_counted_and_changes_nothing(void **state)
{
    (void)state;
    const int64_t wrong_ns[] = {HOUR, -HOUR, -OFFSET_NS, 30 * NS_PER_S};
    struct server_clock clock = connected();
    for (int64_t s = 2; s < 6; s++)
        hear_stamp(&clock, s, 0);
    assert_int_equal(disbelieved(&clock, 6), 0);
    for (int64_t i = 0; i < 4; i++) {
        int64_t before_ns = off_ns(&clock, 10 * i + 10);
        hear_stamp(&clock, 10 * i + 10, wrong_ns[i]);
        assert_int_equal(disbelieved(&clock, 10 * i + 11), i + 1);
        assert_in_range(off_ns(&clock, 10 * i + 10) - before_ns + NS_PER_US, 0, 2 * NS_PER_US);
        hear_stamp(&clock, 10 * i + 12, 0);
    }
    assert_int_equal(disbelieved(&clock, 60), 4);
}

/* The first that says so is passed over, the second is believed: only one is counted. */
static void a_stepped_clock_is_disbelieved_once(void **state)
{
    (void)state;
    struct server_clock clock = connected();
    for (int64_t s = 2; s < 6; s++)
        hear_stamp(&clock, s, 0);
    for (int64_t s = 10; s < 14; s++)
        hear_stamp(&clock, s, HOUR);
    assert_int_equal(disbelieved(&clock, 14), 1);
    assert_in_range(off_ns(&clock, 14) - HOUR + 10 * NS_PER_MS, 0, 20 * NS_PER_MS);
}

/* Stamps that an echo proves wrong are never believed, however many agree. */
static void an_echo_overrules_all_stamps(void **state)
{
    (void)state;
    struct server_clock clock = connected();
    for (int64_t s = 2; s < 10; s++)
        hear_echo(&clock, s, 0);
    for (int64_t s = 10; s < 20; s++)
        hear_stamp(&clock, s, HOUR);
    assert_int_equal(disbelieved(&clock, 20), 10);
    assert_in_range(off_ns(&clock, 20) + NS_PER_MS, 0, 2 * NS_PER_MS);
}

/* Two are an accident, three are a stepped clock; an answer that took longer there than here is no
 * echo at all. */
static void echoes_that_cannot_be_are_counted(void **state)
{
    (void)state;
    struct server_clock clock = connected();
    for (int64_t s = 2; s < 10; s++)
        hear_echo(&clock, s, 0);
    server_clock_add_echo(&clock, local(10), mono_add(local(10), NS_PER_MS), server(10, 0),
                          server(10, NS_PER_S));
    assert_int_equal(disbelieved(&clock, 11), 1);
    for (int64_t s = 11; s < 16; s++)
        hear_echo(&clock, s, -HOUR);
    assert_int_equal(disbelieved(&clock, 16), 3);
    assert_in_range(off_ns(&clock, 16) + HOUR + NS_PER_MS, 0, 2 * NS_PER_MS);
}

/* A backend that was stopped for five seconds answers all at once, late. Each of its answers is
 * true, and of no use. */
static void answers_that_were_held_back_move_nothing(void **state)
{
    (void)state;
    struct server_clock clock = connected();
    for (int64_t s = 2; s < 10; s++)
        hear_echo(&clock, s, 0);
    int64_t before_ns = off_ns(&clock, 15);
    for (int64_t i = 0; i < 4; i++) {
        struct mono_time sent = mono_add(local(10), i * 60 * NS_PER_MS);
        server_clock_add_echo(&clock, sent, local(15), server(15, 0), server(15, 0));
        assert_in_range(off_ns(&clock, 15) - before_ns + 10 * NS_PER_US, 0, 20 * NS_PER_US);
        struct server_clock_estimate estimate = server_clock_estimate(&clock, local(15));
        assert_in_range(estimate.uncertainty_ns, 0, 2 * NS_PER_MS);
        assert_true(estimate.frequency_ppm > -5 && estimate.frequency_ppm < 5);
    }
}

/* Answers every probe from now on; how many there were. */
static int probes_until(struct server_clock *clock, int64_t end_s)
{
    const int64_t way_ns = 100 * NS_PER_US;
    int count = 0;
    for (struct mono_time now = server_clock_next_probe(clock); now.ns < end_s * NS_PER_S;
         now = server_clock_next_probe(clock)) {
        struct server_time there = {now.ns + OFFSET_NS + way_ns};
        server_clock_probe_sent(clock, now);
        server_clock_add_echo(clock, now, mono_add(now, 2 * way_ns), there, there);
        count++;
    }
    return count;
}

static void one_volley_of_four_does_while_nothing_sounds(void **state)
{
    (void)state;
    struct server_clock clock = connected();
    probes_until(&clock, 100);
    assert_int_equal(probes_until(&clock, 200), 80);
    server_clock_rest(&clock, true);
    probes_until(&clock, 220); /* what was begun */
    assert_int_equal(probes_until(&clock, 320), 40);
    server_clock_rest(&clock, false);
    probes_until(&clock, 340);
    assert_int_equal(probes_until(&clock, 440), 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stamp_that_cannot_be_is_counted_and_changes_nothing),
        cmocka_unit_test(a_stepped_clock_is_disbelieved_once),
        cmocka_unit_test(an_echo_overrules_all_stamps),
        cmocka_unit_test(echoes_that_cannot_be_are_counted),
        cmocka_unit_test(answers_that_were_held_back_move_nothing),
        cmocka_unit_test(one_volley_of_four_does_while_nothing_sounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
