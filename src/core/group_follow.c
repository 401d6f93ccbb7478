/*
 * group_follow.c: whom we follow, and the line by our clock.
 *
 * A reference's line is by its clock; what peer_clock says of that clock makes a line by ours of
 * it. While the reference in force is replaced, its line goes on: the next one's is taken when that
 * one's clock is known as well, and is the same line, since it was following it, too.
 *
 * So a line that is suddenly elsewhere is a surprise: it is the reference's clock that has gone
 * wrong, or ours, or it lies. What contradicts our own hard evidence is not followed. Of anything
 * else we say that we doubt it, and go on as before until the others have said what they see: if
 * most of them doubt it, too, it is the reference no longer; if not, it is ours that was wrong.
 */
#include "group_internal.h"

#include <math.h>
#include <stdlib.h>

/* At a start: how long a reference is listened for; and how much later each lesser one claims. */
static const int64_t LISTEN_NS = 400 * NS_PER_MS;
static const int64_t CLAIM_STEP_NS = 1500 * NS_PER_MS;
/* Whether it is time to claim is looked at so often; and after a while without success. */
static const int64_t LOOK_STEP_NS = 100 * NS_PER_MS;
static const int64_t LOOK_PAUSE_NS = 2 * NS_PER_S;
/* Evidence or a network that is better for so long is worth a change; an echo, which does not come
 * and go, sooner: who follows his own beside a reference that knows less is apart from it. */
static const int64_t PREFERABLE_NS = 10 * NS_PER_S;
static const int64_t PREFERABLE_ECHO_NS = 3 * NS_PER_S;
/* A line followed for so long is one that surprises are judged by. */
static const int64_t SETTLED_NS = 15 * NS_PER_S;
/* Where a line may be by the next look at it, and a crystal's drift in between. */
static const int64_t SURPRISE_NS = 500 * NS_PER_US;
static const int64_t SURPRISE_SCATTERS = 3;
static const double SURPRISE_DRIFT = 2e-6;
/* What the others think is known after this; and what we think is said for so long. */
static const int64_t OPINIONS_NS = 2500 * NS_PER_MS;
static const int64_t DOUBT_NS = 10 * NS_PER_S;
static const int64_t EXCLUDE_NS = 600 * NS_PER_S;
static const int64_t EXCLUDE_BRIEFLY_NS = 60 * NS_PER_S;
/* Own evidence may be off by this beyond what it says of itself. */
static const int64_t SLACK_NS = 5 * NS_PER_MS;
static const int64_t OFF_NS = 20 * NS_PER_MS;
static const int64_t WATCH_NS = 3 * NS_PER_S;
static const int64_t GROWS_NS = 600 * NS_PER_US; /* 200 ppm: no two crystals */
/* Two crystals of ±50 ppm, and room: what is beyond is broken, one of them. */
static const double CRYSTAL_MAX = 150e-6;
static const double CRYSTAL_SIGMA_MAX = 15e-6;
/* A stamp comes to all within this. */
static const int64_t STAMP_SPREAD_NS = 300 * NS_PER_MS;
/* A change waits for a new reference's clock to be known, a second on, as well as the old line goes
 * on by itself. */
static const int64_t AS_GOOD_NS = 2 * NS_PER_US;
static const double HOLDOVER_DRIFT = 1e-6;
static const int64_t MEASURE_MAX_NS = 30 * NS_PER_S;
/* After a stamp the line is asked for, so often at most. */
static const int64_t ASK_MIN_NS = 200 * NS_PER_MS;
/* So many probes in a row without an answer: only one way is open. */
static const unsigned UNANSWERED_MAX = 24;
/* Where round trips jitter, more of them are asked for, for so long, until it is known to this. */
static const int64_t JITTER_EARLY_NS = 120 * NS_PER_S;
static const int64_t WELL_KNOWN_NS = 50 * NS_PER_US;

/* --- composing a line ----------------------------------------------------------------------- */

