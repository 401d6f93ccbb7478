/*
 * link.c: the socket's life: open, adopt, lose, open again.
 */
#include "tutti/daemon/link.h"

#include "link_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/mono_clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t RETRY_MIN_NS = 250 * NS_PER_MS;
static const int64_t RETRY_MAX_NS = 30 * NS_PER_S;
/* The whole state is looked at afresh about this often, whatever seems fine; or every so many
 * comparisons of the playlist, where those are more frequent. */
static const int64_t RECHECK_NS = 60 * NS_PER_S;
static const double RECHECK_RESYNCS = 6;
/* A socket that has not told its initial state by then is given up. */
static const int64_t OPENING_MAX_NS = 10 * NS_PER_S;

const char *link_state_name(enum link_state state)
{
    static const char *const names[] = {"joining", "connecting", "live", "lost", "left", "refused"};
    return names[state];
}

enum link_state link_get_state(const struct link *link)
{
    return link->state;
}

const char *link_problem(const struct link *link)
{
    return link->problem;
}

bool link_is_live(const struct link *link)
{
    return link->state == LINK_LIVE;
}

const char *link_session_id(const struct link *link)
{
    return link->session_id;
}

struct link_counters link_get_counters(const struct link *link)
{
    return link->counters;
}

void link_set_state(struct link *link, enum link_state state, const char *problem)
{
    bool news = state != link->state || strcmp(problem, link->problem) != 0;
    if (news && problem[0])
        log_warn("backend: %s", problem);
    if (state == LINK_LIVE && link->state != LINK_LIVE)
        log_info("backend: in session %s as %s", link->session_id,
                 link->config.settings->backend.name);
    link->state = state;
    snprintf(link->problem, sizeof link->problem, "%s", problem);
    if (news)
        link->handlers.on_change(link->user);
}

void link_close_socket(struct link *link, struct link_socket *socket)
{
    if (!socket)
        return;
    ws_client_destroy(socket->client);
    texts_forget_playlist(link->config.reader, &socket->opening.playlist);
    link_forget_texts(socket);
    memset(socket, 0, sizeof *socket);
    socket->link = link;
    if (link->live == socket)
        link->live = NULL;
    if (link->fresh == socket)
        link->fresh = NULL;
}

/* And whoever waits for a connection waits no longer. */
void link_retry_later(struct link *link)
{
    loop_timer_set_in(link->retry, backoff_next(&link->backoff));
    orders_not_connected(&link->orders, link->problem);
    link_orders_run(link);
}

void link_tell_change(struct link *link, struct session_change change, struct mono_time now)
{
    texts_forget_playlist(link->config.reader, &change.dropped);
    if (change.news)
        link->handlers.on_session(link->user, change.news, now);
    if (change.doubtful)
        link_recheck(link);
}

void link_apply(struct link *link, struct protocol_message *message, struct mono_time now)
{
    double length_s = link->handlers.length_s(link->user, now);
    link_tell_change(link, session_apply(link->config.session, message, length_s, now), now);
}

/* --- lifecycle ----------------------------------------------------------------------------- */

void link_plan_recheck(struct link *link, struct mono_time now)
{
    int64_t every_ns = s_to_ns(link->config.settings->sync.resync_interval_s * RECHECK_RESYNCS);
    if (every_ns > RECHECK_NS)
        every_ns = RECHECK_NS;
    int64_t jitter_ns = (int64_t)(backoff_random(&link->backoff) * (double)every_ns / 2);
    link->recheck_at = mono_add(now, every_ns * 3 / 4 + jitter_ns);
}

void link_adopt(struct link *link, struct link_socket *socket, struct mono_time now)
{
    struct link_socket *old = link->live;
    bool first = link->state != LINK_LIVE;
    double length_s = link->handlers.length_s(link->user, now);
    link->fresh = NULL;
    link_close_socket(link, old);
    link->live = socket;
    backoff_reset(&link->backoff);
    link_plan_recheck(link, now);
    link_tell_change(link, session_adopt(link->config.session, &socket->opening, length_s, now),
                     now);
    link_membership_worked(link);
    link_set_state(link, LINK_LIVE, "");
    if (first) {
        link->no_session_call = false; /* it may be another version by now */
        link->counters.connects++;
        server_clock_connected(link->config.clock, now);
        date_plan_begin(&link->date_plan);
        loop_timer_set_in(link->dates, LINK_DATE_WAIT_NS);
    }
    link_send_probe(link, now);
    link_orders_compare(link);
}

static void refused(struct link *link, int status, const char *reason)
{
    char problem[PROTOCOL_REASON_MAX];
    if (status == 401 || status == 403) {
        link_token_refused(link, status, mono_clock_now());
        return;
    }
    if (status == 404)
        snprintf(
            problem, sizeof problem,
            "the WebSocket is answered with 404: does the backend have its WebSocket library?");
    else
        snprintf(problem, sizeof problem, "%s", reason);
    membership_failed(&link->membership);
    link_set_state(link, LINK_LOST, problem);
    link_retry_later(link);
}

