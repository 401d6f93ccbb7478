/*
 * link_internal.h: shared by link.c (lifecycle), link_membership.c (whose member we are),
 * link_asked.c (in and out on request), link_message.c (what the socket says), link_rest.c
 * (comparison), link_command.c (asking for something) and link_order.c (until it is so).
 */
#ifndef TUTTI_DAEMON_LINK_INTERNAL_H
#define TUTTI_DAEMON_LINK_INTERNAL_H

#include "texts.h"
#include "tutti/core/backoff.h"
#include "tutti/core/date_plan.h"
#include "tutti/core/membership.h"
#include "tutti/core/orders.h"
#include "tutti/daemon/link.h"
#include "tutti/io/http.h"
#include "tutti/io/loop.h"
#include "tutti/io/track_upload.h"
#include "tutti/io/ws_client.h"

#define LINK_REST_TIMEOUT_NS (15 * NS_PER_S)
/* What may have a playlist in it: that itself, a session, the answer to joining. */
#define LINK_LIST_MAX_BYTES (INT64_C(16) * 1024 * 1024)
/* Every other answer. It is parsed in the loop. */
#define LINK_ANSWER_MAX_BYTES (INT64_C(64) * 1024)
#define LINK_PROBES 16
/* How long an echo is waited for before Dates are asked for. */
#define LINK_DATE_WAIT_NS (500 * NS_PER_MS)

/* What may wait to be parsed: beyond that the backend sends faster than this speaker can read. */
#define LINK_TEXTS_MAX 64
#define LINK_TEXTS_MAX_BYTES (4u * WS_CLIENT_MESSAGE_MAX_BYTES)

/* One socket; while a replacement is being opened there are two. */
struct link_socket {
    struct link *link;
    struct ws_client *client;
    struct session_opening opening;     /* what it said first; counts when it is adopted */
    struct text *texts[LINK_TEXTS_MAX]; /* being parsed, in their order */
    int text_count;
    size_t text_bytes;
};

/* What was asked of the backend, beside what core/orders knows of it: with what, and for whom. */
struct link_order {
    uint64_t number; /* in link->orders; 0: free */
    struct link *link;
    struct http_call *call;           /* that will be answered */
    char *text;                       /* to be sent by the socket; NULL: none */
    char denial[PROTOCOL_REASON_MAX]; /* why a request is denied, for the guest */
    char code[PROTOCOL_CODE_MAX];     /* of the session to join */
    bool has_request;
    bool has_item;
    struct request_message request; /* the answer */
    struct playlist_item item;      /* the answer */
    link_done *done;
    void *user;
};

/* A membership of a session, in words. */
struct link_pass {
    char session_id[PROTOCOL_ID_MAX];
    char token[PROTOCOL_TOKEN_MAX];
    char code[PROTOCOL_CODE_MAX]; /* the invite code; "" where it was not told */
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
    struct membership membership;
    struct link_pass kept, trial;   /* as membership has them */
    char token[PROTOCOL_TOKEN_MAX]; /* of the one that is in use */
    char session_id[PROTOCOL_ID_MAX];

    struct link_socket sockets[2];
    struct link_socket *live;  /* whose messages count */
    struct link_socket *fresh; /* being opened to replace it, or as the first */

    struct backoff backoff;
    struct loop_timer *retry;
    struct loop_timer *resync;
    struct loop_timer *probe;
    struct loop_timer *confirm;
    struct loop_timer *dates;
    struct date_plan date_plan;
    struct mono_time date_asked_at;
    struct mono_time recheck_at;
    struct mono_time opening_since;
    struct http_call *rest; /* bootstrap or resync, one at a time */
    struct text *rest_text; /* the answer to it, being parsed */
    struct http_call *date_call;
    bool no_session_call; /* the backend does not tell the whole state over REST */

    int64_t sequence;
    struct link_probe probes[LINK_PROBES];
    struct orders orders;
    struct link_order pending[ORDERS_MAX]; /* what goes with them */
    struct track_upload *upload;           /* of the order of kind ORDER_ADD; NULL: none */
    void (*upload_progress)(void *user, int64_t sent_bytes, int64_t total_bytes);
    struct link_counters counters;
};