/* One of a reference's segments by our clock: told where it matters, now or at its beginning, so
 * that a frequency's noise is not drawn out over an hour. */
static struct server_clock_segment translate(const struct peer_clock *clock,
                                             const struct group_segment *told, struct mono_time now)
{
    struct mono_time from = peer_clock_mono_at(clock, told->from);
    struct mono_time at = mono_sub(from, now) > 0 ? from : now;
    struct peer_time peer = peer_clock_at(clock, at);
    double since_ns = (double)(peer.ns - told->from.ns);
    double rate = (1 + peer_clock_frequency(clock)) * (1 + told->frequency) - 1;
    return (struct server_clock_segment){
        .from_ns = from.ns,
        .at_ns = at.ns,
        .offset_ns = peer.ns - at.ns + told->offset_ns + llround(since_ns * told->frequency),
        .frequency = rate,
    };
}

static bool compose(const struct group_measure *measure, struct mono_time now,
                    struct server_clock_line *ret_line)
{
    if (measure->line.segments == 0 || !peer_clock_is_known(&measure->clock))
        return false;
    *ret_line = (struct server_clock_line){
        .count = measure->line.segments,
        .source = SERVER_CLOCK_GROUP,
        .together = true,
        .uncertainty_ns = measure->line.uncertainty_ns,
        .apart_ns = peer_clock_uncertainty_ns(&measure->clock, now),
        .scatter_ns = peer_clock_scatter_ns(&measure->clock, now),
        .age_s = ns_to_s(mono_sub(now, measure->since)),
    };
    for (unsigned i = 0; i < measure->line.segments; i++)
        ret_line->segments[i] = translate(&measure->clock, &measure->line.segment[i], now);
    return true;
}

/* The line that we tell, by our own clock. */
static void compose_own(struct group *group, struct mono_time now)
{
    group->line = (struct server_clock_line){
        .count = group->told.segments,
        .source = SERVER_CLOCK_GROUP,
        .ours = true,
        .together = group_support(group, group->config.id) > 1,
        .uncertainty_ns = group->told.uncertainty_ns,
        .age_s = ns_to_s(mono_sub(now, group->followed_at)),
    };
    for (unsigned i = 0; i < group->told.segments; i++) {
        const struct group_segment *told = &group->told.segment[i];
        group->line.segments[i] = (struct server_clock_segment){told->from.ns, told->from.ns,
                                                                told->offset_ns, told->frequency};
    }
    group->has_line = group->told.segments > 0;
}

void group_apply(struct group *group, struct mono_time now)
{
    bool ours = group->reference == group->config.id;
    bool first = ours && group_count(group) > 1 && !group->has_line;
    if (first) /* somebody has come: from now on it counts, and begins where we are */
        group_become_reference(group, now);
    if (ours && (first || group->has_line))
        compose_own(group, now);
    server_clock_set_group(group->clock, group->has_line ? &group->line : NULL, now);
}

/* --- measuring ------------------------------------------------------------------------------ */

struct group_measure *group_measure_of(struct group *group, uint64_t id)
{
    for (int i = 0; i < 2; i++)
        if (id && group->measures[i].id == id)
            return &group->measures[i];
    return NULL;
}

static void want(struct group *group, uint64_t id, bool pointed, struct mono_time now)
{
    group->pointed = pointed;
    if (group->wanted == id)
        return;
    group->wanted = id;
    if (!id || group_measure_of(group, id))
        return;
    struct group_measure *measure = &group->measures[group->in_force == 0 ? 1 : 0];
    measure->id = id;
    measure->unanswered = 0;
    measure->since = now;
    measure->line.segments = 0;
    peer_clock_init(&measure->clock);
    measure->plan = (struct probe_plan){.resting = group->resting, .pause_ns = PROBE_PAUSE_NS};
    probe_plan_begin_quickly(&measure->plan, now);
    const struct group_member *member = group_find(group, id);
    if (member && member->word.reference == id)
        measure->line = member->word.line;
}

