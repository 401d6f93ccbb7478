/*
 * server_address.h: where the backend is: one reading of its address, for REST and WebSocket alike.
 *
 * Only what both can use is taken; of the rest it is said what to write instead.
 */
#ifndef TUTTI_CORE_SERVER_ADDRESS_H
#define TUTTI_CORE_SERVER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* libwebsockets cuts its Host line at 128 characters, and its request line at 2048. */
#define SERVER_HOST_MAX 100
#define SERVER_PATH_MAX 1900

struct server_address {
    bool tls;
    bool literal6;              /* host is an IPv6 address */
    char host[SERVER_HOST_MAX]; /* lower case, without brackets; an IPv6 one may end in %ZONE */
    int port;                   /* the scheme's own where none is given */
    char path[SERVER_PATH_MAX]; /* with the query; begins with a slash, or is "" */
};

/*
 * "http://", "https://", "ws://" or "wss://" HOST[:PORT][/PATH][?QUERY]. False with a problem
 * (static, for people, with the remedy) for what cannot work.
 */
bool server_address_parse(const char *text, struct server_address *ret, const char **ret_problem);

/* scheme: "http" or "ws", to which an s is added as needed; no path. False when it does not fit. */
bool server_address_print(const struct server_address *address, const char *scheme, char *to,
                          size_t size);

#endif
