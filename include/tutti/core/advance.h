/*
 * advance.h: the end of a track, for a host speaker that is told to go on by itself.
 *
 * Several speakers of one host may come to the end at the same moment, and a person may choose just
 * then. So it is said where to go, not to skip: said twice, it is the same. It is said once for
 * each state that the backend has told, however often that state is told again. And when it turns
 * out that somebody had chosen before the backend heard all of us, that choice is given back: by
 * each, which is the same again. Whose order an echo answers, it does not say; what tells an order
 * from a choice of the same is that the orders come together.
 *
 * A track that cannot be played here is left after a while, so that an evening does not end at it.
 * The while grows with each in a row: a list of bad ones is not run through in a blink, and after a
 * round of them all it is stopped.
 */
#ifndef TUTTI_CORE_ADVANCE_H
#define TUTTI_CORE_ADVANCE_H

#include "tutti/core/playlist.h"
#include "tutti/core/protocol.h"

struct advance_order {
    bool playing; /* play, or pause */
    char track_id[PROTOCOL_ID_MAX];
    char item_id[PROTOCOL_ID_MAX]; /* that is meant; "": any of the track */
    double position_ms;
};

enum advance_trouble {
    ADVANCE_FINE,
    ADVANCE_UNREACHABLE, /* its file cannot be had; it may yet come */
    ADVANCE_UNPLAYABLE,  /* no mp3, refused, too large */
};

/* Zeroed: nothing was said yet. */
struct advance {
    bool said; /* for the state with this stamp */
    struct server_time stamp;
    struct mono_time again_at; /* after a failure */
    bool pending;              /* orders of this end may still arrive */
    struct advance_order order;
    bool echoed; /* one has, with this stamp */
    struct server_time echo_stamp;
    bool chosen; /* by somebody else meanwhile */
    struct playback_state choice;
    bool in_trouble; /* with this item, since then */
    char trouble_item[PROTOCOL_ID_MAX];
    struct mono_time trouble_since;
    size_t skipped; /* items that could not be played, one after another */
};

struct advance_facts {
    const struct playlist_message *playlist;
    const struct playlist_item *item;      /* the current one; NULL: none */
    const struct playback_state *playback; /* playing */
    double position_s;                     /* heard */
    double length_s;                       /* < 0: not known */
    bool repeat_all;
    bool sounding; /* the item is heard */
    enum advance_trouble trouble;
};

/* Takes note of what can be played, before the others are asked. */
void advance_watch(struct advance *advance, const struct advance_facts *facts,
                   struct mono_time now);

/* How long until something is to be said: 0: now; INFINITY: nothing is to come. */
double advance_left_s(const struct advance *advance, const struct advance_facts *facts,
                      struct mono_time now);
/* It is said now: what. A pause because nothing of the whole list can be played: *ret_gave_up. */
struct advance_order advance_say(struct advance *advance, const struct advance_facts *facts,
                                 bool *ret_gave_up);

/* A state was told; server_now: when. True when a choice must be given back: how. */
bool advance_heard(struct advance *advance, const struct playback_state *playback,
                   struct server_time server_now, struct advance_order *ret_order);

/* What was said was not done. It may be said again a little later. */
void advance_failed(struct advance *advance, struct mono_time now);

#endif