static void stop_measuring(struct group *group)
{
    for (int i = 0; i < 2; i++) {
        uint64_t id = group->measures[i].id;
        if (i != group->in_force && id != group->wanted)
            group->measures[i].id = 0;
    }
}

static void lose_reference(struct group *group, struct mono_time now)
{
    group->reference = 0;
    group->in_force = -1;
    group->looking_since_ns = now.ns - LISTEN_NS; /* it was listened for long enough */
    group_speak_soon(group, now);
}

static void exclude(struct group *group, uint64_t id, int64_t for_ns, struct mono_time now)
{
    struct group_member *member = group_member(group, id);
    if (member)
        member->excluded_ns = now.ns + for_ns;
    if (group->wanted == id)
        group->wanted = 0;
    if (group->reference == id)
        lose_reference(group, now);
}

/* Its line cannot be. But where a stamp has just come, it may only not have come there yet. */
static void disbelieve(struct group *group, uint64_t id, struct mono_time now)
{
    bool fresh = group->heard_at_known && mono_sub(now, group->heard_at) < STAMP_SPREAD_NS;
    if (!fresh)
        exclude(group, id, EXCLUDE_BRIEFLY_NS, now);
}

/* --- doubts --------------------------------------------------------------------------------- */

static void doubt(struct group *group, uint64_t id, bool surprised, struct mono_time now)
{
    if (group->doubted == id && group->surprised >= surprised)
        return;
    group->doubted = id;
    group->surprised = surprised;
    group->doubted_at = now;
    group_speak_soon(group, now);
    struct group_measure *measure = group_measure_of(group, id);
    if (measure)
        probe_plan_volley(&measure->plan, now);
}

/* What stamps, commands and echoes say cannot be otherwise. */
static bool is_impossible(struct group *group, const struct server_clock_line *line,
                          struct mono_time now)
{
    const struct server_clock_own *own = group_own(group, now);
    int64_t offset_ns = group_line_offset_ns(line, now.ns);
    int64_t slack_ns = line->uncertainty_ns + line->apart_ns + SLACK_NS;
    return offset_ns + slack_ns < own->low_ns || offset_ns - slack_ns > own->high_ns;
}

static int64_t off_ns(struct group *group, const struct server_clock_line *line,
                      struct mono_time now)
{
    const struct server_clock_own *own = group_own(group, now);
    int64_t own_ns =
        own->offset_ns + llround((double)mono_sub(now, group->own_at) * own->frequency);
    return own_ns - group_line_offset_ns(line, now.ns);
}

/* Farther than what is not known, and than crystals drift. 0: it has not. */
static int64_t moved_ns(const struct group *group, const struct group_measure *measure,
                        const struct server_clock_line *line, struct mono_time now)
{
    if (!group->has_line)
        return 0;
    int64_t by_ns = group_line_offset_ns(line, now.ns) - group_line_offset_ns(&group->line, now.ns);
    double since_ns = (double)(now.ns - group->line.segments[0].at_ns);
    int64_t allowed_ns = SURPRISE_NS +
                         SURPRISE_SCATTERS * peer_clock_scatter_ns(&measure->clock, now) +
                         (int64_t)(fmax(since_ns, 0) * SURPRISE_DRIFT);
    return llabs(by_ns) > allowed_ns ? llabs(by_ns) : 0;
}

/* Our own echo cannot tell it from the truth. */
static bool echo_allows(struct group *group, const struct server_clock_line *line,
                        struct mono_time now)
{
    const struct server_clock_own *own = group_own(group, now);
    return group_own_evidence(group) == GROUP_EVIDENCE_ECHO &&
           llabs(off_ns(group, line, now)) <= own->uncertainty_ns + line->uncertainty_ns;
}

