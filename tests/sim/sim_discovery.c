/*
 * sim_discovery.c: a thousand networks on which hubs come, vanish, move, are renamed and lied about;
 * the speaker ends where it belongs.
 */
#include "../unit/cmocka_all.h"
#include "tutti/core/discovery.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS 1000
#define HUBS_MAX 3 /* of which the first is the speaker's, where it has one */
#define LIARS_MAX 80
#define STEP_S 0.25
static const double STORMY_S = 600;
/* As many liars as fit, each asked once before the hub that came last. */
static const double CALM_S = 400;

struct announcer {
    bool here;
    int interfaces; /* it is seen on so many */
    int version;    /* of name and address: both change */
    bool honest;
};

struct world {
    uint64_t random;
    double now_s;
    struct announcer hubs[HUBS_MAX + LIARS_MAX];
    int hub_count, liar_count;
    bool member;
    char at[DISCOVERY_URL_MAX]; /* where the speaker is */
    struct discovery discovery;
    char probe[DISCOVERY_URL_MAX];
    double answer_s;
    int probes, moves_to_liars;
    double away_s; /* when it was elsewhere than at its own last */
};

/* Of all runs. */
struct figures {
    double home_s[RUNS]; /* calm for so long when it is where it stays */
    int probes_most;
};

static uint64_t draw(struct world *world)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return world->random;
}

static int below(struct world *world, int limit)
{
    return (int)(draw(world) % (uint64_t)limit);
}

static bool chance(struct world *world, double per_second)
{
    return (double)(draw(world) % 1000000) < per_second * STEP_S * 1e6;
}

static struct mono_time now(const struct world *world)
{
    return (struct mono_time){s_to_ns(world->now_s)};
}

static bool is_liar(const struct world *world, int who)
{
    return who >= world->hub_count;
}

static void url_of(const struct world *world, int who, char url[DISCOVERY_URL_MAX])
{
    snprintf(url, DISCOVERY_URL_MAX, "http://10.0.%d.%d:8700", who,
             world->hubs[who].version % 250 + 1);
}

/* Liars call themselves as a hub does; on another host, for what is in use is defended. */
static void name_of(const struct world *world, int who, char name[DISCOVERY_NAME_MAX])
{
    if (is_liar(world, who) && who % 3 == 0)
        snprintf(name, DISCOVERY_NAME_MAX, "Hub 0 v%d", world->hubs[0].version);
    else
        snprintf(name, DISCOVERY_NAME_MAX, "Hub %d v%d", who, world->hubs[who].version);
}

static void announce(struct world *world, int who)
{
    for (int i = 0; i < world->hubs[who].interfaces; i++) {
        /* Each its own key, as a name is taken only once on a network. */
        struct discovery_sighting sighting = {
            .interface = i + 10 * is_liar(world, who) * who, .protocol = i & 1, .rank = i};
        name_of(world, who, sighting.name);
        snprintf(sighting.host, sizeof sighting.host, "host-%d.local", who);
        url_of(world, who, sighting.url);
        discovery_seen(&world->discovery, &sighting, now(world));
    }
    world->hubs[who].here = true;
}

static void withdraw(struct world *world, int who)
{
    char name[DISCOVERY_NAME_MAX];
    name_of(world, who, name);
    for (int i = 0; i < world->hubs[who].interfaces; i++)
        discovery_vanished(&world->discovery, i + 10 * is_liar(world, who) * who, i & 1, name,
                           now(world));
    world->hubs[who].here = false;
}

static void all_again(struct world *world)
{
    discovery_lost_sight(&world->discovery, now(world));
    for (int i = world->hub_count + world->liar_count - 1; i >= 0; i--)
        if (world->hubs[i].here)
            announce(world, i);
}

/* One thing that happens to one of them. */
static void happen(struct world *world, int who)
{
    struct announcer *hub = &world->hubs[who];
    if (!hub->here) {
        announce(world, who);
        return;
    }
    switch (below(world, 4)) {
    case 0: /* announced twice */
        announce(world, who);
        break;
    case 1: /* renamed, with another address, properly */
        withdraw(world, who);
        hub->version++;
        announce(world, who);
        if (who == 0) /* those who take its name */
            all_again(world);
        break;
    case 2: /* another address, unannounced: the old name says so */
        withdraw(world, who);
        announce(world, who);
        break;
    default:
        withdraw(world, who);
    }
}

/* Whether what answers there is the speaker's own hub. */
static bool is_own(const struct world *world, const char *url)
{
    char own[DISCOVERY_URL_MAX];
    url_of(world, 0, own);
    return world->hubs[0].here && strcmp(url, own) == 0;
}

static bool is_a_liars(const struct world *world, const char *url)
{
    char text[DISCOVERY_URL_MAX];
    for (int i = world->hub_count; i < world->hub_count + world->liar_count; i++) {
        url_of(world, i, text);
        if (strcmp(text, url) == 0)
            return true;
    }
    return false;
}

