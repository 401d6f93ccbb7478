/*
 * orders_heard.c: what the socket says: echoes, refusals, and the whole state after a doubt.
 */
#include "orders_internal.h"

#include <stdio.h>

static bool waits_for_echo(const struct orders_entry *entry)
{
    return entry->by_socket && entry->phase != ORDERS_HELD && entry->phase != ORDERS_REPEATED &&
           entry->phase != ORDERS_REPEAT_DOUBTED;
}

struct echo {
    const struct playback_state *playback;
    enum orders_socket by;
};

/* What was there before the order is no echo of it. Of two sockets this is seen by the stamp; on
 * one by the order, as the backend's clock may have been set back. */
static bool is_since(const struct orders_entry *entry, const struct echo *echo)
{
    int64_t since_ns = server_sub(echo->playback->updated_at, entry->order.stamp_before);
    return echo->by == ORDERS_BY_REPLACED ? since_ns > 0 : since_ns != 0;
}

static bool is_echoed(const struct orders_entry *entry, const void *what)
{
    const struct echo *echo = what;
    return waits_for_echo(entry) && order_echoed(&entry->order, echo->playback) &&
           is_since(entry, echo);
}

static bool is_before(const struct orders_entry *entry, const void *number)
{
    return waits_for_echo(entry) && entry->order.kind == ORDER_PLAYBACK &&
           entry->number < *(const uint64_t *)number;
}

bool orders_heard_playback(struct orders *orders, const struct playback_state *playback,
                           enum orders_socket by, struct mono_time *ret_sent_at)
{
    struct echo echo = {playback, by};
    struct orders_entry *entry = orders_oldest(orders, is_echoed, &echo), *missed;
    if (!entry)
        return false;
    bool in_time = entry->phase == ORDERS_SENT;
    *ret_sent_at = entry->sent_at;
    orders_end(entry, "");
    /* The socket keeps the order: what was sent before this has had its turn. */
    while ((missed = orders_oldest(orders, is_before, &entry->number)))
        orders_end(missed, "another command came after it");
    return in_time;
}

static bool is_answered(const struct orders_entry *entry, const void *request)
{
    return entry->phase != ORDERS_HELD && order_answered(&entry->order, request);
}

static bool is_decided(const struct orders_entry *entry, const void *request)
{
    return entry->order.kind != ORDER_REQUEST && is_answered(entry, request);
}

static bool is_contradicted(const struct orders_entry *entry, const void *request)
{
    return entry->phase != ORDERS_HELD && order_contradicted(&entry->order, request);
}

uint64_t orders_heard_request(struct orders *orders, const struct request_message *request,
                              bool known)
{
    struct orders_entry *entry = orders_oldest(orders, is_contradicted, request);
    if (entry)
        orders_end(entry, "somebody else has decided it otherwise");
    entry = orders_oldest(orders, known ? is_decided : is_answered, request);
    if (!entry)
        return 0;
    orders_end(entry, "");
    return entry->number;
}

static bool is_shown(const struct orders_entry *entry, const void *playlist)
{
    return entry->phase == ORDERS_AGREED && order_in_playlist(&entry->order, playlist);
}

void orders_heard_playlist(struct orders *orders, const struct session *session)
{
    struct orders_entry *entry;
    while ((entry = orders_oldest(orders, is_shown, &session->playlist)))
        orders_end(entry, "");
}

static bool is_on_socket(const struct orders_entry *entry, const void *unused)
{
    (void)unused;
    return entry->by_socket && entry->phase == ORDERS_SENT;
}

bool orders_on_socket(const struct orders *orders)
{
    return orders_oldest(orders, is_on_socket, NULL) != NULL;
}

static bool went_by(const struct orders_entry *entry, const void *by)
{
    bool replaced = *(const enum orders_socket *)by == ORDERS_BY_REPLACED;
    return is_on_socket(entry, NULL) && entry->replaced == replaced;
}

/* Whoever refuses a message says so in the order in which they came. */
bool orders_heard_refusal(struct orders *orders, const char *detail, enum orders_socket by)
{
    char error[ORDERS_ERROR_MAX];
    struct orders_entry *entry = orders_oldest(orders, went_by, &by);
    if (!entry)
        return false;
    snprintf(error, sizeof error, "the backend refuses: %s", detail);
    orders_end(entry, error);
    return true;
}

/* --- the fresh state ----------------------------------------------------------------------- */

static bool is_newer_playback(const struct orders_entry *entry, const void *number)
{
    return entry->order.kind == ORDER_PLAYBACK && entry->number > *(const uint64_t *)number;
}

static bool is_any(const struct orders_entry *entry, const void *after)
{
    return entry->number > *(const uint64_t *)after;
}

static void repeat(struct orders *orders, struct orders_entry *entry, struct mono_time now)
{
    const struct order *order = &entry->order;
    if (order->kind == ORDER_APPROVE && entry->calls)
        return;
    if (order->kind == ORDER_APPROVE)
        orders_end_without_answer(entry,
                                  "the backend did not confirm the approval, and the playlist does "
                                  "not show it; it is not repeated, lest it counts twice");
    else if (order->kind == ORDER_REQUEST)
        orders_end_without_answer(entry,
                                  "the backend did not confirm the request; it is not repeated, "
                                  "lest it is there twice");
    else if (order->kind == ORDER_ADD)
        orders_end_without_answer(entry, "the upload failed, and the playlist does not show it");
    else if (order->kind == ORDER_PLAYBACK &&
             orders_oldest(orders, is_newer_playback, &entry->number))
        orders_end(entry, "another command came after it");
    else if (order_is_skip(order) && !order->track_id[0])
        orders_end_without_answer(entry, "the backend did not confirm it, and it has not happened");
    else {
        entry->todo = ORDERS_REPEAT;
        orders_wait_in(entry, ORDERS_REPEATED, now);
    }
}

static bool has_happened(const struct orders_entry *entry, const struct session *session)
{
    return entry->agreed || entry->order.kind == ORDER_JOIN ||
           order_in_playback(&entry->order, &session->playback) ||
           order_in_playlist(&entry->order, &session->playlist);
}

static void compare(struct orders *orders, struct orders_entry *entry,
                    const struct session *session, struct mono_time now)
{
    bool doubted = entry->phase == ORDERS_DOUBTED || entry->phase == ORDERS_REPEAT_DOUBTED;
    bool on_socket = entry->phase == ORDERS_SENT && entry->by_socket;
    entry->replaced = on_socket;
    if (entry->phase == ORDERS_HELD)
        orders_send(entry, now);
    else if ((doubted && has_happened(entry, session)) ||
             (on_socket && order_in_playback(&entry->order, &session->playback)))
        orders_end(entry, "");
    else if (entry->phase == ORDERS_DOUBTED)
        repeat(orders, entry, now);
    else if (entry->phase == ORDERS_REPEAT_DOUBTED && entry->order.kind == ORDER_DENY)
        orders_end_without_answer(entry,
                                  "the backend did not confirm it, and cannot be asked what became "
                                  "of it");
    else if (entry->phase == ORDERS_REPEAT_DOUBTED)
        orders_end_without_answer(entry, "the backend did not confirm it, and it has not happened");
}

/* In the order in which they were asked for. */
void orders_compare(struct orders *orders, const struct session *session, struct mono_time now)
{
    struct orders_entry *entry;
    for (uint64_t after = 0; (entry = orders_oldest(orders, is_any, &after));) {
        after = entry->number;
        compare(orders, entry, session, now);
    }
}