/* But for a step that our own evidence asks for, too; or if what was followed was but a guess. */
static bool is_surprising(struct group *group, const struct group_measure *measure,
                          const struct server_clock_line *line, struct mono_time now)
{
    const struct server_clock_own *own = group_own(group, now);
    int64_t by_ns = moved_ns(group, measure, line, now);
    if (by_ns == 0 || (by_ns <= group->line.uncertainty_ns + line->uncertainty_ns &&
                       echo_allows(group, line, now)))
        return false;
    bool young = mono_sub(now, group->followed_at) < SETTLED_NS;
    if (group->line.uncertainty_ns > OFF_NS &&
        (young || line->uncertainty_ns < group->line.uncertainty_ns))
        return false;
    int64_t new_off_ns = llabs(off_ns(group, line, now));
    int64_t old_off_ns = llabs(off_ns(group, &group->line, now));
    bool knows = own->known && own->uncertainty_ns < by_ns / 4;
    return !knows || new_off_ns >= old_off_ns ||
           new_off_ns > own->uncertainty_ns + line->uncertainty_ns + OFF_NS;
}

/* A line that is led to where it should be is out of what can be for a while; one that is led
 * astray stays there, or goes farther. */
static void watch_line(struct group *group, const struct group_measure *measure,
                       struct mono_time now)
{
    const struct server_clock_own *own = group_own(group, now);
    struct group_watch before = group->watch;
    if (before.at_ns > 0 && now.ns - before.at_ns < WATCH_NS)
        return;
    int64_t off = off_ns(group, &group->line, now);
    bool told = own->known && own->source != SERVER_CLOCK_DATE;
    struct group_watch watch = {
        .at_ns = now.ns,
        .off_ns = off,
        .impossible = is_impossible(group, &group->line, now),
        .off = told && llabs(off) > own->uncertainty_ns + group->line.uncertainty_ns + OFF_NS,
    };
    group->watch = watch;
    bool shrinks = llabs(off) < llabs(before.off_ns);
    bool grows = llabs(off) > llabs(before.off_ns) + GROWS_NS;
    if (watch.impossible && before.impossible && !shrinks) {
        doubt(group, measure->id, false, now);
        exclude(group, measure->id, EXCLUDE_BRIEFLY_NS, now);
    } else if (watch.off && before.off && grows) {
        doubt(group, measure->id, false, now);
    }
}

/* What does not matter if we are the only one to see it: our own clock may be the broken one. */
static void look_for_doubts(struct group *group, const struct group_measure *measure,
                            struct mono_time now)
{
    const struct peer_clock *clock = &measure->clock;
    if (clock->fit.frequency_sigma < CRYSTAL_SIGMA_MAX &&
        fabs(peer_clock_frequency(clock)) > CRYSTAL_MAX)
        doubt(group, measure->id, false, now);
    watch_line(group, measure, now);
}

static bool take_force(struct group *group, uint64_t id, struct mono_time now);

static void resolve_doubt(struct group *group, struct mono_time now)
{
    uint64_t id = group->doubted;
    if (!id)
        return;
    int64_t since_ns = mono_sub(now, group->doubted_at);
    const struct group_member *member = group_find(group, id);
    if (member && member->excluded_ns <= now.ns && group_majority_doubts(group, id)) {
        exclude(group, id, EXCLUDE_NS, now);
        group_member(group, id)->outvoted = true;
        group->surprised = false;
    }
    if (group->surprised && since_ns >= OPINIONS_NS) { /* we are alone with it: it is we */
        group->surprised = false;
        group->has_line = false;
        if (group->wanted == id || group->reference == id)
            take_force(group, id, now);
    }
    if (since_ns >= DOUBT_NS)
        group->doubted = 0;
}

/* --- taking a line -------------------------------------------------------------------------- */

void group_take_stamp(struct group *group, struct mono_time now)
{
    struct group_measure *measure = group_measure_of(group, group->reference);
    group->watch = (struct group_watch){0}; /* it is our evidence that has moved, not the line */
    if (group->reference == group->config.id && group_steer(group, now))
        group_speak_at_once(group, now);
    if (measure && now.ns >= group->urgent_ns) { /* has its line moved? */
        group->urgent_ns = now.ns + ASK_MIN_NS;
        probe_plan_volley(&measure->plan, now);
    }
    group_apply(group, now);
}