void link_socket_ended(struct link *link, struct link_socket *socket, enum ws_client_end end,
                       int status, const char *reason)
{
    bool live = socket == link->live;
    link_close_socket(link, socket);
    if (!live && link->live && end != WS_CLIENT_REFUSED)
        return; /* a replacement that did not come about: what we have goes on */
    if (link->live)
        link_close_socket(link, link->live);
    server_clock_disconnected(link->config.clock);
    if (end == WS_CLIENT_REFUSED) {
        refused(link, status, reason);
        return;
    }
    membership_failed(&link->membership);
    link_set_state(link, LINK_LOST, reason);
    link_retry_later(link);
}

static void open_socket(struct link *link)
{
    char url[PROTOCOL_URL_MAX + 2 * PROTOCOL_TOKEN_MAX];
    struct link_socket *socket =
        link->live == &link->sockets[0] ? &link->sockets[1] : &link->sockets[0];
    if (!protocol_ws_url(url, sizeof url, link->config.settings->backend.url, link->session_id,
                         link->token))
        return;
    link_close_socket(link, link->fresh);
    socket->client = ws_client_create(link->loop, url, &link_socket_handlers, socket);
    if (!socket->client) {
        link_retry_later(link);
        return;
    }
    link->fresh = socket;
    link->opening_since = mono_clock_now();
}

void link_connect(struct link *link)
{
    if (link->state == LINK_JOINING)
        link_set_state(link, LINK_CONNECTING, "");
    open_socket(link);
}

void link_recheck(struct link *link)
{
    if (link->live && !link->fresh)
        open_socket(link);
}

void link_replace(struct link *link)
{
    if (link->live)
        open_socket(link); /* which gives up another */
}

void link_doubt(struct link *link)
{
    link_recheck(link);
}

static void retry_fired(void *user, struct mono_time now)
{
    struct link *link = user;
    if (!link->live && !link->fresh && link->state != LINK_LEFT)
        link_try(link, now);
}

/* At the fraction of a second where a Date of whole seconds says most.
 * Where an echo says it all, with whatever wakes the board about then. */
static void set_resync_timer(struct link *link)
{
    const struct server_clock *clock = link->config.clock;
    int64_t interval_ns = s_to_ns(link->config.settings->sync.resync_interval_s);
    int64_t early_ns = clock->echo_seen ? interval_ns / 8 : 0;
    struct mono_time due = mono_add(mono_clock_now(), interval_ns);
    struct mono_time at =
        date_plan_around(&link->date_plan, clock->echo_seen ? NULL : &clock->dates, due);
    loop_timer_set_between(link->resync, mono_add(at, -early_ns), at);
}

static void resync_fired(void *user, struct mono_time now)
{
    struct link *link = user;
    if (link->fresh && mono_sub(now, link->opening_since) > OPENING_MAX_NS) {
        bool alone = !link->live;
        link_close_socket(link, link->fresh);
        if (alone) {
            membership_failed(&link->membership);
            link_set_state(link, LINK_LOST, "the backend does not tell its state");
            link_retry_later(link);
        }
    }
    link_resync(link, now);
    set_resync_timer(link);
}

struct link *link_create(struct loop *loop, struct http *http, const struct link_config *config,
                         const struct link_handlers *handlers, void *user)
{
    struct link *link = calloc(1, sizeof *link);
    if (!link)
        return NULL;
    link->loop = loop;
    link->http = http;
    link->config = *config;
    link->handlers = *handlers;
    link->user = user;
    link->sockets[0].link = link->sockets[1].link = link;
    link->retry = loop_timer_create(loop, retry_fired, link);
    link->resync = loop_timer_create(loop, resync_fired, link);
    link->probe = loop_timer_create(loop, link_probe_fired, link);
    link->confirm = loop_timer_create(loop, link_orders_due, link);
    link->dates = loop_timer_create(loop, link_ask_date, link);
    if (!link->retry || !link->resync || !link->probe || !link->confirm || !link->dates) {
        link_destroy(link);
        return NULL;
    }
    backoff_init(&link->backoff, RETRY_MIN_NS, RETRY_MAX_NS, (uint64_t)mono_clock_now().ns);
    link_take_membership(link);
    log_add_secret(link->kept.token);
    loop_timer_set_in(link->retry, 0);
    set_resync_timer(link);
    return link;
}

void link_destroy(struct link *link)
{
    if (!link)
        return;
    http_cancel(link->rest);
    http_cancel(link->date_call);
    texts_cancel(link->rest_text);
    link_orders_drop_all(link); /* for which the timer is still needed */
    link_close_socket(link, link->fresh);
    link_close_socket(link, link->live);
    loop_timer_destroy(link->retry);
    loop_timer_destroy(link->resync);
    loop_timer_destroy(link->probe);
    loop_timer_destroy(link->confirm);
    loop_timer_destroy(link->dates);
    free(link);
}
