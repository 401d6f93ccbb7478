/*
 * link_internal.h: the parts of a link. Each has a struct of its own, which its own files alone
 * write. Each calls only what comes before it in this list, and tells what comes after it by
 * handlers; unit.daemon.no_circles holds them to it.
 *
 *   link_call.c        calls over REST
 *   link_connection.c  the sockets, and when another is opened
 *   link_clock.c       evidence for the backend's clock
 *   link_session.c     what the backend says, into the session
 *   link_check.c       comparison over REST
 *   link_membership.c  whose member we are
 *   link_order.c       what was asked of the backend, until it has ended
 *   link_answer.c      what an answer to it says
 *   link_command.c, link_upload.c, link_asked.c
 *                      what can be asked for: commands and changes, uploads, another session
 *   link_hub.c         what only a hub can be asked
 *   link_address.c     the backend is somewhere else
 *   link_message.c     what the sockets say, and to whom it goes
 *   link.c             all of them together
 *
 * What is to be decided, core decides: session, resync, membership, orders, date_plan and
 * server_clock.
 */
#ifndef TUTTI_DAEMON_LINK_INTERNAL_H
#define TUTTI_DAEMON_LINK_INTERNAL_H

#include "texts.h"
#include "tutti/core/backoff.h"
#include "tutti/core/date_plan.h"
#include "tutti/core/membership.h"
#include "tutti/core/notices.h"
#include "tutti/core/orders.h"
#include "tutti/core/resync.h"
#include "tutti/daemon/link.h"
#include "tutti/io/device_key.h"
#include "tutti/io/http.h"
#include "tutti/io/loop.h"
#include "tutti/io/track_upload.h"
#include "tutti/io/ws_client.h"

#define LINK_REST_TIMEOUT_NS (15 * NS_PER_S)
/* What may have a playlist in it: that itself, a session, the answer to joining. */
#define LINK_LIST_MAX_BYTES (INT64_C(16) * 1024 * 1024)
/* Every other answer. It is parsed in the loop. */
#define LINK_ANSWER_MAX_BYTES ((int64_t)TEXTS_AT_ONCE_BYTES)
#define LINK_PROBES 16

/* What may wait to be parsed: beyond that the backend sends faster than this speaker can read. */
#define LINK_SOCKETS 3
#define LINK_TEXTS_MAX 64
#define LINK_TEXTS_MAX_BYTES (4u * WS_CLIENT_MESSAGE_MAX_BYTES)

/* One socket: the live one, one that is to replace it, or one that was replaced. */
struct link_socket {
    struct link *link;
    struct ws_client *client;
    struct session_opening opening; /* what it said first; counts when it is adopted */
    struct text *text;              /* being parsed; NULL: none */
    size_t text_bytes;              /* of that and of what waits behind it, in its order: */
    struct text_source waiting[LINK_TEXTS_MAX];
    int waiting_count;
};

/* What becomes of a link's sockets. */
struct link_connection_handlers {
    void (*on_text)(struct link_socket *socket, const char *text, size_t bytes,
                    struct mono_time received);
    void (*on_close)(struct link_socket *socket); /* whatever is kept for it goes */
    /* None is left, nor being opened. */
    void (*on_lost)(struct link *link, enum ws_client_end end, int status, const char *reason);
    void (*on_wait)(struct link *link); /* the next try is later */
    void (*on_retry)(struct link *link, struct mono_time now);
};

struct link_connection {
    const struct link_connection_handlers *handlers;
    enum link_state state;
    char problem[PROTOCOL_REASON_MAX];
    struct link_socket sockets[LINK_SOCKETS];
    struct link_socket *live;     /* whose messages count */
    struct link_socket *fresh;    /* being opened to replace it, or as the first */
    struct link_socket *retiring; /* replaced: what was on its way to it counts for a while yet */
    struct mono_time opening_since;
    struct mono_time adopted_at; /* the live one */
    bool brief;                  /* the one before it did not last */
    bool recheck_waits;          /* for retry */
    struct backoff backoff;
    struct loop_timer *retry, *retirement;
    uint64_t connects;
};

/* A membership of a session, in words. */
struct link_pass {
    char session_id[PROTOCOL_ID_MAX];
    char token[PROTOCOL_TOKEN_MAX];
    char code[PROTOCOL_CODE_MAX]; /* the invite code; "" where it was not told */
};

struct link_member {
    struct membership machine;
    struct link_pass kept, trial; /* as the machine has them */
    struct link_pass used;
    struct http_call *call;           /* by which one is asked for */
    struct text *text;                /* the answer to it, being parsed */
    char pairing_key[DEVICE_KEY_MAX]; /* by which it asks to be let in */
    unsigned pairing_number;          /* of keys whose sign was another's */
};

struct link_check {
    struct resync plan;
    struct loop_timer *timer;
    enum resync_look asked;
    struct http_call *call;
    struct text *text; /* the answer to it, being parsed */
};

struct link_probe {
    int64_t sequence;
    struct mono_time sent_at;
};

