/*
 * metrics_server.c: a vhost of its own in the loop's libwebsockets context.
 *
 * An answer is made whole when the call comes, and written when the socket takes it. There is one
 * page, and no request has a body; connections are few and short-lived.
 */
#include "tutti/io/metrics_server.h"

#include "loop_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/http_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_MAX 128
/* A scraper needs one or two; the speaker needs the other descriptors. */
#define CONNECTIONS_MAX 16
#define TIMEOUT_S 10

struct metrics_server {
    struct loop *loop;
    struct lws_vhost *vhost;
    char *(*text)(void *user);
    void *user;
    char address[ADDRESS_MAX];
    int connections;
};

/* What lws keeps per connection for us. */
struct answer {
    unsigned char *body; /* LWS_PRE bytes of room, then the text */
    size_t bytes;
    size_t sent;
};

static void forget(struct answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}

/* The text is copied behind the room that lws wants before it. */
static bool keep_body(struct answer *answer, char *text)
{
    forget(answer);
    answer->sent = 0;
    answer->bytes = text ? strlen(text) : 0;
    answer->body = text ? malloc(LWS_PRE + answer->bytes + 1) : NULL;
    if (answer->body)
        memcpy(answer->body + LWS_PRE, text, answer->bytes);
    free(text);
    return answer->body != NULL;
}

static int begin(struct metrics_server *server, struct lws *wsi, struct answer *answer,
                 const char *path)
{
    struct http_answer headers;
    bool known = strcmp(path, "/metrics") == 0;
    bool get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
    char *text = known && get ? server->text(server->user) : strdup(get ? "see /metrics\n" : "");
    if (!keep_body(answer, text))
        return HTTP_ANSWER_HANG_UP;
    http_answer_begin(&headers, wsi,
                      !get    ? HTTP_STATUS_METHOD_NOT_ALLOWED
                      : known ? HTTP_STATUS_OK
                              : HTTP_STATUS_NOT_FOUND);
    http_answer_header(&headers, "content-type:", "text/plain; version=0.0.4; charset=utf-8");
    if (http_answer_send_headers(&headers, (int64_t)answer->bytes) != 0)
        return HTTP_ANSWER_HANG_UP;
    lws_callback_on_writable(wsi);
    return 0;
}

static int write_on(struct lws *wsi, struct answer *answer)
{
    int result =
        answer->body ? http_answer_write(wsi, answer->body, answer->bytes, &answer->sent) : 0;
    if (result == HTTP_ANSWER_HANG_UP)
        forget(answer);
    return result;
}

static int serve(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                 size_t len)
{
    struct lws_vhost *vhost = lws_get_vhost(wsi);
    struct metrics_server *server = vhost ? lws_vhost_user(vhost) : NULL;
    struct answer *answer = user;
    int result = 0;
    (void)len;
    if (!server)
        return 0;
    loop_enter(server->loop);
    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        result = server->connections >= CONNECTIONS_MAX ? -1 : 0;
        break;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        server->connections++;
        break;
    case LWS_CALLBACK_WSI_DESTROY: /* also of the listening socket, at the end */
        server->connections--;
        break;
    /* A WebSocket would have no timeout, and hold its place for ever; of a call for anything else
     * lws 4.1 goes on with what it has freed. */
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        result = -1;
        break;
    case LWS_CALLBACK_HTTP:
        result = begin(server, wsi, answer, in);
        break;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        result = write_on(wsi, answer);
        break;
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        if (answer)
            forget(answer);
        break;
    default:
        break;
    }
    loop_leave(server->loop);
    return result;
}

static const struct lws_protocols protocols[] = {
    {.name = "tutti-metrics", .callback = serve, .per_session_data_size = sizeof(struct answer)},
    {0},
};

/* "[::1]:9109" and "127.0.0.1:9109"; the table of options has seen to it that there is a port. */
static int split(const char *listen, char address[ADDRESS_MAX])
{
    const char *colon = strrchr(listen, ':');
    size_t length = (size_t)(colon - listen);
    if (listen[0] == '[' && length > 2 && listen[length - 1] == ']') {
        listen++;
        length -= 2;
    }
    snprintf(address, ADDRESS_MAX, "%.*s", (int)length, listen);
    return atoi(colon + 1);
}

struct metrics_server *metrics_server_create(struct loop *loop, const char *listen,
                                             char *(*text)(void *user), void *user)
{
    struct metrics_server *server = calloc(1, sizeof *server);
    if (!server)
        return NULL;
    *server = (struct metrics_server){.loop = loop, .text = text, .user = user};
    struct lws_context_creation_info info = {
        .vhost_name = "metrics",
        .port = split(listen, server->address),
        .iface = server->address,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
        .timeout_secs = TIMEOUT_S,
        .keepalive_timeout = TIMEOUT_S,
        .user = server,
    };
    server->vhost = lws_create_vhost(loop_lws_context(loop), &info);
    if (!server->vhost) {
        log_error("metrics: cannot listen on %s; going on without", listen);
        free(server);
        return NULL;
    }
    log_info("metrics: http://%s, port %d", server->address, metrics_server_port(server));
    return server;
}

int metrics_server_port(const struct metrics_server *server)
{
    return lws_get_vhost_listen_port(server->vhost);
}

void metrics_server_destroy(struct metrics_server *server)
{
    free(server);
}
