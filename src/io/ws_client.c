/*
 * ws_client.c: an outgoing WebSocket on the loop's libwebsockets context.
 *
 * The client and lws's connection point at each other; whoever goes first cuts the link, so that
 * destroying the client is safe anywhere: the connection it leaves behind drains itself until the
 * peer has closed too.
 */
#include "tutti/io/ws_client.h"

#include "tutti/base/log.h"
#include "tutti/io/mono_clock.h"
#include "ws_client_internal.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* How long the peer may take to close its side when we have left. */
#define LINGER_S 3
/* lws-write.h keeps this place of its enum free and does not name it. */
#define WRITE_CLOSE_FRAME ((enum lws_write_protocol)4)
#define KEEP_TEXT_BYTES 131072u /* 128 KiB */

/* --- the end --- */

static void free_client(void *object)
{
    struct ws_client *client = object;
    while (client->first) {
        struct ws_message *message = client->first;
        client->first = message->next;
        free(message);
    }
    free(client->text);
    free(client);
}

/* --- messages --- */

static bool append(struct ws_client *client, const void *bytes, size_t count)
{
    size_t wanted = client->text_bytes + count + 1;
    if (wanted > WS_CLIENT_MESSAGE_MAX_BYTES + 1)
        return false;
    if (wanted > client->text_capacity) {
        /* What is long gets all the room that it may need: growing step by step would copy
         * megabytes. Room that is not used costs nothing. */
        size_t capacity = wanted <= KEEP_TEXT_BYTES ? wanted * 2 : WS_CLIENT_MESSAGE_MAX_BYTES + 1;
        char *grown = realloc(client->text, capacity);
        if (!grown)
            return false;
        client->text = grown;
        client->text_capacity = capacity;
    }
    if (count > 0)
        memcpy(client->text + client->text_bytes, bytes, count);
    client->text_bytes += count;
    client->text[client->text_bytes] = '\0';
    return true;
}

/* Rarely needed memory for a huge playlist is given back. */
static void finish_message(struct ws_client *client)
{
    client->text_bytes = 0;
    if (client->text_capacity <= KEEP_TEXT_BYTES)
        return;
    free(client->text);
    client->text = NULL;
    client->text_capacity = 0;
}

static int receive(struct ws_client *client, struct lws *wsi, const void *bytes, size_t count)
{
    struct mono_time received = mono_clock_now();
    client->heard_at = received;
    received = ws_arrival_time(&client->arrival, received);
    loop_note_work(client->loop, 0, count);
    if (!append(client, bytes, count)) {
        ws_client_drop_connection(client);
        ws_client_end(client, WS_CLIENT_LOST, 1009, "a message is too large");
        return 0;
    }
    if (lws_remaining_packet_payload(wsi) > 0 || !lws_is_final_fragment(wsi))
        return 0;
    if (!lws_frame_is_binary(wsi))
        client->handlers.on_text(client->user, client->text, client->text_bytes, received);
    finish_message(client); /* destroyed or not: its memory is there until the loop's next round */
    return 0;
}

/* --- what lws tells --- */

static void closed(struct ws_client *client)
{
    char reason[WS_REASON_MAX];
    ws_client_let_go(client);
    if (client->close_code) {
        bool vague = client->close_code == LWS_CLOSE_STATUS_PROTOCOL_ERR;
        snprintf(reason, sizeof reason, "closed by the backend with code %d%s", client->close_code,
                 vague ? " (which may be a restart's 1012)" : "");
        ws_client_end(client, WS_CLIENT_LOST, client->close_code, reason);
    } else {
        ws_client_end(client, WS_CLIENT_LOST, 0, "the connection was lost");
    }
}

static void opened(struct ws_client *client)
{
    client->open = true;
    client->heard_at = mono_clock_now();
    ws_arrival_start(&client->arrival, client->loop, lws_get_socket_fd(client->wsi));
    ws_alive_begin(client);
    client->handlers.on_open(client->user, client->heard_at);
}

/* lws 4.1 replaces the codes 1012 to 1014 by 1002 before it tells: no such code is to be trusted
 * in detail. */
