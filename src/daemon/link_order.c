/*
 * link_order.c: what was asked of the backend: core/orders decides what is done about it and when
 * it has ended; here it is done, and told to who asked. With what, its kind knows.
 */
#include "link_internal.h"
#include "tutti/base/log.h"

#include <stdlib.h>
#include <string.h>

static void set_timer(struct link *link)
{
    struct mono_time next = orders_deadline(&link->orders.machine);
    if (next.ns == INT64_MAX)
        loop_timer_cancel(link->orders.timer);
    else
        loop_timer_set(link->orders.timer, next);
}

/* number 0: a free one. */
static struct link_order *pending_of(struct link *link, uint64_t number)
{
    for (size_t i = 0; i < ORDERS_MAX; i++)
        if (link->orders.pending[i].number == number)
            return &link->orders.pending[i];
    return NULL;
}

static enum orders_connection connection_of(const struct link *link)
{
    if (link->connection.state == LINK_LIVE)
        return ORDERS_LIVE;
    return link->connection.state == LINK_LEFT ? ORDERS_OUT : ORDERS_AWAY;
}

bool link_order_begin(struct link *link, const struct order *order,
                      const struct link_order_kind *kind, const struct link_order_words *words,
                      link_done *done, void *user)
{
    const char *error;
    struct link_order *pending = pending_of(link, 0);
    uint64_t number = orders_begin(&link->orders.machine, order, connection_of(link),
                                   loop_now(link->loop), &error);
    if (!number) {
        if (words)
            free(words->text);
        done(user, &(struct link_result){.error = error});
        return false;
    }
    *pending = (struct link_order){
        .number = number, .link = link, .kind = kind, .done = done, .user = user};
    if (words)
        pending->words = *words;
    return true;
}

static void forget(struct link_order *pending)
{
    if (pending->kind->ended)
        pending->kind->ended(pending->link);
    http_cancel(pending->call);
    texts_cancel(pending->answer);
    free(pending->words.text);
    *pending = (struct link_order){0};
}

void link_order_cancel(struct link_order *pending)
{
    struct link *link = pending->link;
    orders_cancel(&link->orders.machine, pending->number);
    forget(pending);
    set_timer(link);
}

struct link_order *link_order_of(struct link *link, enum order_kind kind)
{
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        const struct orders_entry *entry = &link->orders.machine.entries[i];
        if (entry->number && entry->order.kind == kind)
            return pending_of(link, entry->number);
    }
    return NULL;
}

void link_order_fail(struct link_order *pending, const char *error)
{
    orders_fail(&pending->link->orders.machine, pending->number, error);
    link_orders_run(pending->link);
}

/* --- doing what is to be done -------------------------------------------------------------- */

static void tell_end(struct link_order *pending, const struct orders_entry *entry)
{
    struct link *link = pending->link;
    struct link_order ended = *pending;
    bool asked = entry->order.kind == ORDER_REQUEST || entry->order.kind == ORDER_ADD;
    forget(pending);
    if (ended.has_request && asked)
        link_mark_mine(link, ended.request.id);
    if (entry->error[0])
        link->orders.failed++;
    else
        link->orders.confirmed++;
    ended.done(ended.user, &(struct link_result){
                               .error = entry->error,
                               .took_ms = ns_to_ms(mono_sub(loop_now(link->loop), entry->asked_at)),
                               .request = ended.has_request ? &ended.request : NULL,
                               .item = ended.has_item ? &ended.item : NULL,
                           });
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
    return order->kind == ORDER_PLAYBACK ? playback_action_name(order->action) : names[order->kind];
}

static void replace_socket(struct link *link, const struct order *order)
{
    log_warn("backend: %s was not confirmed: replacing the connection", name_of(order));
    link_replace(link);
}

static void send_order(struct link_order *pending)
{
    struct link *link = pending->link;
    struct order *order = &orders_find(&link->orders.machine, pending->number)->order;
    order_note_before(order, link->config.session);
    pending->kind->send(pending, order);
}

static void act_on(struct link *link, enum orders_act act, const struct orders_entry *entry)
{
    struct link_order *pending = pending_of(link, entry->number);
    switch (act) {
    case ORDERS_CONNECT:
        link_retry_now(link);
        break;
    case ORDERS_SEND:
        send_order(pending);
        break;
    case ORDERS_REPLACE:
        replace_socket(link, &entry->order);
        break;
    case ORDERS_REPEAT:
        link->orders.repeated++;
        pending->kind->repeat(pending, &entry->order);
        break;
    case ORDERS_END:
        tell_end(pending, entry);
        break;
    case ORDERS_NOTHING:
        break;
    }
}

void link_orders_run(struct link *link)
{
    struct orders_entry entry;
    enum orders_act act;
    while ((act = orders_next(&link->orders.machine, &entry)) != ORDERS_NOTHING)
        act_on(link, act, &entry);
    set_timer(link);
}

