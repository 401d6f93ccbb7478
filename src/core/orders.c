/*
 * orders.c: asking, the answers to calls, and time. What the socket says is in orders_heard.c.
 */
#include "orders_internal.h"

#include <stdio.h>
#include <string.h>

/* The contract's word: an echo that is not there by then does not come. */
static const int64_t ECHO_WAIT_NS = 2 * NS_PER_S;
/* From a doubt until the fresh state: a reconnection, and a few of its retries. */
static const int64_t FRESH_WAIT_NS = 5 * NS_PER_S;
/* A person waits so long for a connection. */
static const int64_t HELD_NS = 3 * NS_PER_S;

struct orders_entry *orders_oldest(const struct orders *orders, orders_holds *holds,
                                   const void *what)
{
    const struct orders_entry *found = NULL;
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        const struct orders_entry *entry = &orders->entries[i];
        if (entry->number && entry->todo != ORDERS_END && holds(entry, what) &&
            (!found || entry->number < found->number))
            found = entry;
    }
    return (struct orders_entry *)found;
}

struct orders_entry *orders_find(struct orders *orders, uint64_t number)
{
    for (size_t i = 0; i < ORDERS_MAX; i++)
        if (number && orders->entries[i].number == number)
            return &orders->entries[i];
    return NULL;
}

void orders_wait_in(struct orders_entry *entry, enum orders_phase phase, struct mono_time now)
{
    static const int64_t waits_ns[] = {
        [ORDERS_HELD] = HELD_NS,
        [ORDERS_SENT] = ECHO_WAIT_NS,
        [ORDERS_SENDING] = INT64_MAX / 2, /* the call has its own limit */
        [ORDERS_AGREED] = ECHO_WAIT_NS,
        [ORDERS_DOUBTED] = FRESH_WAIT_NS,
        [ORDERS_REPEATED] = INT64_MAX / 2, /* and here */
        [ORDERS_REPEAT_DOUBTED] = FRESH_WAIT_NS,
    };
    entry->phase = phase;
    entry->due = mono_add(now, waits_ns[phase]);
}

void orders_end(struct orders_entry *entry, const char *error)
{
    snprintf(entry->error, sizeof entry->error, "%s", error);
    entry->todo = ORDERS_END;
}

void orders_end_without_answer(struct orders_entry *entry, const char *error)
{
    char text[ORDERS_ERROR_MAX];
    snprintf(text, sizeof text, "%.200s%s%.150s%s", error, entry->failure[0] ? " (" : "",
             entry->failure, entry->failure[0] ? ")" : "");
    orders_end(entry, text);
}

/* --- asking -------------------------------------------------------------------------------- */

static bool is_joining(const struct orders_entry *entry, const void *unused)
{
    (void)unused;
    return entry->order.kind == ORDER_JOIN;
}

static const char *why_not(const struct orders *orders, const struct order *order,
                           enum orders_connection connection, const struct orders_entry *room)
{
    if (connection == ORDERS_OUT && order->kind != ORDER_JOIN)
        return "not connected to the backend";
    if (order->kind == ORDER_JOIN && orders_oldest(orders, is_joining, NULL))
        return "this speaker is joining a session already";
    return room ? NULL : "too many commands wait for the backend already";
}

static struct orders_entry *find_room(struct orders *orders)
{
    for (size_t i = 0; i < ORDERS_MAX; i++)
        if (!orders->entries[i].number)
            return &orders->entries[i];
    return NULL;
}

void orders_send(struct orders_entry *entry, struct mono_time now)
{
    bool takes_long = entry->order.kind == ORDER_ADD || entry->order.kind == ORDER_JOIN;
    entry->sent_at = now;
    entry->todo = ORDERS_SEND;
    orders_wait_in(entry, takes_long ? ORDERS_SENDING : ORDERS_SENT, now);
}

uint64_t orders_begin(struct orders *orders, const struct order *order,
                      enum orders_connection connection, struct mono_time now,
                      const char **ret_error)
{
    struct orders_entry *entry = find_room(orders);
    *ret_error = why_not(orders, order, connection, entry);
    if (*ret_error)
        return 0;
    *entry = (struct orders_entry){.number = ++orders->count, .order = *order, .asked_at = now};
    if (connection == ORDERS_LIVE || order->kind == ORDER_JOIN) {
        orders_send(entry, now);
    } else {
        entry->todo = ORDERS_CONNECT;
        orders_wait_in(entry, ORDERS_HELD, now);
    }
    return entry->number;
}

static bool has_todo(const struct orders_entry *entry, const void *unused)
{
    (void)unused;
    return entry->todo != ORDERS_NOTHING;
}

static struct orders_entry *oldest_ended(struct orders *orders)
{
    struct orders_entry *found = NULL;
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        struct orders_entry *entry = &orders->entries[i];
        if (entry->number && entry->todo == ORDERS_END && (!found || entry->number < found->number))
            found = entry;
    }
    return found;
}

enum orders_act orders_next(struct orders *orders, struct orders_entry *ret_entry)
{
    struct orders_entry *entry = oldest_ended(orders);
    if (!entry)
        entry = orders_oldest(orders, has_todo, NULL);
    if (!entry)
        return ORDERS_NOTHING;
    enum orders_act act = entry->todo;
    *ret_entry = *entry;
    entry->todo = ORDERS_NOTHING;
    if (act == ORDERS_END)
        entry->number = 0;
    return act;
}

struct mono_time orders_deadline(const struct orders *orders)
{
    struct mono_time next = {INT64_MAX};
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        const struct orders_entry *entry = &orders->entries[i];
        if (entry->number && entry->due.ns < next.ns)
            next = entry->due;
    }
    return next;
}

