/*
 * discovery.c: a small table of what was announced, and what follows from it.
 */
#include "tutti/core/discovery.h"

#include <stdio.h>
#include <string.h>

/* A second hub's announcement comes within so long of the first one's: multicast DNS asks three
 * times in the first three seconds (RFC 6762, 5.2). */
static const int64_t SETTLE_NS = 4 * NS_PER_S;
/* An announcement that is back by then was only lost for a moment. */
static const int64_t GRACE_NS = 30 * NS_PER_S;
/* A hub that restarts is away for a moment, too. */
static const int64_t AWAY_NS = 5 * NS_PER_S;
/* No two probes within the first; not the same address again within the second. */
static const int64_t PROBE_GAP_NS = 2 * NS_PER_S;
static const int64_t PROBE_AGAIN_NS = 60 * NS_PER_S;
static const int64_t IDLE_NS = 3600 * NS_PER_S;

void discovery_init(struct discovery *discovery, const char *known_url, struct mono_time now)
{
    *discovery = (struct discovery){.live_until = now, .belongs = known_url[0]};
    snprintf(discovery->choice, sizeof discovery->choice, "%s", known_url);
}

/* --- what is announced --------------------------------------------------------------------- */

static struct discovery_entry *find(struct discovery *discovery, int interface, int protocol,
                                    const char *name)
{
    for (int i = 0; i < discovery->count; i++) {
        struct discovery_sighting *sighting = &discovery->entries[i].sighting;
        if (sighting->interface == interface && sighting->protocol == protocol &&
            strcmp(sighting->name, name) == 0)
            return &discovery->entries[i];
    }
    return NULL;
}

static bool is_same_hub(const struct discovery_sighting *a, const char *name, const char *host)
{
    return strcmp(a->name, name) == 0 && strcmp(a->host, host) == 0;
}

static bool is_chosen_hub(const struct discovery *discovery, const struct discovery_sighting *of)
{
    return discovery->choice[0] && is_same_hub(of, discovery->name, discovery->host);
}

/* Whether the chosen hub is announced, with whatever address. */
static void look_for_choice(struct discovery *discovery, struct mono_time now)
{
    bool here = false;
    for (int i = 0; i < discovery->count; i++)
        here |= is_chosen_hub(discovery, &discovery->entries[i].sighting);
    if (!here && !discovery->gone)
        discovery->gone_since = now;
    discovery->gone = !here;
}

void discovery_seen(struct discovery *discovery, const struct discovery_sighting *sighting,
                    struct mono_time now)
{
    struct discovery_entry *entry =
        find(discovery, sighting->interface, sighting->protocol, sighting->name);
    if (!entry && discovery->count == DISCOVERY_HUBS_MAX) {
        discovery->crowded = true;
        return;
    }
    if (!entry) {
        entry = &discovery->entries[discovery->count++];
        *entry = (struct discovery_entry){.seen_at = now};
    } else if (strcmp(entry->sighting.url, sighting->url) != 0 ||
               strcmp(entry->sighting.host, sighting->host) != 0) {
        entry->seen_at = now;
        entry->probed = false;
    }
    entry->sighting = *sighting;
    look_for_choice(discovery, now);
}

void discovery_vanished(struct discovery *discovery, int interface, int protocol, const char *name,
                        struct mono_time now)
{
    struct discovery_entry *entry = find(discovery, interface, protocol, name);
    if (!entry)
        return;
    *entry = discovery->entries[--discovery->count];
    look_for_choice(discovery, now);
}

void discovery_lost_sight(struct discovery *discovery, struct mono_time now)
{
    discovery->count = 0;
    discovery->crowded = false;
    look_for_choice(discovery, now);
}

void discovery_is_crowded(struct discovery *discovery)
{
    discovery->crowded = true;
}

/* --- where we are -------------------------------------------------------------------------- */

void discovery_belongs(struct discovery *discovery, bool belongs)
{
    discovery->belongs = belongs && discovery->choice[0];
}

void discovery_live(struct discovery *discovery, bool live, struct mono_time now)
{
    if (discovery->live && !live)
        discovery->live_until = now;
    discovery->live = live;
}

static void choose(struct discovery *discovery, const struct discovery_sighting *sighting)
{
    snprintf(discovery->choice, sizeof discovery->choice, "%s", sighting ? sighting->url : "");
    snprintf(discovery->name, sizeof discovery->name, "%s", sighting ? sighting->name : "");
    snprintf(discovery->host, sizeof discovery->host, "%s", sighting ? sighting->host : "");
    discovery->gone = false;
}

/* --- a member: another address of the same hub --------------------------------------------- */

/* Who has waited longest: announcements that come and go do not push themselves forward. */
static struct mono_time waits_since(const struct discovery_entry *entry)
{
    return entry->probed ? entry->probed_at : entry->seen_at;
}

static struct mono_time later(struct mono_time a, struct mono_time b)
{
    return mono_sub(a, b) > 0 ? a : b;
}

static struct mono_time earlier(struct mono_time a, struct mono_time b)
{
    return mono_sub(a, b) < 0 ? a : b;
}

/* When this one may be asked. */
static struct mono_time probe_due(const struct discovery *discovery,
                                  const struct discovery_entry *entry)
{
    struct mono_time due = mono_add(discovery->live_until, AWAY_NS);
    if (discovery->has_probed)
        due = later(due, mono_add(discovery->probed_at, PROBE_GAP_NS));
    return entry->probed ? later(due, mono_add(entry->probed_at, PROBE_AGAIN_NS)) : due;
}

static struct discovery_step wait_until(struct mono_time due)
{
    return (struct discovery_step){.action = DISCOVERY_WAIT, .url = "", .due = due};
}

