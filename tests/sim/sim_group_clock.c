/*
 * sim_group_clock.c: speakers of one session that tell each other the time, on a backend that does
 * not. Each row is a situation of a house, over a fixed range of seeds.
 */
#include "../unit/cmocka_all.h"
#include "house.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_MAX 40000
#define SAMPLE_S 0.05
#define CHANGE_S 60.0

struct row {
    const char *name;
    int speakers;
    bool sounding; /* judged by what sounds, not by the clocks alone */
    bool echo;
    struct sim_network network;
    bool power_save, no_multicast;
    void (*prepare)(struct house *house);
    void (*script)(struct house *house, double t);   /* every SAMPLE_S */
    double (*judge)(const struct house *house);      /* how far apart they are, if not all alike */
    const char *(*check)(const struct house *house); /* at the end: what is wrong; NULL: nothing */
    unsigned except;                                 /* who is not judged */
    double from_s, to_s;
    double p50_us, p99_us, max_us; /* 0: not asked for */
    double moved_us; /* from from_s on, but for what crystals drift; 0: not asked for */
    unsigned seeds;
};

static bool is_at(double t, double when)
{
    return fabs(t - when) < SAMPLE_S / 2;
}

static void one_play(struct house *house, double t)
{
    if (is_at(t, 1.5))
        house_command(house, 0, 1e-3, -1);
}

static void a_third_comes_late(struct house *house)
{
    house->members[2].starts_s = 60.2;
    house->members[2].speaker.config.card_known = true;
}

static void a_third_comes_late_with_a_new_card(struct house *house)
{
    house->members[2].starts_s = 60.2;
}

static void many_commands(struct house *house, double t)
{
    if (t > 1 && fmod(t + SAMPLE_S / 2, 20) < SAMPLE_S)
        house_command(house, sim_uniform(&house->random, 0, 80e-3), 1.5e-3, -1);
}

/* Whoever is told to play begins by what it knows a moment later: 30 ms after the state came. */
static double started_s;

static void starts_again(struct house *house, double t)
{
    double commit_s = (double)(house->random.state % 3) * SAMPLE_S;
    house_command(house, commit_s + 18.5e-3, 1.5e-3, -1);
    started_s = t + commit_s + SAMPLE_S;
}

static void plays_early_and_often(struct house *house, double t)
{
    static const double AGAIN_S[] = {0, 0.35, 0.65, 0.9, 3, 3.25, 15};
    static double first_s;
    if (is_at(t, SAMPLE_S))
        first_s = t + 1.2 + (double)(house->random.state % 60) * SAMPLE_S;
    for (size_t i = 0; i < sizeof AGAIN_S / sizeof *AGAIN_S; i++)
        if (is_at(t, first_s + AGAIN_S[i]))
            starts_again(house, t);
}

static double apart_at_starts_s(const struct house *house)
{
    return is_at(house->now_s, started_s) ? house_apart_s(house, 0) : -1;
}

static void all_wireless(struct house *house)
{
    for (int i = 0; i < house->count; i++)
        house->members[i].wireless = true;
}

/* What may happen to a reference after a minute, and who is not judged from then on. */
static unsigned gone;

static void remember_gone(struct house *house, double t, int *ret_reference)
{
    if (t < 1)
        gone = 0;
    *ret_reference = -1;
    one_play(house, t);
    if (is_at(t, CHANGE_S))
        *ret_reference = house_reference(house);
}

static void reference_is_killed(struct house *house, double t)
{
    int reference;
    remember_gone(house, t, &reference);
    if (reference >= 0)
        house->members[reference].ends_s = t;
}

static void reference_leaves(struct house *house, double t)
{
    int reference;
    remember_gone(house, t, &reference);
    if (reference >= 0)
        house_leave(house, reference);
}

static void reference_is_stopped(struct house *house, double t)
{
    int reference;
    remember_gone(house, t, &reference);
    if (reference < 0)
        return;
    struct house_member *member = &house->members[reference];
    member->frozen_from_s = member->speaker.config.suspended_from_s = t;
    member->frozen_to_s = member->speaker.config.suspended_to_s = t + 10;
}

