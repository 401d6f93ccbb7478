/*
 * link_internal.h: shared by link.c (socket and lifecycle), link_rest.c (bootstrap, resync) and
 * link_command.c (confirmed commands).
 */
#ifndef TUTTI_DAEMON_LINK_INTERNAL_H
#define TUTTI_DAEMON_LINK_INTERNAL_H

#include "tutti/core/backoff.h"
#include "tutti/daemon/link.h"
#include "tutti/io/http.h"
#include "tutti/io/loop.h"
#include "tutti/io/ws_client.h"

#define LINK_REST_TIMEOUT_NS (15 * NS_PER_S)
#define LINK_REST_MAX_BYTES (INT64_C(16) * 1024 * 1024)
#define LINK_PROBES 16
/* The burst of Dates: how many, how far apart, and how long an echo is waited for first. */
#define LINK_DATES 12
#define LINK_DATE_STEP_NS (110 * NS_PER_MS)
#define LINK_DATE_WAIT_NS (500 * NS_PER_MS)

/* One socket; while a replacement is being opened there are two. */
struct link_socket {
    struct link *link;
    struct ws_client *client;
    bool has_playback;
    bool has_playlist;
    struct playback_state playback; /* initial; delivered when the socket is adopted */
    struct playlist_message playlist;
};

struct link_command {
    bool pending;
    bool repeated;
    char action[16];
    char track_id[PROTOCOL_ID_MAX];
    bool has_track;
    double position_ms;
    struct mono_time sent_at;
    link_done *done;
    void *user;
};

struct link_probe {
    int64_t sequence;
    struct mono_time sent_at;
};

struct link {
    struct loop *loop;
    struct http *http;
    struct link_config config;
    struct link_handlers handlers;
    void *user;

    enum link_state state;
    char problem[PROTOCOL_REASON_MAX];
    char token[PROTOCOL_TOKEN_MAX];
    char session_id[PROTOCOL_ID_MAX];
    bool joined_here; /* the token came from a join code or a login, so another can be had */

    struct link_socket sockets[2];
    struct link_socket *live;  /* whose messages count */
    struct link_socket *fresh; /* being opened to replace it, or as the first */

    struct backoff backoff;
    struct loop_timer *retry;
    struct loop_timer *resync;
    double resync_phase; /* 0..1 */
    struct loop_timer *probe;
    struct loop_timer *confirm;
    struct loop_timer *dates;
    unsigned dates_left; /* calls of the burst still to make */
    struct mono_time recheck_at;
    struct mono_time opening_since;
    struct http_call *rest; /* bootstrap or resync, one at a time */
    struct http_call *date_call;
    struct http_call *repeat_call; /* a command's second try */

    struct playback_state playback; /* the last good one */
    bool has_playback;
    char last_odd[PROTOCOL_REASON_MAX];

    int64_t sequence;
    struct link_probe probes[LINK_PROBES];
    struct link_command command;
    struct link_counters counters;
};

/* link.c */
void link_set_state(struct link *link, enum link_state state, const char *problem);
void link_connect(struct link *link);
void link_retry_later(struct link *link);
/* A new socket beside the live one: whatever is true is what it says first. */
void link_recheck(struct link *link);
void link_take_playback(struct link *link, const struct playback_state *playback,
                        struct mono_time now);
void link_deliver_playlist(struct link *link, struct playlist_message *playlist);

/* link_rest.c */
void link_bootstrap(struct link *link);
void link_resync(struct link *link, struct mono_time now);
/* A dozen answers spread over a second tell how old the backend's Dates are: for backends that do
 * not answer probes. Called by its timer. */
void link_ask_date(void *user, struct mono_time now);
void link_take_date(struct link *link, const struct http_response *response);

/* link_command.c */
void link_confirm(struct link *link, const struct playback_state *playback, struct mono_time now);
void link_confirm_timeout(void *user, struct mono_time now);

#endif