/* False: it is not to be had, or not to be taken. */
static bool take(struct group *group, struct group_measure *measure, struct mono_time now)
{
    struct server_clock_line line;
    if (!compose(measure, now, &line))
        return false;
    if (measure->id != group->reference && is_impossible(group, &line, now)) {
        disbelieve(group, measure->id, now);
        return false;
    }
    bool settled =
        measure->id != group->reference || mono_sub(now, group->followed_at) > SETTLED_NS;
    if (settled && !group->pointed && is_surprising(group, measure, &line, now)) {
        doubt(group, measure->id, true, now);
        return false;
    }
    if (group->surprised && group->doubted == measure->id)
        group->surprised = false; /* it was an accident */
    group->line = line;
    group->has_line = true;
    if (settled)
        look_for_doubts(group, measure, now);
    return true;
}

static bool take_force(struct group *group, uint64_t id, struct mono_time now)
{
    struct group_measure *measure = group_measure_of(group, id);
    if (!measure || !take(group, measure, now))
        return false;
    if (group->reference == id)
        return true;
    group->reference = id;
    group->in_force = (int)(measure - group->measures);
    group->followed_at = now;
    group->watch = (struct group_watch){0};
    group->wanted = 0;
    group->pointed = false;
    group->looking_since_ns = group->preferable_since_ns = INT64_MAX;
    stop_measuring(group);
    group_speak_soon(group, now);
    if (group->first_words == 0)
        group->first_words = 1; /* twice: whom the others follow decides between two references */
    return true;
}

/* Followers: what was measured or told counts at once, unless it is in doubt and as strange as
 * before. */
static void renew(struct group *group, uint64_t id, struct mono_time now)
{
    struct group_measure *measure = group_measure_of(group, id);
    struct server_clock_line line;
    if (group->reference != id || !measure)
        return;
    bool waits = group->surprised && group->doubted == id;
    if (!waits || (compose(measure, now, &line) && !is_surprising(group, measure, &line, now)))
        take(group, measure, now);
}

void group_take_line(struct group *group, const struct group_message *message, struct mono_time now)
{
    struct group_measure *measure = group_measure_of(group, message->sender);
    if (!measure || message->word.reference != message->sender)
        return;
    measure->line = message->word.line;
    renew(group, message->sender, now);
}

/* Where round trips jitter, the shortest count, and only many of them have short ones. */
static void probe_jitter(struct group_measure *measure, struct mono_time now)
{
    int64_t since_ns = mono_sub(now, measure->since);
    if (!measure->clock.fit.jittery || since_ns > JITTER_EARLY_NS ||
        peer_clock_scatter_ns(&measure->clock, now) < WELL_KNOWN_NS)
        return;
    probe_plan_be_early(&measure->plan, now);
}

void group_take_answer(struct group *group, const struct group_message *message,
                       struct mono_time arrived)
{
    struct group_measure *measure = group_measure_of(group, message->sender);
    for (size_t i = 0; measure && i < GROUP_PROBES; i++) {
        struct group_probe *probe = &group->probes[i];
        if (!probe->sent || probe->nonce != message->nonce || probe->id != message->sender)
            continue;
        struct mono_time sent_at = probe->sent_at;
        *probe = (struct group_probe){0};
        measure->unanswered = 0;
        probe_plan_answered(&measure->plan, arrived);
        bool kept = peer_clock_add(&measure->clock, sent_at, arrived, message->received_at,
                                   message->sent_at);
        if (!kept || !peer_clock_is_known(&measure->clock)) /* it has changed: ask more */
            probe_plan_be_early(&measure->plan, arrived);
        probe_jitter(measure, arrived);
        break;
    }
}

