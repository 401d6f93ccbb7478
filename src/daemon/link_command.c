/*
 * link_command.c: asking the backend: over the socket where the rest of the session hears it at
 * once, over REST where only an answer says whether it was taken. link_order.c waits for the end.
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

/* Takes the text. What cannot even be sent takes the same way as what is not echoed. */
static void send_text(struct link_order *pending, char *text)
{
    struct link *link = pending->link;
    pending->by_socket = true;
    bool sent = text && link->live && ws_client_send(link->live->client, text);
    free(text);
    if (!sent)
        link_order_doubt(pending);
}

/* --- REST ---------------------------------------------------------------------------------- */

static void take_addition(struct link_order *pending, const struct http_response *response)
{
    struct link *link = pending->link;
    char reason[PROTOCOL_REASON_MAX];
    pending->has_request =
        protocol_parse_request(response->body, response->body_bytes, &pending->request, reason);
    pending->has_item = protocol_parse_item(response->body, response->body_bytes, &pending->item);
    if (pending->has_request)
        link->handlers.on_request(link->user, &pending->request);
    if (pending->has_item && !order_in_playlist(&pending->order, link->config.playlist))
        link_order_wait(pending, LINK_ORDER_AGREED);
    else
        link_order_end(pending, "");
}

static void take_answer(struct link_order *pending, const struct http_response *response)
{
    struct link *link = pending->link;
    struct playback_state playback;
    char reason[PROTOCOL_REASON_MAX];
    const struct order *order = &pending->order;
    switch (order->kind) {
    case ORDER_PLAYBACK:
        if (protocol_parse_playback(response->body, response->body_bytes, &playback, reason))
            link_take_playback(link, &playback, loop_now(link->loop));
        link_order_end(pending, "");
        break;
    case ORDER_ADD:
        take_addition(pending, response);
        break;
    case ORDER_APPROVE:
    case ORDER_DENY:
        pending->has_request =
            protocol_parse_request(response->body, response->body_bytes, &pending->request, reason);
        if (pending->has_request) /* its broadcast may be missed */
            link->handlers.on_request(link->user, &pending->request);
        link_order_end(pending, "");
        break;
    default:
        if (order_in_playlist(order, link->config.playlist))
            link_order_end(pending, "");
        else
            link_order_wait(pending, LINK_ORDER_AGREED);
        break;
    }
}

/* In front of the backend's own words, which may be a proxy's page. */
static const char *why_refused(const struct order *order, int status)
{
    if (order->kind == ORDER_ADD && status == 413)
        return "the backend takes no file of this size";
    if (order->kind == ORDER_ADD && status == 415)
        return "the backend takes no media of this type";
    if (order->kind == ORDER_ADD && status == 507)
        return "the backend has no room left for it";
    return "the backend refuses";
}

static void refuse(struct link_order *pending, const struct http_response *response)
{
    char detail[PROTOCOL_REASON_MAX], error[PROTOCOL_REASON_MAX + 48];
    bool repeated = pending->phase == LINK_ORDER_REPEATED;
    if (repeated && pending->order.kind == ORDER_REMOVE && response->status == 404) {
        link_order_end(pending, ""); /* the first try has done it */
        return;
    }
    link_error_detail(response, detail);
    const char *why = why_refused(&pending->order, response->status);
    if (detail[0] && detail[0] != '<')
        snprintf(error, sizeof error, "%s: %s", why, detail);
    else
        snprintf(error, sizeof error, "%s (HTTP %d)", why, response->status);
    link_order_end(pending, error);
}

void link_order_answered(void *user, const struct http_response *response)
{
    struct link_order *pending = user;
    char error[PROTOCOL_REASON_MAX];
    pending->call = NULL;
    link_take_date(pending->link, response);
    if (response->status >= 200 && response->status < 300) {
        take_answer(pending, response);
    } else if (response->status > 0) {
        refuse(pending, response);
    } else if (pending->phase == LINK_ORDER_SENT || pending->phase == LINK_ORDER_SENDING) {
        copy(pending->reason, sizeof pending->reason, response->error);
        link_order_doubt(pending);
    } else {
        snprintf(error, sizeof error, "the backend did not answer: %.200s", response->error);
        link_order_end(pending, error);
    }
}

/* A fresh connection: on one that was kept, curl would try again by itself what met its end. */
static void start_call(struct link_order *pending, const char *method, const char *url,
                       const char *json)
{
    struct link *link = pending->link;
    struct http_request request = {
        .method = method,
        .url = url,
        .token = link->token,
        .json = json,
        .fresh_connection = true,
        .timeout_ns = LINK_REST_TIMEOUT_NS,
        .max_bytes = LINK_REST_MAX_BYTES,
        .on_done = link_order_answered,
        .user = pending,
    };
    http_cancel(pending->call);
    pending->call = http_start(link->http, &request);
    if (!pending->call)
        link_order_end(pending, "out of memory");
}

static void call_playback(struct link_order *pending, char *url, size_t size)
{
    const struct order *order = &pending->order;
    struct link *link = pending->link;
    const char *state = NULL;
    double position_ms = order->position_ms;
    if (order_is_skip(order))
        position_ms = 0;
    else if (strcmp(order->action, "seek") != 0)
        state = strcmp(order->action, "play") == 0 ? "playing" : "paused";
    char *json =
        protocol_build_playback(order->track_id[0] ? order->track_id : NULL, position_ms, state);
    bool good = protocol_url(url, size, link->config.settings->backend.url, "/sessions/%s/playback",
                             link->session_id);
    if (good && json)
        start_call(pending, "POST", url, json);
    else
        link_order_end(pending, "out of memory");
    free(json);
}

