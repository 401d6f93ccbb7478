/*
 * link_command.c: commands and changes: by the socket where the rest of the session hears them at
 * once, over REST where only an answer says whether they were taken. link_order.c waits for the end.
 */
#include "link_internal.h"
#include "tutti/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

/* --- calls --------------------------------------------------------------------------------- */

static void start_call(struct link_order *pending, const char *method, const char *url,
                       const char *json)
{
    link_order_call(pending, &(struct http_request){.method = method,
                                                    .url = url,
                                                    .token = pending->link->member.used.token,
                                                    .json = json});
}

static void call_playback(struct link_order *pending, const struct order *order, char *url,
                          size_t size)
{
    struct link *link = pending->link;
    const char *state = NULL;
    double position_ms = order->position_ms;
    const struct playback_wish wish = {order->action, NULL, order->item_id, position_ms};
    if (order_is_skip(order))
        position_ms = 0;
    else if (order->action != PLAYBACK_SEEK)
        state = playback_state_name(order->action == PLAYBACK_PLAY);
    char *json = order->item_id[0]
                     ? protocol_build_playback_action(&wish)
                     : protocol_build_playback(order->track_id[0] ? order->track_id : NULL,
                                               position_ms, state);
    bool good = protocol_url(url, size, link->config.settings->backend.url, "/sessions/%s/playback",
                             link->member.used.session_id);
    if (good && json)
        start_call(pending, "POST", url, json);
    else
        link_order_fail(pending, "out of memory");
    free(json);
}

static void call_decision(struct link_order *pending, const struct order *order, char *url,
                          size_t size)
{
    char id[3 * PROTOCOL_ID_MAX];
    bool deny = order->kind == ORDER_DENY;
    char *json = protocol_build_decision(deny ? pending->words.denial : "");
    bool good = protocol_encode(id, sizeof id, order->request_id) &&
                protocol_url(url, size, pending->link->config.settings->backend.url,
                             "/requests/%s/%s", id, deny ? "deny" : "approve");
    if (good && json)
        start_call(pending, "POST", url, json);
    else
        link_order_fail(pending, "out of memory");
    free(json);
}

static void call_item(struct link_order *pending, const struct order *order, char *url, size_t size)
{
    char id[3 * PROTOCOL_ID_MAX];
    struct link *link = pending->link;
    bool move = order->kind == ORDER_MOVE;
    char *json = move ? protocol_build_move(order->new_position) : NULL;
    bool good = protocol_encode(id, sizeof id, order->item_id) &&
                protocol_url(url, size, link->config.settings->backend.url,
                             "/sessions/%s/playlist/%s", link->member.used.session_id, id);
    if (good && (json || !move))
        start_call(pending, move ? "PATCH" : "DELETE", url, json);
    else
        link_order_fail(pending, "out of memory");
    free(json);
}

static void call_rest(struct link_order *pending, const struct order *order)
{
    char url[PROTOCOL_URL_MAX];
    if (order->kind == ORDER_PLAYBACK)
        call_playback(pending, order, url, sizeof url);
    else if (order->kind == ORDER_APPROVE || order->kind == ORDER_DENY)
        call_decision(pending, order, url, sizeof url);
    else
        call_item(pending, order, url, sizeof url);
}

/* --- the first try ------------------------------------------------------------------------- */

static void send_text(struct link_order *pending)
{
    struct link *link = pending->link;
    const struct link_socket *live = link->connection.live;
    link_order_sent(pending, pending->words.text && live &&
                                 ws_client_send(live->client, pending->words.text));
}

static void send_order(struct link_order *pending, const struct order *order)
{
    if (order->kind == ORDER_PLAYBACK || order->kind == ORDER_REQUEST)
        send_text(pending);
    else
        call_rest(pending, order);
}

static const struct link_order_kind asking = {
    .send = send_order, .repeat = call_rest, .answered = link_take_answer};

/* --- what can be asked --------------------------------------------------------------------- */

/* Takes the text. */
static void begin_with_text(struct link *link, const struct order *order, char *text,
                            link_done *done, void *user)
{
    const struct link_order_words words = {.text = text};
    if (link_order_begin(link, order, &asking, &words, done, user))
        link_orders_run(link);
}

void link_command(struct link *link, const struct link_command *command, link_done *done,
                  void *user)
{
    struct order order = {.kind = ORDER_PLAYBACK,
                          .action = command->action,
                          .position_ms = command->position_ms,
                          .new_position = -1};
    struct playback_wish wish = {command->action, command->track_id, NULL, command->position_ms};
    const struct playlist_item *item = order_is_skip(&order) ? command->from : command->item;
    copy(order.track_id, sizeof order.track_id, command->track_id);
    if (item && link->config.session->has_settings) {
        copy(order.item_id, sizeof order.item_id, item->id);
        wish.item_id = order.item_id;
    } else if (command->item) {
        link_expect(link, command->item);
    }
    begin_with_text(link, &order, protocol_build_playback_command(&wish), done, user);
}

void link_request(struct link *link, const struct request_wish *wish, link_done *done, void *user)
{
    struct order order = {.kind = ORDER_REQUEST,
                          .type = wish->type,
                          .position_ms = -1,
                          .new_position = wish->new_position};
    copy(order.item_id, sizeof order.item_id, wish->item_id);
    copy(order.track_id, sizeof order.track_id, wish->track_id);
    begin_with_text(link, &order, protocol_build_request(wish), done, user);
}

void link_decide(struct link *link, const char *request_id, bool approve, const char *reason,
                 link_done *done, void *user)
{
    const struct request_entry *known = requests_find(&link->config.session->requests, request_id);
    struct order order = {.kind = approve ? ORDER_APPROVE : ORDER_DENY,
                          .position_ms = -1,
                          .new_position = known ? known->message.new_position : -1};
    copy(order.request_id, sizeof order.request_id, request_id);
    if (known) {
        order.type = known->message.type;
        copy(order.item_id, sizeof order.item_id, known->message.item_id);
        copy(order.track_id, sizeof order.track_id, known->message.track_id);
    }
    struct link_order_words words = {0};
    copy(words.denial, sizeof words.denial, reason);
    if (link_order_begin(link, &order, &asking, &words, done, user))
        link_orders_run(link);
}

static void change_item(struct link *link, enum order_kind kind, const char *item_id,
                        int new_position, link_done *done, void *user)
{
    struct order order = {.kind = kind, .position_ms = -1, .new_position = new_position};
    copy(order.item_id, sizeof order.item_id, item_id);
    if (link_order_begin(link, &order, &asking, NULL, done, user))
        link_orders_run(link);
}

void link_remove(struct link *link, const char *item_id, link_done *done, void *user)
{
    change_item(link, ORDER_REMOVE, item_id, -1, done, user);
}

void link_move(struct link *link, const char *item_id, int new_position, link_done *done,
               void *user)
{
    change_item(link, ORDER_MOVE, item_id, new_position, done, user);
}
