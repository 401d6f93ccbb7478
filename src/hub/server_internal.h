/*
 * server_internal.h: shared by server.c (context, dispatch), http_peer.c and ws_peer.c.
 */
#ifndef TUTTI_HUB_SERVER_INTERNAL_H
#define TUTTI_HUB_SERVER_INTERNAL_H

#include "body.h"
#include "peers.h"
#include "server.h"

#include <libwebsockets.h>

struct server {
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct service *service;
    struct peers peers;
    struct server_config config;
    lws_sorted_usec_list_t watch; /* for changes that other processes make */
};

#define EXCHANGE_ADDRESS_MAX 64

/* One HTTP transaction. */
struct exchange {
    char method[8];
    char path[256];
    char token[STORE_TOKEN_MAX];
    char address[EXCHANGE_ADDRESS_MAX];
    struct body *body;    /* as far as it has come; NULL: none is wanted */
    cJSON *described;     /* by the query: what a plain PUT says of its track */
    struct reply refusal; /* to be sent when the body has been seen; status 0: none */
    char *answer;         /* JSON still to be sent, after LWS_PRE bytes of room */
    size_t answer_bytes;
    size_t answer_sent;
    int file; /* media still to be sent; -1: none */
    int64_t file_at;
    int64_t file_end;
};

/* What lws keeps per connection: it is one or the other. */
struct connection {
    bool is_peer;
    struct exchange exchange;
    struct peer peer;
};

int http_begin(struct server *server, struct lws *wsi, struct exchange *exchange, const char *path);
int http_body(struct exchange *exchange, const char *bytes, size_t count);
int http_body_complete(struct server *server, struct lws *wsi, struct exchange *exchange);
/* Closes the sockets of those who are not admitted any more. */
void ws_review(struct server *server);

int http_writable(struct lws *wsi, struct exchange *exchange);
void http_finish(struct exchange *exchange);

/* False after the refusal was sent. */
bool ws_admit(struct server *server, struct lws *wsi);
void ws_established(struct server *server, struct lws *wsi, struct peer *peer);
int ws_receive(struct server *server, struct lws *wsi, struct peer *peer, const char *bytes,
               size_t count);

#endif
