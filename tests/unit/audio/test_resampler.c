/*
 * test_resampler.c: sound against bookkeeping, and both against double precision.
 *
 * A sine whose phase at any input frame is known goes in; what comes out is fitted, by least
 * squares, with that sine at the positions that the resampler states for its output frames. The
 * angle of the fit is the error of the bookkeeping, what is left over is distortion, noise, images
 * and aliases. Impulses, steps and noise are compared with the filter evaluated in double
 * precision.
 */
#include "../../../src/audio/filter_bank.h"
#include "../cmocka_all.h"
#include "tutti/audio/resampler.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEED_FRAMES 1152
#define SLICE 64
static const double PI = 3.14159265358979323846;

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
    double level_db;                /* of everything, against the sine that went in */
    double cos_sum, sin_sum, power; /* in the making */
    double cc, ss, cs;
    size_t count;
};

static struct resampler_position at(double position)
{
    return (struct resampler_position){0, position};
}

static double position_of(const struct resampler *resampler)
{
    struct resampler_position position = resampler_position(resampler);
    assert_true(position.fraction >= 0 && position.fraction < 1);
    return (double)position.frame + position.fraction;
}

static void bench_start(struct bench *bench, const unsigned rates[2],
                        enum resampler_quality quality, double tone_hz, double position)
{
    *bench = (struct bench){.rate_hz = rates[0], .tone_hz = tone_hz, .feed_frames = FEED_FRAMES};
    bench->resampler = resampler_create(rates[0], rates[1], quality);
    assert_non_null(bench->resampler);
    bench->next = resampler_start(bench->resampler, at(position));
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
    fit->count++;
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
    fit->level_db = 10 * log10(fmax(fit->power, 1e-30) / ((double)fit->count * 0.5 * 0.5 / 2));
}

/* Pulls count frames, asking ppm_at (may be NULL) for the rate every SLICE frames, and fits. */
static struct fit measure(struct bench *bench, size_t count, double (*ppm_at)(size_t frame))
{
    struct fit fit = {0};
    double radians = 2 * PI * bench->tone_hz / bench->rate_hz;
    float out[SLICE * RESAMPLER_CHANNELS];
    for (size_t frame = 0; frame < count; frame += SLICE) {
        if (ppm_at)
            resampler_set_ppm(bench->resampler, ppm_at(frame));
        double position = position_of(bench->resampler);
        double step = resampler_step(bench->resampler);
        pull(bench, out, SLICE);
        for (int i = 0; i < SLICE; i++) {
            assert_true(out[2 * i] == -out[2 * i + 1]);
            fit_add(&fit, (double)out[2 * i], radians * (position + i * step));
        }
    }
    fit_finish(&fit, radians);
    return fit;
}

/* --- ratios --------------------------------------------------------------------------------- */

static const unsigned rates[][2] = {
    {44100, 44100}, {44100, 48000}, {44100, 96000},  {48000, 44100},  {48000, 48000},
    {48000, 96000}, {96000, 44100}, {96000, 48000},  {96000, 96000},  {22050, 48000},
    {8000, 48000},  {48000, 8000},  {22050, 44100},  {24000, 48000},  {11025, 44100},
    {8000, 192000}, {32000, 44100}, {44100, 192000}, {192000, 44100}, {192000, 8000},
};
#define RATES (sizeof rates / sizeof *rates)

/* The first ones: all between 44.1, 48 and 96 kHz; emulated, which takes its time, some of them. */
static size_t usual_rates(void)
{
    return getenv("TUTTI_EMULATED") ? 4 : 9;
}

static double lower(const unsigned pair[2])
{
    return fmin(pair[0], pair[1]);
}

/* What a quality keeps, as parts of the lower rate and in dB. */
static const struct limits {
    double pass_hz; /* of 44.1 kHz */
    double stop_db;
    double thd_n_db[3]; /* at 1, 10, 17 kHz */
    double off_frames;  /* what images do to the angle of the fit */
} limits[] = {
    [RESAMPLER_HIGH] = {19000, -100, {-120, -118, -112}, 1e-5},
    [RESAMPLER_LOW] = {17000, -75, {-86, -84, -80}, 1e-3},
};
static const double tones_hz[] = {1000, 10000, 17000};

