/*
 * link_order.c: what was asked of the backend and is not confirmed yet.
 *
 *   SENT     its echo is waited for, or the answer to its call
 *   SENDING  an upload is on its way, for as long as it takes
 *   AGREED   the backend has said yes; the playlist does not show it yet
 *   DOUBTED  nothing came: the socket is being replaced, and what the new one says first is
 * compared REPEATED it had not happened; the answer to the second try ends it
 *
 * Each is ended exactly once. Only what can be asked for twice is repeated: an approval that is
 * would be applied twice, and a request or an upload would be there twice.
 */
#include "link_internal.h"
#include "tutti/base/log.h"

#include <stdio.h>
#include <string.h>

/* The contract's word: an echo that is not there by then does not come. */
static const int64_t ECHO_WAIT_NS = 2 * NS_PER_S;
/* From then on until the fresh state: a reconnection, and a few of its retries. */
static const int64_t FRESH_WAIT_NS = 5 * NS_PER_S;

static void set_timer(struct link *link)
{
    struct mono_time next = {INT64_MAX};
    for (size_t i = 0; i < LINK_ORDERS_MAX; i++) {
        const struct link_order *pending = &link->orders[i];
        if (pending->used && pending->due.ns < next.ns)
            next = pending->due;
    }
    if (next.ns == INT64_MAX)
        loop_timer_cancel(link->confirm);
    else
        loop_timer_set(link->confirm, next);
}

/* The oldest for which it holds. */
static struct link_order *oldest(struct link *link,
                                 bool (*holds)(const struct link_order *pending, const void *what),
                                 const void *what)
{
    struct link_order *found = NULL;
    for (size_t i = 0; i < LINK_ORDERS_MAX; i++) {
        struct link_order *pending = &link->orders[i];
        if (pending->used && holds(pending, what) && (!found || pending->number < found->number))
            found = pending;
    }
    return found;
}

static bool is_joining(const struct link_order *pending, const void *unused)
{
    (void)unused;
    return pending->order.kind == ORDER_JOIN;
}

static void say_done(link_done *done, void *user, const char *error)
{
    done(user, &(struct link_result){.error = error});
}

struct link_order *link_order_begin(struct link *link, const struct order *order, link_done *done,
                                    void *user)
{
    struct mono_time now = loop_now(link->loop);
    size_t at = 0;
    while (at < LINK_ORDERS_MAX && link->orders[at].used)
        at++;
    if (link->state != LINK_LIVE && order->kind != ORDER_JOIN) {
        say_done(done, user, "not connected to the backend");
        return NULL;
    }
    if (order->kind == ORDER_JOIN && oldest(link, is_joining, NULL)) {
        say_done(done, user, "this speaker is joining a session already");
        return NULL;
    }
    if (at == LINK_ORDERS_MAX) {
        say_done(done, user, "too many commands wait for the backend already");
        return NULL;
    }
    link->orders[at] = (struct link_order){
        .used = true,
        .link = link,
        .number = ++link->order_count,
        .order = *order,
        .sent_at = now,
        .due = mono_add(now, ECHO_WAIT_NS),
        .done = done,
        .user = user,
    };
    link->orders[at].order.stamp_before = link->playback.updated_at;
    set_timer(link);
    return &link->orders[at];
}

void link_order_cancel(struct link_order *pending)
{
    struct link *link = pending->link;
    if (pending->order.kind == ORDER_ADD)
        link_upload_end(link);
    http_cancel(pending->call);
    *pending = (struct link_order){0};
    set_timer(link);
}

void link_order_end(struct link_order *pending, const char *error)
{
    struct link *link = pending->link;
    struct link_order ended = *pending;
    link_order_cancel(pending);
    if (error[0])
        link->counters.commands_failed++;
    else
        link->counters.commands_confirmed++;
    ended.done(ended.user, &(struct link_result){
                               .error = error,
                               .took_ms = ns_to_ms(mono_sub(loop_now(link->loop), ended.sent_at)),
                               .request = ended.has_request ? &ended.request : NULL,
                               .item = ended.has_item ? &ended.item : NULL,
                           });
}

