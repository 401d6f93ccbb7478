/*
 * sim_clock_mixes.c: whatever the evidence for the server's time is made of, the stated uncertainty
 * covers the true error in at least 99 of 100 samples, over a fixed range of seeds.
 */
#include "../unit/cmocka_all.h"
#include "listener.h"

#include <math.h>
#include <stdio.h>

#define SEEDS 20
#define SETTLED_S 3

struct mix {
    const char *name;
    const struct sim_network *echo; /* NULL: the backend does not echo */
    double silent_from_s;           /* no evidence any more; 0: never */
    double to_s;
    bool dates;
    double date_period_s; /* 0: drawn from the seed; negative: looked at for every answer */
    double stamps_every_s;
    double commands_every_s;
    bool wall; /* the kernel calls it disciplined */
    double wall_off_s;
    double stepped_at_s; /* of the server's clock; 0: never */
    double step_s;
    double noticed_s;      /* how long after the step it may be unaware of it */
    double wrong_stamps_s; /* every seventh stamp is off by this */
    double worst_s;        /* no error is larger, once settled; 0: not looked at */
};

static const struct sim_network LAN = {.kind = SIM_LAN};
static const struct sim_network LOSSY = {.kind = SIM_LAN, .loss = 0.3};
static const struct sim_network WIFI = {.kind = SIM_WIFI, .jitter_s = 20e-3, .loss = 0.05};
static const struct sim_network ONE_SIDED = {.kind = SIM_ONE_SIDED, .jitter_s = 20e-3};

#define HOUR 3600.0

static const struct mix MIXES[] = {
    {.name = "echo, LAN", .echo = &LAN, .to_s = 120, .worst_s = 1e-3},
    {.name = "echo, LAN, a third lost", .echo = &LOSSY, .to_s = 120, .worst_s = 1e-3},
    {.name = "echo, Wi-Fi", .echo = &WIFI, .to_s = 120},
    {.name = "echo, one-sided", .echo = &ONE_SIDED, .to_s = 120},
    {.name = "echo, then nothing for ten minutes",
     .echo = &LAN,
     .silent_from_s = 300,
     .to_s = 900,
     .worst_s = 1e-3},
    {.name = "echo, stamps, dates, wall",
     .echo = &LAN,
     .to_s = 120,
     .dates = true,
     .stamps_every_s = 5,
     .wall = true},
    {.name = "disciplined", .to_s = 120, .wall = true, .worst_s = 2e-3},
    {.name = "disciplined, stamps, dates",
     .to_s = 300,
     .wall = true,
     .dates = true,
     .stamps_every_s = 5,
     .worst_s = 7e-3},
    {.name = "stamps", .to_s = 300, .stamps_every_s = 4, .worst_s = 15e-3},
    {.name = "stamps, seldom", .to_s = 600, .stamps_every_s = 120},
    {.name = "one stamp, dates", .to_s = 3000, .stamps_every_s = 5000, .dates = true},
    {.name = "stamps, dates", .to_s = 300, .stamps_every_s = 5, .dates = true},
    {.name = "commands", .to_s = 300, .commands_every_s = 20, .worst_s = 15e-3},
    {.name = "commands, stamps, dates",
     .to_s = 300,
     .commands_every_s = 20,
     .stamps_every_s = 9,
     .dates = true},
    {.name = "dates", .to_s = 600, .dates = true},
    {.name = "dates, looked at each time", .to_s = 600, .dates = true, .date_period_s = -1},
    {.name = "dates, a busy server", .to_s = 600, .dates = true, .date_period_s = 1.011},
    {.name = "dates, a quick server", .to_s = 600, .dates = true, .date_period_s = 1.003},
    {.name = "wall an hour off, dates",
     .to_s = 300,
     .dates = true,
     .wall = true,
     .wall_off_s = HOUR},
    {.name = "wall 3 s behind, dates", .to_s = 300, .dates = true, .wall = true, .wall_off_s = -3},
    {.name = "wall 0.4 s ahead, stamps",
     .to_s = 300,
     .stamps_every_s = 0.5,
     .wall = true,
     .wall_off_s = 0.4},
    {.name = "wall 0.4 s behind, stamps",
     .to_s = 300,
     .stamps_every_s = 0.5,
     .wall = true,
     .wall_off_s = -0.4},
    {.name = "wall an hour off, echo",
     .to_s = 120,
     .echo = &LAN,
     .wall = true,
     .wall_off_s = -HOUR},
    {.name = "server 3 s ahead of the wall",
     .to_s = 120,
     .dates = true,
     .stamps_every_s = 5,
     .wall = true,
     .wall_off_s = -3},
    {.name = "server steps an hour back, echo",
     .to_s = 200,
     .echo = &LAN,
     .stepped_at_s = 100,
     .step_s = -HOUR,
     .noticed_s = 25},
    {.name = "server steps 3 s ahead, echo, stamps",
     .to_s = 200,
     .echo = &LAN,
     .stamps_every_s = 5,
     .stepped_at_s = 100,
     .step_s = 3,
     .noticed_s = 25},
    {.name = "server steps an hour back, stamps, dates",
     .to_s = 300,
     .stamps_every_s = 5,
     .dates = true,
     .stepped_at_s = 100,
     .step_s = -HOUR,
     .noticed_s = 12},
    {.name = "server steps an hour ahead, stamps, dates",
     .to_s = 300,
     .stamps_every_s = 5,
     .dates = true,
     .stepped_at_s = 100,
     .step_s = HOUR,
     .noticed_s = 12},
    {.name = "server steps an hour back, stamps",
     .to_s = 300,
     .stamps_every_s = 5,
     .stepped_at_s = 100,
     .step_s = -HOUR,
     .noticed_s = 12},
    {.name = "server steps an hour back, dates",
     .to_s = 300,
     .dates = true,
     .stepped_at_s = 100,
     .step_s = -HOUR,
     .noticed_s = 12},
    {.name = "stamps from the future, dates",
     .to_s = 300,
     .stamps_every_s = 5,
     .dates = true,
     .wrong_stamps_s = HOUR,
     .worst_s = 0.6},
    {.name = "stamps from 1970, dates",
     .to_s = 300,
     .stamps_every_s = 5,
     .dates = true,
     .wrong_stamps_s = -1.7e9,
     .worst_s = 0.6},
    {.name = "stamps from the future, echo",
     .to_s = 120,
     .echo = &LAN,
     .stamps_every_s = 5,
     .wrong_stamps_s = HOUR,
     .worst_s = 1e-3},
};

