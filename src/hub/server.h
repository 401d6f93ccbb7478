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
    size_t waiting_bytes;       /* waiting for all clients */
    double messages_per_second; /* from a client */
    int64_t body_bytes_per_s;   /* that the body of a call must come with at least */
    const char *names;          /* under which it is called, beside its own */
    const char *trusted_proxy;  /* whose X-Forwarded-For is believed */
    bool serves_page;
    const char *page_directory; /* "": the one that was installed */
};

/* Makes itself the service's announcer. NULL after one line in the log. */
struct server *server_create(const struct server_config *config, struct service *service);
void server_destroy(struct server *server);
int server_port(const struct server *server);

/* What of the configuration may change while it runs: all but address, port, TLS and connections.
 */
void server_reconfigure(struct server *server, const struct server_config *config);

/* Serves until *stop becomes true; calls reload when *wanted does (both set by signal handlers). */
void server_run(struct server *server, const volatile bool *stop, volatile bool *wanted,
                void (*reload)(void *user), void *user);
/* From a signal handler: makes server_run() look at *stop. */
void server_wake(struct server *server);

#endif
