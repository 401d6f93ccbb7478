/*
 * sim_group.c: several speakers on one network: what a listener between them hears is how far they
 * are from each other. Every scenario is a few lines; over a fixed range of seeds.
 */
#include "../unit/cmocka_all.h"
#include "speaker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 4
#define SPEAKERS 4
#define SAMPLES_MAX 20000

struct scenario {
    const char *name;
    struct sim_speaker_config speaker;
    struct sim_speaker_config odd; /* the first one, if its rate is given */
    double from_s, to_s;
    /* Largest distance between any two, at any instant. 0: not asked for. */
    double p50_us, p99_us, max_us;
    uint64_t jumps; /* of all together, at most */
};

static double hour_ahead(double t)
{
    return t < 100 ? 0 : 3600;
}

static double hour_back(double t)
{
    return t < 100 ? 0 : -3600;
}

static double three_seconds_ahead(double t)
{
    return t < 100 ? 0 : 3;
}

static double fifty_ms_back(double t)
{
    return t < 100 ? 0 : -50e-3;
}

static double three_twentieths_ahead(double t)
{
    return t < 100 ? 0 : 0.15;
}

/* An NTP slew of 500 ppm takes 50 ms away in 100 s. */
static double slews(double t)
{
    return t < 100 ? 0 : t < 200 ? 500e-6 * (t - 100) : 50e-3;
}

/* A wall clock that steps is not disciplined for a while; and then an hour off, says the kernel. */
static double wall_steps(double t)
{
    return t < 100 ? 0.4e-3 : 3600;
}

static double wall_right(double t)
{
    (void)t;
    return 0;
}

static double wall_slews(double t)
{
    return t < 60 ? 20e-3 : fmax(0, 20e-3 - 500e-6 * (t - 60));
}

#define CARD .card = {.rate_hz = 48000, .step_frames = 1}, .late_look_share = 0.05
#define WANDERING                                                                                  \
    .card = {{.wander_ppm = 5, .wander_period_s = 60}, .rate_hz = 48000, .step_frames = 1}
#define COARSE .card = {.rate_hz = 48000, .step_frames = 480}
#define ON_WIFI .network = {.kind = SIM_WIFI, .jitter_s = 20e-3, .loss = 0.05}
#define ECHO .echo = true
#define LAN_TARGETS .p50_us = 10, .p99_us = 50, .max_us = 100

static const struct scenario SCENARIOS[] = {
    {"quiet LAN", {CARD, ECHO}, .from_s = 10, .to_s = 300, LAN_TARGETS},
    {"a tenth lost",
     {CARD, ECHO, .network = {.loss = 0.1}},
     .from_s = 30,
     .to_s = 300,
     LAN_TARGETS},
    {"wander", {WANDERING, ECHO}, .from_s = 15, .to_s = 300, .p99_us = 100},
    {"10 ms pointer steps", {COARSE, ECHO}, .from_s = 30, .to_s = 300, .p99_us = 500},
    {"Wi-Fi", {CARD, ECHO, ON_WIFI}, .from_s = 60, .to_s = 600, .p99_us = 200},
    {"symmetric jitter",
     {CARD, ECHO, .network = {.kind = SIM_JITTER, .jitter_s = 5e-3}},
     .from_s = 120,
     .to_s = 600,
     .p99_us = 1000},
    {"one-sided jitter",
     {CARD, ECHO, .network = {.kind = SIM_ONE_SIDED, .jitter_s = 20e-3}},
     .from_s = 120,
     .to_s = 600,
     .p99_us = 1000},
    {"one on Wi-Fi", {CARD, ECHO}, {CARD, ECHO, ON_WIFI}, .from_s = 60, .to_s = 600, .p99_us = 200},
    {"the server steps an hour ahead",
     {CARD, ECHO, .server_off_s = hour_ahead},
     .from_s = 125,
     .to_s = 300,
     .max_us = 1000,
     .jumps = SPEAKERS},
    {"the server steps an hour back",
     {CARD, ECHO, .server_off_s = hour_back},
     .from_s = 125,
     .to_s = 300,
     .max_us = 1000,
     .jumps = SPEAKERS},
    {"the server steps 3 s ahead",
     {CARD, ECHO, .server_off_s = three_seconds_ahead},
     .from_s = 125,
     .to_s = 300,
     .max_us = 1000,
     .jumps = SPEAKERS},
    {"the server steps 50 ms back",
     {CARD, ECHO, .server_off_s = fifty_ms_back},
     .from_s = 130,
     .to_s = 300,
     .max_us = 1000},
    {"the server steps 150 ms ahead",
     {CARD, ECHO, .server_off_s = three_twentieths_ahead},
     .from_s = 155,
     .to_s = 300,
     .max_us = 1000},
    {"the server is slewed by 500 ppm",
     {CARD, ECHO, .server_off_s = slews},
     .from_s = 60,
     .to_s = 400,
     .p99_us = 1000,
     .max_us = 2000},
    {"a wall clock steps, echo",
     {CARD, ECHO},
     {CARD, ECHO, .wall_off_s = wall_steps},
     .from_s = 10,
     .to_s = 200,
     LAN_TARGETS},
    {"all by wall clocks, one slewed by 500 ppm",
     {CARD, .wall_off_s = wall_right},
     {CARD, .wall_off_s = wall_slews},
     .from_s = 140,
     .to_s = 300,
     .max_us = 3000},
    {"one is suspended for 3 s",
     {CARD, ECHO},
     {CARD, ECHO, .suspended_from_s = 60, .suspended_to_s = 63},
     .from_s = 64,
     .to_s = 200,
     LAN_TARGETS},
    {"one is offline for two minutes",
     {CARD, ECHO},
     {CARD, ECHO, .offline_from_s = 60, .offline_to_s = 180},
     .from_s = 10,
     .to_s = 400,
     LAN_TARGETS},
};