void link_order_wait(struct link_order *pending, enum link_order_phase phase)
{
    struct mono_time now = loop_now(pending->link->loop);
    static const int64_t waits_ns[] = {
        [LINK_ORDER_SENT] = ECHO_WAIT_NS,
        [LINK_ORDER_SENDING] = INT64_MAX / 2, /* the call has its own limit */
        [LINK_ORDER_AGREED] = ECHO_WAIT_NS,
        [LINK_ORDER_DOUBTED] = FRESH_WAIT_NS,
        [LINK_ORDER_REPEATED] = INT64_MAX / 2, /* and here */
    };
    pending->phase = phase;
    pending->due = mono_add(now, waits_ns[phase]);
    set_timer(pending->link);
}

static const char *name_of(const struct order *order)
{
    static const char *const names[] = {
        [ORDER_REQUEST] = "a request",
        [ORDER_APPROVE] = "an approval",
        [ORDER_DENY] = "a denial",
        [ORDER_REMOVE] = "a removal",
        [ORDER_MOVE] = "a move",
        [ORDER_ADD] = "an upload",
        [ORDER_JOIN] = "joining a session",
    };
    return order->kind == ORDER_PLAYBACK ? order->action : names[order->kind];
}

void link_order_doubt(struct link_order *pending)
{
    log_warn("backend: %s was not confirmed: replacing the connection", name_of(&pending->order));
    pending->agreed = pending->phase == LINK_ORDER_AGREED;
    link_order_wait(pending, LINK_ORDER_DOUBTED);
    link_replace(pending->link);
}

static void order_is_due(struct link_order *pending)
{
    switch (pending->phase) {
    case LINK_ORDER_SENT:
    case LINK_ORDER_AGREED:
        link_order_doubt(pending);
        break;
    case LINK_ORDER_DOUBTED:
        if (pending->call) /* a slow backend may yet answer; the call has its own limit */
            pending->due = (struct mono_time){INT64_MAX};
        else if (pending->agreed)
            link_order_end(pending, "");
        else if (pending->order.kind == ORDER_JOIN)
            link_order_end(pending, "the session was joined, but does not tell its state yet");
        else
            link_order_end(pending, "the backend did not confirm it, and cannot be asked what "
                                    "became of it");
        break;
    case LINK_ORDER_SENDING:
    case LINK_ORDER_REPEATED:
        break;
    }
}

void link_orders_due(void *user, struct mono_time now)
{
    struct link *link = user;
    for (size_t i = 0; i < LINK_ORDERS_MAX; i++)
        if (link->orders[i].used && mono_sub(now, link->orders[i].due) >= 0)
            order_is_due(&link->orders[i]);
    set_timer(link);
}

/* --- what comes in ------------------------------------------------------------------------- */

static bool waits_for_echo(const struct link_order *pending)
{
    return pending->by_socket && pending->phase != LINK_ORDER_REPEATED;
}

static bool is_echoed(const struct link_order *pending, const void *playback)
{
    return waits_for_echo(pending) && order_echoed(&pending->order, playback);
}

static bool is_before(const struct link_order *pending, const void *number)
{
    return waits_for_echo(pending) && pending->order.kind == ORDER_PLAYBACK &&
           pending->number < *(const uint64_t *)number;
}

void link_orders_take_playback(struct link *link, const struct playback_state *playback,
                               struct mono_time now)
{
    struct link_order *pending = oldest(link, is_echoed, playback), *missed;
    if (!pending)
        return;
    uint64_t number = pending->number;
    if (pending->phase == LINK_ORDER_SENT)
        server_clock_add_command(link->config.clock, pending->sent_at, now, playback->updated_at);
    link_order_end(pending, "");
    /* The socket keeps the order: what was sent before this has had its turn. */
    while ((missed = oldest(link, is_before, &number)))
        link_order_end(missed, "another command came after it");
}

static bool is_answered(const struct link_order *pending, const void *request)
{
    return order_answered(&pending->order, request);
}

void link_orders_take_request(struct link *link, const struct request_message *request)
{
    struct link_order *pending = oldest(link, is_answered, request);
    if (!pending)
        return;
    pending->request = *request;
    pending->has_request = true;
    link_order_end(pending, "");
}