/* --- whom ----------------------------------------------------------------------------------- */

static bool is_known_as_well(const struct group *group, const struct group_measure *measure,
                             struct mono_time now)
{
    if (!group->has_line || group->reference == group->config.id ||
        group->line.uncertainty_ns > OFF_NS || /* it is but a guess */
        mono_sub(now, measure->since) > MEASURE_MAX_NS)
        return true;
    double since_ns = fmax((double)(now.ns - group->line.segments[0].at_ns), 0);
    int64_t line_ns = group->line.scatter_ns + (int64_t)(since_ns * HOLDOVER_DRIFT) + AS_GOOD_NS;
    return peer_clock_scatter_ns(&measure->clock, mono_add(now, NS_PER_S)) <= line_ns;
}

/* Two references have met, after a partition or because both claimed: the one that knows much less
 * joins the other, where its own echo allows it; the smaller half joins the larger, or, if both go
 * by the same line, the lesser the better. */
static bool yields(struct group *group, const struct group_measure *measure, struct mono_time now)
{
    struct server_clock_line line;
    uint64_t ours = group->config.id, theirs = measure->id;
    bool echo = group_own_evidence(group) == GROUP_EVIDENCE_ECHO;
    if (!compose(measure, now, &line))
        return false;
    if (is_impossible(group, &line, now)) {
        disbelieve(group, theirs, now);
        return false;
    }
    if (echo && group_is_much_better(group, ours, theirs, now))
        return false;
    if (echo_allows(group, &line, now) && group_is_much_better(group, theirs, ours, now))
        return true;
    bool same = group->has_line && moved_ns(group, measure, &line, now) == 0;
    unsigned our_support = group_support(group, ours), their_support = group_support(group, theirs);
    if (!same && our_support != their_support)
        return their_support > our_support;
    return !group_is_better(group, ours, theirs, now);
}

static void decide_as_reference(struct group *group, struct mono_time now)
{
    uint64_t other = group_best_reference(group, now);
    if (group_majority_doubts(group, group->config.id)) {
        group->self_excluded_ns = now.ns + EXCLUDE_NS;
        lose_reference(group, now);
        group_speak_soon(group, now);
        return;
    }
    want(group, other, true, now);
    struct group_measure *measure = group_measure_of(group, other);
    if (measure && peer_clock_is_known(&measure->clock) && yields(group, measure, now))
        take_force(group, other, now);
    stop_measuring(group);
}

/* Nobody is to be followed: the best of those that are there claims first. */
static void consider_claim(struct group *group, struct mono_time now)
{
    bool alone = group_count(group) == 1;
    if (now.ns < group->self_excluded_ns && !alone)
        return;
    int64_t wait_ns = LISTEN_NS + CLAIM_STEP_NS * group_betters(group, now);
    if (now.ns - group->looking_since_ns >= wait_ns)
        group_become_reference(group, now);
}

/* Is there someone who claims, and is followed by others, though we may not follow it? Then there
 * is no group for us; but it need not hear of another reference. */
static bool is_apart(const struct group *group, struct mono_time now)
{
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++) {
        const struct group_member *member = &group->members[i];
        if (member->id && member->word.reference == member->id && !member->outvoted &&
            !group_may_follow(group, member, now) && group_support(group, member->id) > 2)
            return true;
    }
    return false;
}

static void decide_without(struct group *group, struct mono_time now)
{
    const struct group_member *wanted = group_find(group, group->wanted);
    if (group->looking_since_ns == INT64_MAX)
        group->looking_since_ns = now.ns;
    if (group->wanted &&
        (!group_may_follow(group, wanted, now) || wanted->word.reference != group->wanted))
        group->wanted = 0;
    if (!group->wanted)
        want(group, group_best_reference(group, now), false, now);
    struct group_measure *measure = group_measure_of(group, group->wanted);
    if (!measure) {
        if (!is_apart(group, now))
            consider_claim(group, now);
        else if (now.ns - group->looking_since_ns > OPINIONS_NS)
            group->has_line = false;
        return;
    }
    bool asked = group->surprised && group->doubted == measure->id;
    if (measure->unanswered > UNANSWERED_MAX)
        exclude(group, measure->id, EXCLUDE_BRIEFLY_NS, now);
    else if (!asked && peer_clock_is_known(&measure->clock) &&
             is_known_as_well(group, measure, now))
        take_force(group, measure->id, now);
}