/* link.c */
void link_set_state(struct link *link, enum link_state state, const char *problem);
void link_connect(struct link *link);
void link_retry_later(struct link *link);
/* A new socket beside the live one: whatever is true is what it says first. */
void link_recheck(struct link *link);
/* The same, even if one is being opened: what that one says may be older than the doubt. */
void link_replace(struct link *link);
/* The whole state has been looked at; again in about a minute. */
void link_plan_recheck(struct link *link, struct mono_time now);
/* One good message: into the session, and on to whoever follows it. */
void link_apply(struct link *link, struct protocol_message *message, struct mono_time now);
void link_tell_change(struct link *link, struct session_change change, struct mono_time now);
void link_close_socket(struct link *link, struct link_socket *socket);
/* This socket has told both its initial frames: from here on it is the one that counts. */
void link_adopt(struct link *link, struct link_socket *socket, struct mono_time now);
/* This one is gone. */
void link_socket_ended(struct link *link, struct link_socket *socket, enum ws_client_end end,
                       int status, const char *reason);

/* link_membership.c */
void link_take_membership(struct link *link);
/* To get in by whatever is to be tried now. */
void link_try(struct link *link, struct mono_time now);
/* The handshake was answered 401 or 403. */
void link_token_refused(struct link *link, int status, struct mono_time now);
/* What the configuration calls its session. */
const char *link_configured(const struct link *link);
/* token: where the answer tells none, as it goes on with a host's. */
struct link_pass link_pass_of(const struct session_answer *answer, const char *token);
/* There is a new membership: try it. */
void link_take_pass(struct link *link, const struct link_pass *pass);
void link_upper_case(char *to, size_t size, const char *from);
/* URL of joining with a code, which is upper case whatever was typed. */
bool link_join_url(const struct link *link, const char *code, char *url, size_t size);
/* The session has told its state. */
void link_membership_worked(struct link *link);

/* link_rest.c */
struct http_call *link_call(struct link *link, const char *method, const char *url,
                            const char *token, const char *json, int64_t max_bytes,
                            void (*on_done)(void *user, const struct http_response *response));
/* Why an answer is none of those that were hoped for: its detail, or where it redirects to. */
void link_error_detail(const struct http_response *response, char detail[PROTOCOL_REASON_MAX]);
void link_resync(struct link *link, struct mono_time now);
/* A dozen answers spread over a second tell how old the backend's Dates are: for backends that do
 * not answer probes. Called by its timer. */
void link_ask_date(void *user, struct mono_time now);
void link_take_date(struct link *link, const struct http_response *response);

/* link_message.c */
extern const struct ws_client_handlers link_socket_handlers;
void link_forget_texts(struct link_socket *socket); /* what it has said is not wanted any more */
void link_probe_fired(void *user, struct mono_time now);
void link_send_probe(struct link *link, struct mono_time now);

/* link_order.c: does what core/orders says. A pending order, not under way yet (NULL: done was
 * called); link_orders_run() starts it. */
struct link_order *link_order_begin(struct link *link, const struct order *order, link_done *done,
                                    void *user);
/* After whatever has happened. */
void link_orders_run(struct link *link);
/* It cannot be done, on this side. */
void link_order_fail(struct link_order *pending, const char *error);
/* Without a word to who asked. */
void link_order_cancel(struct link_order *pending);
/* NULL: none of this kind is under way. */
struct link_order *link_order_of(struct link *link, enum order_kind kind);
void link_orders_due(void *user, struct mono_time now);
/* What has come by the live socket. */
void link_orders_take_playback(struct link *link, const struct playback_state *playback,
                               struct mono_time now);
void link_orders_take_request(struct link *link, const struct request_message *request);
void link_orders_take_playlist(struct link *link);
void link_orders_take_refusal(struct link *link, const char *detail);
/* The fresh state has been delivered. */
void link_orders_compare(struct link *link);
/* except: NULL: none. */
void link_orders_end_all(struct link *link, const struct link_order *except, const char *error);
void link_orders_drop_all(struct link *link); /* without a word; at the end */

/* link_command.c: the first try, and the second. */
void link_order_send(struct link_order *pending, struct order *order);
void link_order_repeat(struct link_order *pending, const struct order *order);
void link_order_answered(void *user, const struct http_response *response); /* of its call */

/* link_upload.c, link_asked.c: the calls of an upload and of joining. */
void link_upload_start(struct link_order *pending);
void link_upload_end(struct link *link); /* its file is not needed any more */
void link_join_start(struct link_order *pending);

#endif
