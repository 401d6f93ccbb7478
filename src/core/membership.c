/*
 * membership.c: see membership.h.
 */
#include "tutti/core/membership.h"

static const int64_t PATIENCE_NS = 60 * NS_PER_S;
static const int64_t PATIENCE_MAX_NS = 64 * 60 * NS_PER_S;
/* Two answers that are a minute apart say little of what was in between. */
#define REFUSALS_MIN 3

static void forget_refusals(struct membership *membership)
{
    membership->refusals = 0;
}

void membership_init(struct membership *membership, bool has_kept)
{
    *membership = (struct membership){.has_kept = has_kept, .patience_ns = PATIENCE_NS};
}

static bool is_refused_for_good(const struct membership *membership, struct mono_time now)
{
    return membership->refusals >= REFUSALS_MIN &&
           mono_sub(now, membership->refused_since) >= membership->patience_ns;
}

static enum membership_try choose(const struct membership *membership, bool may_join,
                                  struct mono_time now)
{
    if (!membership->has_kept || (may_join && is_refused_for_good(membership, now)))
        return MEMBERSHIP_OBTAIN;
    if (membership->has_trial && membership->tried != MEMBERSHIP_TRIAL)
        return MEMBERSHIP_TRIAL;
    return MEMBERSHIP_KEPT;
}

enum membership_try membership_next(struct membership *membership, bool may_join,
                                    struct mono_time now)
{
    membership->tried = choose(membership, may_join, now);
    return membership->tried;
}

bool membership_is_refusal(int status)
{
    return status == 401 || status == 403;
}

void membership_refused(struct membership *membership, struct mono_time now)
{
    if (membership->refusals++ == 0)
        membership->refused_since = now;
}

void membership_failed(struct membership *membership)
{
    forget_refusals(membership);
}

void membership_not_obtained(struct membership *membership)
{
    forget_refusals(membership);
}

bool membership_obtained(struct membership *membership)
{
    bool on_trial = membership->has_kept;
    forget_refusals(membership);
    membership->has_kept = true;
    membership->has_trial = on_trial;
    if (on_trial && membership->patience_ns < PATIENCE_MAX_NS)
        membership->patience_ns *= 2;
    return on_trial;
}

bool membership_worked(struct membership *membership)
{
    bool by_trial = membership->has_trial && membership->tried == MEMBERSHIP_TRIAL;
    membership_init(membership, true);
    return by_trial;
}
