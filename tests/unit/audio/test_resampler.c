/*
 * test_resampler.c: sound against bookkeeping.
 *
 * A sine whose phase at any input frame is known goes in; what comes out is fitted, by least
 * squares, with that sine at the positions that the resampler states for its output frames. The
 * angle of the fit is the error of the bookkeeping, what is left over is distortion and noise.
 */
#include "../cmocka_all.h"
#include "tutti/audio/resampler.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEED_FRAMES 1152
static const double PI = 3.14159265358979323846;
/* Input frames, or output frames where those are longer. */
static const double POSITION_TOLERANCE = 0.01;

/* Feeds a sine by absolute input frame number and pulls output. */
struct bench {
    struct resampler *resampler;
    double rate_hz; /* input */
    double tone_hz;
    int64_t next;
    float in[FEED_FRAMES * RESAMPLER_CHANNELS];
    size_t in_at, in_count;
    size_t feed_frames;
};

struct fit {
    double error_frames; /* sound later than stated: positive */
    double gain;
    double thd_n_db;
    double cos_sum, sin_sum, power; /* in the making */
    double cc, ss, cs;
};

static void bench_start(struct bench *bench, unsigned in_hz, unsigned out_hz, double tone_hz,
                        double position)
{
    *bench = (struct bench){.rate_hz = in_hz, .tone_hz = tone_hz, .feed_frames = FEED_FRAMES};
    bench->resampler = resampler_create(in_hz, out_hz);
    assert_non_null(bench->resampler);
    bench->next = resampler_start(bench->resampler, position);
}

static void fill(struct bench *bench)
{
    for (size_t i = 0; i < bench->feed_frames; i++) {
        double turn = bench->tone_hz * (double)(bench->next + (int64_t)i) / bench->rate_hz;
        bench->in[2 * i] = (float)(0.5 * sin(2 * PI * turn));
        bench->in[2 * i + 1] = -bench->in[2 * i];
    }
    bench->next += (int64_t)bench->feed_frames;
    bench->in_at = 0;
    bench->in_count = bench->feed_frames;
}

static void pull(struct bench *bench, float *out, size_t count)
{
    size_t done = 0;
    while (done < count) {
        if (bench->in_at == bench->in_count)
            fill(bench);
        size_t used = 0;
        size_t got = resampler_process(
            bench->resampler, bench->in + bench->in_at * RESAMPLER_CHANNELS,
            bench->in_count - bench->in_at, &used, out + done * RESAMPLER_CHANNELS, count - done);
        assert_true(used > 0 || got > 0);
        bench->in_at += used;
        done += got;
    }
}

static void fit_add(struct fit *fit, double sample, double angle)
{
    double c = cos(angle), s = sin(angle);
    fit->cos_sum += sample * c;
    fit->sin_sum += sample * s;
    fit->power += sample * sample;
    fit->cc += c * c;
    fit->ss += s * s;
    fit->cs += c * s;
}

static void fit_finish(struct fit *fit, double radians_per_frame)
{
    double det = fit->cc * fit->ss - fit->cs * fit->cs;
    double a = (fit->sin_sum * fit->cc - fit->cos_sum * fit->cs) / det; /* of the sine */
    double b = (fit->cos_sum * fit->ss - fit->sin_sum * fit->cs) / det;
    double rest = fit->power - a * fit->sin_sum - b * fit->cos_sum;
    fit->gain = hypot(a, b) / 0.5;
    fit->error_frames = -atan2(b, a) / radians_per_frame;
    fit->thd_n_db = 10 * log10(fmax(rest, 1e-30) / fit->power);
}

/* Pulls count frames, asking ppm_at (may be NULL) for the rate every 64 frames, and fits. */
static struct fit measure(struct bench *bench, size_t count, double (*ppm_at)(size_t frame))
{
    struct fit fit = {0};
    double radians = 2 * PI * bench->tone_hz / bench->rate_hz;
    float out[64 * RESAMPLER_CHANNELS];
    for (size_t frame = 0; frame < count; frame += 64) {
        if (ppm_at)
            resampler_set_ppm(bench->resampler, ppm_at(frame));
        double position = resampler_position(bench->resampler);
        double ratio = resampler_ratio(bench->resampler);
        pull(bench, out, 64);
        for (int i = 0; i < 64; i++) {
            assert_true(out[2 * i] == -out[2 * i + 1]);
            fit_add(&fit, (double)out[2 * i], radians * (position + i * ratio));
        }
    }
    fit_finish(&fit, radians);
    return fit;
}

