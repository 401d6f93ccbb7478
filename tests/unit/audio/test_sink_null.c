/*
 * test_sink_null.c: the sink that only keeps time, on a clock that is moved by hand.
 */
#include "../cmocka_all.h"
#include "tutti/audio/sink.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define RATE 48000
static float silence[RATE * SINK_CHANNELS];

static struct mono_time read_clock(void *clock)
{
    return *(struct mono_time *)clock;
}

static struct sink *open_null(struct mono_time *clock, double ppm)
{
    struct sink_config config = {
        .device = "null",
        .preferred_rate_hz = RATE,
        .buffer_ns = 500 * NS_PER_MS,
        .null_ppm = ppm,
        .now = read_clock,
        .clock = clock,
    };
    struct sink *sink = NULL;
    char error[SINK_TEXT_MAX];
    assert_int_equal(sink_open(&config, &sink, error), 0);
    return sink;
}

static void test_says_what_it_is(void **state)
{
    (void)state;
    struct mono_time clock = {0};
    struct sink *sink = open_null(&clock, 0);
    const struct sink_info *info = sink_get_info(sink);
    assert_string_equal(info->device, "null");
    assert_string_equal(info->format, "none");
    assert_int_equal(info->rate_hz, RATE);
    assert_int_equal(info->buffer_frames, RATE / 2);
    assert_true(info->can_rewind);
    assert_int_equal(sink_observe(sink).state, SINK_STOPPED);
    sink_close(sink);
    sink_close(NULL);
}

static void test_a_fixed_rate_wins(void **state)
{
    (void)state;
    struct mono_time clock = {0};
    struct sink_config config = {.device = "null",
                                 .preferred_rate_hz = 44100,
                                 .fixed_rate_hz = 96000,
                                 .buffer_ns = NS_PER_S,
                                 .now = read_clock,
                                 .clock = &clock};
    struct sink *sink = NULL;
    char error[SINK_TEXT_MAX];
    assert_int_equal(sink_open(&config, &sink, error), 0);
    assert_int_equal(sink_get_info(sink)->rate_hz, 96000);
    sink_close(sink);
}

static void test_takes_what_fits(void **state)
{
    (void)state;
    struct mono_time clock = {0};
    struct sink *sink = open_null(&clock, 0);
    assert_int_equal(sink_start(sink), -EPIPE);
    assert_int_equal(sink_write(sink, silence, 1000), 1000);
    assert_int_equal(sink_write(sink, silence, RATE), RATE / 2 - 1000);
    assert_int_equal(sink_write(sink, silence, 1), 0);
    assert_int_equal(sink_start(sink), 0);
    clock.ns += 10 * NS_PER_MS;
    assert_int_equal(sink_write(sink, silence, RATE), 480);
    assert_int_equal(sink_observe(sink).written_frames, RATE / 2 + 480);
    sink_close(sink);
}

/* Every look, at whatever time, must lie on one line of exactly the rate asked for. */
static void test_runs_at_its_own_rate(void **state)
{
    (void)state;
    static const double ppms[] = {0, 80, -60, 200};
    for (size_t i = 0; i < sizeof ppms / sizeof *ppms; i++) {
        struct mono_time clock = {123456789};
        struct sink *sink = open_null(&clock, ppms[i]);
        double rate = RATE * (1 + ppms[i] * 1e-6);
        assert_int_equal(sink_write(sink, silence, RATE / 2), RATE / 2);
        assert_int_equal(sink_start(sink), 0);
        struct mono_time start = clock;
        for (int step = 0; step < 100000; step++) {
            clock.ns += 7654321;
            struct sink_observation look = sink_observe(sink);
            assert_int_equal(look.state, SINK_RUNNING);
            assert_true(mono_sub(clock, look.time) >= 0);
            assert_true(mono_sub(clock, look.time) < NS_PER_S / RATE + 2);
            double frame = ns_to_frames(mono_sub(look.time, start), rate);
            int64_t played = look.written_frames - look.delay_frames;
            assert_true(fabs(frame - (double)played) < 1e-3);
            assert_true(sink_write(sink, silence, RATE / 2) >= 0);
        }
        sink_close(sink);
    }
}

static void test_runs_dry(void **state)
{
    (void)state;
    struct mono_time clock = {0};
    struct sink *sink = open_null(&clock, 0);
    sink_write(sink, silence, 480);
    assert_int_equal(sink_start(sink), 0);
    clock.ns += 9 * NS_PER_MS;
    assert_int_equal(sink_observe(sink).state, SINK_RUNNING);
    clock.ns += NS_PER_MS;
    assert_int_equal(sink_observe(sink).state, SINK_XRUN);
    assert_int_equal(sink_write(sink, silence, 10), -EPIPE);
    assert_int_equal(sink_rewind(sink, 10), 0);
    assert_int_equal(sink_reset(sink), 0);
    assert_int_equal(sink_observe(sink).state, SINK_STOPPED);
    assert_int_equal(sink_observe(sink).written_frames, 0);
    assert_int_equal(sink_write(sink, silence, 480), 480);
    assert_int_equal(sink_start(sink), 0);
    assert_int_equal(sink_observe(sink).state, SINK_RUNNING);
    sink_close(sink);
}

static void test_gives_back_what_is_not_played(void **state)
{
    (void)state;
    struct mono_time clock = {0};
    struct sink *sink = open_null(&clock, 0);
    sink_write(sink, silence, 4800);
    assert_int_equal(sink_rewind(sink, 100), 100); /* stopped: all of it is free */
    assert_int_equal(sink_rewind(sink, 10000), 4700);
    sink_write(sink, silence, 4800);
    sink_start(sink);
    clock.ns += 50 * NS_PER_MS;
    assert_int_equal(sink_rewind(sink, 1000), 1000);
    assert_int_equal(sink_observe(sink).written_frames, 3800);
    size_t taken = sink_rewind(sink, 10000);
    assert_in_range(taken, 1200, 1400); /* all but a margin */
    assert_int_equal(sink_rewind(sink, 10000), 0);
    struct sink_observation look = sink_observe(sink);
    assert_int_equal(look.written_frames, 3800 - taken);
    assert_int_equal(look.delay_frames, look.written_frames - 2400);
    assert_int_equal(sink_write(sink, silence, 100), 100);
    sink_close(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_what_it_is),
        cmocka_unit_test(test_a_fixed_rate_wins),
        cmocka_unit_test(test_takes_what_fits),
        cmocka_unit_test(test_runs_at_its_own_rate),
        cmocka_unit_test(test_runs_dry),
        cmocka_unit_test(test_gives_back_what_is_not_played),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
