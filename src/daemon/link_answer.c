/*
 * link_answer.c: what the answer to a call says beside yes and no: into the session what is of the
 * session, to who asked the rest, and why it is a no, for people.
 */
#include "link_internal.h"

#include <stdio.h>

/* Its broadcast may be missed. */
static void take_request(struct link_order *pending, const struct http_response *response)
{
    struct protocol_message message = {.type = MESSAGE_REQUEST};
    char reason[PROTOCOL_REASON_MAX];
    if (!protocol_parse_request(response->body, response->body_bytes, &message.request, reason))
        return;
    link_order_note_request(pending, &message.request);
    link_apply(pending->link, &message, loop_now(pending->link->loop));
}

static void take_playback(struct link *link, const struct http_response *response)
{
    struct protocol_message message = {.type = MESSAGE_PLAYBACK_STATE};
    char reason[PROTOCOL_REASON_MAX];
    if (protocol_parse_playback(response->body, response->body_bytes, &message.playback, reason))
        link_apply(link, &message, loop_now(link->loop));
}

static void take_item(struct link_order *pending, const struct http_response *response)
{
    struct playlist_item item;
    if (protocol_parse_item(response->body, response->body_bytes, &item))
        link_order_note_item(pending, &item);
}

/* What it tells beside its yes. */
static void take_yes(struct link_order *pending, const struct order *order,
                     const struct http_response *response)
{
    if (order->kind == ORDER_PLAYBACK)
        take_playback(pending->link, response);
    if (order->kind == ORDER_ADD)
        take_item(pending, response);
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
        snprintf(why, size, "%s", response->error);
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

void link_take_answer(struct link_order *pending, const struct order *order,
                      const struct http_response *response)
{
    char why[ORDERS_ERROR_MAX] = "";
    if (response->status >= 200 && response->status < 300)
        take_yes(pending, order, response);
    else
        say_why(order, response, why, sizeof why);
    link_order_answered(pending, response->status, why);
}