struct link_clock {
    struct loop_timer *probe;
    int64_t sequence;
    struct link_probe probes[LINK_PROBES];
    struct loop_timer *dates;
    struct date_plan date_plan;
    struct mono_time asked_at;
    struct http_call *call;
};

struct link_order;

/* What is done for an order of some kind. */
struct link_order_kind {
    void (*send)(struct link_order *pending, const struct order *order);
    void (*repeat)(struct link_order *pending, const struct order *order); /* NULL: it never is */
    void (*answered)(struct link_order *pending, const struct order *order,
                     const struct http_response *response);
    void (*ended)(struct link *link); /* NULL: nothing need be done */
};

/* With what it is asked for, by its kind; what is not of its kind is zeroed. */
struct link_order_words {
    char *text;                       /* to be sent by the socket, from malloc(); NULL: none */
    char denial[PROTOCOL_REASON_MAX]; /* why a request is denied, for the guest */
    char code[PROTOCOL_CODE_MAX];     /* of the session to join */
};

/* What was asked of the backend, beside what core/orders knows of it: with what, and for whom.
 * link_order.c writes it, and nobody else. */
struct link_order {
    uint64_t number; /* in the orders; 0: free */
    struct link *link;
    const struct link_order_kind *kind;
    struct link_order_words words;
    struct http_call *call; /* that will be answered */
    struct text *answer;    /* to it, being parsed */
    void (*parsed)(struct link_order *pending, const struct parsed *parsed);
    bool has_request;
    bool has_item;
    struct request_message request; /* the answer */
    struct playlist_item item;      /* the answer */
    link_done *done;
    void *user;
};

struct link_orders {
    struct orders machine;
    struct link_order pending[ORDERS_MAX]; /* what goes with them */
    struct loop_timer *timer;
    uint64_t confirmed, repeated, failed;
    struct notices refusals; /* of messages that nobody here has asked about */
};

struct link_upload {
    struct track_upload *upload; /* of the order of kind ORDER_ADD; NULL: none */
    int64_t file_bytes;
    void (*on_progress)(void *user, int64_t sent_bytes, int64_t total_bytes);
};

struct link {
    struct loop *loop;
    struct http *http;
    struct link_config config;
    struct link_handlers handlers;
    void *user;
    struct link_connection connection;
    struct link_member member;
    struct link_check check;
    struct link_clock clock;
    struct link_orders orders;
    struct link_hub_call *asks; /* under way */
    struct link_upload upload;
    struct loop_timer *turn; /* of what was told to start */
};

/* --- link_call.c --- */

/* False: where the backend is has yet to be found. */
bool link_has_address(const struct link *link);
struct http_call *link_call(struct link *link, const struct http_request *request);
/* Why an answer is none of those that were hoped for: its detail, or where it redirects to. */
void link_error_detail(const struct http_response *response, char detail[PROTOCOL_REASON_MAX]);

/* --- link_pairing.c --- */

/* Whether this is a guest who has no other way in. */
bool link_may_ask(const struct link *link);
/* The call whose answer answered() is told; NULL: it could not be made. */
struct http_call *link_ask(struct link *link,
                           void (*answered)(void *user, const struct http_response *response));
enum link_pairing {
    LINK_PAIRING_WAITS, /* for somebody's decision: said, and the next try is set */
    LINK_PAIRING_LET_IN,
    LINK_PAIRING_FAILED, /* as any call may */
    LINK_PAIRING_NONSENSE,
};
enum link_pairing link_take_pairing(struct link *link, const struct http_response *response,
                                    struct link_pass *ret_pass);

/* --- link_connection.c --- */

bool link_connection_init(struct link *link, const struct link_connection_handlers *handlers);
void link_connection_finish(struct link *link);
void link_set_state(struct link *link, enum link_state state, const char *problem);
/* The first socket, with the membership that is in use. */
void link_connect(struct link *link);
void link_disconnect(struct link *link);
void link_retry_later(struct link *link);
void link_retry_now(struct link *link); /* somebody waits for it */
/* The next failure is the first one. */
void link_forget_failures(struct link *link);
/* A new socket beside the live one: whatever is true is what it says first. */
void link_recheck(struct link *link);
/* The same, even if one is being opened: what that one says may be older than the doubt. */
void link_replace(struct link *link);
/* One that does not tell its state is given up. */
void link_end_late_opening(struct link *link, struct mono_time now);
/* From here on the one that was being opened is the one that counts. True: there was none. */
bool link_switch_sockets(struct link *link, struct mono_time now);
/* This one is gone. */
void link_socket_ended(struct link_socket *socket, enum ws_client_end end, int status,
                       const char *reason);

/* --- link_clock.c --- */

bool link_clock_init(struct link *link);
void link_clock_finish(struct link *link);
void link_clock_connected(struct link *link, struct mono_time now);
void link_clock_disconnected(struct link *link);
void link_send_probe(struct link *link, struct mono_time now);
void link_take_echo(struct link *link, const struct echo_message *echo, struct mono_time received);
/* A state that was told to all. */
void link_take_stamp(struct link *link, struct server_time updated_at, struct mono_time received);
/* Every answer's Date is evidence. */
void link_take_date(struct link *link, const struct http_response *response);
/* When to compare next, about then: so that the Date of the answer says most. */
struct mono_time link_time_of_check(struct link *link, struct mono_time due);

