/*
 * link_message.c: what a socket says, message by message in its order: what is long is parsed
 * beside the loop, and what comes after it waits.
 */
#include "link_internal.h"

#include <string.h>

/* The clock's evidence first, then what it ends, then what it says. */
static void take_playback(struct link *link, struct protocol_message *message,
                          struct mono_time received)
{
    link_take_stamp(link, message->playback.updated_at, received);
    link_orders_take_playback(link, &message->playback, ORDERS_BY_LIVE, received);
    link_apply(link, message, received);
}

static bool is_known(const struct link *link, const struct protocol_message *message)
{
    return message->type == MESSAGE_REQUEST &&
           requests_find(&link->config.session->requests, message->request.id);
}

static void take_message(struct link *link, struct protocol_message *message,
                         struct mono_time received)
{
    bool known = is_known(link, message);
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
        link_orders_take_request(link, &message->request, known);
        break;
    case MESSAGE_NEXT_STATE:
    case MESSAGE_SETTINGS:
        link_apply(link, message, received);
        break;
    case MESSAGE_COMMAND:
        link->handlers.on_command(link->user, &message->command, received);
        break;
    case MESSAGE_ECHO:
        link_take_echo(link, &message->echo, received);
        break;
    case MESSAGE_ERROR:
        link_orders_take_refusal(link, message->detail, ORDERS_BY_LIVE);
        break;
    case MESSAGE_UNKNOWN:
        break;
    }
}

/* What was on its way when the socket was replaced. Its stamp says nothing of the clock: whoever
 * leaves holds up what is told to the rest. */
static void take_late(struct link *link, struct protocol_message *message,
                      struct mono_time received)
{
    bool known = is_known(link, message);
    link_apply_late(link, message, received);
    if (message->type == MESSAGE_PLAYBACK_STATE)
        link_orders_take_playback(link, &message->playback, ORDERS_BY_REPLACED, received);
    else if (message->type == MESSAGE_REQUEST)
        link_orders_take_request(link, &message->request, known);
    else if (message->type == MESSAGE_COMMAND)
        link->handlers.on_command(link->user, &message->command, received);
    else if (message->type == MESSAGE_ERROR)
        link_orders_take_refusal(link, message->detail, ORDERS_BY_REPLACED);
}

/* The old socket may have missed a request; all else counts when the new one is adopted. */
static void take_opening(struct link_socket *socket, struct protocol_message *message,
                         struct mono_time now)
{
    bool known = is_known(socket->link, message);
    link_apply_opening(socket, message, now);
    if (message->type == MESSAGE_REQUEST)
        link_orders_take_request(socket->link, &message->request, known);
}

/* This socket has told the whole state: from here on it is the one that counts. */
static void adopt(struct link_socket *socket, struct mono_time now)
{
    struct link *link = socket->link;
    bool first = link_switch_sockets(link, now);
    link_check_adopted(link, first, now);
    link_apply_adopted(socket, now);
    link_membership_worked(link);
    link_set_state(link, LINK_LIVE, "");
    if (first)
        link_clock_connected(link, now);
    link_send_probe(link, now);
    link_orders_compare(link);
}

static void take(struct link_socket *socket, bool good, struct protocol_message *message,
                 const char *reason, struct mono_time received)
{
    struct link *link = socket->link;
    bool retiring = socket == link->connection.retiring;
    if (!good && !retiring)
        link_apply_odd(socket, message->type, reason, received);
    else if (good && retiring)
        take_late(link, message, received);
    else if (socket == link->connection.live)
        take_message(link, message, received);
    else if (socket == link->connection.fresh)
        take_opening(socket, message, received);
    if (socket == link->connection.fresh && session_opening_is_complete(&socket->opening))
        adopt(socket, received);
}

/* --- what is long, and what comes after it ------------------------------------------------- */

void link_forget_texts(struct link_socket *socket)
{
    texts_cancel(socket->text);
    for (int i = 0; i < socket->waiting_count; i++)
        texts_forget(socket->link->config.reader, socket->waiting[i].text);
    socket->text = NULL;
    socket->waiting_count = 0;
    socket->text_bytes = 0;
}

static void end_without_reader(struct link_socket *socket)
{
    link_socket_ended(socket, WS_CLIENT_LOST, 0,
                      "no memory or thread to read what the backend says");
}

static void parse_first(struct link_socket *socket);

static void text_parsed(void *user, struct text *text, struct parsed *parsed)
{
    struct link_socket *socket = user;
    (void)text;
    socket->text = NULL;
    socket->text_bytes -= parsed->bytes;
    take(socket, parsed->good, &parsed->message, parsed->reason, parsed->received);
    parse_first(socket); /* of one that has been closed nothing waits */
}

/* One after the other: a list may take up a hundred times as much as its text, and what the one
 * before has replaced is given back before the next is read. */
static void parse_first(struct link_socket *socket)
{
    if (socket->text || socket->waiting_count == 0)
        return;
    struct text_source first = socket->waiting[0];
    socket->waiting_count--;
    memmove(socket->waiting, socket->waiting + 1,
            (size_t)socket->waiting_count * sizeof socket->waiting[0]);
    socket->text = texts_parse(socket->link->config.reader, &first, text_parsed, socket);
    if (!socket->text)
        end_without_reader(socket);
}

/* Order matters: a state that follows a playlist is about that playlist. */
static void parse_later(struct link_socket *socket, size_t bytes, struct mono_time received)
{
    char *text = ws_client_take_text(socket->client);
    socket->waiting[socket->waiting_count++] = (struct text_source){
        .kind = TEXT_MESSAGE, .text = text, .bytes = bytes, .received = received};
    socket->text_bytes += bytes;
    parse_first(socket);
}

/* Only a list is so long; and of a replaced socket none counts. */
static bool is_late_list(const struct link_socket *socket, size_t bytes)
{
    return socket == socket->link->connection.retiring && bytes > TEXTS_AT_ONCE_BYTES;
}

void link_take_text(struct link_socket *socket, const char *text, size_t bytes,
                    struct mono_time received)
{
    struct protocol_message message;
    char reason[PROTOCOL_REASON_MAX];
    if (is_late_list(socket, bytes))
        return;
    if (socket->waiting_count == LINK_TEXTS_MAX ||
        socket->text_bytes + bytes > LINK_TEXTS_MAX_BYTES) {
        link_socket_ended(socket, WS_CLIENT_LOST, 0,
                          "the backend says more than this speaker can read");
        return;
    }
    if (socket->text || bytes > TEXTS_AT_ONCE_BYTES) {
        parse_later(socket, bytes, received);
        return;
    }
    loop_note_work(socket->link->loop, 0, bytes);
    bool good = protocol_parse(text, bytes, &message, reason);
    take(socket, good, &message, reason, received);
    if (good)
        protocol_message_finish(&message);
}
