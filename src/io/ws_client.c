/*
 * ws_client.c: an outgoing WebSocket on the loop's libwebsockets context.
 *
 * The client object outlives its handlers: destroying it only silences it; it is freed when lws
 * lets go of the connection. A quiet socket is pinged, and given up when nothing comes back, so
 * that a half-open connection is noticed in half a minute.
 */
#include "tutti/io/ws_client.h"

#include "loop_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/mono_clock.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL_MAX 2048
#define REASON_MAX 200
#define PING_AFTER_S 10
#define GIVE_UP_AFTER_S 25

static const lws_retry_bo_t idle_policy = {
    .secs_since_valid_ping = PING_AFTER_S,
    .secs_since_valid_hangup = GIVE_UP_AFTER_S,
};

struct message {
    struct message *next;
    size_t bytes;
    unsigned char frame[]; /* LWS_PRE bytes of room, then the text */
};

struct ws_client {
    struct loop *loop;
    struct ws_client_handlers handlers;
    void *user;
    struct lws *wsi;
    bool open;
    bool destroyed; /* by its owner: silent from now on */
    bool ended;     /* on_end was called, or is about to be */
    bool starting;  /* inside ws_client_create(): the owner has no pointer yet */
    struct loop_timer *late_end;
    enum ws_client_end end_kind;
    int end_status;
    char end_reason[REASON_MAX];
    int close_code;
    char *text; /* the message being assembled */
    size_t text_bytes;
    size_t text_capacity;
    bool too_large;
    struct message *first;
    struct message **last;
    unsigned queued;
    struct mono_time last_sent_at;
};

static void free_client(void *object)
{
    struct ws_client *client = object;
    while (client->first) {
        struct message *message = client->first;
        client->first = message->next;
        free(message);
    }
    loop_timer_destroy(client->late_end);
    free(client->text);
    free(client);
}

static void tell_end(void *user, struct mono_time now)
{
    struct ws_client *client = user;
    (void)now;
    if (!client->destroyed)
        client->handlers.on_end(client->user, client->end_kind, client->end_status,
                                client->end_reason);
}

static void end(struct ws_client *client, enum ws_client_end kind, int status, const char *reason)
{
    client->open = false;
    if (client->ended || client->destroyed)
        return;
    client->ended = true;
    client->end_kind = kind;
    client->end_status = status;
    snprintf(client->end_reason, sizeof client->end_reason, "%s", reason);
    log_redact(client->end_reason);
    if (client->starting)
        loop_timer_set_in(client->late_end, 0);
    else
        tell_end(client, loop_now(client->loop));
}

static bool append(struct ws_client *client, const void *bytes, size_t count)
{
    size_t wanted = client->text_bytes + count + 1;
    if (wanted > WS_CLIENT_MESSAGE_MAX_BYTES)
        return false;
    if (wanted > client->text_capacity) {
        size_t capacity = wanted * 2;
        char *grown = realloc(client->text, capacity);
        if (!grown)
            return false;
        client->text = grown;
        client->text_capacity = capacity;
    }
    memcpy(client->text + client->text_bytes, bytes, count);
    client->text_bytes += count;
    client->text[client->text_bytes] = '\0';
    return true;
}

/* Rarely needed memory for a huge playlist is given back. */
static void finish_message(struct ws_client *client)
{
    client->text_bytes = 0;
    if (client->text_capacity > 8 * WS_CLIENT_RX_BYTES) {
        free(client->text);
        client->text = NULL;
        client->text_capacity = 0;
    }
}

static int receive(struct ws_client *client, struct lws *wsi, const void *bytes, size_t count)
{
    struct mono_time received = mono_clock_now();
    if (client->destroyed)
        return -1;
    if (!append(client, bytes, count)) {
        end(client, WS_CLIENT_LOST, 1009, "a message is too large");
        return -1;
    }
    if (lws_remaining_packet_payload(wsi) > 0 || !lws_is_final_fragment(wsi))
        return 0;
    if (!lws_frame_is_binary(wsi))
        client->handlers.on_text(client->user, client->text, client->text_bytes, received);
    finish_message(client);
    return client->destroyed ? -1 : 0;
}

static int send_next(struct ws_client *client, struct lws *wsi)
{
    struct message *message = client->first;
    if (client->destroyed) {
        lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1;
    }
    if (!message)
        return 0;
    client->last_sent_at = mono_clock_now();
    int written = lws_write(wsi, message->frame + LWS_PRE, message->bytes, LWS_WRITE_TEXT);
    if (written < (int)message->bytes)
        return -1;
    client->first = message->next;
    if (!client->first)
        client->last = &client->first;
    client->queued--;
    free(message);
    if (client->first)
        lws_callback_on_writable(wsi);
    return 0;
}