/* 0.1 ppm per second, through the crystal's typical error and through 0. */
static double creeping_ppm(size_t frame)
{
    return 80 + 0.1 * (double)frame / 48000;
}

static double creeping_through_zero_ppm(size_t frame)
{
    return 0.1 * ((double)frame / 48000 - 0.2);
}

/* As the controller does at most, and quicker: 0.5 % up and down. */
static double slewing_ppm(size_t frame)
{
    return 5000 * sin(2 * PI * (double)frame / 24000);
}

static double toggling_ppm(size_t frame)
{
    return frame / 960 % 2 ? 1 : -1;
}

/* How the ratio moves: all of them cross the nominal, but for the first. */
static double (*const movements[])(size_t frame) = {creeping_ppm, creeping_through_zero_ppm,
                                                    slewing_ppm, toggling_ppm};

static struct fit measure_once(const unsigned pair[2], enum resampler_quality quality,
                               double tone_hz, size_t count, double (*ppm_at)(size_t frame))
{
    struct bench bench;
    bench_start(&bench, pair, quality, tone_hz, 1000.3);
    struct fit fit = measure(&bench, count, ppm_at);
    resampler_destroy(bench.resampler);
    return fit;
}

static void check_moving(enum resampler_quality quality)
{
    double worst_db[3] = {-200, -200, -200};
    for (size_t r = 0; r < usual_rates(); r++)
        for (size_t t = 0; t < 3; t++)
            for (size_t m = 0; m < sizeof movements / sizeof *movements; m++) {
                struct fit fit = measure_once(rates[r], quality, tones_hz[t], 24000, movements[m]);
                worst_db[t] = fmax(worst_db[t], fit.thd_n_db);
                if (fit.thd_n_db > limits[quality].thd_n_db[t] ||
                    fabs(fit.error_frames) > limits[quality].off_frames)
                    fail_msg("%u->%u Hz, %g Hz, movement %zu: THD+N %.1f dB, off by %g frames",
                             rates[r][0], rates[r][1], tones_hz[t], m, fit.thd_n_db,
                             fit.error_frames);
            }
    print_message("THD+N at 1, 10, 17 kHz, worst of all ratios: %.1f, %.1f, %.1f dB\n", worst_db[0],
                  worst_db[1], worst_db[2]);
}

static void test_moving_ratio_is_clean(void **state)
{
    (void)state;
    check_moving(RESAMPLER_HIGH);
}

static void test_moving_ratio_is_clean_at_low_quality(void **state)
{
    (void)state;
    check_moving(RESAMPLER_LOW);
}

static void check_passband(const unsigned pair[2], enum resampler_quality quality)
{
    double edge_hz = limits[quality].pass_hz * lower(pair) / 44100;
    for (int i = 1; i <= 12; i++) {
        struct fit fit = measure_once(pair, quality, edge_hz * i / 12, 4800, NULL);
        double gain_db = 20 * log10(fit.gain);
        if (fabs(gain_db) > 0.05 || fit.thd_n_db > limits[quality].stop_db)
            fail_msg("%u->%u Hz: %.4f dB at %g Hz, THD+N %.1f dB", pair[0], pair[1], gain_db,
                     edge_hz * i / 12, fit.thd_n_db);
    }
}

static void test_passband_is_flat(void **state)
{
    (void)state;
    for (size_t r = 0; r < RATES; r++) {
        check_passband(rates[r], RESAMPLER_HIGH);
        check_passband(rates[r], RESAMPLER_LOW);
    }
}

/* What lies between the lower Nyquist frequency and the input's must not come out, as whatever. */
static void test_aliases_are_kept_out(void **state)
{
    (void)state;
    for (size_t r = 0; r < RATES; r++) {
        double from_hz = lower(rates[r]) / 2 * 1.001, to_hz = rates[r][0] / 2.0;
        for (int i = 0; i <= 12 && to_hz > from_hz; i++)
            for (int quality = RESAMPLER_HIGH; quality <= RESAMPLER_LOW; quality++) {
                double tone_hz = from_hz + (to_hz - from_hz) * i / 12.1;
                enum resampler_quality which = (enum resampler_quality)quality;
                struct fit fit = measure_once(rates[r], which, tone_hz, 4800, NULL);
                if (fit.level_db > limits[quality].stop_db)
                    fail_msg("%u->%u Hz: %g Hz come out at %.1f dB", rates[r][0], rates[r][1],
                             tone_hz, fit.level_db);
            }
    }
}