/* After a start the filter settles for some 10 ms, 80 dB down. */
static void settle(struct bench *bench)
{
    float thrown[64 * RESAMPLER_CHANNELS];
    for (int i = 0; i < 32; i++)
        pull(bench, thrown, 64);
}

static const unsigned rates[][2] = {
    {44100, 48000}, {44100, 44100}, {48000, 44100}, {48000, 48000}, {22050, 48000},
    {8000, 48000},  {44100, 96000}, {96000, 48000}, {48000, 8000},  {22050, 44100},
    {24000, 48000}, {11025, 44100}, {8000, 192000}, {32000, 44100},
};
#define RATES (sizeof rates / sizeof *rates)

/* The IIR's phase delay grows with the square of the frequency, by this much relative to the
 * output rate; the header speaks of low frequencies. */
static double dispersion_frames(double tone_hz, unsigned in_hz, unsigned out_hz)
{
    double x = tone_hz / out_hz;
    return (3.87 * x * x + 10.5 * x * x * x * x) * in_hz / out_hz;
}

static void check_position(unsigned in_hz, unsigned out_hz, double tone_hz, double ppm)
{
    struct bench bench;
    bench_start(&bench, in_hz, out_hz, tone_hz, 0);
    double in_effect = resampler_set_ppm(bench.resampler, ppm);
    assert_true(fabs(in_effect - ppm) < 0.02);
    settle(&bench);
    struct fit fit = measure(&bench, 9600, NULL);
    double error = fit.error_frames - dispersion_frames(tone_hz, in_hz, out_hz);
    double tolerance = POSITION_TOLERANCE * fmax(1, (double)in_hz / out_hz);
    if (fabs(error) > tolerance || fit.thd_n_db > -105 || fabs(fit.gain - 1) > 1e-3)
        fail_msg("%u->%u Hz, %g Hz, %g ppm: off by %.5f frames, THD+N %.1f dB, gain %.5f", in_hz,
                 out_hz, tone_hz, ppm, error, fit.thd_n_db, fit.gain);
    resampler_destroy(bench.resampler);
}

static void test_sounds_where_it_says(void **state)
{
    static const double tones_hz[] = {100, 997, 3000, 10000};
    static const double ppms[] = {0, 60, -60, 5000, -5000};
    (void)state;
    for (size_t r = 0; r < RATES; r++)
        for (size_t t = 0; t < sizeof tones_hz / sizeof *tones_hz; t++)
            for (size_t p = 0; p < sizeof ppms / sizeof *ppms; p++) {
                unsigned lower = rates[r][0] < rates[r][1] ? rates[r][0] : rates[r][1];
                if (tones_hz[t] < 0.25 * lower)
                    check_position(rates[r][0], rates[r][1], tones_hz[t], ppms[p]);
            }
}

static double random_unit(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / 16777216.0;
}

static void test_starts_exactly_at_a_fraction(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (size_t r = 0; r < RATES; r++)
        for (int i = 0; i < 25; i++) {
            double tone_hz = 0.01 * rates[r][1];
            if (tone_hz > 0.2 * rates[r][0])
                tone_hz = 0.2 * rates[r][0];
            struct bench bench;
            bench_start(&bench, rates[r][0], rates[r][1], tone_hz, 0);
            resampler_set_ppm(bench.resampler, 10000 * random_unit(&seed) - 5000);
            double asked = random_unit(&seed) * 20000 - 5000;
            bench.next = resampler_start(bench.resampler, asked);
            assert_true((double)bench.next < asked);
            assert_true(fabs(resampler_position(bench.resampler) - asked) < 1e-5);
            struct fit fit = measure(&bench, 256, NULL);
            double error = fit.error_frames - dispersion_frames(tone_hz, rates[r][0], rates[r][1]);
            if (fabs(error) > POSITION_TOLERANCE * fmax(1, (double)rates[r][0] / rates[r][1]))
                fail_msg("%u->%u Hz from %.5f: off by %.5f frames", rates[r][0], rates[r][1], asked,
                         error);
            resampler_destroy(bench.resampler);
        }
}

/* 0.1 ppm per second, through the crystal's typical error and through 0. */
static double creeping_ppm(size_t frame)
{
    return 80 + 0.1 * (double)frame / 48000;
}

static double creeping_through_zero_ppm(size_t frame)
{
    return 0.1 * ((double)frame / 48000 - 1);
}

/* As the controller does at most: 0.5 % up and down within two seconds. */
static double slewing_ppm(size_t frame)
{
    return 5000 * sin(2 * PI * (double)frame / (2 * 48000));
}

