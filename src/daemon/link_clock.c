/*
 * link_clock.c: evidence for the backend's clock: the stamps that it sends, the echoes of probes
 * where it answers them, and the Dates of its answers. What they say, core/server_clock decides.
 *
 * A dozen answers spread over a second tell how old a backend's Dates are: for backends that do not
 * answer probes.
 */
#include "link_internal.h"
#include "tutti/io/mono_clock.h"

#include <stdlib.h>

/* How long an echo is waited for before Dates are asked for. */
#define DATE_WAIT_NS (500 * NS_PER_MS)

static void set_probe_timer(struct link *link)
{
    struct mono_time next = server_clock_next_probe(link->config.clock);
    if (next.ns != INT64_MAX)
        loop_timer_set(link->clock.probe, next);
}

void link_take_stamp(struct link *link, struct server_time updated_at, struct mono_time received)
{
    server_clock_add_stamp(link->config.clock, received, updated_at);
    link->handlers.on_stamp(link->user, updated_at, received);
    set_probe_timer(link); /* a stamp that cannot be is looked into at once */
}

/* --- probes -------------------------------------------------------------------------------- */

static void send_probe(struct link *link, struct mono_time now)
{
    struct sync_ack ack = {0};
    struct link_clock *clock = &link->clock;
    struct link_socket *live = link->connection.live;
    if (!live || !ws_client_is_open(live->client))
        return;
    link->handlers.fill_ack(link->user, &ack, now);
    ack.client_time = wall_clock_now();
    ack.sequence = ++clock->sequence;
    char *text = protocol_build_sync_ack(&ack);
    if (!text)
        return;
    clock->probes[ack.sequence % LINK_PROBES] = (struct link_probe){ack.sequence, mono_clock_now()};
    ws_client_send(live->client, text);
    free(text);
    server_clock_probe_sent(link->config.clock, now);
}

void link_send_probe(struct link *link, struct mono_time now)
{
    send_probe(link, now);
    set_probe_timer(link);
}

void link_report(struct link *link)
{
    link_send_probe(link, mono_clock_now());
}

static void probe_fired(void *user, struct mono_time now)
{
    struct link *link = user;
    if (mono_sub(server_clock_next_probe(link->config.clock), now) <= 0)
        send_probe(link, now);
    set_probe_timer(link);
}

void link_take_echo(struct link *link, const struct echo_message *echo, struct mono_time received)
{
    const struct link_clock *clock = &link->clock;
    const struct link_probe *probe = &clock->probes[(uint64_t)echo->sequence % LINK_PROBES];
    if (probe->sequence != echo->sequence)
        return;
    /* If nothing was sent since, the socket knows better when it went out than its queue does. */
    struct mono_time sent_at = probe->sent_at;
    if (echo->sequence == clock->sequence && !orders_on_socket(&link->orders.machine))
        sent_at = ws_client_last_sent_at(link->connection.live->client);
    server_clock_add_echo(link->config.clock, sent_at, received, echo->server_received_at,
                          echo->server_sent_at);
    set_probe_timer(link);
}

/* --- Dates --------------------------------------------------------------------------------- */

void link_take_date(struct link *link, const struct http_response *response)
{
    if (response->status <= 0 || !response->has_date)
        return;
    date_filter_expect(&link->config.clock->dates, date_server_of(response->server));
    server_clock_add_date(link->config.clock, response->sent_at, response->received_at,
                          response->date, response->fresh_connection);
}

static void plan_date(struct link *link)
{
    struct mono_time at;
    struct link_clock *clock = &link->clock;
    if (date_plan_next(&clock->date_plan, &link->config.clock->dates, mono_clock_now(), &at))
        loop_timer_set(clock->dates, at);
}

static void date_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    struct link_clock *clock = &link->clock;
    clock->call = NULL;
    if (response->status > 0)
        date_plan_note(&clock->date_plan, clock->asked_at, response->sent_at,
                       response->received_at);
    link_take_date(link, response);
    texts_forget(link->config.reader, http_take_body(response));
    plan_date(link);
}

static void ask_date(void *user, struct mono_time now)
{
    struct link *link = user;
    struct link_clock *clock = &link->clock;
    const struct link_pass *pass = &link->member.used;
    char url[PROTOCOL_URL_MAX];
    struct http_request request = {.method = "GET",
                                   .url = url,
                                   .token = pass->token,
                                   .max_bytes = LINK_LIST_MAX_BYTES,
                                   .on_done = date_answered,
                                   .user = link};
    if (!link_is_live(link) || link->config.clock->echo_seen || clock->call)
        return;
    clock->asked_at = now;
    if (protocol_url(url, sizeof url, link->config.settings->backend.url, "/sessions/%s/playlist",
                     pass->session_id))
        clock->call = link_call(link, &request);
}

/* At the fraction of a second where a Date of whole seconds says most. Where an echo says it all,
 * there is none. */
struct mono_time link_time_of_check(struct link *link, struct mono_time due)
{
    const struct server_clock *clock = link->config.clock;
    return date_plan_around(&link->clock.date_plan, clock->echo_seen ? NULL : &clock->dates, due);
}

/* --- life ---------------------------------------------------------------------------------- */

void link_clock_connected(struct link *link, struct mono_time now)
{
    server_clock_connected(link->config.clock, now);
    date_plan_begin(&link->clock.date_plan);
    loop_timer_set_in(link->clock.dates, DATE_WAIT_NS);
}

void link_clock_disconnected(struct link *link)
{
    http_cancel(link->clock.call);
    link->clock.call = NULL;
    server_clock_disconnected(link->config.clock);
}

bool link_clock_init(struct link *link)
{
    link->clock.probe = loop_timer_create(link->loop, probe_fired, link);
    link->clock.dates = loop_timer_create(link->loop, ask_date, link);
    return link->clock.probe && link->clock.dates;
}

void link_clock_finish(struct link *link)
{
    http_cancel(link->clock.call);
    loop_timer_destroy(link->clock.probe);
    loop_timer_destroy(link->clock.dates);
}