/* --- what came of it ----------------------------------------------------------------------- */

static void doubt(struct orders_entry *entry, struct mono_time now)
{
    bool again = entry->phase == ORDERS_REPEATED || entry->phase == ORDERS_REPEAT_DOUBTED;
    entry->agreed = entry->agreed || entry->phase == ORDERS_AGREED;
    entry->todo = ORDERS_REPLACE;
    orders_wait_in(entry, again ? ORDERS_REPEAT_DOUBTED : ORDERS_DOUBTED, now);
}

void orders_sent(struct orders *orders, uint64_t number, bool sent, struct mono_time now)
{
    struct orders_entry *entry = orders_find(orders, number);
    if (!entry)
        return;
    entry->by_socket = true;
    if (!sent)
        doubt(entry, now);
}

void orders_calls(struct orders *orders, uint64_t number)
{
    struct orders_entry *entry = orders_find(orders, number);
    if (entry)
        entry->calls = true;
}

void orders_fail(struct orders *orders, uint64_t number, const char *error)
{
    struct orders_entry *entry = orders_find(orders, number);
    if (entry)
        orders_end(entry, error);
}

static bool is_shown_later(const struct orders_entry *entry, const struct session *session)
{
    enum order_kind kind = entry->order.kind;
    bool shows = kind == ORDER_REMOVE || kind == ORDER_MOVE || kind == ORDER_ADD;
    return shows && !order_in_playlist(&entry->order, &session->playlist);
}

static void take_no(struct orders_entry *entry, const struct orders_answer *answer,
                    const struct request_message *known)
{
    bool otherwise = order_refusal_of(&entry->order, answer->status) == ORDER_DECIDED && known &&
                     order_contradicted(&entry->order, known);
    orders_end(entry, otherwise ? "somebody else has decided it otherwise" : answer->why);
}

void orders_answered(struct orders *orders, uint64_t number, const struct orders_answer *answer,
                     const struct session *session, struct mono_time now)
{
    struct orders_entry *entry = orders_find(orders, number);
    if (!entry)
        return;
    bool repeated = entry->phase == ORDERS_REPEATED;
    const struct request_entry *heard = requests_find(&session->requests, entry->order.request_id);
    const struct request_message *known = heard ? &heard->message : NULL;
    entry->calls = false;
    switch (order_judge(&entry->order, repeated, answer->status, known)) {
    case ORDER_YES:
        if (!answer->is_request && is_shown_later(entry, session))
            orders_wait_in(entry, ORDERS_AGREED, now);
        else
            orders_end(entry, "");
        break;
    case ORDER_DONE_BEFORE:
        orders_end(entry, "");
        break;
    case ORDER_NO:
        take_no(entry, answer, known);
        break;
    case ORDER_UNKNOWN:
        snprintf(entry->failure, sizeof entry->failure, "%s", answer->why);
        doubt(entry, now);
        break;
    }
}

void orders_joined(struct orders *orders, uint64_t number, struct mono_time now)
{
    struct orders_entry *entry = orders_find(orders, number);
    if (!entry)
        return;
    entry->calls = false;
    orders_wait_in(entry, ORDERS_DOUBTED, now);
}

/* --- time ---------------------------------------------------------------------------------- */

static void no_fresh_state(struct orders_entry *entry)
{
    if (entry->calls) /* a slow backend may yet answer; the call has its own limit */
        entry->due = (struct mono_time){INT64_MAX};
    else if (entry->agreed)
        orders_end(entry, "");
    else if (entry->order.kind == ORDER_JOIN)
        orders_end(entry, "the session was joined, but does not tell its state yet");
    else
        orders_end_without_answer(entry, "the backend did not confirm it, and cannot be asked what "
                                         "became of it");
}

static void is_due(struct orders_entry *entry, struct mono_time now)
{
    switch (entry->phase) {
    case ORDERS_HELD:
        orders_end(entry, "not connected to the backend");
        break;
    case ORDERS_SENT:
    case ORDERS_AGREED:
        doubt(entry, now);
        break;
    case ORDERS_DOUBTED:
    case ORDERS_REPEAT_DOUBTED:
        no_fresh_state(entry);
        break;
    case ORDERS_SENDING:
    case ORDERS_REPEATED:
        break;
    }
}

void orders_due(struct orders *orders, struct mono_time now)
{
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        struct orders_entry *entry = &orders->entries[i];
        if (entry->number && entry->todo != ORDERS_END && mono_sub(now, entry->due) >= 0)
            is_due(entry, now);
    }
}

static bool is_held(const struct orders_entry *entry, const void *unused)
{
    (void)unused;
    return entry->phase == ORDERS_HELD;
}

void orders_not_connected(struct orders *orders, const char *why)
{
    char error[ORDERS_ERROR_MAX];
    struct orders_entry *entry;
    snprintf(error, sizeof error, "not connected to the backend%s%s", why[0] ? ": " : "", why);
    while ((entry = orders_oldest(orders, is_held, NULL)))
        orders_end(entry, error);
}

void orders_end_all(struct orders *orders, uint64_t except, const char *error)
{
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        struct orders_entry *entry = &orders->entries[i];
        if (entry->number && entry->number != except && entry->todo != ORDERS_END)
            orders_end(entry, error);
    }
}

void orders_cancel(struct orders *orders, uint64_t number)
{
    struct orders_entry *entry = orders_find(orders, number);
    if (entry)
        *entry = (struct orders_entry){0};
}
