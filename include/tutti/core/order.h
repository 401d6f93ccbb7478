/*
 * order.h: something that was asked of the backend, and by what it is seen to have been done: a
 * command of the host, a guest's request, a decision, a change of the playlist.
 *
 * A socket may look alive and carry nothing, a broadcast may be missed, an answer may get lost. So
 * nothing counts as done before its echo has been seen, or its effect in a state that is fresh.
 */
#ifndef TUTTI_CORE_ORDER_H
#define TUTTI_CORE_ORDER_H

#include "tutti/core/playlist.h"
#include "tutti/core/protocol.h"
#include "tutti/core/session.h"

enum order_kind {
    ORDER_PLAYBACK,
    ORDER_REQUEST,
    ORDER_APPROVE,
    ORDER_DENY,
    ORDER_REMOVE,
    ORDER_MOVE,
    ORDER_ADD,  /* an upload */
    ORDER_JOIN, /* another session */
};

struct order {
    enum order_kind kind;
    enum playback_action action;      /* of ORDER_PLAYBACK */
    char track_id[PROTOCOL_ID_MAX];   /* "" none; of a skip: where it should lead, if known */
    double position_ms;               /* < 0: none */
    char item_id[PROTOCOL_ID_MAX];    /* that is removed or moved, also on request; of a command: as
                                         the backend is told it, "" if it knows no items */
    int new_position;                 /* < 0: none */
    char request_id[PROTOCOL_ID_MAX]; /* that is decided */
    enum request_type type;           /* of a request that is made or decided */
    struct server_time stamp_before;  /* of the playback state when it was asked for */
    size_t tracks_before;             /* how many items had track_id then */
    bool shown_before;                /* the playlist was as it is to become already then */
};

/* What its effect is to be told from later: the session as it is when it is asked for. And a skip
 * is foreseen: by the backend's rules, the first item with the track is meant, and the last track
 * starts again. */
void order_note_before(struct order *order, const struct session *session);

/* A skip's effect depends on where the backend was; all else can be asked for twice. */
bool order_is_skip(const struct order *order);

/* This broadcast is the order's echo. */
bool order_echoed(const struct order *order, const struct playback_state *playback);
/* The same of a request's or a decision's. */
bool order_answered(const struct order *order, const struct request_message *request);

/* What the answer to a call for it means. */
enum order_answer {
    ORDER_YES,
    ORDER_DONE_BEFORE, /* by the first try, whose answer was lost; or by somebody else */
    ORDER_NO,
    ORDER_UNKNOWN, /* a 500 may come after the deed, a 502 or 504 is a proxy's: the state tells */
};
/* repeated: it is the second try. status: of HTTP; 0: no answer. known: the request that is decided,
 * as it was heard of; NULL: it was not. */
enum order_answer order_judge(const struct order *order, bool repeated, int status,
                              const struct request_message *known);

/* Why it is a no, where the status says more than the words that come with it. */
enum order_refusal {
    ORDER_REFUSED,
    ORDER_TOO_LARGE,
    ORDER_WRONG_MEDIA,
    ORDER_NO_ROOM,
    ORDER_DECIDED, /* the request, before */
};
enum order_refusal order_refusal_of(const struct order *order, int status);
/* In front of the backend's own words, which may be a proxy's page. */
const char *order_refusal_text(enum order_refusal refusal);

/* Somebody else has decided the request, and otherwise. */
bool order_contradicted(const struct order *order, const struct request_message *request);

/* A fresh state shows that it was done. */
bool order_in_playback(const struct order *order, const struct playback_state *fresh);
/* A list shows that it was done; false also where no list could show it (a denial), or where an
 * approval would have changed nothing. */
bool order_in_playlist(const struct order *order, const struct playlist_message *playlist);

#endif
