/*
 * control_internal.h: answering on the control socket, shared by control.c (the commands) and
 * control_answer.c (who waits for what).
 */
#ifndef TUTTI_DAEMON_CONTROL_INTERNAL_H
#define TUTTI_DAEMON_CONTROL_INTERNAL_H

#include "daemon_internal.h"
#include "listing.h"
#include "tutti/core/control_cmd.h"

/* Whom an answer goes to. */
struct asker {
    struct control_client *client; /* NULL: it has gone */
    double id;
    const char *state;             /* told with the answer of a toggle; NULL: not */
    bool tell_track;               /* to which a skip has led: */
    char item_id[PROTOCOL_ID_MAX]; /* "": the one that is current then */
};

/* Somebody who waits: until control_confirmed() or control_stop_waiting(). */
struct waiting {
    struct daemon *daemon;
    struct asker asker;
    struct waiting *next;
    /* The client has gone, and nothing need be done for it any more: stops waiting. NULL: what was
     * asked for happens all the same. */
    void (*abandon)(struct waiting *waiting);
    void *user;
    const char *name; /* of what a hub answers; a literal */
    char sign[8];     /* of the speaker that is let in, or not; "": the list is wanted */
    bool allow;
    int number; /* of the first track that a search finds */
};

/* control_change.c: the commands that change the playlist, the requests or the session. */
void control_change(struct daemon *daemon, const struct asker *asker,
                    const struct control_cmd *cmd);

/* control_hub.c: what a hub has beyond the contract. */
void control_hub(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd);

/* Asks below the session's path; takes the body, NULL: none. The member of the hub's answer that is
 * called so, or else the whole, is the answer. */
void control_ask_hub(struct daemon *daemon, const struct asker *asker, const char *method,
                     const char *path, cJSON *body, const char *name);

/* control_library.c: the hub's library. */
void control_library(struct daemon *daemon, const struct asker *asker,
                     const struct control_cmd *cmd);

/* control_rooms.c: other speakers, over a hub. */
void control_rooms(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd);
/* A hub's ids are of these digits; what is none names nobody, and stands in no path. */
bool control_is_hub_id(const char *text);

/* cues.c: clicks as for daemon_cue(); answered when it can be heard. */
void control_cue(struct daemon *daemon, const struct asker *asker, int clicks,
                 struct mono_time now);

/* control_pairing.c */
void control_pairing(struct daemon *daemon, const struct asker *asker,
                     const struct control_cmd *cmd);

/* control_add.c */
void control_add(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd);

/* Before the answer. */
void control_tell_progress(const struct asker *asker, int64_t sent_bytes, int64_t total_bytes);

/* At once. The body or result becomes the callee's. */
void control_succeed(const struct asker *asker, cJSON *body);
void control_answer(const struct asker *asker, const char *name, cJSON *result);
/* members: their text, as in "a":1,"b":[] */
void control_answer_text(const struct asker *asker, const char *members);
void control_fail(const struct asker *asker, const char *error);

/* At once, with lists in it: to be completed, and sent with listing_send(). NULL: no memory. */
struct listing *control_begin_listing(const struct daemon *daemon, const struct asker *asker);

/* Later. NULL after an answer that says why not. */
struct waiting *control_wait(struct daemon *daemon, const struct asker *asker);
struct asker control_stop_waiting(struct waiting *waiting);
/* The link's word on it, passed on; user: the struct waiting. */
void control_confirmed(void *user, const struct link_result *result);

#endif
