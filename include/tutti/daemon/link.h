/*
 * link.h: membership of a session, and what the backend says in it.
 *
 * Bootstrap over REST, then the WebSocket; lost connections are replaced for ever, with backoff.
 * The state is cross-checked: every resync interval the playlist over REST, and about once a
 * minute, or as soon as anything disagrees, the whole state: over REST where the backend offers it,
 * else on a fresh socket that is opened before the old one is closed.
 */
#ifndef TUTTI_DAEMON_LINK_H
#define TUTTI_DAEMON_LINK_H

#include "tutti/core/protocol.h"
#include "tutti/core/server_clock.h"
#include "tutti/core/session.h"
#include "tutti/core/settings.h"
#include "tutti/io/session_file.h"

#include <stdbool.h>
#include <stdint.h>

struct background;
struct http;
struct link;
struct loop;

enum link_state {
    LINK_JOINING,    /* over REST */
    LINK_CONNECTING, /* the socket, up to its initial state */
    LINK_LIVE,
    LINK_LOST,    /* was live; trying again */
    LINK_LEFT,    /* somebody has said so; out until link_join() */
    LINK_REFUSED, /* the membership is not valid any more, and there is no way to get another */
};

struct link_config {
    const struct settings *settings; /* the caller's; outlives the link */
    struct session_state *state;     /* membership, updated when a new one was obtained */
    struct server_clock *clock;      /* gets the evidence that passes here */
    const char *token;               /* from token or token_file; NULL: none configured */
    struct session *session;         /* the caller's; the link alone changes it */
    struct background *background;   /* reads what is uploaded */
    struct background *reader;       /* parses what is long */
};

struct link_handlers {
    /* What the backend says, or having left it, has changed the session; news: SESSION_*. */
    void (*on_session)(void *user, unsigned news, struct mono_time now);
    /* A state that was told to all has come: before on_session, which tells of any. */
    void (*on_stamp)(void *user, struct server_time updated_at, struct mono_time arrived);
    /* The state changed, or there is a new membership to keep. */
    void (*on_change)(void *user);
    /* How long the current track is, as this speaker knows it; < 0: not known. */
    double (*length_s)(void *user, struct mono_time now);
    /* A hub tells this speaker to change something. */
    void (*on_command)(void *user, const struct command_message *command, struct mono_time now);
    /* A sync_ack is due: fills everything but client_time and sequence. speaker is told to hubs
     * only. */
    void (*fill_ack)(void *user, struct sync_ack *ack, struct mono_time now);
};

/* Starts at once. NULL when out of memory. */
struct link *link_create(struct loop *loop, struct http *http, const struct link_config *config,
                         const struct link_handlers *handlers, void *user);
/* Says goodbye with a Close frame. */
void link_destroy(struct link *link);

enum link_state link_get_state(const struct link *link);
const char *link_state_name(enum link_state state);
/* Why it is not live, as one line; "" when nothing is wrong. */
const char *link_problem(const struct link *link);
bool link_is_live(const struct link *link);
const char *link_session_id(const struct link *link); /* "" when there is none */
const char *link_token(const struct link *link);      /* of the membership in use; a secret */

struct link_counters {
    uint64_t connects; /* sockets that brought the session back; rechecks are not counted */
    uint64_t commands_confirmed;
    uint64_t commands_repeated;
    uint64_t commands_failed;
};
struct link_counters link_get_counters(const struct link *link);

/* [backend] url is another by now, "auto" where there is none. */
void link_use_address(struct link *link);
/* Why there is none. */
void link_wait_for_address(struct link *link, const char *problem);

/* Something disagrees: look at the whole state afresh. */
void link_doubt(struct link *link);

/*
 * Asking the backend. done is called exactly once, perhaps at once; not after link_destroy(). What
 * is not confirmed in two seconds has the connection replaced; what the fresh state then shows is
 * done, and what it does not show is repeated once where that is safe, else reported. Up to 16 at a
 * time.
 */
struct link_result {
    const char *error; /* "" when the backend has confirmed it, else one line */
    double took_ms;
    const struct request_message *request; /* that was made or decided; NULL: none */
    const struct playlist_item *item;      /* that was added; NULL: none */
};
typedef void link_done(void *user, const struct link_result *result);

/* The host's. */
struct link_command {
    enum playback_action action;
    const char *track_id;             /* NULL: the current one */
    double position_ms;               /* < 0: for skips */
    const struct playlist_item *item; /* that it leads to; NULL: any that has the track */
    const struct playlist_item *from; /* from which a skip is meant; NULL: from the current one */
};
void link_command(struct link *link, const struct link_command *command, link_done *done,
                  void *user);
/* Whether it has been heard of or not; reason: of a denial, for the guest. */
void link_decide(struct link *link, const char *request_id, bool approve, const char *reason,
                 link_done *done, void *user);
void link_remove(struct link *link, const char *item_id, link_done *done, void *user);
void link_move(struct link *link, const char *item_id, int new_position, link_done *done,
               void *user);
/*
 * An upload: the host's is added to the playlist; a guest's becomes a request, where
 * link_takes_guest_files(). fd: a regular file of file_bytes, which becomes the callee's.
 * on_progress is called as the body goes out, with how much of the file has. One at a time. link_cancel_upload(): there will be no
 * done.
 */
struct link_file {
    int fd;
    int64_t file_bytes;
    const char *track_id;
    const char *name;
    const char *filename;
    const char *content_type;
    double duration_s; /* < 0: not known */
    void (*on_progress)(void *user, int64_t sent_bytes, int64_t total_bytes);
};
void link_upload(struct link *link, const struct link_file *file, link_done *done, void *user);
void link_cancel_upload(struct link *link);
bool link_takes_guest_files(const struct link *link);

/*
 * A guest's way into another session, done when its state has been told; until the backend knows
 * the code, nothing changes. Both are kept: a restart stays there, or out, until the configured
 * join code or session is another.
 */
void link_join(struct link *link, const char *code, link_done *done, void *user);
/* Closes politely and forgets the membership. False: left already. */
bool link_leave(struct link *link);

/*
 * What only a hub has (session_settings were told): a call of its REST, below the session. done is
 * called exactly once, perhaps at once; not after link_destroy().
 */
struct link_said {
    char *text; /* JSON, from malloc(); NULL: it makes no sense */
    char id[64];
    bool pending; /* a command is, at one of the speakers that it tells of */
};
/* Takes what is wanted out of an answer, beside the loop: it knows nothing but these. Its text
 * is set by link_say(). */
struct cJSON;
typedef void link_read(const struct cJSON *root, const char *key, struct link_said *ret);
void link_say(struct link_said *said, const struct cJSON *json);
/* The text, which becomes the caller's. */
char *link_said_take(struct link_said *said);

struct link_question {
    const char *method, *path;
    const char *json; /* the body; NULL: none */
    link_read *read;
    const char *key;     /* for it, copied; NULL: none */
    bool of_any_backend; /* also of one that has told no session_settings */
    bool of_house;       /* the path is the hub's own, and not below the session's */
};
struct link_answer {
    const char *error; /* "" when it was done, else one line */
    int status;        /* 0: there was none */
    struct link_said *said;
};
typedef void link_answered(void *user, const struct link_answer *answer);
void link_ask_hub(struct link *link, const struct link_question *question, link_answered *done,
                  void *user);

/* A sync_ack now, with what this speaker says of itself. */
void link_report(struct link *link);

/* A guest's. */
void link_request(struct link *link, const struct request_wish *wish, link_done *done, void *user);

#endif
