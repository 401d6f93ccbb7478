/*
 * sim_drivers.c: speakers on cards whose drivers speak as the kernel's do (drivers.h), over a range
 * of seeds (TUTTI_SIM_SEEDS, 8 by default). Prints the seed and the driver of what fails.
 */
#include "../unit/cmocka_all.h"
#include "speaker.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SAMPLES_MAX 10000

static double samples[SAMPLES_MAX];
static struct sim_speaker speaker;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double rate_error_ppm(const struct sim_speaker_config *config, double t)
{
    double true_factor = ppm_to_factor(config->card.crystal.ppm) / ppm_to_factor(config->local.ppm);
    return fabs(sim_speaker_status(&speaker, t).output.rate_error_ppm - factor_to_ppm(true_factor));
}

/* The median until to_s. A window that chance has shortened knows the rate less well for some
 * seconds now and then; how well it sounds meanwhile, play_on() tells. */
static double usual_rate_error_ppm(const struct sim_speaker_config *config, double *t, double to_s)
{
    size_t count = 0;
    for (; *t < to_s && count < SAMPLES_MAX; *t += 0.05) {
        sim_speaker_run(&speaker, *t);
        samples[count++] = rate_error_ppm(config, *t);
    }
    qsort(samples, count, sizeof *samples, compare);
    return samples[count / 2];
}

/* Plays on to to_s; errors in µs are taken every 50 ms. Returns their 99th percentile. */
static double play_on(double *t, double to_s, double *ret_mean_us)
{
    size_t count = 0;
    double sum = 0;
    for (; *t < to_s && count < SAMPLES_MAX; *t += 0.05) {
        double error_s;
        sim_speaker_run(&speaker, *t);
        if (!sim_speaker_error(&speaker, *t, &error_s))
            continue;
        samples[count++] = fabs(error_s) * 1e6;
        sum += error_s * 1e6;
    }
    if (count == 0)
        fail_msg("nothing was heard");
    qsort(samples, count, sizeof *samples, compare);
    *ret_mean_us = sum / (double)count;
    return samples[count * 99 / 100];
}

static struct sim_speaker_config on_card(enum sim_driver_kind driver, uint64_t seed)
{
    const double ppms[] = {-180, -60, 0, 80, 180};
    return (struct sim_speaker_config){
        .card = {.crystal = {.ppm = ppms[seed % 5]},
                 .rate_hz = seed % 2 ? 44100 : 48000,
                 .step_frames = 1},
        .driver = driver,
        .local = {.ppm = -15},
        .network = {.kind = SIM_LAN},
        .echo = true,
        .late_look_share = 0.05,
    };
}

#define CHECK(config, seed, value, limit)                                                          \
    do {                                                                                           \
        double is = value;                                                                         \
        if (!(is < (limit)))                                                                       \
            fail_msg("%s, seed %llu: " #value " is %g, not under %g",                              \
                     sim_driver_name((config)->driver), (unsigned long long)(seed), is,            \
                     (double)(limit));                                                             \
    } while (0)

static void every_driver_is_seen_through(void **state)
{
    (void)state;
    for (int driver = 0; driver < SIM_DRIVERS; driver++)
        for (uint64_t seed = 1; seed <= sim_seeds(8); seed++) {
            struct sim_speaker_config config = on_card(driver, seed);
            double t = 0, first_us, p99_us, mean_us;
            sim_speaker_init(&speaker, &config, seed);
            first_us = play_on(&t, 1, &mean_us);
            CHECK(&config, seed, first_us, 1000);
            play_on(&t, 10, &mean_us);
            p99_us = play_on(&t, 20, &mean_us);
            CHECK(&config, seed, p99_us, 150);
            CHECK(&config, seed, rate_error_ppm(&config, t), 5);
            p99_us = play_on(&t, 120, &mean_us);
            CHECK(&config, seed, p99_us, 100);
            CHECK(&config, seed, fabs(mean_us), 30);
            CHECK(&config, seed, usual_rate_error_ppm(&config, &t, 140), 1);
            CHECK(&config, seed, (double)sim_speaker_status(&speaker, t).seeks, 1);
            CHECK(&config, seed, (double)sim_speaker_status(&speaker, t).output.xruns, 1);
        }
}

