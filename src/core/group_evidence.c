/*
 * group_evidence.c: what we know ourselves of the backend's time.
 *
 * What the others heard is evidence of a reference, too: a stamp was made before anybody heard it.
 * One of them may be wrong, so of three or more the earliest is believed only as far as a second
 * one agrees.
 */
#include "group_internal.h"

static const int64_t OWN_FRESH_NS = 500 * NS_PER_MS;

const struct server_clock_own *group_own(struct group *group, struct mono_time now)
{
    int64_t since_ns = mono_sub(now, group->own_at);
    if (group->own_is_old || since_ns > OWN_FRESH_NS || since_ns < 0) {
        group->own = server_clock_own(group->clock, now);
        group->own_at = now;
        group->own_is_old = false;
    }
    return &group->own;
}

enum group_evidence group_own_evidence(const struct group *group)
{
    if (!group->own.known)
        return GROUP_EVIDENCE_NONE;
    if (group->own.source == SERVER_CLOCK_ECHO)
        return GROUP_EVIDENCE_ECHO;
    return group->own.source == SERVER_CLOCK_COMMAND ? GROUP_EVIDENCE_COMMAND
                                                     : GROUP_EVIDENCE_LOOSE;
}

static struct group_hearing *hearing_of(struct group *group, uint64_t id)
{
    for (size_t i = 0; i < group->hearing_count; i++)
        if (group->hearings[i].id == id)
            return &group->hearings[i];
    if (group->hearing_count == GROUP_HEARERS)
        return NULL;
    return &group->hearings[group->hearing_count++];
}

/* Of two, the earlier; of more, the second: one that lies is not believed. Nothing, if one only. */
static int64_t believable_ns(const struct group *group)
{
    int64_t first_ns = INT64_MAX, second_ns = INT64_MAX;
    for (size_t i = 0; i < group->hearing_count; i++) {
        int64_t at_ns = group->hearings[i].at_ns;
        if (at_ns < first_ns) {
            second_ns = first_ns;
            first_ns = at_ns;
        } else if (at_ns < second_ns) {
            second_ns = at_ns;
        }
    }
    return group->hearing_count == 2 ? first_ns : second_ns;
}

void group_share_stamp(struct group *group, uint64_t id, int64_t stamp_ns, int64_t at_ns,
                       struct mono_time now)
{
    if (stamp_ns != group->heard_ns)
        return; /* not one that we know, too */
    struct group_hearing *hearing = hearing_of(group, id);
    if (!hearing || at_ns > now.ns)
        return;
    *hearing = (struct group_hearing){id, at_ns};
    int64_t best_ns = believable_ns(group);
    if (best_ns >= group->shared_ns)
        return;
    group->shared_ns = best_ns;
    group->own_is_old = true;
    server_clock_add_shared_stamp(group->clock, (struct mono_time){best_ns},
                                  (struct server_time){stamp_ns});
}
