/*
 * group.c: what comes, what goes, and when.
 *
 * A word is said by multicast, and to each peer that was not heard by multicast lately. The
 * reference speaks every two seconds while anything plays, the others rarely; whoever has news
 * speaks at once, but not too often. Nothing is kept for those who probe us.
 */
#include "group_internal.h"

#include <string.h>

static const int64_t REFERENCE_WORD_NS = 2 * NS_PER_S;
static const int64_t WORD_NS = 10 * NS_PER_S;
static const int64_t RESTING_WORD_NS = 30 * NS_PER_S;
/* The first ones, for a network that loses some. */
static const unsigned FIRST_WORDS = 3;
static const int64_t FIRST_WORD_NS = 120 * NS_PER_MS;
/* In larger groups, each speaks and probes less often. */
static const unsigned MANY = 8;
/* Whoever was stopped for so long is not the reference any more, as far as the others know. */
static const int64_t FROZEN_NS = 3 * NS_PER_S;

const char *group_role_name(enum group_role role)
{
    static const char *const names[] = {
        [GROUP_ALONE] = "alone",
        [GROUP_FOLLOWER] = "follower",
        [GROUP_REFERENCE] = "reference",
        [GROUP_APART] = "apart",
    };
    return names[role];
}

void group_init(struct group *group, const struct group_config *config, struct server_clock *clock,
                struct mono_time now)
{
    memset(group, 0, sizeof *group);
    group->config = *config;
    group->clock = clock;
    group->random = config->seed | 1;
    group->wired = true;
    group->began = group->fired = group->own_at = now;
    group->own_is_old = true;
    group->in_force = -1;
    group->looking_since_ns = now.ns;
    group->preferable_since_ns = INT64_MAX;
    group->self_excluded_ns = INT64_MIN;
    group->shared_ns = group->tell_ns = group->look_ns = INT64_MAX;
    group->word_ns = now.ns;
    group->spoke_ns = now.ns - GROUP_WORD_MIN_NS;
    group->first_words = FIRST_WORDS;
}

void group_add_peer(struct group *group, group_peer peer)
{
    for (size_t i = 0; i < group->peer_count; i++)
        if (group->peers[i] == peer)
            return;
    if (group->peer_count < GROUP_PEERS_MAX && peer != GROUP_PEER_ALL)
        group->peers[group->peer_count++] = peer;
}

void group_set_wired(struct group *group, bool wired)
{
    group->wired = wired;
}

void group_rest(struct group *group, bool resting, struct mono_time now)
{
    if (group->resting == resting)
        return;
    group->resting = resting;
    if (!resting)
        group_speak_soon(group, now);
}

void group_leave(struct group *group, struct mono_time now)
{
    group->left = true;
    group->speaking = false;
    group->word_ns = now.ns;
}

/* --- what comes ----------------------------------------------------------------------------- */

static void queue_answer(struct group *group, group_peer to, uint64_t nonce,
                         struct mono_time arrived)
{
    if (group->answer_count == GROUP_ANSWERS_MAX)
        return; /* whoever asks more than we can answer asks again */
    size_t slot = (group->answer_head + group->answer_count++) % GROUP_ANSWERS_MAX;
    group->answers[slot] = (struct group_answer){to, nonce, arrived};
}

/* A reference makes evidence of what its followers heard. */
static void take_report(struct group *group, const struct group_message *message,
                        struct mono_time now)
{
    const struct group_word *word = &message->word;
    if (group->reference == group->config.id && word->reference == group->config.id &&
        word->heard_at_known)
        group_share_stamp(group, message->sender, word->heard_ns, word->heard_at.ns, now);
}

static void take_doubt(struct group *group, const struct group_word *word, struct mono_time now)
{
    struct group_measure *measure = group_measure_of(group, word->doubted);
    if (measure && word->doubted == group->reference && group->doubted != word->doubted)
        probe_plan_volley(&measure->plan, now); /* do we see it, too? */
}

/* Whoever looks for a reference, or says goodbye, or is new, is told at once. */
static bool is_to_be_told(const struct group *group, const struct group_message *message,
                          bool is_new)
{
    const struct group_word *word = &message->word;
    bool ours = group->reference == group->config.id;
    bool looks = message->kind == GROUP_WORD && word->reference == 0 && word->next_ms > 0;
    bool rival = word->reference == message->sender && word->reference != group->reference;
    return (ours && looks) || (is_new && rival) || (ours && is_new);
}

/* Who was stopped for a while, and does not know it, would take the others for gone, and itself for
 * the reference. First it listens. */
static void notice_freeze(struct group *group, struct mono_time now)
{
    bool frozen = now.ns - group_due(group).ns > FROZEN_NS && now.ns - group->fired.ns > FROZEN_NS;
    if (mono_sub(now, group->fired) > 0)
        group->fired = now;
    if (!frozen)
        return;
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++)
        if (group->members[i].gone_ns < now.ns + REFERENCE_WORD_NS)
            group->members[i].gone_ns = now.ns + REFERENCE_WORD_NS;
    group->began = now;
    if (group->reference != group->config.id)
        return;
    group->reference = 0;
    group->looking_since_ns = now.ns;
    group->word_ns = now.ns + REFERENCE_WORD_NS;
}

