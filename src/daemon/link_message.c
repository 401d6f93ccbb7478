/*
 * link_message.c: what passes over the socket: the backend's messages in, probes of its clock out.
 */
#include "link_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/mono_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void send_probe(struct link *link, struct mono_time now)
{
    struct sync_ack ack = {.state = "paused"};
    if (!link->live || !ws_client_is_open(link->live->client))
        return;
    link->handlers.fill_ack(link->user, &ack, now);
    ack.client_time = wall_clock_now();
    ack.sequence = ++link->sequence;
    char *text = protocol_build_sync_ack(&ack);
    if (!text)
        return;
    link->probes[ack.sequence % LINK_PROBES] = (struct link_probe){ack.sequence, mono_clock_now()};
    ws_client_send(link->live->client, text);
    free(text);
    server_clock_probe_sent(link->config.clock, now);
}

static void set_probe_timer(struct link *link)
{
    struct mono_time next = server_clock_next_probe(link->config.clock);
    if (next.ns != INT64_MAX)
        loop_timer_set(link->probe, next);
}

void link_send_probe(struct link *link, struct mono_time now)
{
    send_probe(link, now);
    set_probe_timer(link);
}

void link_probe_fired(void *user, struct mono_time now)
{
    struct link *link = user;
    if (mono_sub(server_clock_next_probe(link->config.clock), now) <= 0)
        send_probe(link, now);
    set_probe_timer(link);
}

static void take_echo(struct link *link, const struct echo_message *echo, struct mono_time received)
{
    const struct link_probe *probe = &link->probes[(uint64_t)echo->sequence % LINK_PROBES];
    if (probe->sequence != echo->sequence)
        return;
    /* If nothing was sent since, the socket knows better when it went out than its queue does. */
    struct mono_time sent_at = probe->sent_at;
    if (echo->sequence == link->sequence && !orders_on_socket(&link->orders))
        sent_at = ws_client_last_sent_at(link->live->client);
    server_clock_add_echo(link->config.clock, sent_at, received, echo->server_received_at,
                          echo->server_sent_at);
    set_probe_timer(link);
}

static void take_playback(struct link *link, struct protocol_message *message,
                          struct mono_time received)
{
    struct server_time updated_at = message->playback.updated_at;
    server_clock_add_stamp(link->config.clock, received, updated_at);
    link->handlers.on_stamp(link->user, updated_at, received);
    set_probe_timer(link); /* a stamp that cannot be is looked into at once */
    link_orders_take_playback(link, &message->playback, received);
    link_apply(link, message, received);
}

static void take_message(struct link *link, struct protocol_message *message,
                         struct mono_time received)
{
    switch (message->type) {
    case MESSAGE_PLAYBACK_STATE:
        take_playback(link, message, received);
        break;
    case MESSAGE_PLAYLIST:
        link_apply(link, message, received);
        link_orders_take_playlist(link);
        break;
    case MESSAGE_REQUEST:
        link_apply(link, message, received);
        link_orders_take_request(link, &message->request);
        break;
    case MESSAGE_ECHO:
        take_echo(link, &message->echo, received);
        break;
    case MESSAGE_ERROR:
        link_orders_take_refusal(link, message->detail);
        break;
    case MESSAGE_UNKNOWN:
        break;
    }
}

static void adopt_if_complete(struct link *link, struct link_socket *socket, struct mono_time now)
{
    if (session_opening_is_complete(&socket->opening))
        link_adopt(link, socket, now);
}

static void take_initial(struct link *link, struct link_socket *socket,
                         struct protocol_message *message, struct mono_time now)
{
    link_tell_change(link, session_apply_opening(link->config.session, &socket->opening, message),
                     now);
    if (message->type == MESSAGE_REQUEST)
        link_orders_take_request(link, &message->request);
    adopt_if_complete(link, socket, now);
}

/* One that nobody can use: said, though not each time, and the last good state stays. */
static void take_odd(struct link *link, struct link_socket *socket, enum message_type type,
                     const char *reason, struct mono_time now)
{
    unsigned withheld;
    bool opens = socket == link->fresh;
    if (session_note_odd(link->config.session, opens ? &socket->opening : NULL, type, reason, now,
                         &withheld)) {
        char others[48] = "";
        if (withheld > 0)
            snprintf(others, sizeof others, " (%u odd ones before were not logged)", withheld);
        log_warn("backend: %s; the last good state stays%s", reason, others);
    }
    if (opens)
        adopt_if_complete(link, socket, now);
}

static void take(struct link_socket *socket, bool good, struct protocol_message *message,
                 const char *reason, struct mono_time received)
{
    struct link *link = socket->link;
    if (!good)
        take_odd(link, socket, message->type, reason, received);
    else if (socket == link->live)
        take_message(link, message, received);
    else
        take_initial(link, socket, message, received);
}

/* --- what is long, and what comes after it ------------------------------------------------- */

void link_forget_texts(struct link_socket *socket)
{
    for (int i = 0; i < socket->text_count; i++)
        texts_cancel(socket->texts[i]);
    socket->text_count = 0;
    socket->text_bytes = 0;
}

/* The first of them: they are parsed in their order. */
static void text_parsed(void *user, struct text *text, struct parsed *parsed)
{
    struct link_socket *socket = user;
    (void)text;
    socket->text_count--;
    socket->text_bytes -= parsed->bytes;
    memmove(socket->texts, socket->texts + 1, (size_t)socket->text_count * sizeof(struct text *));
    take(socket, parsed->good, &parsed->message, parsed->reason, parsed->received);
}

/* Order matters: a state that follows a playlist is about that playlist. */
static void parse_later(struct link_socket *socket, size_t bytes, struct mono_time received)
{
    struct text_source source = {TEXT_MESSAGE, ws_client_take_text(socket->client), bytes,
                                 received};
    struct text *text = texts_parse(socket->link->config.reader, &source, text_parsed, socket);
    if (!text) {
        link_socket_ended(socket->link, socket, WS_CLIENT_LOST, 0, "out of memory");
        return;
    }
    socket->texts[socket->text_count++] = text;
    socket->text_bytes += bytes;
}

static void on_text(void *user, const char *text, size_t bytes, struct mono_time received)
{
    struct link_socket *socket = user;
    struct protocol_message message;
    char reason[PROTOCOL_REASON_MAX];
    if (socket->text_count == LINK_TEXTS_MAX || socket->text_bytes + bytes > LINK_TEXTS_MAX_BYTES) {
        link_socket_ended(socket->link, socket, WS_CLIENT_LOST, 0,
                          "the backend says more than this speaker can read");
        return;
    }
    if (socket->text_count > 0 || bytes > TEXTS_AT_ONCE_BYTES) {
        parse_later(socket, bytes, received);
        return;
    }
    loop_note_work(socket->link->loop, 0, bytes);
    bool good = protocol_parse(text, bytes, &message, reason);
    take(socket, good, &message, reason, received);
    if (good)
        protocol_message_finish(&message);
}

static void on_open(void *user, struct mono_time now)
{
    (void)user;
    (void)now;
}

static void on_end(void *user, enum ws_client_end end, int status, const char *reason)
{
    struct link_socket *socket = user;
    link_socket_ended(socket->link, socket, end, status, reason);
}

const struct ws_client_handlers link_socket_handlers = {on_open, on_text, on_end};
