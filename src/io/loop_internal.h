/*
 * loop_internal.h: what the WebSocket client needs of loop.c.
 */
#ifndef TUTTI_IO_LOOP_INTERNAL_H
#define TUTTI_IO_LOOP_INTERNAL_H

#include "tutti/io/loop.h"

#include <libwebsockets.h>

/* To lws_set_proxy(), and instead of the http_proxy that lws would read by itself, for any scheme
 * and without regard to no_proxy. */
#define LOOP_NO_PROXY ":0"

/* Around every callback of ours: samples the time and measures how long it took. They nest. */
void loop_enter(struct loop *loop);
void loop_leave(struct loop *loop);

/* For the kernel's stamps of what sockets of this loop receive. */
struct arrival_clock;
struct arrival_clock *loop_arrival_clock(struct loop *loop);

/* Outgoing TLS. Made when first needed: the certificates of all the world's authorities take
 * megabytes, and a house's own backend mostly speaks plain HTTP. NULL on failure (logged). */
struct lws_vhost *loop_tls_vhost(struct loop *loop);
struct lws_vhost *loop_vhost(struct loop *loop); /* for connections without TLS */

/* The protocol under which outgoing WebSockets run. The opaque user data of such a connection is
 * NULL, or of this shape; it is told all that lws tells of the connection, its end included. */
#define LOOP_SOCKET_PROTOCOL_NAME "tutti-websocket"
#define LOOP_SOCKET_RX_BYTES 16384
struct loop_socket {
    int (*on_event)(struct loop_socket *socket, struct lws *wsi, enum lws_callback_reasons reason,
                    void *in, size_t len);
};

#endif
