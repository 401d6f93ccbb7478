/*
 * group_news.c: who has heard what of the backend.
 *
 * A broadcast may pass a speaker by. Whoever hears a state tells the others, unless another has
 * told already; who has not heard it a moment later looks at the backend itself. Nothing is taken
 * from another speaker but the advice to look, and of each not too often.
 */
#include "group_internal.h"

/* The backend's broadcast reaches all within some milliseconds; what takes longer passed one by. */
static const int64_t GRACE_NS = 300 * NS_PER_MS;
/* A playlist may be large, and several changes follow one another. */
static const int64_t PLAYLIST_GRACE_NS = 1500 * NS_PER_MS;
/* Followers let the reference speak first, and then each other. */
static const int64_t TELL_MIN_NS = 60 * NS_PER_MS;
static const int64_t TELL_RANGE_NS = 250 * NS_PER_MS;
/* One that makes us look in vain does so rarely. */
static const int64_t LOOK_AGAIN_NS = 20 * NS_PER_S;
/* An updated_at from the future is no news. */
static const int64_t FUTURE_NS = 2 * NS_PER_S;

void group_fill_news(const struct group *group, struct group_word *word)
{
    word->heard_ns = group->heard_ns;
    word->playlist = group->playlist;
    if (!group->heard_at_known)
        return;
    if (group->reference == group->config.id) {
        word->heard_at_known = true;
        word->heard_at.ns = group->heard_at.ns;
    } else if (group->in_force >= 0) {
        const struct group_measure *measure = &group->measures[group->in_force];
        word->heard_at_known = true;
        word->heard_at = peer_clock_at(&measure->clock, group->heard_at);
    }
}

/* Who was right to send us looking may do so again. */
static void clear_looks(struct group *group)
{
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++) {
        struct group_member *member = &group->members[i];
        if (member->word.heard_ns == group->heard_ns && member->word.playlist == group->playlist)
            member->looked_ns = INT64_MIN;
    }
}

void group_heard(struct group *group, struct server_time updated_at,
                 const struct mono_time *arrived, struct mono_time now)
{
    group->own_is_old = true;
    if (updated_at.ns == group->heard_ns && (group->heard_at_known || !arrived))
        return;
    group->heard_ns = updated_at.ns;
    group->heard_at_known = arrived != NULL;
    group->heard_at = arrived ? *arrived : now;
    group->hearing_count = 0;
    group->shared_ns = INT64_MAX;
    group->look_ns = INT64_MAX;
    clear_looks(group);
    if (arrived)
        group_share_stamp(group, group->config.id, updated_at.ns, arrived->ns, now);
    if (!arrived)
        return;
    bool first = group->reference == group->config.id;
    group_take_stamp(group, now);
    group->tell_ns = now.ns + (first ? 0 : TELL_MIN_NS + group_random(group, TELL_RANGE_NS));
}

void group_set_playlist(struct group *group, uint64_t digest, struct mono_time now)
{
    if (digest == group->playlist)
        return;
    group->playlist = digest;
    clear_looks(group);
    if (group->heard_ns) /* with what follows at once, if anything does */
        group->tell_ns = now.ns + TELL_MIN_NS + group_random(group, TELL_RANGE_NS);
}

static bool is_news(const struct group *group, const struct group_word *word, struct mono_time now)
{
    struct server_clock_estimate clock = server_clock_estimate(group->clock, now);
    int64_t now_ns = now.ns + clock.offset_ns;
    return word->heard_ns > group->heard_ns &&
           (!clock.known || word->heard_ns < now_ns + clock.uncertainty_ns + FUTURE_NS);
}

static void look_later(struct group *group, struct group_member *member, int64_t grace_ns,
                       struct mono_time now)
{
    if (member->looked_ns != INT64_MIN && now.ns - member->looked_ns < LOOK_AGAIN_NS)
        return;
    if (group->look_ns == INT64_MAX)
        group->look_for = member->id;
    if (group->look_ns > now.ns + grace_ns)
        group->look_ns = now.ns + grace_ns;
}

/* A reference that knows a stamp only by looking for it is told when it came to others. */
static void report_arrival(struct group *group, const struct group_member *member,
                           struct mono_time now)
{
    if (member->id != group->reference || member->word.heard_at_known || !group->heard_at_known ||
        group->reported_ns == group->heard_ns)
        return;
    group->reported_ns = group->heard_ns;
    group->tell_ns = now.ns + group_random(group, TELL_MIN_NS);
}

void group_compare_news(struct group *group, struct group_member *member, struct mono_time now)
{
    const struct group_word *word = &member->word;
    if (word->heard_ns == group->heard_ns) {
        group->tell_ns = INT64_MAX; /* told already */
        report_arrival(group, member, now);
        bool lists = word->playlist && group->playlist && word->playlist != group->playlist;
        if (lists && word->playlist != member->looked_playlist)
            look_later(group, member, PLAYLIST_GRACE_NS, now);
    } else if (is_news(group, word, now)) {
        look_later(group, member, GRACE_NS, now);
    }
}

/* Is what it told still news? */
static bool is_behind(const struct group *group, const struct group_member *member,
                      struct mono_time now)
{
    const struct group_word *word = &member->word;
    return is_news(group, word, now) || (word->heard_ns == group->heard_ns && word->playlist &&
                                         group->playlist && word->playlist != group->playlist);
}

void group_news_due(struct group *group, struct mono_time now)
{
    if (now.ns >= group->tell_ns) {
        group->tell_ns = INT64_MAX;
        group_speak_soon(group, now);
    }
    if (now.ns < group->look_ns)
        return;
    struct group_member *member = group_member(group, group->look_for);
    group->look_ns = INT64_MAX;
    if (!member || !is_behind(group, member, now))
        return;
    member->looked_ns = now.ns;
    member->looked_playlist = member->word.playlist;
    group->look = true;
}

bool group_take_look(struct group *group)
{
    bool look = group->look;
    group->look = false;
    return look;
}
