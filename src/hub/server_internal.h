/*
 * server_internal.h: shared by server.c (context, dispatch), http_peer.c and ws_peer.c.
 */
#ifndef TUTTI_HUB_SERVER_INTERNAL_H
#define TUTTI_HUB_SERVER_INTERNAL_H

#include "address.h"
#include "body.h"
#include "peers.h"
#include "server.h"
#include "tidy.h"

#include <libwebsockets.h>

struct background;
struct page;
struct page_body;

struct server {
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct service *service;
    struct background *background; /* what waits for the disk */
    struct background *measuring;  /* what waits for a decoder */
    struct background *describing; /* what nobody waits for */
    struct page *page;             /* NULL: none is served */
    struct peers peers;
    struct share_table connections; /* by address */
    struct share_table sockets;     /* by user */
    struct share_table held;        /* bytes of bodies and answers, by address */
    struct rate_table told;         /* kB of long answers, by address */
    struct server_config config;
    char machine[256];            /* its name */
    lws_sorted_usec_list_t watch; /* for changes that other processes make */
    struct tidy tidy;
    lws_sorted_usec_list_t turn; /* for the end of a track */
    lws_sorted_usec_list_t tell; /* for what speakers say of themselves */
    unsigned watched;
};

struct caller_address {
    char group[ADDRESS_MAX]; /* by which he is counted */
    bool is_proxy;           /* it is the trusted proxy's own */
};

/* Who calls: the connection's other end, or whom a trusted proxy names. */
void server_take_address(const struct server *server, struct lws *wsi, struct caller_address *ret);
/* Under one of our names, and not by somebody else's web page. If not, ret_refusal (unless NULL).
 */
bool server_is_called_rightly(const struct server *server, struct lws *wsi,
                              struct reply *ret_refusal);

/* There may be news of speakers. */
void server_tell_speakers(struct server *server);

/* One HTTP transaction. */
struct exchange {
    struct server *server;
    struct lws *wsi;
    char method[8];
    char path[256];
    char token[STORE_TOKEN_MAX];
    char address[ADDRESS_MAX];
    struct body *body; /* as far as it has come; NULL: none is wanted */
    bool receiving;    /* its end has not come */
    int64_t counted;   /* bytes of it, or of the answer, since the pace was looked at */
    size_t held;       /* of the server's: bytes in memory beyond the first few */
    size_t in_memory;
    cJSON *described;            /* by the query: what a plain PUT says of its track */
    cJSON *json;                 /* what the body said, while its track is on its way to the disk */
    struct media_upload *upload; /* the body's */
    struct upload_slot slot;
    bool settled;                  /* the track is on the disk */
    struct reply refusal;          /* to be sent when the body has been seen; status 0: none */
    struct reply delayed;          /* to be sent later; status 0: none */
    bool is_due;                   /* it is later */
    struct library_search *search; /* under way; NULL: none is */
    struct reply found;            /* by it, to be sent; status 0: none */
    char *answer;                  /* JSON still to be sent, after LWS_PRE bytes of room */
    size_t answer_bytes;
    size_t answer_sent;
    const struct page_body *page_body; /* still to be sent; NULL: none */
    struct file_reading *reading;      /* of a directory's file, still to be sent; NULL: none */
    int file;                          /* media still to be sent; -1: none */
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
int http_body_complete(struct exchange *exchange);
/* The time that was asked for is over. */
int http_timer(struct exchange *exchange);
int http_writable(struct exchange *exchange);
void http_finish(struct exchange *exchange);

/* False after the refusal was sent. */
bool ws_admit(struct server *server, struct lws *wsi);
void ws_established(struct server *server, struct lws *wsi, struct peer *peer);
void ws_closed(struct server *server, struct peer *peer);
int ws_receive(struct server *server, struct lws *wsi, struct peer *peer, const char *bytes,
               size_t count);
/* Tells the next pending request, if it is its turn. */
void ws_tell_pending(struct server *server, struct peer *peer);
/* Closes the sockets of those who are not admitted any more. */
void ws_review(struct server *server);

#endif