/* It follows another by now, and so do we. */
static void follow_its_reference(struct group *group, const struct group_member *reference,
                                 struct mono_time now)
{
    const struct group_member *next = group_find(group, reference->word.reference);
    if (!group_may_follow(group, next, now) || next->word.reference != next->id) {
        lose_reference(group, now);
        return;
    }
    want(group, next->id, true, now);
    struct group_measure *measure = group_measure_of(group, next->id);
    if (peer_clock_is_known(&measure->clock) && is_known_as_well(group, measure, now))
        take_force(group, next->id, now);
}

static int64_t preferable_ns(const struct group *group)
{
    return group_own_evidence(group) == GROUP_EVIDENCE_ECHO ? PREFERABLE_ECHO_NS : PREFERABLE_NS;
}

static void consider_change(struct group *group, struct mono_time now)
{
    uint64_t ours = group->config.id;
    bool better = group_is_much_better(group, ours, group->reference, now) &&
                  now.ns >= group->self_excluded_ns;
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++) /* somebody else would be better still */
        if (group->members[i].id && group->members[i].id != group->reference &&
            group_is_better(group, group->members[i].id, ours, now))
            better = false;
    if (!better)
        group->preferable_since_ns = INT64_MAX;
    else if (group->preferable_since_ns == INT64_MAX)
        group->preferable_since_ns = now.ns;
    else if (now.ns - group->preferable_since_ns > preferable_ns(group) && group->has_line)
        group_become_reference(group, now);
}

static void decide_as_follower(struct group *group, struct mono_time now)
{
    const struct group_member *reference = group_find(group, group->reference);
    struct group_measure *measure = group_measure_of(group, group->reference);
    if (measure->unanswered > UNANSWERED_MAX)
        exclude(group, group->reference, EXCLUDE_BRIEFLY_NS, now);
    else if (!group_may_follow(group, reference, now))
        lose_reference(group, now);
    else if (reference->word.reference != reference->id)
        follow_its_reference(group, reference, now);
    else
        consider_change(group, now);
}

void group_decide(struct group *group, struct mono_time now)
{
    group_own(group, now);
    if (group_own_evidence(group) != group->said_evidence)
        group_speak_soon(group, now);
    group_forget_gone(group, now);
    resolve_doubt(group, now);
    if (group->reference && group->reference != group->config.id)
        decide_as_follower(group, now);
    else if (group->reference)
        decide_as_reference(group, now);
    if (!group->reference)
        decide_without(group, now);
    group_apply(group, now);
}

static int64_t earlier_ns(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t group_follow_due_ns(const struct group *group)
{
    int64_t due_ns = INT64_MAX;
    if (group->doubted)
        due_ns = group->doubted_at.ns + (group->surprised ? OPINIONS_NS : DOUBT_NS);
    if (!group->reference && group->looking_since_ns != INT64_MAX) {
        bool soon = group->fired.ns - group->looking_since_ns < DOUBT_NS;
        due_ns = earlier_ns(due_ns, group->fired.ns + (soon ? LOOK_STEP_NS : LOOK_PAUSE_NS));
    }
    const struct group_member *reference = group_find(group, group->reference);
    if (reference)
        due_ns = earlier_ns(due_ns, reference->gone_ns + 1);
    for (int i = 0; i < 2; i++)
        if (group->measures[i].id)
            due_ns = earlier_ns(due_ns, group->measures[i].plan.next_ns);
    return due_ns;
}
