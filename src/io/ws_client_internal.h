/*
 * ws_client_internal.h: a connection from its URL to its end, shared by ws_client.c (once it
 * is open), ws_connect.c (until then), ws_alive.c (whether the peer is still there), and below
 * these, ws_queue.c (what is to be sent) and ws_end.c; and what a test shortens, so as not to wait
 * half a minute.
 */
#ifndef TUTTI_IO_WS_CLIENT_INTERNAL_H
#define TUTTI_IO_WS_CLIENT_INTERNAL_H

#include "loop_internal.h"
#include "resolver.h"
#include "tutti/core/proxy.h"
#include "tutti/core/server_address.h"
#include "tutti/io/ws_client.h"
#include "ws_arrival.h"

#include <libwebsockets.h>
#include <stdint.h>

#define WS_REASON_MAX 240

struct ws_message {
    struct ws_message *next;
    enum lws_write_protocol type; /* LWS_WRITE_TEXT or LWS_WRITE_PING */
    size_t bytes;
    unsigned char frame[]; /* LWS_PRE bytes of room, then the text */
};

struct ws_client {
    struct loop_socket socket; /* first: what lws has of us */
    struct loop *loop;
    struct ws_client_handlers handlers;
    void *user;

    struct server_address address;
    enum proxy_kind proxied;
    struct proxy proxy;
    struct resolver_query *query;
    struct resolver_answer addresses;
    int next_address; /* of the proxy, if there is one */
    struct mono_time connect_deadline;
    struct loop_timer *timer; /* the next step of connecting; once open, a look at the silence; or
                               * the end */

    struct lws *wsi;
    bool calling;   /* inside lws_client_connect_via_info() */
    bool creating;  /* inside ws_client_create(): the owner has no pointer yet */
    bool connected; /* TCP, as far as we know */
    bool open;
    bool destroyed; /* by its owner: silent from now on */
    bool ended;
    enum ws_client_end end_kind;
    int end_status;
    char end_reason[WS_REASON_MAX];

    struct ws_arrival arrival;
    struct mono_time opened_at;
    struct mono_time heard_at; /* the last of its messages and pongs */
    bool peer_pings;           /* by itself, so that its silence is longer */
    bool pinged;               /* by us, and nothing has come since */
    struct mono_time pinged_at;
    int close_code;
    char *text; /* the message being assembled */
    size_t text_bytes;
    size_t text_capacity;
    struct ws_message *first;
    struct ws_message **last;
    unsigned queued;
    struct mono_time last_sent_at;
};

/* After how much silence the peer is pinged, and after how much more it is given up. */
struct ws_client_patience {
    int64_t silence_ns;        /* of a peer that has not pinged us */
    int64_t pinged_silence_ns; /* of one that has: longer than uvicorn's 20 s */
    int64_t answer_ns;
};
extern struct ws_client_patience ws_client_patience;
/* How long name, connection, TLS and handshake may take together. */
extern int64_t ws_client_connect_limit_ns;

/* ws_connect.c. False: unusable, or no memory. The timer's callback is ws_connect_timer_fired(). */
bool ws_connect_take_url(struct ws_client *client, const char *url);
bool ws_connect_start(struct ws_client *client);
void ws_connect_timer_fired(void *user, struct mono_time now);
/* lws could not, or did not want to, connect. */
void ws_connect_failed(struct ws_client *client, struct lws *wsi, const char *in, size_t len);

/* ws_end.c. Cuts the link to lws's connection, which goes on, or down, without us. */
void ws_client_let_go(struct ws_client *client);
void ws_client_drop_connection(struct ws_client *client);
/* Calls on_end, once; at once, or from the timer while the owner has no pointer yet. */
void ws_client_end(struct ws_client *client, enum ws_client_end kind, int status,
                   const char *reason);
void ws_client_tell_end(struct ws_client *client);

/* ws_queue.c. False: no memory, or the queue is full. */
bool ws_queue_add(struct ws_client *client, enum lws_write_protocol type, const void *bytes,
                  size_t count);
/* There is one. False: the connection is no good any more. */
bool ws_queue_send_first(struct ws_client *client);
/* lws has room for one; 0, or -1: as lws wants to be told. */
int ws_queue_send_next(struct ws_client *client);

/* ws_alive.c. From the connection's opening on; the timer's callback while it is open. */
void ws_alive_begin(struct ws_client *client);
void ws_alive_check(struct ws_client *client, struct mono_time now);

#endif