/* All that can go in comes out at its own frequency, or not at all: its images begin beyond the
 * input's Nyquist frequency, where nothing is let through. */
static void test_images_are_kept_out(void **state)
{
    (void)state;
    static const double parts[] = {0.3, 0.4, 0.44, 0.46, 0.48, 0.49, 0.498};
    for (size_t r = 0; r < RATES; r++)
        for (size_t i = 0; i < sizeof parts / sizeof *parts && rates[r][0] <= rates[r][1]; i++) {
            struct fit fit =
                measure_once(rates[r], RESAMPLER_HIGH, parts[i] * rates[r][0], 4800, NULL);
            double image_db = fit.thd_n_db + fit.level_db;
            if (image_db > -100)
                fail_msg("%u->%u Hz: images of %g Hz at %.1f dB", rates[r][0], rates[r][1],
                         parts[i] * rates[r][0], image_db);
        }
}

/* --- against double precision ---------------------------------------------------------------- */

/* I0 by its integral: (1/pi) * the integral of exp(x cos a) over 0 to pi. The trapezium rule
 * converges at once, as the function is periodic. */
static double bessel_i0(double x)
{
    double sum = 0;
    for (int i = 0; i < 64; i++)
        sum += exp(x * cos((i + 0.5) * PI / 64));
    return sum / 64;
}

/* The filter as filter_bank.h describes it, at this distance from its middle. */
static double reference_response(const unsigned pair[2], double distance)
{
    double stretch = fmax(1, (double)pair[0] / pair[1]);
    double taps = ceil(88 * stretch / 8) * 8, cutoff = 20.288 / 44.1 / stretch;
    double edge = 2 * distance / taps;
    if (fabs(edge) >= 1)
        return 0;
    double x = 2 * PI * cutoff * distance;
    double sinc = x == 0 ? 1 : sin(x) / x;
    return sinc * bessel_i0(10.6 * sqrt(1 - edge * edge));
}

/* Of its samples at whole frames; what they sum up to is the gain at frequency 0. */
static double reference_gain(const unsigned pair[2])
{
    double gain = 0;
    for (int frame = -200; frame <= 200; frame++)
        gain += reference_response(pair, frame);
    return gain;
}

static double noise_at(int64_t frame)
{
    uint32_t x = (uint32_t)frame * 2654435761u;
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    return (double)(float)(x >> 8) / 8388608.0 - 1;
}

static double impulse_at(int64_t frame)
{
    return frame == 300 ? 1 : 0;
}

static double step_at(int64_t frame)
{
    return frame >= 300 ? 1 : 0;
}

static double reference_at(const unsigned pair[2], double (*signal)(int64_t frame), double position)
{
    int64_t reach = 1 + (int64_t)(48 * fmax(1, (double)pair[0] / pair[1]));
    int64_t middle = (int64_t)floor(position);
    double sum = 0;
    for (int64_t frame = middle - reach; frame <= middle + reach; frame++)
        sum += signal(frame) * reference_response(pair, position - (double)frame);
    return sum;
}

static void feed_signal(struct bench *bench, double (*signal)(int64_t frame))
{
    for (size_t i = 0; i < FEED_FRAMES; i++) {
        bench->in[2 * i] = (float)signal(bench->next + (int64_t)i);
        bench->in[2 * i + 1] = -bench->in[2 * i];
    }
    bench->in_at = 0;
    bench->in_count = FEED_FRAMES;
    bench->next += FEED_FRAMES;
}

/* A few hundred frames, one by one, around frame 300 of the signal, at a moving ratio. */
static double worst_difference(const unsigned pair[2], double (*signal)(int64_t frame))
{
    struct bench bench;
    double worst = 0, gain = reference_gain(pair);
    bench_start(&bench, pair, RESAMPLER_HIGH, 0, 250.123);
    while (position_of(bench.resampler) < 350) {
        double position = position_of(bench.resampler);
        resampler_set_ppm(bench.resampler, slewing_ppm((size_t)(position * 37)));
        float out[2];
        size_t used = 0, got = 0;
        while (got == 0) {
            if (bench.in_at == bench.in_count)
                feed_signal(&bench, signal);
            got = resampler_process(bench.resampler, bench.in + 2 * bench.in_at,
                                    bench.in_count - bench.in_at, &used, out, 1);
            bench.in_at += used;
        }
        assert_true(out[0] == -out[1]);
        worst = fmax(worst, fabs((double)out[0] - reference_at(pair, signal, position) / gain));
    }
    resampler_destroy(bench.resampler);
    return worst;
}