static bool is_shown(const struct link_order *pending, const void *playlist)
{
    return pending->phase == LINK_ORDER_AGREED && order_in_playlist(&pending->order, playlist);
}

void link_orders_take_playlist(struct link *link)
{
    struct link_order *pending;
    while ((pending = oldest(link, is_shown, link->config.playlist)))
        link_order_end(pending, "");
}

static bool is_on_socket(const struct link_order *pending, const void *unused)
{
    (void)unused;
    return pending->by_socket && pending->phase == LINK_ORDER_SENT;
}

/* Whoever refuses a message says so in the order in which they came. */
void link_orders_take_refusal(struct link *link, const char *detail)
{
    char error[PROTOCOL_REASON_MAX + 32];
    struct link_order *pending = oldest(link, is_on_socket, NULL);
    if (!pending) {
        log_warn("backend: refuses a message: %s", detail);
        return;
    }
    snprintf(error, sizeof error, "the backend refuses: %s", detail);
    link_order_end(pending, error);
}

bool link_orders_on_socket(struct link *link)
{
    return oldest(link, is_on_socket, NULL) != NULL;
}

/* --- the fresh state ----------------------------------------------------------------------- */

static bool is_any(const struct link_order *pending, const void *after)
{
    return pending->number > *(const uint64_t *)after;
}

static bool is_newer_playback(const struct link_order *pending, const void *number)
{
    return pending->order.kind == ORDER_PLAYBACK && pending->number > *(const uint64_t *)number;
}

static bool has_happened(const struct link_order *pending)
{
    const struct link *link = pending->link;
    return pending->agreed || pending->order.kind == ORDER_JOIN ||
           order_in_playback(&pending->order, &link->playback) ||
           order_in_playlist(&pending->order, link->config.playlist);
}

/* Does what is known by now show it? */
static bool is_done(const struct link_order *pending)
{
    if (pending->phase == LINK_ORDER_DOUBTED)
        return has_happened(pending);
    return pending->phase == LINK_ORDER_SENT && pending->by_socket &&
           order_in_playback(&pending->order, &pending->link->playback);
}

static void repeat(struct link_order *pending)
{
    char error[PROTOCOL_REASON_MAX];
    switch (pending->order.kind) {
    case ORDER_APPROVE:
        if (!pending->call)
            link_order_end(pending, "the backend did not confirm the approval, and the playlist "
                                    "does not show it; it is not repeated, lest it counts twice");
        break;
    case ORDER_REQUEST:
        link_order_end(pending, "the backend did not confirm the request; it is not repeated, "
                                "lest it is there twice");
        break;
    case ORDER_ADD:
        snprintf(error, sizeof error, "the upload failed: %.200s", pending->reason);
        link_order_end(pending, error);
        break;
    default:
        if (pending->order.kind == ORDER_PLAYBACK &&
            oldest(pending->link, is_newer_playback, &pending->number))
            link_order_end(pending, "another command came after it");
        else
            link_order_repeat(pending);
        break;
    }
}

/* In their order, each once, whatever their ends set off. */
void link_orders_compare(struct link *link)
{
    struct link_order *pending;
    uint64_t last = link->order_count;
    for (uint64_t after = 0; (pending = oldest(link, is_any, &after));) {
        after = pending->number;
        if (after > last)
            return;
        if (is_done(pending))
            link_order_end(pending, "");
        else if (pending->phase == LINK_ORDER_DOUBTED)
            repeat(pending);
    }
}

void link_orders_end_all(struct link *link, const struct link_order *except, const char *error)
{
    struct link_order *pending;
    uint64_t last = link->order_count;
    for (uint64_t after = 0; (pending = oldest(link, is_any, &after)) && pending->number <= last;) {
        after = pending->number;
        if (pending != except)
            link_order_end(pending, error);
    }
}

void link_orders_drop_all(struct link *link)
{
    for (size_t i = 0; i < LINK_ORDERS_MAX; i++)
        if (link->orders[i].used)
            link_order_cancel(&link->orders[i]);
}