void group_receive(struct group *group, group_peer from, bool by_multicast,
                   const struct group_message *message, struct mono_time arrived)
{
    if (message->sender == group->config.id || group->left)
        return;
    notice_freeze(group, arrived);
    bool is_new = !group_find(group, message->sender);
    struct group_member *member = group_note_member(group, message, from, by_multicast, arrived);
    if (!member)
        return;
    if (message->kind == GROUP_PROBE)
        queue_answer(group, from, message->nonce, arrived);
    if (message->kind == GROUP_ANSWER)
        group_take_answer(group, message, arrived);
    take_report(group, message, arrived);
    take_doubt(group, &message->word, arrived);
    group_take_line(group, message, arrived);
    group_compare_news(group, member, arrived);
    if (is_to_be_told(group, message, is_new))
        group_speak_soon(group, arrived);
    if (message->kind == GROUP_WORD && message->word.next_ms == 0)
        member->id = 0; /* goodbye */
    group_decide(group, arrived);
}

void group_fired(struct group *group, struct mono_time now)
{
    notice_freeze(group, now);
    group_news_due(group, now);
    group_decide(group, now);
}

/* --- what goes ------------------------------------------------------------------------------ */

static int64_t word_interval_ns(const struct group *group)
{
    bool plays = group_somebody_plays(group);
    if (group->reference == group->config.id)
        return plays ? REFERENCE_WORD_NS : WORD_NS;
    unsigned crowd = (group_count(group) + MANY - 1) / MANY;
    return (plays ? WORD_NS : RESTING_WORD_NS) * crowd;
}

static void fill_word(struct group *group, struct mono_time now, struct group_word *word)
{
    const struct server_clock_own *own = group_own(group, now);
    bool ours = group->reference == group->config.id;
    *word = (struct group_word){
        .reference = group->reference,
        .doubted = group->doubted,
        .evidence = group_own_evidence(group),
        .uncertainty_ns = own->known ? own->uncertainty_ns : 0,
        .wired = group->wired,
        .playing = !group->resting,
        .members = group_count(group),
        .age_ms = (uint32_t)(mono_sub(now, group->began) / NS_PER_MS),
        .next_ms = group->left ? 0 : (uint32_t)(word_interval_ns(group) / NS_PER_MS),
    };
    group_fill_news(group, word);
    if (ours && group->has_line)
        word->line = group->told;
    if (!ours && group->in_force >= 0 && own->known && group->has_line) {
        word->off_ns = own->offset_ns - group_line_offset_ns(&group->line, group->own_at.ns);
        word->off_bound_ns = own->uncertainty_ns + group->line.uncertainty_ns;
        word->crystal = peer_clock_frequency(&group->measures[group->in_force].clock);
    }
    if (group->left)
        word->reference = 0;
}

static void fill(struct group *group, enum group_message_kind kind, struct mono_time now,
                 struct group_message *message)
{
    *message = (struct group_message){
        .kind = kind,
        .sender = group->config.id,
        .counter = ++group->counter,
    };
    fill_word(group, now, &message->word);
}

static bool next_answer(struct group *group, struct mono_time now, group_peer *ret_to,
                        struct group_message *ret_message)
{
    if (group->answer_count == 0)
        return false;
    const struct group_answer *answer = &group->answers[group->answer_head];
    group->answer_head = (group->answer_head + 1) % GROUP_ANSWERS_MAX;
    group->answer_count--;
    fill(group, GROUP_ANSWER, now, ret_message);
    ret_message->nonce = answer->nonce;
    ret_message->received_at.ns = answer->received_at.ns;
    *ret_to = answer->to;
    return true;
}

static bool next_probe(struct group *group, struct mono_time now, group_peer *ret_to,
                       struct group_message *ret_message)
{
    for (int i = 0; i < 2; i++) {
        struct group_measure *measure = &group->measures[i];
        const struct group_member *member = group_find(group, measure->id);
        if (!measure->id || now.ns < measure->plan.next_ns || group->left)
            continue;
        unsigned crowd = (group_count(group) + MANY - 1) / MANY;
        measure->plan.resting = !group_somebody_plays(group);
        measure->plan.jittery = measure->clock.echoes.count > 0 && measure->clock.fit.jittery;
        measure->plan.pause_ns = measure->plan.resting
                                     ? RESTING_WORD_NS * crowd
                                     : PROBE_PAUSE_NS * crowd / (measure->plan.jittery ? 4 : 1);
        probe_plan_sent(&measure->plan, now);
        if (!member)
            continue;
        measure->unanswered++;
        fill(group, GROUP_PROBE, now, ret_message);
        ret_message->nonce = group_next_random(group);
        group->probes[group->probe_head++ % GROUP_PROBES] =
            (struct group_probe){ret_message->nonce, measure->id, {0}, false};
        *ret_to = member->peer;
        return true;
    }
    return false;
}