static void test_equals_double_precision(void **state)
{
    (void)state;
    for (size_t r = 0; r < usual_rates(); r++) {
        double impulse = worst_difference(rates[r], impulse_at);
        double step = worst_difference(rates[r], step_at);
        double noise = worst_difference(rates[r], noise_at);
        print_message("%5u -> %5u Hz: impulse %.1e, step %.1e, noise %.1e\n", rates[r][0],
                      rates[r][1], impulse, step, noise);
        assert_true(impulse < 1e-6 && step < 2e-6 && noise < 1e-6);
    }
}

/* A sine that rises from 20 Hz to 18 kHz within a second, as it would be at any position. */
static double sweep(double position, double rate_hz)
{
    double t = position / rate_hz;
    return 0.5 * sin(2 * PI * (20 * t + (18000 - 20) / 2.0 * t * t));
}

static void test_sweep_is_followed(void **state)
{
    (void)state;
    for (size_t r = 0; r < usual_rates(); r++) {
        struct bench bench;
        bench_start(&bench, rates[r], RESAMPLER_HIGH, 0, 0);
        double rest = 0, power = 0;
        for (size_t frame = 0; frame + SLICE <= rates[r][1] * 9 / 10; frame += SLICE) {
            float out[SLICE * RESAMPLER_CHANNELS];
            resampler_set_ppm(bench.resampler, slewing_ppm(frame));
            double position = position_of(bench.resampler), step = resampler_step(bench.resampler);
            for (size_t done = 0, used; done < SLICE; bench.in_at += used) {
                if (bench.in_at == bench.in_count) {
                    for (int i = 0; i < FEED_FRAMES; i++)
                        bench.in[2 * i] = bench.in[2 * i + 1] =
                            (float)sweep((double)(bench.next + i), rates[r][0]);
                    bench.next += FEED_FRAMES;
                    bench.in_at = 0;
                    bench.in_count = FEED_FRAMES;
                }
                done += resampler_process(bench.resampler, bench.in + 2 * bench.in_at,
                                          bench.in_count - bench.in_at, &used, out + 2 * done,
                                          SLICE - done);
            }
            for (int i = 0; i < SLICE; i++) {
                double wanted = sweep(position + i * step, rates[r][0]);
                rest += (out[2 * i] - wanted) * (out[2 * i] - wanted);
                power += wanted * wanted;
            }
        }
        /* The gain falls by 0.005 dB towards 18 kHz, which counts here. */
        if (10 * log10(rest / power) > -70)
            fail_msg("%u->%u Hz: the sweep is off by %.1f dB", rates[r][0], rates[r][1],
                     10 * log10(rest / power));
        resampler_destroy(bench.resampler);
    }
}

/* --- positions ------------------------------------------------------------------------------ */

static double random_unit(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / 16777216.0;
}

/*
 * A ratio that walks at random, for the part of an hour that a test may take (an hour with
 * TUTTI_LONG_TESTS); the error must be below that part of 1e-9 frames. What is expected is counted
 * in whole numbers but for the correction's part, of which only the fraction is kept.
 */
static void check_hour(const unsigned pair[2], double hours)
{
    struct bench bench;
    uint32_t seed = 5;
    bench_start(&bench, pair, RESAMPLER_LOW, 997, 0.25);
    float out[1000 * RESAMPLER_CHANNELS];
    int64_t frames = 0, carried = 0;
    double fraction = 0.25, ppm = 0;
    while ((double)frames < hours * 3600 * pair[1]) {
        ppm = fmin(fmax(ppm + 100 * (random_unit(&seed) - 0.5), -5000), 5000);
        assert_true(resampler_set_ppm(bench.resampler, ppm) == ppm);
        pull(&bench, out, 1000);
        frames += 1000;
        fraction += 1e-3 * ppm * pair[0] / pair[1];
        carried += (int64_t)floor(fraction);
        fraction -= floor(fraction);
    }
    int64_t product = frames * (int64_t)pair[0];
    fraction += (double)(product % (int64_t)pair[1]) / pair[1];
    struct resampler_position end = resampler_position(bench.resampler);
    double error =
        (double)(end.frame - carried - product / (int64_t)pair[1]) + (end.fraction - fraction);
    if (fabs(error) > 1e-9 * hours)
        fail_msg("%u->%u Hz: off by %g frames after %g hours", pair[0], pair[1], error, hours);
    resampler_destroy(bench.resampler);
}