static void note_close_code(struct ws_client *client, const unsigned char *in, size_t len)
{
    client->close_code = len >= 2 ? in[0] << 8 | in[1] : 1005;
}

static int dispatch(struct ws_client *client, struct lws *wsi, enum lws_callback_reasons reason,
                    void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_WSI_CREATE:
        client->connected = true;
        return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        opened(client);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return receive(client, wsi, in, len);
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        client->heard_at = mono_clock_now();
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return ws_queue_send_next(client);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        note_close_code(client, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        ws_connect_failed(client, wsi, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        closed(client);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY: /* without one of the two before */
        if (client->open)
            closed(client);
        else if (!client->calling)
            ws_connect_failed(client, wsi, NULL, 0);
        return 0;
    default:
        return 0;
    }
}

static int take_event(struct loop_socket *socket, struct lws *wsi, enum lws_callback_reasons reason,
                      void *in, size_t len)
{
    struct ws_client *client = (struct ws_client *)socket;
    struct loop *loop = client->loop;
    loop_enter(loop);
    int result = dispatch(client, wsi, reason, in, len);
    loop_leave(loop);
    return result;
}

/* --- the owner's side --- */

static void timer_fired(void *user, struct mono_time now)
{
    struct ws_client *client = user;
    if (client->open)
        ws_alive_check(client, now);
    else
        ws_connect_timer_fired(client, now);
}

struct ws_client *ws_client_create(struct loop *loop, const char *url,
                                   const struct ws_client_handlers *handlers, void *user)
{
    struct ws_client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    client->socket.on_event = take_event;
    client->loop = loop;
    client->handlers = *handlers;
    client->user = user;
    client->last = &client->first;
    client->timer = loop_timer_create(loop, timer_fired, client);
    client->creating = true;
    if (!client->timer || !ws_connect_take_url(client, url) || !ws_connect_start(client)) {
        log_error("the backend's WebSocket address is not usable: it must be ws://HOST/PATH or "
                  "wss://HOST/PATH");
        ws_client_destroy(client);
        return NULL;
    }
    client->creating = false;
    return client;
}

/*
 * A Close frame, and our side shut at once: a peer that is just broadcasting then sees a client
 * that has left, not a broken one. What is still queued goes before it.
 */
static void say_goodbye(struct ws_client *client)
{
    unsigned char close_frame[LWS_PRE + 2];
    while (client->first) {
        if (!ws_queue_send_first(client))
            return;
    }
    close_frame[LWS_PRE] = LWS_CLOSE_STATUS_NORMAL >> 8;
    close_frame[LWS_PRE + 1] = LWS_CLOSE_STATUS_NORMAL & 0xff;
    if (lws_write(client->wsi, close_frame + LWS_PRE, 2, WRITE_CLOSE_FRAME) < 0)
        return;
    if (lws_partial_buffered(client->wsi))
        return; /* the network is choked: lws sends the rest, and the peer closes */
    if (client->address.tls)
        SSL_shutdown((SSL *)lws_get_ssl(client->wsi));
    shutdown(lws_get_socket_fd(client->wsi), SHUT_WR);
}

void ws_client_destroy(struct ws_client *client)
{
    if (!client || client->destroyed)
        return;
    client->destroyed = true;
    loop_timer_destroy(client->timer);
    resolver_cancel(client->query);
    if (client->open) {
        say_goodbye(client);
        lws_set_timeout(client->wsi, PENDING_TIMEOUT_CLOSE_ACK, LINGER_S);
        ws_client_let_go(client);
    } else {
        ws_client_drop_connection(client);
    }
    loop_defer_free(client->loop, free_client, client);
}

char *ws_client_take_text(struct ws_client *client)
{
    char *text = client->text;
    client->text = NULL;
    client->text_capacity = 0;
    return text;
}

bool ws_client_is_open(const struct ws_client *client)
{
    return client->open && !client->destroyed;
}

bool ws_client_send(struct ws_client *client, const char *text)
{
    return ws_client_is_open(client) && ws_queue_add(client, LWS_WRITE_TEXT, text, strlen(text));
}

struct mono_time ws_client_last_sent_at(const struct ws_client *client)
{
    return client->last_sent_at;
}