/* Is it spoken to by multicast: was it heard that way, not long ago? */
static bool is_reached(const struct group_member *member, struct mono_time now)
{
    return member->multicast_ns != INT64_MIN && now.ns - member->multicast_ns < 3 * RESTING_WORD_NS;
}

static bool is_member_at(const struct group *group, group_peer peer)
{
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++)
        if (group->members[i].id && group->members[i].peer == peer)
            return true;
    return false;
}

/* Who is still to be told of the word that was begun. */
static bool next_listener(struct group *group, struct mono_time now, group_peer *ret_to)
{
    while (group->spoken_members < GROUP_MEMBERS_MAX) {
        const struct group_member *member = &group->members[group->spoken_members++];
        if (!member->id || is_reached(member, now))
            continue;
        *ret_to = member->peer;
        return true;
    }
    while (group->spoken_peers < group->peer_count) {
        group_peer peer = group->peers[group->spoken_peers++];
        if (is_member_at(group, peer))
            continue;
        *ret_to = peer;
        return true;
    }
    return false;
}

static void plan_word(struct group *group, struct mono_time now)
{
    int64_t interval_ns = word_interval_ns(group);
    if (group->first_words > 0) {
        group->first_words--;
        interval_ns = FIRST_WORD_NS;
    }
    group->spoke_ns = now.ns;
    group->said_evidence = group_own_evidence(group);
    group->word_ns = group->left ? INT64_MAX : now.ns + interval_ns;
    group->speaking = true;
    group->spoken_members = group->spoken_peers = 0;
}

static bool next_word(struct group *group, struct mono_time now, group_peer *ret_to,
                      struct group_message *ret_message)
{
    if (now.ns >= group->word_ns) {
        plan_word(group, now);
        *ret_to = GROUP_PEER_ALL;
        fill(group, GROUP_WORD, now, ret_message);
        return true;
    }
    if (!group->speaking)
        return false;
    if (next_listener(group, now, ret_to)) {
        fill(group, GROUP_WORD, now, ret_message);
        return true;
    }
    group->speaking = false;
    return false;
}

bool group_next_send(struct group *group, struct mono_time now, group_peer *ret_to,
                     struct group_message *ret_message)
{
    if (next_answer(group, now, ret_to, ret_message) || next_probe(group, now, ret_to, ret_message))
        return true;
    bool ours = group->reference == group->config.id;
    if (ours && !group->left && now.ns >= group->word_ns) {
        group_steer(group, now);
        group_apply(group, now);
    }
    return next_word(group, now, ret_to, ret_message);
}

void group_sent(struct group *group, const struct group_message *message)
{
    for (size_t i = 0; i < GROUP_PROBES; i++) {
        struct group_probe *probe = &group->probes[i];
        if (message->kind != GROUP_PROBE || probe->nonce != message->nonce)
            continue;
        probe->sent_at.ns = message->sent_at.ns;
        probe->sent = true;
    }
}

struct mono_time group_due(const struct group *group)
{
    int64_t due_ns = group->answer_count > 0 ? group->fired.ns : group->word_ns;
    int64_t follow_ns = group_follow_due_ns(group);
    if (follow_ns < due_ns)
        due_ns = follow_ns;
    if (group->tell_ns < due_ns)
        due_ns = group->tell_ns;
    if (group->look_ns < due_ns)
        due_ns = group->look_ns;
    return (struct mono_time){due_ns};
}

/* --- status --------------------------------------------------------------------------------- */

struct group_status group_get_status(const struct group *group, struct mono_time now)
{
    struct group_status status = {
        .members = group_count(group),
        .reference = group->reference,
        .doubted = group->doubted,
    };
    if (status.members == 1)
        return status;
    status.role = GROUP_APART;
    if (group->reference == group->config.id)
        status.role = GROUP_REFERENCE;
    if (group->in_force < 0)
        return status;
    const struct group_measure *measure = &group->measures[group->in_force];
    status.role = GROUP_FOLLOWER;
    status.measured = true;
    status.round_trip_ns = peer_clock_round_trip_ns(&measure->clock);
    status.apart_ns = peer_clock_uncertainty_ns(&measure->clock, now);
    return status;
}

bool group_next_address(const struct group *group, size_t *index, group_peer *ret_peer)
{
    while (*index < GROUP_MEMBERS_MAX) {
        const struct group_member *member = &group->members[(*index)++];
        if (!member->id)
            continue;
        *ret_peer = member->peer;
        return true;
    }
    return false;
}

group_peer group_address(const struct group *group, uint64_t id)
{
    const struct group_member *member = group_find(group, id);
    return member ? member->peer : GROUP_PEER_ALL;
}
