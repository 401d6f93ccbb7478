/*
 * link_connection.c: the sockets' life: open one, switch to it, lose it, try again. What follows
 * from that, the handlers know.
 */
#include "link_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/mono_clock.h"

#include <stdio.h>
#include <string.h>

static const int64_t RETRY_MIN_NS = 250 * NS_PER_MS;
static const int64_t RETRY_MAX_NS = 30 * NS_PER_S;
/* A socket that has not told its initial state by then is given up. */
static const int64_t OPENING_MAX_NS = 10 * NS_PER_S;
/* Of those that last less than this one follows the other at the pace of retries: who closes at
 * once, or says what is in doubt whenever it is asked, is not stormed. */
static const int64_t LASTING_NS = 5 * NS_PER_S;
/* A backend may have chosen whom it tells of a change before it knew of the new socket, and tell
 * them some time later: the old one is listened to for so long. */
static const int64_t RETIRING_NS = 2 * NS_PER_S;

const char *link_state_name(enum link_state state)
{
    static const char *const names[] = {"joining", "connecting", "live", "lost", "left", "refused"};
    return names[state];
}

bool link_is_live(const struct link *link)
{
    return link->connection.state == LINK_LIVE;
}

void link_set_state(struct link *link, enum link_state state, const char *problem)
{
    struct link_connection *connection = &link->connection;
    bool news = state != connection->state || strcmp(problem, connection->problem) != 0;
    if (news && problem[0])
        log_warn("backend: %s", problem);
    if (state == LINK_LIVE && connection->state != LINK_LIVE)
        log_info("backend: in session %s as %s", link->member.used.session_id,
                 link->config.settings->backend.name);
    connection->state = state;
    snprintf(connection->problem, sizeof connection->problem, "%s", problem);
    if (news)
        link->handlers.on_change(link->user);
}

/* --- trying again -------------------------------------------------------------------------- */

void link_retry_later(struct link *link)
{
    struct link_connection *connection = &link->connection;
    loop_timer_set_in(connection->retry, backoff_next(&connection->backoff));
    connection->handlers->on_wait(link);
}

void link_forget_failures(struct link *link)
{
    backoff_reset(&link->connection.backoff);
}

static bool is_away(const struct link_connection *connection)
{
    return !connection->live && !connection->fresh;
}

void link_retry_now(struct link *link)
{
    if (is_away(&link->connection) && !link->member.call)
        loop_timer_set_in(link->connection.retry, 0);
}

/* --- the end of a socket ------------------------------------------------------------------- */

static void close_socket(struct link *link, struct link_socket *socket)
{
    struct link_connection *connection = &link->connection;
    if (!socket)
        return;
    ws_client_destroy(socket->client);
    connection->handlers->on_close(socket);
    memset(socket, 0, sizeof *socket);
    socket->link = link;
    if (connection->live == socket)
        connection->live = NULL;
    if (connection->fresh == socket)
        connection->fresh = NULL;
    if (connection->retiring == socket)
        connection->retiring = NULL;
}

static void close_sockets(struct link *link)
{
    close_socket(link, link->connection.retiring);
    close_socket(link, link->connection.fresh);
    close_socket(link, link->connection.live);
}

static bool has_lasted(const struct link_connection *connection)
{
    return mono_sub(mono_clock_now(), connection->adopted_at) >= LASTING_NS;
}

/* Another takes the live one's place, or none. */
static void note_end(struct link_connection *connection)
{
    if (connection->live)
        connection->brief = !has_lasted(connection);
    if (!connection->brief)
        backoff_reset(&connection->backoff);
}

void link_disconnect(struct link *link)
{
    loop_timer_cancel(link->connection.retry);
    close_sockets(link);
}

static void recheck_later(struct link_connection *connection)
{
    connection->recheck_waits = true;
    loop_timer_set_in(connection->retry, backoff_next(&connection->backoff));
}

/* It can be done without; but the live one says nothing of a token that is refused by now. */
static bool is_spare(const struct link_socket *socket, enum ws_client_end end, int status)
{
    const struct link_connection *connection = &socket->link->connection;
    bool refused = end == WS_CLIENT_REFUSED && membership_is_refusal(status);
    return socket == connection->retiring ||
           (connection->live != socket && connection->live && !refused);
}

void link_socket_ended(struct link_socket *socket, enum ws_client_end end, int status,
                       const char *reason)
{
    struct link *link = socket->link;
    struct link_connection *connection = &link->connection;
    if (is_spare(socket, end, status)) {
        if (socket == connection->fresh)
            recheck_later(connection); /* it was in doubt, and is */
        close_socket(link, socket);
        return;
    }
    if (connection->live)
        note_end(connection);
    close_sockets(link);
    connection->handlers->on_lost(link, end, status, reason);
}