static void test_position_is_exact(void **state)
{
    (void)state;
    double hours = getenv("TUTTI_LONG_TESTS") ? 1 : 1 / 360.0;
    for (size_t r = 0; r < usual_rates(); r++)
        check_hour(rates[r], hours);
}

/* The first frame is already right: there is nothing to run in. */
static void test_starts_exactly_at_a_fraction(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (size_t r = 0; r < RATES; r++)
        for (int i = 0; i < 25; i++) {
            struct bench bench;
            bench_start(&bench, rates[r], RESAMPLER_HIGH, 0.2 * lower(rates[r]), 0);
            resampler_set_ppm(bench.resampler, 10000 * random_unit(&seed) - 5000);
            double asked = random_unit(&seed) * 20000 - 5000;
            bench.next = resampler_start(bench.resampler, at(asked));
            assert_true((double)bench.next < asked);
            assert_true(position_of(bench.resampler) == asked);
            struct fit fit = measure(&bench, SLICE, NULL);
            if (fit.thd_n_db > -115 || fabs(fit.error_frames) > 1e-5)
                fail_msg("%u->%u Hz from %.5f: off by %g frames, THD+N %.1f dB", rates[r][0],
                         rates[r][1], asked, fit.error_frames, fit.thd_n_db);
            resampler_destroy(bench.resampler);
        }
}

static void test_positions_near_whole_frames(void **state)
{
    (void)state;
    static const double odd[] = {-1e-30, -1, 0.99999999999999989, -0.99999999999999989, 5, -1e-17};
    struct resampler *resampler = resampler_create(44100, 44100, RESAMPLER_HIGH);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        int64_t first = resampler_start(resampler, at(odd[i]));
        assert_true((double)first < odd[i]);
        assert_true(fabs(position_of(resampler) - odd[i]) < 1e-15);
        /* and across the end of a hour-long track */
        resampler_start(resampler, (struct resampler_position){158760000, odd[i]});
        struct resampler_position position = resampler_position(resampler);
        double off = (double)(position.frame - 158760000) + position.fraction - odd[i];
        assert_true(fabs(off) < 1e-15);
    }
    resampler_destroy(resampler);
}

static void test_a_step_holds_from_the_next_frame(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, rates[3], RESAMPLER_HIGH, 997, 10.5);
    float out[2];
    double position = 10.5;
    for (int i = 0; i < 1000; i++) {
        double ppm = i % 2 ? 10000 : -10000;
        assert_true(resampler_set_ppm(bench.resampler, ppm) == ppm);
        double step = 48000 / 44100.0 * (1 + ppm * 1e-6);
        assert_true(fabs(resampler_step(bench.resampler) - step) < 1e-15);
        assert_true(fabs(position_of(bench.resampler) - position) < 1e-10);
        pull(&bench, out, 1);
        position += step;
    }
    assert_true(resampler_set_ppm(bench.resampler, 20000) == 10000);
    assert_true(resampler_set_ppm(bench.resampler, -20000) == -10000);
    resampler_destroy(bench.resampler);
}

static void test_rates(void **state)
{
    (void)state;
    for (size_t r = 0; r < RATES; r++)
        assert_true(resampler_takes(rates[r][0], rates[r][1]));
    assert_false(resampler_takes(44100, 7999));
    assert_false(resampler_takes(44100, 0));
    assert_false(resampler_takes(0, 44100));
    assert_false(resampler_takes(44100, 768001));
}

/* --- feeding -------------------------------------------------------------------------------- */