/* Every `every_s`, from half of it on: is one due in [from, from + 1)? Sets when. */
static bool is_due(double every_s, double from, int n, double *ret_t)
{
    if (every_s <= 0)
        return false;
    double first = ceil((from - every_s / 2) / every_s - 1e-9);
    *ret_t = every_s / 2 + (fmax(first, 0) + n) * every_s;
    return *ret_t < from + 1;
}

static void hear_stamps(struct listener *listener, const struct mix *mix, double from)
{
    double t;
    for (int n = 0; is_due(mix->stamps_every_s, from, n, &t); n++) {
        bool wrong = mix->wrong_stamps_s != 0 && (int)(t / mix->stamps_every_s) % 7 == 3;
        listener_hear_stamp(listener, t, sim_uniform(&listener->random, 3e-3, 6e-3),
                            wrong ? mix->wrong_stamps_s : 0);
    }
    for (int n = 0; is_due(mix->commands_every_s, from, n, &t); n++)
        listener_command(listener, t);
}

static void live_a_second(struct listener *listener, const struct mix *mix, double t)
{
    if (mix->stepped_at_s > 0 && t == mix->stepped_at_s)
        listener->server_off_s += mix->step_s;
    if (mix->silent_from_s > 0 && t >= mix->silent_from_s) {
        server_clock_disconnected(&listener->clock);
        return;
    }
    if (mix->wall && fmod(t, 10) == 0)
        listener_show_wall(listener, t,
                           mix->wall_off_s + sim_uniform(&listener->random, -1e-3, 1e-3), true);
    if (mix->dates)
        listener_ask_dates_until(listener, t, t + 1);
    hear_stamps(listener, mix, t);
    if (mix->echo)
        listener_probe_until(listener, t, t + 1, mix->echo);
}

static void run(const struct mix *mix, uint64_t seed, unsigned *samples, unsigned *covered)
{
    struct listener listener;
    listener_init(&listener, seed);
    if (mix->date_period_s != 0)
        listener.date_period_s = fmax(mix->date_period_s, 0);
    for (double t = 0; t < mix->to_s; t++) {
        live_a_second(&listener, mix, t);
        bool unaware = mix->stepped_at_s > 0 && t >= mix->stepped_at_s &&
                       t < mix->stepped_at_s + mix->noticed_s;
        if (t < SETTLED_S || unaware || !listener_estimate(&listener, t + 1).known)
            continue;
        double error_s = fabs(listener_error_s(&listener, t + 1));
        (*samples)++;
        *covered += error_s <= listener_uncertainty_s(&listener, t + 1);
        if (mix->worst_s > 0 && error_s > mix->worst_s)
            fail_msg("%s, seed %llu: %.6f s off at %.0f s", mix->name, (unsigned long long)seed,
                     error_s, t);
    }
}

static void the_stated_uncertainty_is_honest(void **state)
{
    (void)state;
    bool honest = true;
    for (size_t i = 0; i < sizeof MIXES / sizeof *MIXES; i++) {
        unsigned samples = 0, covered = 0;
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            run(&MIXES[i], seed, &samples, &covered);
        double share = (double)covered / (double)samples;
        printf("%-45s %.2f %% of %u samples\n", MIXES[i].name, 100 * share, samples);
        honest = honest && samples > 0 && share >= 0.99;
    }
    assert_true(honest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stated_uncertainty_is_honest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
