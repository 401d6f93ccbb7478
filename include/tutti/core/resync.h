/*
 * resync.h: when what is known of the session is compared with what the backend has, by what, and
 * what an answer says.
 *
 * A socket may look alive and carry nothing, and some changes are told to nobody. So the playlist is
 * asked for at every interval, and the whole state about once a minute, or at every sixth interval
 * where those are short: by a call where the backend has one for it, else by a fresh socket, which
 * tells it first. The minute is a little longer or shorter each time, lest the speakers of a house
 * do it together.
 */
#ifndef TUTTI_CORE_RESYNC_H
#define TUTTI_CORE_RESYNC_H

#include "tutti/base/units.h"

#include <stdbool.h>

struct resync {
    struct mono_time whole_at; /* the whole state is due */
    bool no_state_call;        /* the backend has none */
};

enum resync_look {
    RESYNC_PLAYLIST, /* ask for it */
    RESYNC_STATE,    /* ask for the whole state */
    RESYNC_SOCKET,   /* open a fresh socket, and ask for the playlist */
};

enum resync_verdict {
    RESYNC_COMPARE,  /* the answer with the session */
    RESYNC_DISTRUST, /* only a fresh socket says what is true */
    RESYNC_IGNORE,   /* the next one will do */
};

/* After having been away: it may be another version of the backend by now. */
void resync_connected(struct resync *resync);
/* The whole state has been looked at. random: in [0, 1). */
void resync_looked(struct resync *resync, int64_t interval_ns, double random, struct mono_time now);
/* At an interval. */
enum resync_look resync_next(const struct resync *resync, struct mono_time now);

/* Of the call that was asked for: RESYNC_STATE, else the playlist's. status: of HTTP; 0: none came.
 */
enum resync_verdict resync_answered(struct resync *resync, enum resync_look asked, int status,
                                    bool has_body);
/* It said yes, and cannot be read. */
enum resync_verdict resync_unreadable(enum resync_look asked);

#endif
