/*
 * server.h: the hub's HTTP and WebSocket server.
 */
#ifndef TUTTI_HUB_SERVER_H
#define TUTTI_HUB_SERVER_H

#include "service.h"

#include <stdbool.h>

struct server;

struct server_config {
    const char *address;         /* to bind */
    int port;                    /* 0: any free one */
    const char *tls_certificate; /* PEM files; "": no TLS */
    const char *tls_key;
    unsigned connections;
    size_t frame_bytes;         /* of a message from a client */
    size_t queue_bytes;         /* waiting for a client */
    double messages_per_second; /* from a client */
};

/* Makes itself the service's announcer. NULL after one line in the log. */
struct server *server_create(const struct server_config *config, struct service *service);
void server_destroy(struct server *server);
int server_port(const struct server *server);

/* Serves until *stop becomes true (set by a signal handler). */
void server_run(struct server *server, const volatile bool *stop);
/* From a signal handler: makes server_run() look at *stop. */
void server_wake(struct server *server);

#endif