static void call_decision(struct link_order *pending, char *url, size_t size)
{
    char id[3 * PROTOCOL_ID_MAX];
    bool deny = pending->order.kind == ORDER_DENY;
    char *json = protocol_build_decision(deny ? pending->reason : "");
    bool good = protocol_encode(id, sizeof id, pending->order.request_id) &&
                protocol_url(url, size, pending->link->config.settings->backend.url,
                             "/requests/%s/%s", id, deny ? "deny" : "approve");
    if (good && json)
        start_call(pending, "POST", url, json);
    else
        link_order_end(pending, "out of memory");
    free(json);
}

static void call_item(struct link_order *pending, char *url, size_t size)
{
    char id[3 * PROTOCOL_ID_MAX];
    struct link *link = pending->link;
    bool move = pending->order.kind == ORDER_MOVE;
    char *json = move ? protocol_build_move(pending->order.new_position) : NULL;
    bool good = protocol_encode(id, sizeof id, pending->order.item_id) &&
                protocol_url(url, size, link->config.settings->backend.url,
                             "/sessions/%s/playlist/%s", link->session_id, id);
    if (good && (json || !move))
        start_call(pending, move ? "PATCH" : "DELETE", url, json);
    else
        link_order_end(pending, "out of memory");
    free(json);
}

static void call_rest(struct link_order *pending)
{
    char url[PROTOCOL_URL_MAX];
    if (pending->order.kind == ORDER_PLAYBACK)
        call_playback(pending, url, sizeof url);
    else if (pending->order.kind == ORDER_APPROVE || pending->order.kind == ORDER_DENY)
        call_decision(pending, url, sizeof url);
    else
        call_item(pending, url, sizeof url);
}

void link_order_repeat(struct link_order *pending)
{
    struct link *link = pending->link;
    if (order_is_skip(&pending->order) && !pending->order.track_id[0]) {
        link_order_end(pending, "the backend did not confirm it, and it has not happened");
        return;
    }
    link->counters.commands_repeated++;
    link_order_wait(pending, LINK_ORDER_REPEATED);
    call_rest(pending);
}

/* --- what can be asked --------------------------------------------------------------------- */

/* Where the backend goes from here: by its own rules, the last track starts again. */
static void expect_skip(const struct link *link, struct order *order)
{
    const struct playlist_message *playlist = link->config.playlist;
    const struct playlist_item *current =
        link->playback.has_track ? playlist_find_track(playlist, link->playback.track_id) : NULL;
    if (!current)
        return;
    const struct playlist_item *to =
        playlist_step(playlist, current, strcmp(order->action, "skip_next") == 0 ? 1 : -1);
    copy(order->track_id, sizeof order->track_id, to ? to->track_id : current->track_id);
}

void link_command(struct link *link, const char *action, const char *track_id, double position_ms,
                  link_done *done, void *user)
{
    struct order order = {.kind = ORDER_PLAYBACK, .position_ms = position_ms, .new_position = -1};
    copy(order.action, sizeof order.action, action);
    copy(order.track_id, sizeof order.track_id, track_id);
    if (order_is_skip(&order))
        expect_skip(link, &order);
    struct link_order *pending = link_order_begin(link, &order, done, user);
    if (pending)
        send_text(pending, protocol_build_playback_command(action, track_id, position_ms));
}

void link_request(struct link *link, const struct request_wish *wish, link_done *done, void *user)
{
    struct order order = {
        .kind = ORDER_REQUEST, .position_ms = -1, .new_position = wish->new_position};
    copy(order.type, sizeof order.type, wish->type);
    copy(order.item_id, sizeof order.item_id, wish->item_id);
    copy(order.track_id, sizeof order.track_id, wish->track_id);
    struct link_order *pending = link_order_begin(link, &order, done, user);
    if (pending)
        send_text(pending, protocol_build_request(wish));
}

void link_decide(struct link *link, const char *request_id, const struct request_message *known,
                 bool approve, const char *reason, link_done *done, void *user)
{
    struct order order = {.kind = approve ? ORDER_APPROVE : ORDER_DENY,
                          .position_ms = -1,
                          .new_position = known ? known->new_position : -1};
    copy(order.request_id, sizeof order.request_id, request_id);
    if (known) {
        copy(order.type, sizeof order.type, known->type);
        copy(order.item_id, sizeof order.item_id, known->item_id);
        copy(order.track_id, sizeof order.track_id, known->track_id);
        order.tracks_before = playlist_count_track(link->config.playlist, known->track_id);
    }
    struct link_order *pending = link_order_begin(link, &order, done, user);
    if (!pending)
        return;
    copy(pending->reason, sizeof pending->reason, reason);
    call_rest(pending);
}

static void change_item(struct link *link, enum order_kind kind, const char *item_id,
                        int new_position, link_done *done, void *user)
{
    struct order order = {.kind = kind, .position_ms = -1, .new_position = new_position};
    copy(order.item_id, sizeof order.item_id, item_id);
    struct link_order *pending = link_order_begin(link, &order, done, user);
    if (pending)
        call_rest(pending);
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
