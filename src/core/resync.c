/*
 * resync.c: see resync.h.
 */
#include "tutti/core/resync.h"

static const int64_t WHOLE_NS = 60 * NS_PER_S;
#define WHOLE_INTERVALS 6

void resync_connected(struct resync *resync)
{
    resync->no_state_call = false;
}

void resync_looked(struct resync *resync, int64_t interval_ns, double random, struct mono_time now)
{
    int64_t every_ns = interval_ns * WHOLE_INTERVALS;
    if (every_ns > WHOLE_NS)
        every_ns = WHOLE_NS;
    int64_t jitter_ns = (int64_t)(random * (double)every_ns / 2);
    resync->whole_at = mono_add(now, every_ns * 3 / 4 + jitter_ns);
}

enum resync_look resync_next(const struct resync *resync, struct mono_time now)
{
    if (mono_sub(now, resync->whole_at) < 0)
        return RESYNC_PLAYLIST;
    return resync->no_state_call ? RESYNC_SOCKET : RESYNC_STATE;
}

enum resync_verdict resync_answered(struct resync *resync, enum resync_look asked, int status,
                                    bool has_body)
{
    if (status == 200 && has_body)
        return RESYNC_COMPARE;
    if (asked == RESYNC_STATE) {
        resync->no_state_call = resync->no_state_call || status == 404 || status == 405;
        return RESYNC_DISTRUST;
    }
    /* Whether the token is refused, the handshake tells. */
    return status == 401 || status == 403 ? RESYNC_DISTRUST : RESYNC_IGNORE;
}

enum resync_verdict resync_unreadable(enum resync_look asked)
{
    return asked == RESYNC_STATE ? RESYNC_DISTRUST : RESYNC_IGNORE;
}