static void settle(struct world *world)
{
    for (int rounds = 0; rounds < 10; rounds++) {
        struct discovery_step step = discovery_next(&world->discovery, now(world));
        if (step.action == DISCOVERY_WAIT)
            return;
        if (step.action == DISCOVERY_PROBE) {
            world->probes++;
            snprintf(world->probe, sizeof world->probe, "%s", step.url);
            world->answer_s = world->now_s + (double)below(world, 40) / 10;
        } else {
            snprintf(world->at, sizeof world->at, "%s", step.url);
            world->moves_to_liars += world->member && is_a_liars(world, step.url);
        }
    }
    fail_msg("it spins");
}

static void step(struct world *world, bool storm)
{
    world->now_s += STEP_S;
    for (int i = 0; storm && i < world->hub_count + world->liar_count; i++)
        if (chance(world, 0.05))
            happen(world, i);
    if (storm && chance(world, 0.005))
        all_again(world);
    discovery_live(&world->discovery, world->member && is_own(world, world->at), now(world));
    if (world->probe[0] && world->now_s >= world->answer_s) {
        discovery_probed(&world->discovery, world->probe, is_own(world, world->probe), now(world));
        world->probe[0] = '\0';
    }
    settle(world);
    if (!is_own(world, world->at))
        world->away_s = world->now_s;
}

static void begin(struct world *world, uint64_t seed, bool member, int hubs, int liars)
{
    *world = (struct world){.random = seed * 0x9e3779b97f4a7c15u + 1, .now_s = 100};
    world->member = member;
    world->hub_count = hubs;
    world->liar_count = liars;
    for (int i = 0; i < hubs + liars; i++)
        world->hubs[i].interfaces = i < hubs ? 1 + below(world, 3) : 1;
    if (member)
        url_of(world, 0, world->at);
    discovery_init(&world->discovery, world->at, now(world));
    for (double end_s = world->now_s + STORMY_S; world->now_s < end_s;)
        step(world, true);
}

/* For how long it is calm when the speaker is where it stays. */
static double calm(struct world *world)
{
    double begun_s = world->now_s;
    for (int i = 0; i < world->hub_count; i++)
        if (!world->hubs[i].here)
            announce(world, i);
    all_again(world); /* as the network is asked again when more was announced than fits */
    for (double end_s = world->now_s + CALM_S; world->now_s < end_s;)
        step(world, false);
    return world->away_s > begun_s ? world->away_s - begun_s : 0;
}

static void add(struct figures *figures, uint64_t seed, const struct world *world, double home_s)
{
    figures->home_s[seed - 1] = home_s;
    if (world->probes > figures->probes_most)
        figures->probes_most = world->probes;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void report(struct figures *figures, const char *who)
{
    qsort(figures->home_s, RUNS, sizeof figures->home_s[0], compare);
    printf("%d runs of %g s: %s is at its hub %.1f s after the last change (p50), %.1f s (p99), "
           "%.1f s (most); at most %d probes\n",
           RUNS, STORMY_S, who, figures->home_s[RUNS / 2], figures->home_s[RUNS * 99 / 100],
           figures->home_s[RUNS - 1], figures->probes_most);
}

static void a_member_ends_at_its_hub(void **state)
{
    (void)state;
    static struct world world;
    static struct figures figures;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        begin(&world, seed, true, 1 + (int)(seed % HUBS_MAX), (int)(seed % 50));
        add(&figures, seed, &world, calm(&world));
        if (!is_own(&world, world.at))
            fail_msg("run %u ends at \"%s\"", (unsigned)seed, world.at);
        if (world.moves_to_liars > 0)
            fail_msg("run %u has been at a liar's", (unsigned)seed);
        assert_true(world.probes <= (int)((STORMY_S + CALM_S) / 2) + 1);
    }
    report(&figures, "a member among liars");
}

static void a_stranger_ends_at_the_only_hub(void **state)
{
    (void)state;
    static struct world world;
    static struct figures figures;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        begin(&world, seed, false, 1, 0);
        add(&figures, seed, &world, calm(&world));
        if (!is_own(&world, world.at))
            fail_msg("run %u ends at \"%s\"", (unsigned)seed, world.at);
    }
    report(&figures, "a stranger");
}

static void a_stranger_between_several_takes_none(void **state)
{
    (void)state;
    static struct world world;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        begin(&world, seed, false, 2 + (int)(seed & 1), (int)(seed % LIARS_MAX));
        discovery_init(&world.discovery, "", now(&world));
        world.at[0] = '\0';
        calm(&world);
        if (world.at[0])
            fail_msg("run %u has taken \"%s\"", (unsigned)seed, world.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_ends_at_its_hub),
        cmocka_unit_test(a_stranger_ends_at_the_only_hub),
        cmocka_unit_test(a_stranger_between_several_takes_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