static void refuse(struct ws_client *client, struct lws *wsi, const char *in, size_t len)
{
    unsigned status = lws_http_client_http_response(wsi);
    char reason[REASON_MAX];
    snprintf(reason, sizeof reason, "%.*s", in ? (int)len : 0, in ? in : "");
    if (status >= 300 && status != 101) {
        snprintf(reason, sizeof reason, "the handshake was answered with HTTP %u", status);
        end(client, WS_CLIENT_REFUSED, (int)status, reason);
    } else if (strstr(reason, "imed out") || strstr(reason, "imeout")) {
        end(client, WS_CLIENT_TIMEOUT, 0, reason);
    } else {
        end(client, WS_CLIENT_UNREACHABLE, 0, reason[0] ? reason : "no connection");
    }
}

static void note_close_code(struct ws_client *client, const unsigned char *in, size_t len)
{
    if (len >= 2)
        client->close_code = in[0] << 8 | in[1];
}

static void lost(struct ws_client *client)
{
    char reason[REASON_MAX];
    if (client->close_code)
        snprintf(reason, sizeof reason, "closed by the backend with code %d", client->close_code);
    else
        snprintf(reason, sizeof reason, "the connection was lost");
    end(client, WS_CLIENT_LOST, client->close_code, reason);
}

static int dispatch(struct ws_client *client, struct lws *wsi, enum lws_callback_reasons reason,
                    void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        client->open = true;
        if (client->destroyed)
            return -1;
        client->handlers.on_open(client->user, loop_now(client->loop));
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return receive(client, wsi, in, len);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return send_next(client, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        note_close_code(client, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        refuse(client, wsi, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        lost(client);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        if (!client->ended && !client->destroyed)
            lost(client);
        client->wsi = NULL;
        lws_set_opaque_user_data(wsi, NULL);
        if (client->destroyed)
            loop_defer_free(client->loop, free_client, client);
        return 0;
    default:
        return 0;
    }
}

int ws_client_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t len)
{
    (void)user;
    struct ws_client *client = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    if (!client)
        return 0;
    struct loop *loop = client->loop;
    loop_enter(loop);
    int result = dispatch(client, wsi, reason, in, len);
    loop_leave(loop);
    return result;
}

static bool start_connecting(struct ws_client *client, const char *url)
{
    char parts[URL_MAX];
    const char *scheme, *address, *path;
    int port;
    if (strlen(url) >= sizeof parts)
        return false;
    strcpy(parts, url);
    if (lws_parse_uri(parts, &scheme, &address, &port, &path) != 0)
        return false;
    bool tls = strcmp(scheme, "wss") == 0;
    if (!tls && strcmp(scheme, "ws") != 0)
        return false;
    char full_path[URL_MAX];
    snprintf(full_path, sizeof full_path, "/%s", path);
    char host[300];
    snprintf(host, sizeof host, "%.255s:%d", address, port);
    struct lws_client_connect_info info = {
        .context = loop_lws_context(client->loop),
        .vhost = tls ? loop_tls_vhost(client->loop) : NULL,
        .address = address,
        .port = port,
        .ssl_connection = tls ? LCCSCF_USE_SSL : 0,
        .path = full_path,
        .host = host,
        .ietf_version_or_minus_one = -1,
        .local_protocol_name = WS_CLIENT_PROTOCOL_NAME,
        .pwsi = &client->wsi,
        .retry_and_idle_policy = &idle_policy,
        .opaque_user_data = client,
        .alpn = "http/1.1",
    };
    client->starting = true;
    lws_client_connect_via_info(&info);
    client->starting = false;
    return true;
}

struct ws_client *ws_client_create(struct loop *loop, const char *url,
                                   const struct ws_client_handlers *handlers, void *user)
{
    struct ws_client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    client->loop = loop;
    client->handlers = *handlers;
    client->user = user;
    client->last = &client->first;
    client->late_end = loop_timer_create(loop, tell_end, client);
    if (!client->late_end || !start_connecting(client, url)) {
        log_error("the backend's WebSocket address is not usable");
        free_client(client);
        return NULL;
    }
    return client;
}

void ws_client_destroy(struct ws_client *client)
{
    if (!client || client->destroyed)
        return;
    client->destroyed = true;
    if (!client->wsi)
        loop_defer_free(client->loop, free_client, client);
    else if (client->open)
        lws_callback_on_writable(client->wsi);
    else
        lws_set_timeout(client->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
}

bool ws_client_is_open(const struct ws_client *client)
{
    return client->open && !client->destroyed;
}

bool ws_client_send(struct ws_client *client, const char *text)
{
    size_t bytes = strlen(text);
    if (!ws_client_is_open(client) || client->queued >= WS_CLIENT_QUEUE_MAX)
        return false;
    struct message *message = malloc(sizeof *message + LWS_PRE + bytes);
    if (!message)
        return false;
    message->next = NULL;
    message->bytes = bytes;
    memcpy(message->frame + LWS_PRE, text, bytes);
    *client->last = message;
    client->last = &message->next;
    client->queued++;
    lws_callback_on_writable(client->wsi);
    return true;
}

struct mono_time ws_client_last_sent_at(const struct ws_client *client)
{
    return client->last_sent_at;
}