/* --- link_session.c: and on to whoever follows it --- */

bool link_session_init(struct link *link);
void link_session_finish(struct link *link);
/* One good message: by the live socket, or in an answer. */
void link_apply(struct link *link, struct protocol_message *message, struct mono_time now);
/* The same, of the socket that was live before. */
void link_apply_late(struct link *link, struct protocol_message *message, struct mono_time now);
void link_apply_opening(struct link_socket *socket, struct protocol_message *message,
                        struct mono_time now);
void link_apply_odd(struct link_socket *socket, enum message_type type, const char *reason,
                    struct mono_time now);
void link_apply_adopted(struct link_socket *socket, struct mono_time now);
void link_clear_session(struct link *link);
void link_expect(struct link *link, const struct playlist_item *item);
void link_mark_mine(struct link *link, const char *request_id);

/* --- link_check.c --- */

bool link_check_init(struct link *link);
void link_check_finish(struct link *link);
void link_cancel_check(struct link *link);
/* A socket has told the whole state; first: after having been away. */
void link_check_adopted(struct link *link, bool first, struct mono_time now);

/* --- link_membership.c --- */

/* What is configured, or kept, or was asked for. False: somebody has said to stay out. */
bool link_find_membership(struct link *link);
/* To get in by whatever is to be tried now. */
void link_try(struct link *link, struct mono_time now);
/* The handshake was answered 401 or 403. */
void link_token_refused(struct link *link, int status, struct mono_time now);
/* The try has failed otherwise. */
void link_try_failed(struct link *link);
/* The session has told its state. */
void link_membership_worked(struct link *link);
/* Into the session of this answer, as somebody asked with this code. */
void link_take_asked(struct link *link, const struct session_answer *answer, const char *code);
/* Out of any. */
void link_forget_membership(struct link *link);
void link_cancel_obtaining(struct link *link);
void link_upper_case(char *to, size_t size, const char *from);
/* URL of joining with a code, which is upper case whatever was typed. */
bool link_join_url(const struct link *link, const char *code, char *url, size_t size);

/* --- link_order.c: does what core/orders says --- */

bool link_orders_init(struct link *link);
void link_orders_finish(struct link *link); /* without a word */
/* Takes the text of the words (NULL: there are none). True: it is pending, and link_orders_run()
 * starts it; false: done was called. */
bool link_order_begin(struct link *link, const struct order *order,
                      const struct link_order_kind *kind, const struct link_order_words *words,
                      link_done *done, void *user);
/* After whatever has happened. */
void link_orders_run(struct link *link);
/* Its call; on_done and user are filled in. */
void link_order_call(struct link_order *pending, struct http_request *request);
/* Its answer is long, and read beside the loop; the text is taken. False: it cannot be. */
bool link_order_parse(struct link_order *pending, const struct text_source *source,
                      void (*parsed)(struct link_order *pending, const struct parsed *parsed));
/* What it asked for was sent by the socket, or could not be. */
void link_order_sent(struct link_order *pending, bool sent);
/* What its answer tells, beside yes and no. */
void link_order_note_request(struct link_order *pending, const struct request_message *request);
void link_order_note_item(struct link_order *pending, const struct playlist_item *item);
void link_order_answered(struct link_order *pending, int status, const char *why);
/* It has been joined: the session's state is to follow. */
void link_order_joined(struct link_order *pending);
/* It cannot be done, on this side, or was refused. */
void link_order_fail(struct link_order *pending, const char *error);
/* Without a word to who asked. */
void link_order_cancel(struct link_order *pending);
/* NULL: none of this kind is under way. */
struct link_order *link_order_of(struct link *link, enum order_kind kind);
/* What has come, as orders.h puts it. */
void link_orders_take_playback(struct link *link, const struct playback_state *playback,
                               enum orders_socket by, struct mono_time now);
void link_orders_take_request(struct link *link, const struct request_message *request, bool known);
void link_orders_take_playlist(struct link *link);
void link_orders_take_refusal(struct link *link, const char *detail, enum orders_socket by);
/* The fresh state has been applied. */
void link_orders_compare(struct link *link);
/* A try to connect has failed. */
void link_orders_not_connected(struct link *link, const char *why);
/* except: NULL: none. */
void link_orders_end_all(struct link *link, const struct link_order *except, const char *error);

/* --- link_answer.c --- */

void link_take_answer(struct link_order *pending, const struct order *order,
                      const struct http_response *response);

/* --- link_hub.c --- */

void link_hub_finish(struct link *link); /* without a word */

/* --- link_message.c --- */

void link_take_text(struct link_socket *socket, const char *text, size_t bytes,
                    struct mono_time received);
/* What it has said is not wanted any more. */
void link_forget_texts(struct link_socket *socket);

#endif