/* A card that was swapped, or a memory of nonsense. */
static void a_wrong_remembered_rate_is_unlearned(void **state)
{
    (void)state;
    for (int driver = 0; driver < SIM_DRIVERS; driver++)
        for (uint64_t seed = 1; seed <= sim_seeds(8); seed++) {
            struct sim_speaker_config config = on_card(driver, seed);
            double t = 0, p99_us, mean_us;
            config.remembered_ppm = 83;
            sim_speaker_init(&speaker, &config, seed);
            play_on(&t, 20, &mean_us);
            CHECK(&config, seed, rate_error_ppm(&config, t), 5);
            p99_us = play_on(&t, 60, &mean_us);
            CHECK(&config, seed, p99_us, 200);
            CHECK(&config, seed, rate_error_ppm(&config, t), 2);
            p99_us = play_on(&t, 120, &mean_us);
            CHECK(&config, seed, p99_us, 100);
            CHECK(&config, seed, usual_rate_error_ppm(&config, &t, 140), 1.5);
        }
}

/* An open card that nobody heard for a while was hardly looked at since. */
static void a_start_out_of_silence_is_exact(void **state)
{
    (void)state;
    for (int driver = 0; driver < SIM_DRIVERS; driver++)
        for (uint64_t seed = 1; seed <= sim_seeds(8); seed++) {
            struct sim_speaker_config config = on_card(driver, seed);
            double t = 12 + 2 * (double)(seed % 7), first_us, mean_us;
            config.remembered_ppm = 1;
            config.paused = true;
            config.cannot_rewind = seed % 3 == 0;
            sim_speaker_init(&speaker, &config, seed);
            sim_speaker_run(&speaker, t);
            struct timeline timeline = sim_speaker_usual_timeline(true);
            sim_speaker_tell(&speaker, t, &timeline);
            first_us = play_on(&t, t + 1, &mean_us);
            CHECK(&config, seed, first_us, 400);
            CHECK(&config, seed, (double)sim_speaker_status(&speaker, t).output.xruns, 1);
        }
}

/* +80 becomes +300 ppm in mid-play. No crystal does that; a card's clock that is switched does. */
static void another_rate_in_mid_play_is_followed(void **state)
{
    (void)state;
    for (int driver = 0; driver < SIM_DRIVERS; driver++)
        for (uint64_t seed = 1; seed <= sim_seeds(8); seed++) {
            struct sim_speaker_config config = on_card(driver, seed);
            double t = 0, p99_us, mean_us;
            config.card.crystal.ppm = 80;
            sim_speaker_init(&speaker, &config, seed);
            play_on(&t, 60, &mean_us);
            struct sim_crystal *crystal = &speaker.card.config.model.crystal;
            crystal->breaks_at_s = t;
            crystal->break_ppm = 300 - 80;
            play_on(&t, 90, &mean_us);
            p99_us = play_on(&t, 150, &mean_us);
            CHECK(&config, seed, p99_us, 120);
            config.card.crystal.ppm = 300;
            CHECK(&config, seed, rate_error_ppm(&config, t), 2);
        }
}

static void stamps_are_paired_as_the_driver_means_them(void **state)
{
    (void)state;
    const struct {
        enum sim_driver_kind driver;
        enum stamp_pairing_kind pairing;
    } rows[] = {
        {SIM_DRIVER_PLAIN, STAMP_PAIRING_UNKNOWN},  {SIM_DRIVER_HDA, STAMP_PAIRING_UNKNOWN},
        {SIM_DRIVER_AC97, STAMP_PAIRING_UNKNOWN},   {SIM_DRIVER_USB, STAMP_PAIRING_OF_CALL},
        {SIM_DRIVER_ALOOP, STAMP_PAIRING_OF_STAMP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (uint64_t seed = 1; seed <= sim_seeds(8); seed++) {
            struct sim_speaker_config config = on_card(rows[i].driver, seed);
            sim_speaker_init(&speaker, &config, seed);
            sim_speaker_run(&speaker, 5);
            assert_int_equal(sim_speaker_status(&speaker, 5).output.pairing, rows[i].pairing);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_driver_is_seen_through),
        cmocka_unit_test(a_wrong_remembered_rate_is_unlearned),
        cmocka_unit_test(a_start_out_of_silence_is_exact),
        cmocka_unit_test(another_rate_in_mid_play_is_followed),
        cmocka_unit_test(stamps_are_paired_as_the_driver_means_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