void link_end_late_opening(struct link *link, struct mono_time now)
{
    struct link_connection *connection = &link->connection;
    if (connection->fresh && mono_sub(now, connection->opening_since) > OPENING_MAX_NS)
        link_socket_ended(connection->fresh, WS_CLIENT_TIMEOUT, 0,
                          "the backend does not tell its state");
}

/* --- opening one, and switching to it ------------------------------------------------------ */

static void on_open(void *user, struct mono_time now)
{
    (void)user;
    (void)now;
}

static void on_text(void *user, const char *text, size_t bytes, struct mono_time received)
{
    struct link_socket *socket = user;
    socket->link->connection.handlers->on_text(socket, text, bytes, received);
}

static void on_end(void *user, enum ws_client_end end, int status, const char *reason)
{
    link_socket_ended(user, end, status, reason);
}

/* Of the three, a live and a retiring one are taken at most. */
static struct link_socket *free_socket(struct link_connection *connection)
{
    struct link_socket *socket = connection->sockets;
    while (socket == connection->live || socket == connection->retiring)
        socket++;
    return socket;
}

static void open_socket(struct link *link)
{
    struct link_connection *connection = &link->connection;
    const struct link_pass *pass = &link->member.used;
    static const struct ws_client_handlers handlers = {on_open, on_text, on_end};
    char url[PROTOCOL_URL_MAX + 2 * PROTOCOL_TOKEN_MAX];
    if (!protocol_ws_url(url, sizeof url, link->config.settings->backend.url, pass->session_id,
                         pass->token))
        return;
    close_socket(link, connection->fresh);
    struct link_socket *socket = free_socket(connection);
    socket->client = ws_client_create(link->loop, url, &handlers, socket);
    if (!socket->client) {
        link_retry_later(link);
        return;
    }
    connection->fresh = socket;
    connection->recheck_waits = false;
    connection->opening_since = mono_clock_now();
    socket->opening.since = connection->opening_since;
}

static void retry_fired(void *user, struct mono_time now)
{
    struct link *link = user;
    struct link_connection *connection = &link->connection;
    if (is_away(connection) && connection->state != LINK_LEFT)
        connection->handlers->on_retry(link, now);
    else if (connection->recheck_waits && connection->live && !connection->fresh)
        open_socket(link);
}

void link_connect(struct link *link)
{
    if (link->connection.state == LINK_JOINING)
        link_set_state(link, LINK_CONNECTING, "");
    open_socket(link);
}

void link_recheck(struct link *link)
{
    struct link_connection *connection = &link->connection;
    if (!connection->live || connection->fresh || connection->recheck_waits)
        return;
    if (has_lasted(connection)) {
        open_socket(link);
        return;
    }
    recheck_later(connection);
}

void link_replace(struct link *link)
{
    if (link->connection.live)
        open_socket(link); /* which gives up another */
}

static void retirement_ends(void *user, struct mono_time now)
{
    struct link *link = user;
    (void)now;
    close_socket(link, link->connection.retiring);
}

static void retire(struct link *link)
{
    struct link_connection *connection = &link->connection;
    close_socket(link, connection->retiring);
    connection->retiring = connection->live;
    if (connection->retiring)
        loop_timer_set_in(connection->retirement, RETIRING_NS);
}

bool link_switch_sockets(struct link *link, struct mono_time now)
{
    struct link_connection *connection = &link->connection;
    struct link_socket *socket = connection->fresh;
    connection->fresh = NULL;
    note_end(connection);
    retire(link);
    connection->live = socket;
    connection->adopted_at = now;
    connection->connects += connection->state != LINK_LIVE;
    return connection->state != LINK_LIVE;
}

bool link_connection_init(struct link *link, const struct link_connection_handlers *handlers)
{
    struct link_connection *connection = &link->connection;
    connection->handlers = handlers;
    for (int i = 0; i < LINK_SOCKETS; i++)
        connection->sockets[i].link = link;
    backoff_init(&connection->backoff, RETRY_MIN_NS, RETRY_MAX_NS, (uint64_t)mono_clock_now().ns);
    connection->retry = loop_timer_create(link->loop, retry_fired, link);
    connection->retirement = loop_timer_create(link->loop, retirement_ends, link);
    return connection->retry && connection->retirement;
}

void link_connection_finish(struct link *link)
{
    close_sockets(link);
    loop_timer_destroy(link->connection.retry);
    loop_timer_destroy(link->connection.retirement);
}