static void test_feeding_in_pieces_changes_nothing(void **state)
{
    (void)state;
    static float whole[4096 * RESAMPLER_CHANNELS], pieces[4096 * RESAMPLER_CHANNELS];
    for (size_t r = 0; r < RATES; r++) {
        struct bench bench;
        bench_start(&bench, rates[r], RESAMPLER_HIGH, 997, 1000.3);
        pull(&bench, whole, 4096);
        resampler_destroy(bench.resampler);
        bench_start(&bench, rates[r], RESAMPLER_HIGH, 997, 1000.3);
        bench.feed_frames = 7;
        for (size_t i = 0; i < 4096; i += 32)
            pull(&bench, pieces + i * RESAMPLER_CHANNELS, 32);
        resampler_destroy(bench.resampler);
        assert_memory_equal(whole, pieces, sizeof whole);
    }
}

/* Half a filter, whatever it is offered. */
static void test_holds_little_back(void **state)
{
    (void)state;
    for (size_t r = 0; r < RATES; r++) {
        struct bench bench;
        bench_start(&bench, rates[r], RESAMPLER_HIGH, 997, 0);
        static float out[1024 * RESAMPLER_CHANNELS];
        for (int i = 0; i < 100; i++)
            pull(&bench, out, 1024);
        double taken = (double)bench.next - (double)(bench.in_count - bench.in_at);
        double held = taken - position_of(bench.resampler);
        assert_true(held > 0);
        assert_true(held < 50 * fmax(1, resampler_step(bench.resampler)));
        resampler_destroy(bench.resampler);
    }
}

static void test_no_input_is_no_end(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench, rates[1], RESAMPLER_HIGH, 997, 0);
    float out[SLICE * RESAMPLER_CHANNELS];
    size_t used = 1;
    assert_int_equal(resampler_process(bench.resampler, NULL, 0, &used, out, SLICE), 0);
    assert_int_equal(used, 0);
    pull(&bench, out, SLICE);
    while (resampler_process(bench.resampler, NULL, 0, &used, out, SLICE) > 0)
        assert_int_equal(used, 0);
    struct fit fit = measure(&bench, 9600, NULL);
    assert_true(fit.thd_n_db < -120);
    assert_true(fabs(fit.error_frames) < 1e-5);
    resampler_destroy(bench.resampler);
}

/* --- banks ---------------------------------------------------------------------------------- */

static void test_banks_are_shared(void **state)
{
    (void)state;
    const struct filter_bank *bank = filter_bank_take(44100, 44100, RESAMPLER_HIGH);
    const struct filter_bank *same = filter_bank_take(48000, 96000, RESAMPLER_HIGH);
    const struct filter_bank *low = filter_bank_take(44100, 44100, RESAMPLER_LOW);
    const struct filter_bank *down = filter_bank_take(48000, 44100, RESAMPLER_HIGH);
    assert_ptr_equal(bank, same); /* upwards, the input's rate alone counts */
    assert_ptr_not_equal(bank, low);
    assert_ptr_not_equal(bank, down);
    assert_true(low->taps <= bank->taps / 2);
    filter_bank_give_back(bank);
    filter_bank_give_back(down);
    filter_bank_give_back(low);
    assert_ptr_equal(filter_bank_take(44100, 48000, RESAMPLER_HIGH), same);
    filter_bank_give_back(same);
    filter_bank_give_back(same);
    filter_bank_give_back(NULL);
    /* The last that was used waits for the next track. */
    assert_ptr_equal(filter_bank_take(44100, 44100, RESAMPLER_HIGH), same);
    filter_bank_give_back(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moving_ratio_is_clean),
        cmocka_unit_test(test_moving_ratio_is_clean_at_low_quality),
        cmocka_unit_test(test_passband_is_flat),
        cmocka_unit_test(test_aliases_are_kept_out),
        cmocka_unit_test(test_images_are_kept_out),
        cmocka_unit_test(test_equals_double_precision),
        cmocka_unit_test(test_sweep_is_followed),
        cmocka_unit_test(test_position_is_exact),
        cmocka_unit_test(test_starts_exactly_at_a_fraction),
        cmocka_unit_test(test_positions_near_whole_frames),
        cmocka_unit_test(test_a_step_holds_from_the_next_frame),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_feeding_in_pieces_changes_nothing),
        cmocka_unit_test(test_holds_little_back),
        cmocka_unit_test(test_no_input_is_no_end),
        cmocka_unit_test(test_banks_are_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