static void reference_is_unplugged(struct house *house, double t)
{
    int reference;
    remember_gone(house, t, &reference);
    if (reference < 0)
        return;
    gone = 1u << reference;
    house->members[reference].unplugged_from_s = t;
    house->members[reference].unplugged_to_s = INFINITY;
}

static double apart_but_for_the_gone_s(const struct house *house)
{
    return house_apart_s(house, gone);
}

static void is_parted(struct house *house)
{
    house->parted_from_s = CHANGE_S;
    house->parted_to_s = CHANGE_S + 300;
}

static double apart_within_halves_s(const struct house *house)
{
    unsigned first = (1u << (house->count / 2)) - 1;
    if (house->now_s < house->parted_from_s || house->now_s > house->parted_to_s + 30)
        return house_apart_s(house, 0);
    if (house->now_s > house->parted_to_s)
        return -1;
    return fmax(house_apart_s(house, first), house_apart_s(house, ~first));
}

/* The odd one is the reference, for it was there first; or the last to come. */
static void odd_first(struct house *house)
{
    house->members[0].starts_s = 0;
    for (int i = 1; i < house->count; i++)
        house->members[i].starts_s = 2 + 0.1 * i;
}

static void breaks(struct house *house, int index, double step_s, double ppm)
{
    struct sim_crystal *crystal = &house->members[index].speaker.config.local;
    crystal->breaks_at_s = CHANGE_S;
    crystal->break_step_s = step_s;
    crystal->break_ppm = ppm;
}

static void reference_is_fast(struct house *house)
{
    odd_first(house);
    breaks(house, 0, 0, 500);
}

static void reference_is_fast_from_the_start(struct house *house)
{
    odd_first(house);
    house->members[0].speaker.config.local.ppm = 500;
}

static void reference_steps(struct house *house)
{
    odd_first(house);
    breaks(house, 0, 0.05, 0);
}

static void follower_is_fast(struct house *house)
{
    breaks(house, 0, 0, 500);
    house->members[0].starts_s = 3;
}

static void follower_steps(struct house *house)
{
    breaks(house, 0, -0.05, 0);
    house->members[0].starts_s = 3;
}

static void lies(struct house *house, enum house_lie lie)
{
    house->members[0].lie = lie;
    house->members[0].lies_from_s = CHANGE_S;
}

static void reference_lies(struct house *house)
{
    odd_first(house);
    lies(house, HOUSE_LIES_LINE);
}

static void follower_lies(struct house *house)
{
    house->members[0].starts_s = 3;
    lies(house, HOUSE_LIES_LINE);
}

static void follower_reports_falsely(struct house *house)
{
    house->members[0].starts_s = 3;
    lies(house, HOUSE_LIES_REPORT);
}

static void follower_makes_news(struct house *house)
{
    house->members[0].starts_s = 3;
    lies(house, HOUSE_LIES_NEWS);
}

/* Who made the others look at the backend for nothing did so a few times at most. */
static const char *few_looks(const struct house *house)
{
    for (int i = 1; i < house->count; i++)
        if (house->members[i].looks > house->now_s / 15)
            return "too many looks at the backend";
    return NULL;
}

/* Every 20 s a command, of which one speaker or another does not hear. */
static void one_misses_each(struct house *house, double t)
{
    static double commanded_s;
    if (is_at(t, 1.5))
        commanded_s = 0;
    if (t > 1 && fmod(t + SAMPLE_S / 2, 20) < SAMPLE_S) {
        int missed = t < 10 ? -1 : (int)(t / 20) % house->count;
        commanded_s = house->now_s;
        house_command(house, 0, 1e-3, missed);
    }
    if (commanded_s > 0 && t > commanded_s + 1.5)
        for (int i = 0; i < house->count; i++)
            if (house->members[i].heard_s < commanded_s - 1e-6)
                house->unwanted = "a missed command is not known after 1.5 s";
}

/* The way to the backend: up to 20 ms more in one direction; and the same for one speaker only. */
static void far_hub(struct house *house)
{
    for (int i = 0; i < house->count; i++)
        house->members[i].speaker.config.network =
            (struct sim_network){.kind = SIM_ONE_SIDED, .jitter_s = 20e-3};
}

