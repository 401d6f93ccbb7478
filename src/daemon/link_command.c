/*
 * link_command.c: with what the backend is asked: over the socket where the rest of the session
 * hears it at once, over REST where only an answer says whether it was taken; and what an answer
 * says. link_order.c waits for the end.
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

/* --- the answer to a call ------------------------------------------------------------------ */

/* Its broadcast may be missed. */
static void take_request(struct link_order *pending, const struct http_response *response)
{
    struct protocol_message message = {.type = MESSAGE_REQUEST};
    char reason[PROTOCOL_REASON_MAX];
    pending->has_request =
        protocol_parse_request(response->body, response->body_bytes, &message.request, reason);
    if (!pending->has_request)
        return;
    pending->request = message.request;
    link_apply(pending->link, &message, loop_now(pending->link->loop));
}

static void take_playback(struct link *link, const struct http_response *response)
{
    struct protocol_message message = {.type = MESSAGE_PLAYBACK_STATE};
    char reason[PROTOCOL_REASON_MAX];
    if (protocol_parse_playback(response->body, response->body_bytes, &message.playback, reason))
        link_apply(link, &message, loop_now(link->loop));
}

/* What it tells beside its yes. */
static void take_answer(struct link_order *pending, const struct order *order,
                        const struct http_response *response)
{
    if (order->kind == ORDER_PLAYBACK)
        take_playback(pending->link, response);
    if (order->kind == ORDER_ADD)
        pending->has_item =
            protocol_parse_item(response->body, response->body_bytes, &pending->item);
    if (order->kind == ORDER_ADD || order->kind == ORDER_APPROVE || order->kind == ORDER_DENY)
        take_request(pending, response);
}

static void say_why(const struct order *order, const struct http_response *response, char *why,
                    size_t size)
{
    char detail[PROTOCOL_REASON_MAX];
    enum order_refusal refusal = order_refusal_of(order, response->status);
    const char *text = order_refusal_text(refusal);
    link_error_detail(response, detail);
    bool page = detail[0] == '<'; /* a proxy's */
    if (response->status == 0)
        copy(why, size, response->error);
    else if (order_judge(order, false, response->status, NULL) == ORDER_UNKNOWN)
        snprintf(why, size, "HTTP %d", response->status);
    else if (refusal == ORDER_TOO_LARGE && page)
        snprintf(why, size,
                 "%s (HTTP 413): a proxy in front of it says so; raise client_max_body_size there",
                 text);
    else if (detail[0] && !page)
        snprintf(why, size, "%s: %s", text, detail);
    else
        snprintf(why, size, "%s (HTTP %d)", text, response->status);
}

void link_order_read(struct link_order *pending, const struct order *order,
                     const struct http_response *response, char why[ORDERS_ERROR_MAX])
{
    if (response->status >= 200 && response->status < 300)
        take_answer(pending, order, response);
    else
        say_why(order, response, why, ORDERS_ERROR_MAX);
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
    if (order_is_skip(order))
        position_ms = 0;
    else if (order->action != PLAYBACK_SEEK)
        state = playback_state_name(order->action == PLAYBACK_PLAY);
    char *json =
        protocol_build_playback(order->track_id[0] ? order->track_id : NULL, position_ms, state);
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
    char *json = protocol_build_decision(deny ? pending->denial : "");
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

void link_order_repeat(struct link_order *pending, const struct order *order)
{
    call_rest(pending, order);
}

/* --- the first try ------------------------------------------------------------------------- */

static void send_text(struct link_order *pending)
{
    struct link *link = pending->link;
    const struct link_socket *live = link->connection.live;
    link_order_sent(pending, pending->text && live && ws_client_send(live->client, pending->text));
}

void link_order_send(struct link_order *pending, struct order *order)
{
    order_note_before(order, pending->link->config.session);
    switch (order->kind) {
    case ORDER_PLAYBACK:
    case ORDER_REQUEST:
        send_text(pending);
        break;
    case ORDER_ADD:
        link_upload_start(pending);
        break;
    case ORDER_JOIN:
        link_join_start(pending);
        break;
    case ORDER_APPROVE:
    case ORDER_DENY:
    case ORDER_REMOVE:
    case ORDER_MOVE:
        call_rest(pending, order);
        break;
    }
}

/* --- what can be asked --------------------------------------------------------------------- */

/* Takes the text. */
static void begin_with_text(struct link *link, const struct order *order, char *text,
                            link_done *done, void *user)
{
    struct link_order *pending = link_order_begin(link, order, done, user);
    if (!pending) {
        free(text);
        return;
    }
    pending->text = text;
    link_orders_run(link);
}

void link_command(struct link *link, const struct link_command *command, link_done *done,
                  void *user)
{
    struct order order = {.kind = ORDER_PLAYBACK,
                          .action = command->action,
                          .position_ms = command->position_ms,
                          .new_position = -1};
    copy(order.track_id, sizeof order.track_id, command->track_id);
    if (command->item)
        link_expect(link, command->item);
    begin_with_text(
        link, &order,
        protocol_build_playback_command(command->action, command->track_id, command->position_ms),
        done, user);
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

void link_decide(struct link *link, const char *request_id, const struct request_message *known,
                 bool approve, const char *reason, link_done *done, void *user)
{
    struct order order = {.kind = approve ? ORDER_APPROVE : ORDER_DENY,
                          .position_ms = -1,
                          .new_position = known ? known->new_position : -1};
    copy(order.request_id, sizeof order.request_id, request_id);
    if (known) {
        order.type = known->type;
        copy(order.item_id, sizeof order.item_id, known->item_id);
        copy(order.track_id, sizeof order.track_id, known->track_id);
    }
    struct link_order *pending = link_order_begin(link, &order, done, user);
    if (!pending)
        return;
    copy(pending->denial, sizeof pending->denial, reason);
    link_orders_run(link);
}

static void change_item(struct link *link, enum order_kind kind, const char *item_id,
                        int new_position, link_done *done, void *user)
{
    struct order order = {.kind = kind, .position_ms = -1, .new_position = new_position};
    copy(order.item_id, sizeof order.item_id, item_id);
    if (link_order_begin(link, &order, done, user))
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
