/*
 * ws_connect.c: from a URL to an open WebSocket, or to the reason why not.
 *
 * The name is resolved beside the loop and its addresses are tried in turn: lws 4.1 would block on
 * the first and wait long on the second. What a person needs to know of a failure (the HTTP status,
 * what is wrong with a certificate) is fetched from where it is known.
 */
#include "tutti/base/log.h"
#include "tutti/io/mono_clock.h"
#include "ws_client_internal.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An address that does not answer must leave time for the next one. */
#define ATTEMPT_LIMIT_NS (3 * NS_PER_S)

int64_t ws_client_connect_limit_ns = 10 * NS_PER_S;

/* lws 4.1 writes its pings into the buffer that holds the pong it owes, and the peer then gets a
 * pong that answers nothing. ws_alive.c sees to it. */
static const lws_retry_bo_t no_own_pings = {.secs_since_valid_ping = 0};

/* The token in the query is a secret from here on. */
static void hide_token(const char *path)
{
    char token[SERVER_PATH_MAX];
    const char *at = strstr(path, "token=");
    if (!at)
        return;
    snprintf(token, sizeof token, "%.*s", (int)strcspn(at + 6, "&#"), at + 6);
    log_add_secret(token);
}

/* As libcurl reads it. */
static const char *variable(const char *lower, const char *upper)
{
    const char *value = getenv(lower);
    return value && value[0] ? value : upper ? getenv(upper) : NULL;
}

static void choose_proxy(struct ws_client *client)
{
    struct proxy_environment environment = {
        .http_proxy = variable("http_proxy", NULL),
        .https_proxy = variable("https_proxy", "HTTPS_PROXY"),
        .all_proxy = variable("all_proxy", "ALL_PROXY"),
        .no_proxy = variable("no_proxy", "NO_PROXY"),
    };
    client->proxied =
        proxy_choose(&environment, client->address.tls, client->address.host, &client->proxy);
}

bool ws_connect_take_url(struct ws_client *client, const char *url)
{
    const char *problem;
    if (strncmp(url, "ws", 2) != 0 || !server_address_parse(url, &client->address, &problem))
        return false;
    if (!client->address.path[0])
        strcpy(client->address.path, "/");
    hide_token(client->address.path);
    choose_proxy(client);
    return true;
}

/* Where lws connects to; through a proxy it asks that for the rest. */
static bool set_proxy(struct lws_vhost *vhost, const struct ws_client *client, const char *address)
{
    char text[PROXY_LOGIN_MAX + RESOLVER_ADDRESS_MAX + 16];
    const char *login = client->proxy.login;
    if (client->proxied == PROXY_NONE)
        return lws_set_proxy(vhost, LOOP_NO_PROXY) == 0;
    snprintf(text, sizeof text, strchr(address, ':') ? "%s%s[%s]:%d" : "%s%s%s:%d", login,
             login[0] ? "@" : "", address, client->proxy.port);
    return lws_set_proxy(vhost, text) == 0;
}

/* For the Host line, and for the name that the certificate must have: neither has a zone, nor the
 * dot that ends a name. */
static void print_host(const struct server_address *address, char host[SERVER_HOST_MAX + 10])
{
    size_t length = strcspn(address->host, "%");
    if (length > 1 && address->host[length - 1] == '.')
        length--;
    snprintf(host, SERVER_HOST_MAX + 10, address->literal6 ? "[%.*s]:%d" : "%.*s:%d", (int)length,
             address->host, address->port);
}

static bool connect_to(struct ws_client *client, const char *address)
{
    char host[SERVER_HOST_MAX + 10];
    const struct server_address *to = &client->address;
    struct lws_vhost *vhost = to->tls ? loop_tls_vhost(client->loop) : loop_vhost(client->loop);
    if (!vhost || !set_proxy(vhost, client, address))
        return false;
    print_host(to, host);
    struct lws_client_connect_info info = {
        .context = loop_lws_context(client->loop),
        .vhost = vhost,
        .address = client->proxied == PROXY_NONE ? address : to->host,
        .port = to->port,
        .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (to->tls ? (int)LCCSCF_USE_SSL : 0),
        .path = to->path,
        .host = host, /* also the name that the certificate must have */
        .ietf_version_or_minus_one = -1,
        .local_protocol_name = LOOP_SOCKET_PROTOCOL_NAME,
        .pwsi = &client->wsi,
        .retry_and_idle_policy = &no_own_pings,
        .opaque_user_data = &client->socket,
        .alpn = "http/1.1",
    };
    client->connected = false;
    client->calling = true;
    bool started = lws_client_connect_via_info(&info) != NULL;
    client->calling = false;
    if (!started)
        client->wsi = NULL;
    return started;
}

static void set_attempt_timer(struct ws_client *client)
{
    struct mono_time until = mono_add(mono_clock_now(), ATTEMPT_LIMIT_NS);
    bool last = client->next_address == client->addresses.count;
    if (last || mono_sub(until, client->connect_deadline) > 0)
        until = client->connect_deadline;
    loop_timer_set(client->timer, until);
}