static void one_far_from_the_hub(struct house *house)
{
    house->members[0].speaker.config.network =
        (struct sim_network){.kind = SIM_ONE_SIDED, .jitter_s = 20e-3};
}

static void nobody_hears_anybody(struct house *house)
{
    house->network.loss = 1;
}

/* More, and the player begins anew before it is heard. */
#define START_US 2000
#define QUIET .p50_us = 10, .p99_us = 30
#define UNMOVED QUIET, .moved_us = 500, .except = 1

static const struct row ROWS[] = {
    {"two, quiet", 2, .sounding = true, .script = one_play, .from_s = 3.5, .to_s = 120, QUIET},
    {"three, quiet", 3, .script = one_play, .from_s = 3.5, .to_s = 120, QUIET},
    {"three, slow commits", 3, .script = many_commands, .from_s = 3.5, .to_s = 120, QUIET},
    {"three, by what they begin with", 3, .script = plays_early_and_often,
     .judge = apart_at_starts_s, .from_s = 1.2, .to_s = 21, .max_us = START_US},
    {"24 speakers: any two of them", 24, .script = one_play, .from_s = 3.5, .to_s = 60,
     .p50_us = 20, .p99_us = 40, .seeds = 5},
    {"peers by unicast only", 3, .no_multicast = true, .script = one_play, .from_s = 3.5,
     .to_s = 60, QUIET},
    {"a tenth lost", 3, .network = {.loss = 0.1}, .script = one_play, .from_s = 5, .to_s = 120,
     .p50_us = 10, .p99_us = 35},
    {"a third joins in mid-play: its first sound", 3, .sounding = true,
     .prepare = a_third_comes_late, .script = one_play, .from_s = 60, .to_s = 90, .max_us = 100},
    {"the same with a new card, of which no rate is remembered", 3, .sounding = true,
     .prepare = a_third_comes_late_with_a_new_card, .script = one_play, .from_s = 60, .to_s = 90,
     .max_us = 150},
    {"20 minutes without a command", 3, .sounding = true, .script = one_play, .from_s = 3.5,
     .to_s = 1200, QUIET, .seeds = 3},
    {"5 ms +- 5 ms of jitter each way", 4, .network = {.kind = SIM_JITTER, .jitter_s = 10e-3},
     .prepare = all_wireless, .script = one_play, .from_s = 60, .to_s = 600, .p50_us = 150,
     .p99_us = 300, .seeds = 6},
    {"Wi-Fi with power save", 4, .network = {.kind = SIM_HOME_WIFI, .loss = 0.01},
     .power_save = true, .prepare = all_wireless, .script = one_play, .from_s = 120, .to_s = 600,
     .p99_us = 500, .seeds = 6},
    {"the reference is killed", 4, .script = reference_is_killed, .judge = apart_but_for_the_gone_s,
     .from_s = CHANGE_S, .to_s = CHANGE_S + 40, .max_us = 22},
    {"the reference is killed: ten minutes later", 4, .script = reference_is_killed,
     .judge = apart_but_for_the_gone_s, .from_s = CHANGE_S, .to_s = CHANGE_S + 630, .max_us = 100,
     .seeds = 6},
    {"the reference leaves", 4, .script = reference_leaves, .judge = apart_but_for_the_gone_s,
     .from_s = CHANGE_S, .to_s = CHANGE_S + 40, .max_us = 20},
    {"the reference is stopped for 10 s", 4, .script = reference_is_stopped,
     .judge = apart_but_for_the_gone_s, .from_s = CHANGE_S, .to_s = CHANGE_S + 60, .max_us = 35},
    {"the reference is unplugged", 4, .script = reference_is_unplugged,
     .judge = apart_but_for_the_gone_s, .from_s = CHANGE_S, .to_s = CHANGE_S + 60, .max_us = 20},
    {"parted for 5 minutes, and healed", 6, .prepare = is_parted, .script = one_play,
     .judge = apart_within_halves_s, .from_s = CHANGE_S, .to_s = CHANGE_S + 400, QUIET,
     .seeds = 10},
    {"a reference that becomes 500 ppm fast", 6, .prepare = reference_is_fast, .script = one_play,
     .from_s = CHANGE_S, .to_s = CHANGE_S + 120, UNMOVED},
    {"a reference that is 500 ppm fast", 6, .prepare = reference_is_fast_from_the_start,
     .script = many_commands, .from_s = 30, .to_s = 180, QUIET, .except = 1},
    {"a reference whose clock steps", 6, .prepare = reference_steps, .script = one_play,
     .from_s = CHANGE_S, .to_s = CHANGE_S + 120, UNMOVED},
    {"a follower that becomes 500 ppm fast", 6, .prepare = follower_is_fast,
     .script = many_commands, .from_s = CHANGE_S, .to_s = CHANGE_S + 120, QUIET, .except = 1},
    {"a follower whose clock steps", 6, .prepare = follower_steps, .script = many_commands,
     .from_s = CHANGE_S, .to_s = CHANGE_S + 120, QUIET, .except = 1},
    {"a reference that lies", 6, .prepare = reference_lies, .script = one_play, .from_s = CHANGE_S,
     .to_s = CHANGE_S + 120, UNMOVED},
    {"a follower that claims, and lies", 6, .prepare = follower_lies, .script = one_play,
     .from_s = CHANGE_S, .to_s = CHANGE_S + 120, UNMOVED},
    {"a follower that reports falsely", 6, .prepare = follower_reports_falsely,
     .script = many_commands, .from_s = CHANGE_S, .to_s = CHANGE_S + 120, QUIET, .except = 1},
    {"a follower that makes news", 6, .prepare = follower_makes_news, .script = one_play,
     .from_s = CHANGE_S, .to_s = CHANGE_S + 120, .check = few_looks, UNMOVED},
    {"one misses each command", 3, .script = one_misses_each, .from_s = 3.5, .to_s = 200, QUIET},
    {"a hub that echoes", 4, .echo = true, .from_s = 10, .to_s = 120, .p50_us = 10, .p99_us = 50},
    {"a hub that echoes, jitter between the speakers", 4, .echo = true,
     .network = {.kind = SIM_JITTER, .jitter_s = 10e-3}, .from_s = 10, .to_s = 120, .p50_us = 10,
     .p99_us = 50},
    {"a hub that echoes, jitter on the way to it", 4, .echo = true, .prepare = far_hub,
     .from_s = 10, .to_s = 300, .p50_us = 10, .p99_us = 40, .seeds = 10},
    {"a hub that echoes, jitter for one of them", 4, .echo = true, .prepare = one_far_from_the_hub,
     .from_s = 10, .to_s = 300, .p50_us = 20, .p99_us = 50, .seeds = 10},
    {"nobody hears anybody", /* as without a group: what all heard, and crystals */
     3, .prepare = nobody_hears_anybody, .script = one_play, .from_s = 5, .to_s = 60,
     .max_us = 8000},
};