static struct discovery_step probe(struct discovery *discovery, struct discovery_entry *entry,
                                   struct mono_time now)
{
    discovery->probing = discovery->has_probed = entry->probed = true;
    discovery->probed_at = entry->probed_at = now;
    return (struct discovery_step){.action = DISCOVERY_PROBE, .url = entry->sighting.url};
}

static struct discovery_step look_elsewhere(struct discovery *discovery, struct mono_time now)
{
    struct mono_time soonest = mono_add(now, IDLE_NS);
    struct discovery_entry *next = NULL;
    if (discovery->live || discovery->probing)
        return wait_until(soonest);
    for (int i = 0; i < discovery->count; i++) {
        struct discovery_entry *entry = &discovery->entries[i];
        if (strcmp(entry->sighting.url, discovery->choice) == 0)
            continue;
        soonest = earlier(soonest, probe_due(discovery, entry));
        if (mono_sub(probe_due(discovery, entry), now) <= 0 &&
            (!next || mono_sub(waits_since(entry), waits_since(next)) < 0))
            next = entry;
    }
    return next ? probe(discovery, next, now) : wait_until(soonest);
}

static struct discovery_step use(const struct discovery *discovery)
{
    return (struct discovery_step){.action = DISCOVERY_USE, .url = discovery->choice};
}

void discovery_probed(struct discovery *discovery, const char *url, bool proven,
                      struct mono_time now)
{
    (void)now;
    discovery->probing = false;
    if (!proven || !discovery->belongs || discovery->live)
        return;
    snprintf(discovery->choice, sizeof discovery->choice, "%s", url);
    discovery->moved = true;
}

/* --- no member: the only hub there is ------------------------------------------------------ */

static const struct discovery_entry *best_of(const struct discovery *discovery, const char *name,
                                             const char *host)
{
    const struct discovery_entry *best = NULL;
    for (int i = 0; i < discovery->count; i++) {
        const struct discovery_entry *entry = &discovery->entries[i];
        if (is_same_hub(&entry->sighting, name, host) &&
            (!best || entry->sighting.rank < best->sighting.rank))
            best = entry;
    }
    return best;
}

/* Another than this one; NULL: it is the only one. */
static const struct discovery_sighting *another(const struct discovery *discovery,
                                                const struct discovery_sighting *than)
{
    for (int i = 0; i < discovery->count; i++) {
        const struct discovery_sighting *sighting = &discovery->entries[i].sighting;
        if (!is_same_hub(sighting, than->name, than->host))
            return sighting;
    }
    return NULL;
}

static struct mono_time first_seen(const struct discovery *discovery)
{
    struct mono_time first = discovery->entries[0].seen_at;
    for (int i = 1; i < discovery->count; i++)
        first = earlier(first, discovery->entries[i].seen_at);
    return first;
}

static struct discovery_step take_the_only_one(struct discovery *discovery, struct mono_time now)
{
    if (discovery->count == 0 || discovery->crowded)
        return wait_until(mono_add(now, IDLE_NS));
    const struct discovery_sighting *one = &discovery->entries[0].sighting;
    struct mono_time due = mono_add(first_seen(discovery), SETTLE_NS);
    if (another(discovery, one))
        return wait_until(mono_add(now, IDLE_NS));
    if (mono_sub(due, now) > 0)
        return wait_until(due);
    choose(discovery, &best_of(discovery, one->name, one->host)->sighting);
    return use(discovery);
}

static bool is_announced(const struct discovery *discovery, const char *url)
{
    for (int i = 0; i < discovery->count; i++)
        if (strcmp(discovery->entries[i].sighting.url, url) == 0)
            return true;
    return false;
}

/* It was taken, and has not let us in yet. */
static struct discovery_step stay(struct discovery *discovery, struct mono_time now)
{
    if (discovery->gone) {
        struct mono_time due = mono_add(discovery->gone_since, GRACE_NS);
        if (mono_sub(due, now) > 0)
            return wait_until(due);
        choose(discovery, NULL);
        return use(discovery);
    }
    const struct discovery_entry *best = best_of(discovery, discovery->name, discovery->host);
    if (!best || is_announced(discovery, discovery->choice))
        return wait_until(mono_add(now, IDLE_NS));
    choose(discovery, &best->sighting);
    return use(discovery);
}

struct discovery_step discovery_next(struct discovery *discovery, struct mono_time now)
{
    if (discovery->moved) {
        discovery->moved = false;
        return use(discovery);
    }
    if (discovery->belongs)
        return look_elsewhere(discovery, now);
    return discovery->choice[0] ? stay(discovery, now) : take_the_only_one(discovery, now);
}

void discovery_problem(const struct discovery *discovery, char to[DISCOVERY_PROBLEM_MAX])
{
    to[0] = '\0';
    if (discovery->choice[0])
        return;
    if (discovery->count == 0) {
        snprintf(to, DISCOVERY_PROBLEM_MAX, "no hub announces itself on this network yet");
        return;
    }
    const struct discovery_sighting *one = &discovery->entries[0].sighting;
    const struct discovery_sighting *two = another(discovery, one);
    if (two)
        snprintf(to, DISCOVERY_PROBLEM_MAX,
                 "there are several hubs, \"%.40s\" at %.48s and \"%.40s\" at %.48s%s: say which "
                 "one in [backend] url",
                 one->name, one->url, two->name, two->url, discovery->crowded ? ", and more" : "");
    else if (discovery->crowded)
        snprintf(to, DISCOVERY_PROBLEM_MAX,
                 "too many hubs announce themselves: say which one in [backend] url");
    else
        snprintf(to, DISCOVERY_PROBLEM_MAX, "found \"%.60s\"; waiting whether it is the only hub",
                 one->name);
}
