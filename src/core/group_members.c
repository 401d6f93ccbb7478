/*
 * group_members.c: who is there, and who should be the reference.
 *
 * Everybody decides for itself, by the same rules, from what everybody says of itself. A member is
 * there until it has been silent for three times as long as it said it would be.
 */
#include "group_internal.h"

#include <string.h>

static const int64_t SILENCES = 3;
static const int64_t SILENCE_MORE_NS = 500 * NS_PER_MS;
/* No silence is longer, whatever was announced; and one without a plan lasts so long. */
static const int64_t NEXT_MAX_NS = 120 * NS_PER_S;
/* Of two with an echo, one whose way to the backend is so much worse. */
static const int64_t MUCH_WORSE = 4;
/* Ages are compared by messages' times of travel: what is closer is the same. */
static const int64_t SAME_AGE_NS = NS_PER_S;

const struct group_member *group_find(const struct group *group, uint64_t id)
{
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++)
        if (id && group->members[i].id == id)
            return &group->members[i];
    return NULL;
}

struct group_member *group_member(struct group *group, uint64_t id)
{
    const struct group_member *member = group_find(group, id);
    return member ? &group->members[member - group->members] : NULL;
}

static struct group_member *free_place(struct group *group, uint64_t id)
{
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++) {
        struct group_member *member = &group->members[i];
        if (member->id)
            continue;
        *member = (struct group_member){
            .id = id, .multicast_ns = INT64_MIN, .excluded_ns = INT64_MIN, .looked_ns = INT64_MIN};
        return member;
    }
    return NULL;
}

struct group_member *group_note_member(struct group *group, const struct group_message *message,
                                       group_peer from, bool by_multicast, struct mono_time now)
{
    const struct group_word *word = &message->word;
    struct group_member *member = group_member(group, message->sender);
    if (member && message->counter <= member->counter)
        return NULL; /* told already: replayed, or overtaken */
    if (!member)
        member = free_place(group, message->sender);
    if (!member)
        return NULL;
    int64_t next_ns = word->next_ms * NS_PER_MS;
    if (next_ns > NEXT_MAX_NS)
        next_ns = NEXT_MAX_NS;
    member->counter = message->counter;
    member->peer = from;
    member->heard_ns = now.ns;
    if (by_multicast)
        member->multicast_ns = now.ns;
    member->gone_ns = now.ns + SILENCES * next_ns + SILENCE_MORE_NS;
    member->began_ns = now.ns - word->age_ms * NS_PER_MS;
    member->word = *word;
    return member;
}

void group_forget_gone(struct group *group, struct mono_time now)
{
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++)
        if (group->members[i].id && now.ns > group->members[i].gone_ns)
            group->members[i].id = 0;
}

unsigned group_count(const struct group *group)
{
    unsigned count = 1;
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++)
        count += group->members[i].id != 0;
    return count;
}

bool group_somebody_plays(const struct group *group)
{
    bool plays = !group->resting;
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++)
        plays |= group->members[i].id && group->members[i].word.playing;
    return plays;
}

unsigned group_support(const struct group *group, uint64_t id)
{
    unsigned support = group->reference == id;
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++)
        support += group->members[i].id && group->members[i].word.reference == id;
    return support;
}

bool group_may_follow(const struct group *group, const struct group_member *member,
                      struct mono_time now)
{
    (void)group;
    return member && member->id && now.ns >= member->excluded_ns && now.ns <= member->gone_ns;
}

/* --- who is better -------------------------------------------------------------------------- */

struct rank {
    enum group_evidence evidence;
    int64_t uncertainty_ns;
    bool wired;
    int64_t began_ns;
};

static struct rank rank_of(const struct group *group, uint64_t id)
{
    const struct group_member *member = group_find(group, id);
    if (!member)
        return (struct rank){group_own_evidence(group), group->own.uncertainty_ns, group->wired,
                             group->began.ns};
    return (struct rank){member->word.evidence, member->word.uncertainty_ns, member->word.wired,
                         member->began_ns};
}

bool group_is_much_better(const struct group *group, uint64_t a, uint64_t b, struct mono_time now)
{
    struct rank first = rank_of(group, a), second = rank_of(group, b);
    (void)now;
    if (first.evidence != second.evidence)
        return first.evidence > second.evidence;
    if (first.evidence == GROUP_EVIDENCE_ECHO &&
        second.uncertainty_ns > MUCH_WORSE * first.uncertainty_ns)
        return true;
    if (first.evidence == GROUP_EVIDENCE_ECHO &&
        first.uncertainty_ns > MUCH_WORSE * second.uncertainty_ns)
        return false;
    return first.wired && !second.wired;
}

bool group_is_better(const struct group *group, uint64_t a, uint64_t b, struct mono_time now)
{
    if (group_is_much_better(group, a, b, now))
        return true;
    if (group_is_much_better(group, b, a, now))
        return false;
    int64_t older_ns = rank_of(group, b).began_ns - rank_of(group, a).began_ns;
    if (older_ns > SAME_AGE_NS || older_ns < -SAME_AGE_NS)
        return older_ns > 0;
    return a < b;
}

uint64_t group_best_reference(const struct group *group, struct mono_time now)
{
    uint64_t best = 0;
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++) {
        const struct group_member *member = &group->members[i];
        if (!group_may_follow(group, member, now) || member->word.reference != member->id)
            continue;
        unsigned support = group_support(group, member->id), most = group_support(group, best);
        if (!best || support > most ||
            (support == most && group_is_better(group, member->id, best, now)))
            best = member->id;
    }
    return best;
}

unsigned group_betters(const struct group *group, struct mono_time now)
{
    unsigned betters = 0;
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++) {
        const struct group_member *member = &group->members[i];
        betters += group_may_follow(group, member, now) &&
                   group_is_better(group, member->id, group->config.id, now);
    }
    return betters;
}

bool group_majority_doubts(const struct group *group, uint64_t id)
{
    unsigned voters = id != group->config.id, doubters = group->doubted == id && id != 0;
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++) {
        const struct group_member *member = &group->members[i];
        if (!member->id || member->id == id)
            continue;
        voters++;
        doubters += member->word.doubted == id;
    }
    return doubters >= 2 && 2 * doubters > voters;
}
