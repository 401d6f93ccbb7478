/*
 * proxy.h: which proxy an address is reached by, as libcurl reads the environment.
 */
#ifndef TUTTI_CORE_PROXY_H
#define TUTTI_CORE_PROXY_H

#include <stdbool.h>

#define PROXY_HOST_MAX 100
#define PROXY_LOGIN_MAX 96

/* Values of variables; NULL: not set. As libcurl, lower case counts before upper case, and there is
 * no HTTP_PROXY: a web server would set that from a request's header. */
struct proxy_environment {
    const char *http_proxy;
    const char *https_proxy;
    const char *all_proxy;
    const char *no_proxy;
};

enum proxy_kind {
    PROXY_NONE,
    PROXY_HTTP,
    PROXY_UNUSABLE, /* for a WebSocket: SOCKS, TLS to the proxy, or what cannot be read */
};

struct proxy {
    char host[PROXY_HOST_MAX]; /* without brackets */
    int port;
    char login[PROXY_LOGIN_MAX]; /* "user:password"; "" none */
};

/* host: lower case, without brackets. */
enum proxy_kind proxy_choose(const struct proxy_environment *environment, bool tls,
                             const char *host, struct proxy *ret_proxy);

#endif
