/*
 * loop_internal.h: what the WebSocket client needs of loop.c, and the other way round.
 */
#ifndef TUTTI_IO_LOOP_INTERNAL_H
#define TUTTI_IO_LOOP_INTERNAL_H

#include "tutti/io/loop.h"

#include <libwebsockets.h>

/* Around every callback of ours: samples the time and measures how long it took. They nest. */
void loop_enter(struct loop *loop);
void loop_leave(struct loop *loop);

/* Outgoing TLS. Made when first needed: the certificates of all the world's authorities take
 * megabytes, and a house's own backend mostly speaks plain HTTP. NULL on failure (logged). */
struct lws_vhost *loop_tls_vhost(struct loop *loop);

/* The protocol under which outgoing WebSockets run; defined by ws_client.c. */
#define WS_CLIENT_PROTOCOL_NAME "tutti-ws-client"
#define WS_CLIENT_RX_BYTES 16384
int ws_client_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t len);

#endif