struct group {
    struct sim_speaker speakers[SPEAKERS];
    double spread_us[SAMPLES_MAX];
    size_t samples;
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Each has crystals of its own: the card's up to 200 ppm off, the computer's up to 50. */
static void group_init(struct group *group, const struct scenario *scenario, uint64_t seed)
{
    struct sim_random random;
    sim_random_init(&random, seed);
    group->samples = 0;
    for (int i = 0; i < SPEAKERS; i++) {
        bool odd = i == 0 && scenario->odd.card.rate_hz > 0;
        struct sim_speaker_config config = odd ? scenario->odd : scenario->speaker;
        config.card.crystal.ppm = sim_uniform(&random, -200, 200);
        config.card.crystal.wander_phase = sim_uniform(&random, 0, 2 * M_PI);
        config.local.ppm = sim_uniform(&random, -50, 50);
        sim_speaker_init(&group->speakers[i], &config, seed * SPEAKERS + (uint64_t)i);
    }
}

/* The largest distance between any two that sound at t. */
static void group_listen(struct group *group, double t)
{
    double least_s = INFINITY, most_s = -INFINITY, error_s;
    for (int i = 0; i < SPEAKERS; i++) {
        if (!sim_speaker_error(&group->speakers[i], t, &error_s))
            continue;
        least_s = fmin(least_s, error_s);
        most_s = fmax(most_s, error_s);
    }
    if (most_s >= least_s && group->samples < SAMPLES_MAX)
        group->spread_us[group->samples++] = (most_s - least_s) * 1e6;
}

static void group_play(struct group *group, const struct scenario *scenario)
{
    for (double t = 0; t < scenario->to_s; t += 0.05) {
        for (int i = 0; i < SPEAKERS; i++)
            sim_speaker_run(&group->speakers[i], t);
        if (t < scenario->from_s)
            continue;
        group_listen(group, t);
    }
    qsort(group->spread_us, group->samples, sizeof *group->spread_us, compare);
}

static bool is_beyond(const struct scenario *scenario, uint64_t seed, const char *what,
                      double found, double most)
{
    if (most <= 0 || found <= most)
        return false;
    print_error("%s, seed %llu: %s is %.1f, and not at most %.1f\n", scenario->name,
                (unsigned long long)seed, what, found, most);
    return true;
}

static bool is_as_wanted(const struct scenario *scenario, uint64_t seed)
{
    static struct group group;
    group_init(&group, scenario, seed);
    group_play(&group, scenario);
    if (group.samples == 0) {
        print_error("%s, seed %llu: silence\n", scenario->name, (unsigned long long)seed);
        return false;
    }
    double p50_us = group.spread_us[group.samples / 2];
    double p99_us = group.spread_us[group.samples * 99 / 100];
    double max_us = group.spread_us[group.samples - 1];
    double rate_max_ppm = 0;
    uint64_t jumps = 0;
    for (int i = 0; i < SPEAKERS; i++) {
        jumps += sim_speaker_status(&group.speakers[i], scenario->to_s).seeks;
        rate_max_ppm = fmax(rate_max_ppm, group.speakers[i].rate_max_ppm);
    }
    bool beyond = is_beyond(scenario, seed, "p50 in us", p50_us, scenario->p50_us);
    beyond |= is_beyond(scenario, seed, "p99 in us", p99_us, scenario->p99_us);
    beyond |= is_beyond(scenario, seed, "the largest distance in us", max_us, scenario->max_us);
    beyond |= is_beyond(scenario, seed, "the rate in ppm", rate_max_ppm, 5300);
    beyond |= is_beyond(scenario, seed, "the number of jumps", (double)jumps + 0.5,
                        (double)scenario->jumps + 0.5);
    return !beyond;
}

static void speakers_agree(void **state)
{
    (void)state;
    bool good = true;
    for (size_t i = 0; i < sizeof SCENARIOS / sizeof *SCENARIOS; i++)
        for (uint64_t seed = 1; seed <= sim_seeds(SEEDS); seed++)
            good = is_as_wanted(&SCENARIOS[i], seed) && good;
    assert_true(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speakers_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