static double toggling_ppm(size_t frame)
{
    return frame / 4800 % 2 ? 1 : -1;
}

static double thd_n_db(unsigned in_hz, unsigned out_hz, double (*ppm_at)(size_t frame))
{
    struct bench bench;
    bench_start(&bench, in_hz, out_hz, fmin(997, 0.0225 * out_hz), 0);
    resampler_set_ppm(bench.resampler, ppm_at(0));
    settle(&bench);
    struct fit fit = measure(&bench, 3 * 48000, ppm_at);
    resampler_destroy(bench.resampler);
    return fit.thd_n_db;
}

static void test_moving_ratio_is_clean(void **state)
{
    (void)state;
    for (size_t r = 0; r < RATES; r++) {
        double creeping = thd_n_db(rates[r][0], rates[r][1], creeping_ppm);
        double through_zero = thd_n_db(rates[r][0], rates[r][1], creeping_through_zero_ppm);
        double slewing = thd_n_db(rates[r][0], rates[r][1], slewing_ppm);
        double toggling = thd_n_db(rates[r][0], rates[r][1], toggling_ppm);
        print_message("%6u -> %6u Hz, THD+N at 0.1 ppm/s: %.1f dB, through 0: %.1f dB, "
                      "within +-5000 ppm: %.1f dB, +-1 ppm toggling: %.1f dB\n",
                      rates[r][0], rates[r][1], creeping, through_zero, slewing, toggling);
        assert_true(creeping < -105);
        /* At a ratio of 1, 2 ... the engine cross-fades between two filters whose gains differ by
         * 0.0015 dB; no more than that may be left of the passage. */
        bool passes = rates[r][0] % rates[r][1] == 0;
        assert_true(through_zero < (passes ? -86 : -105));
        assert_true(toggling < (passes ? -86 : -105));
        assert_true(slewing < (passes ? -86 : -100));
    }
}

static void test_feeding_in_pieces_changes_nothing(void **state)
{
    (void)state;
    static float whole[4096 * RESAMPLER_CHANNELS], pieces[4096 * RESAMPLER_CHANNELS];
    for (size_t r = 0; r < RATES; r++) {
        struct bench bench;
        bench_start(&bench, rates[r][0], rates[r][1], 997, 1000.3);
        pull(&bench, whole, 4096);
        resampler_destroy(bench.resampler);
        bench_start(&bench, rates[r][0], rates[r][1], 997, 1000.3);
        bench.feed_frames = 7;
        for (size_t i = 0; i < 4096; i += 32)
            pull(&bench, pieces + i * RESAMPLER_CHANNELS, 32);
        resampler_destroy(bench.resampler);
        assert_memory_equal(whole, pieces, sizeof whole);
    }
}

static void test_holds_little_back(void **state)
{
    (void)state;
    for (size_t r = 0; r < RATES; r++) {
        struct bench bench;
        bench_start(&bench, rates[r][0], rates[r][1], 997, 0);
        static float out[1024 * RESAMPLER_CHANNELS];
        for (int i = 0; i < 100; i++)
            pull(&bench, out, 1024);
        double taken = (double)bench.next - (double)(bench.in_count - bench.in_at);
        double held = taken - resampler_position(bench.resampler);
        assert_true(held > 0);
        assert_true(held < 700 * fmax(1, resampler_ratio(bench.resampler)));
        resampler_destroy(bench.resampler);
    }
}

static void test_no_input_is_no_end(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, 44100, 48000, 997, 0);
    float out[64 * RESAMPLER_CHANNELS];
    size_t used = 1;
    assert_int_equal(resampler_process(bench.resampler, NULL, 0, &used, out, 64), 0);
    assert_int_equal(used, 0);
    pull(&bench, out, 64);
    while (resampler_process(bench.resampler, NULL, 0, &used, out, 64) > 0)
        assert_int_equal(used, 0);
    bench.next -= (int64_t)(bench.in_count - bench.in_at);
    bench.in_at = bench.in_count;
    settle(&bench);
    struct fit fit = measure(&bench, 9600, NULL);
    assert_true(fit.thd_n_db < -105);
    assert_true(fabs(fit.error_frames) < POSITION_TOLERANCE);
    resampler_destroy(bench.resampler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sounds_where_it_says),
        cmocka_unit_test(test_starts_exactly_at_a_fraction),
        cmocka_unit_test(test_moving_ratio_is_clean),
        cmocka_unit_test(test_feeding_in_pieces_changes_nothing),
        cmocka_unit_test(test_holds_little_back),
        cmocka_unit_test(test_no_input_is_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