static void unreachable(struct ws_client *client, const char *why)
{
    char reason[WS_REASON_MAX];
    if (client->proxied == PROXY_HTTP)
        snprintf(reason, sizeof reason, "%s port %d, by the proxy %s port %d: %s",
                 client->address.host, client->address.port, client->proxy.host, client->proxy.port,
                 why);
    else
        snprintf(reason, sizeof reason, "%s port %d: %s", client->address.host,
                 client->address.port, why);
    ws_client_end(client, WS_CLIENT_UNREACHABLE, 0, reason);
}

static void try_next(struct ws_client *client)
{
    while (client->next_address < client->addresses.count) {
        if (connect_to(client, client->addresses.address[client->next_address++])) {
            set_attempt_timer(client);
            return;
        }
    }
    unreachable(client, "no connection");
}

static void resolved(void *user, const struct resolver_answer *answer)
{
    struct ws_client *client = user;
    client->query = NULL;
    client->addresses = *answer;
    if (answer->count == 0)
        unreachable(client, answer->error);
    else
        try_next(client);
}

void ws_connect_timer_fired(void *user, struct mono_time now)
{
    struct ws_client *client = user;
    if (client->ended) {
        ws_client_tell_end(client);
        return;
    }
    if (mono_sub(client->connect_deadline, now) <= 0) {
        resolver_cancel(client->query);
        client->query = NULL;
        ws_client_drop_connection(client);
        ws_client_end(client, WS_CLIENT_TIMEOUT, 0, "no answer to the connection attempt");
        return;
    }
    if (client->connected) { /* slow, but this one is there */
        loop_timer_set(client->timer, client->connect_deadline);
        return;
    }
    ws_client_drop_connection(client);
    try_next(client);
}

static bool is_numeric(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool is_to_end(struct ws_client *client, const char *why)
{
    unreachable(client, why);
    return true;
}

bool ws_connect_start(struct ws_client *client)
{
    bool proxied = client->proxied == PROXY_HTTP;
    const char *host = proxied ? client->proxy.host : client->address.host;
    client->connect_deadline = mono_add(mono_clock_now(), ws_client_connect_limit_ns);
    if (client->proxied == PROXY_UNUSABLE)
        return is_to_end(client, "the environment's proxy is not one of http://HOST:PORT, as the "
                                 "WebSocket needs: name this host in no_proxy");
    if (is_numeric(host)) {
        snprintf(client->addresses.address[0], sizeof client->addresses.address[0], "%.61s", host);
        client->addresses.count = 1;
        try_next(client);
        return true;
    }
    loop_timer_set(client->timer, client->connect_deadline);
    client->query = resolver_start(client->loop, host, resolved, client);
    return client->query != NULL;
}

/* lws puts an unhelpful number where OpenSSL knows the reason. */
static const char *tls_failure(struct ws_client *client, struct lws *wsi)
{
    SSL *ssl = client->address.tls ? (SSL *)lws_get_ssl(wsi) : NULL;
    long result = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    return result == X509_V_OK ? NULL : X509_verify_cert_error_string(result);
}

/* Of a redirect, without what we had asked for: that has the token in it. */
static void keep_redirect(struct lws *wsi, char hint[WS_REASON_MAX])
{
    char location[WS_REASON_MAX] = "another address";
    if (lws_hdr_copy(wsi, location, sizeof location, WSI_TOKEN_HTTP_LOCATION) <= 0)
        strcpy(location, "another address");
    char *asked = strstr(location, "/ws/sessions");
    if (asked)
        *asked = '\0';
    location[strcspn(location, "?")] = '\0';
    snprintf(hint, WS_REASON_MAX, " (a redirect to %.150s: put that address into url)", location);
}

static void refused(struct ws_client *client, struct lws *wsi, int status)
{
    char reason[WS_REASON_MAX], hint[WS_REASON_MAX] = "";
    if (status == 404)
        strcpy(hint, " (a wrong url, or a backend without its WebSocket library)");
    else if (status >= 300 && status < 400)
        keep_redirect(wsi, hint);
    snprintf(reason, sizeof reason, "the WebSocket is answered with HTTP %d%s", status, hint);
    ws_client_end(client, WS_CLIENT_REFUSED, status, reason);
}

void ws_connect_failed(struct ws_client *client, struct lws *wsi, const char *in, size_t len)
{
    int status = (int)lws_http_client_http_response(wsi);
    bool try_another = !client->connected && client->next_address < client->addresses.count;
    const char *tls = tls_failure(client, wsi);
    char reason[WS_REASON_MAX];
    ws_client_let_go(client);
    /* What is no status at all is no refusal by a backend either. */
    if (status >= 100 && status <= 999 && status != 101) {
        refused(client, wsi, status);
    } else if (try_another) {
        loop_timer_set_in(client->timer, 0);
    } else if (tls) {
        snprintf(reason, sizeof reason, "TLS: %s", tls);
        unreachable(client, reason);
    } else {
        snprintf(reason, sizeof reason, "%.*s", in ? (int)len : 0, in ? in : "");
        unreachable(client, reason[0] ? reason : "no connection");
    }
}