static void timer_fired(void *user, struct mono_time now)
{
    struct link *link = user;
    orders_due(&link->orders.machine, now);
    link_orders_run(link);
}

/* --- calls, and their answers ---------------------------------------------------------------- */

static void call_answered(void *user, const struct http_response *response)
{
    struct link_order *pending = user;
    struct link *link = pending->link;
    const struct order *order = &orders_find(&link->orders.machine, pending->number)->order;
    pending->call = NULL;
    link_take_date(link, response);
    pending->kind->answered(pending, order, response);
}

void link_order_note_request(struct link_order *pending, const struct request_message *request)
{
    pending->request = *request;
    pending->has_request = true;
}

void link_order_note_item(struct link_order *pending, const struct playlist_item *item)
{
    pending->item = *item;
    pending->has_item = true;
}

/* A guest's upload is a request first. */
void link_order_answered(struct link_order *pending, int status, const char *why)
{
    struct link *link = pending->link;
    struct orders_answer answer = {status, why, pending->has_request};
    orders_answered(&link->orders.machine, pending->number, &answer, link->config.session,
                    loop_now(link->loop));
    link_orders_run(link);
}

void link_order_call(struct link_order *pending, struct http_request *request)
{
    struct link *link = pending->link;
    request->on_done = call_answered;
    request->user = pending;
    http_cancel(pending->call);
    pending->call = link_call(link, request);
    if (pending->call)
        orders_calls(&link->orders.machine, pending->number);
    else
        link_order_fail(pending, "out of memory");
}

static void answer_parsed(void *user, struct text *text, struct parsed *parsed)
{
    struct link_order *pending = user;
    (void)text;
    pending->answer = NULL;
    pending->parsed(pending, parsed);
}

bool link_order_parse(struct link_order *pending, const struct text_source *source,
                      void (*parsed)(struct link_order *pending, const struct parsed *parsed))
{
    pending->parsed = parsed;
    pending->answer = texts_parse(pending->link->config.reader, source, answer_parsed, pending);
    return pending->answer != NULL;
}

void link_order_sent(struct link_order *pending, bool sent)
{
    struct link *link = pending->link;
    orders_sent(&link->orders.machine, pending->number, sent, loop_now(link->loop));
}

void link_order_joined(struct link_order *pending)
{
    struct link *link = pending->link;
    orders_joined(&link->orders.machine, pending->number, loop_now(link->loop));
}

/* --- what comes in ------------------------------------------------------------------------- */

void link_orders_take_playback(struct link *link, const struct playback_state *playback,
                               enum orders_socket by, struct mono_time now)
{
    struct mono_time sent_at;
    if (orders_heard_playback(&link->orders.machine, playback, by, &sent_at))
        server_clock_add_command(link->config.clock, sent_at, now, playback->updated_at);
    link_orders_run(link);
}

void link_orders_take_request(struct link *link, const struct request_message *request, bool known)
{
    uint64_t number = orders_heard_request(&link->orders.machine, request, known);
    struct link_order *pending = number ? pending_of(link, number) : NULL;
    if (pending)
        link_order_note_request(pending, request);
    link_orders_run(link);
}

void link_orders_take_playlist(struct link *link)
{
    orders_heard_playlist(&link->orders.machine, link->config.session);
    link_orders_run(link);
}

static void say_refusal(struct link *link, const char *detail)
{
    unsigned withheld;
    char others[NOTICES_WITHHELD_MAX];
    if (!notices_pass(&link->orders.refusals, loop_now(link->loop), &withheld))
        return;
    notices_print_withheld(withheld, others);
    log_warn("backend: refuses a message: %s%s", detail, others);
}

void link_orders_take_refusal(struct link *link, const char *detail, enum orders_socket by)
{
    if (!orders_heard_refusal(&link->orders.machine, detail, by))
        say_refusal(link, detail);
    link_orders_run(link);
}

void link_orders_compare(struct link *link)
{
    orders_compare(&link->orders.machine, link->config.session, loop_now(link->loop));
    link_orders_run(link);
}

void link_orders_end_all(struct link *link, const struct link_order *except, const char *error)
{
    orders_end_all(&link->orders.machine, except ? except->number : 0, error);
    link_orders_run(link);
}

void link_orders_not_connected(struct link *link, const char *why)
{
    orders_not_connected(&link->orders.machine, why);
    link_orders_run(link);
}

/* --- life ---------------------------------------------------------------------------------- */

bool link_orders_init(struct link *link)
{
    link->orders.timer = loop_timer_create(link->loop, timer_fired, link);
    return link->orders.timer != NULL;
}

void link_orders_finish(struct link *link)
{
    for (size_t i = 0; i < ORDERS_MAX; i++)
        if (link->orders.pending[i].number)
            link_order_cancel(&link->orders.pending[i]);
    loop_timer_destroy(link->orders.timer);
}
