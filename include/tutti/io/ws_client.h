/*
 * ws_client.h: one outgoing WebSocket of text messages.
 */
#ifndef TUTTI_IO_WS_CLIENT_H
#define TUTTI_IO_WS_CLIENT_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct ws_client;

/* A playlist of thousands of items is a legitimate message; beyond this the socket is closed. */
#define WS_CLIENT_MESSAGE_MAX_BYTES 8388608u /* 8 MiB */
#define WS_CLIENT_QUEUE_MAX 64

enum ws_client_end {
    WS_CLIENT_REFUSED,     /* the handshake was answered with an HTTP status */
    WS_CLIENT_UNREACHABLE, /* no connection, name not found, TLS failure */
    WS_CLIENT_LOST,        /* was open; closed by the peer or the network */
    WS_CLIENT_TIMEOUT,     /* no answer to the handshake, or to our pings */
};

struct ws_client_handlers {
    void (*on_open)(void *user, struct mono_time now);
    /* text is NUL-terminated, valid during the call; received: when its last byte
     * arrived, by the kernel's stamp where it is to be had; else when it was read */
    void (*on_text)(void *user, const char *text, size_t bytes, struct mono_time received);
    /* The last callback. status: HTTP status of a refusal or WebSocket close code, 0 if none.
     * reason: one line for people. Not called after ws_client_destroy(). */
    void (*on_end)(void *user, enum ws_client_end end, int status, const char *reason);
};

/* Connects at once. url: ws:// or wss:// with path and query (which holds the token: never
 * logged). NULL when out of memory or the URL is unusable (logged). */
struct ws_client *ws_client_create(struct loop *loop, const char *url,
                                   const struct ws_client_handlers *handlers, void *user);

/* Sends a Close frame and shuts our side down at once; safe inside callbacks; NULL is fine. */
void ws_client_destroy(struct ws_client *client);

/* In on_text: its text becomes the caller's, to be freed with free(). */
char *ws_client_take_text(struct ws_client *client);

bool ws_client_is_open(const struct ws_client *client);

/* Copied and queued. False when not open or the queue is full. */
bool ws_client_send(struct ws_client *client, const char *text);

/* When the most recently sent message was handed to the kernel; 0 before the first. */
struct mono_time ws_client_last_sent_at(const struct ws_client *client);

#endif