static unsigned first_seed(void)
{
    const char *one = getenv("TUTTI_SIM_SEED"); /* that one alone */
    return one ? (unsigned)strtoul(one, NULL, 10) : 1;
}

static unsigned seeds_wanted(const struct row *row)
{
    if (getenv("TUTTI_SIM_SEED"))
        return first_seed();
    return (unsigned)sim_seeds(row->seeds ? row->seeds : 20);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool is_beyond(const struct row *row, unsigned seed, const char *what, double found,
                      double most)
{
    if (most <= 0 || found <= most)
        return false;
    print_error("%s, seed %u: %s is %.1f us, and not at most %.1f\n", row->name, seed, what, found,
                most);
    return true;
}

/* For whoever looks into a row: one line for each sample. */
static void print_trace(const struct house *house, double apart_s)
{
    printf("%.2f %.1f us", house->now_s, apart_s * 1e6);
    for (int i = 0; i < house->count; i++) {
        const struct house_member *member = &house->members[i];
        struct mono_time now = sim_speaker_local(&member->speaker, house->now_s);
        double error_s = NAN;
        sim_speaker_clock_error(&member->speaker, house->now_s, &error_s);
        if (house_is_there(house, i))
            printf(" [%.1f %s%s]", error_s * 1e6,
                   group_role_name(group_get_status(&member->group, now).role),
                   member->group.doubted ? ", doubts" : "");
    }
    putchar('\n');
}

/* How far the last speaker's clock was moved away from the server's, beyond the drift that it had when
 * the row began. Towards it is no harm: evidence of the server's time takes a whole house there. */
static double movement_us(const struct house *house, const struct row *row, double t)
{
    static double was_s, rate;
    double error_s, drifted_s;
    if (t < row->from_s - 20 ||
        !sim_speaker_clock_error(&house->members[house->count - 1].speaker, t, &error_s))
        return 0;
    if (t < row->from_s - 20 + SAMPLE_S)
        was_s = error_s;
    if (t < row->from_s) {
        rate = (error_s - was_s) / fmax(t - row->from_s + 20, 1);
        return 0;
    }
    drifted_s = was_s + rate * (t - row->from_s + 20);
    if (error_s * drifted_s > 0 && fabs(error_s) < fabs(drifted_s))
        return 0;
    return fabs(error_s - drifted_s) * 1e6;
}

static bool is_as_wanted(const struct row *row, unsigned seed, double worst_us[3])
{
    static struct house house;
    static double apart_us[SAMPLES_MAX];
    size_t samples = 0;
    double moved_us = 0;
    house_init(&house, row->speakers, row->echo, !row->sounding, seed);
    house.network = row->network;
    house.power_save = row->power_save;
    house.no_multicast = row->no_multicast;
    if (row->prepare)
        row->prepare(&house);
    for (double t = SAMPLE_S; t < row->to_s; t += SAMPLE_S) {
        house_run(&house, t);
        if (row->script)
            row->script(&house, t);
        double apart_s = row->judge ? row->judge(&house) : house_apart_s(&house, row->except);
        if (getenv("TUTTI_SIM_TRACE"))
            print_trace(&house, apart_s);
        moved_us = fmax(moved_us, movement_us(&house, row, t));
        if (t >= row->from_s && apart_s >= 0 && samples < SAMPLES_MAX)
            apart_us[samples++] = apart_s * 1e6;
    }
    if (row->check && !house.unwanted)
        house.unwanted = row->check(&house);
    if (house.unwanted)
        print_error("%s, seed %u: %s\n", row->name, seed, house.unwanted);
    if (samples == 0) {
        print_error("%s, seed %u: nothing is heard\n", row->name, seed);
        return false;
    }
    qsort(apart_us, samples, sizeof *apart_us, compare);
    double p50_us = apart_us[samples / 2], p99_us = apart_us[samples * 99 / 100];
    double max_us = apart_us[samples - 1];
    worst_us[0] = fmax(worst_us[0], p50_us);
    worst_us[1] = fmax(worst_us[1], p99_us);
    worst_us[2] = fmax(worst_us[2], max_us);
    bool beyond = is_beyond(row, seed, "p50", p50_us, row->p50_us);
    beyond |= is_beyond(row, seed, "p99", p99_us, row->p99_us);
    beyond |= is_beyond(row, seed, "the largest distance", max_us, row->max_us);
    beyond |= is_beyond(row, seed, "what they moved", moved_us, row->moved_us);
    return !beyond && !house.unwanted;
}

static void the_rows_hold(void **state)
{
    (void)state;
    bool good = true;
    const char *only = getenv("TUTTI_SIM_ROW");
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        double worst_us[3] = {0};
        unsigned failed = 0;
        if (only && !strstr(ROWS[i].name, only))
            continue;
        for (unsigned seed = first_seed(); seed <= seeds_wanted(&ROWS[i]); seed++)
            failed += !is_as_wanted(&ROWS[i], seed, worst_us);
        printf("%-50s worst of seeds: p50 %.1f, p99 %.1f, max %.1f us; %u failed\n", ROWS[i].name,
               worst_us[0], worst_us[1], worst_us[2], failed);
        good = good && failed == 0;
    }
    assert_true(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rows_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
