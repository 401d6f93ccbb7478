/*
 * link_connection.c: the socket's life: open, adopt, lose, open again.
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

const char *link_state_name(enum link_state state)
{
    static const char *const names[] = {"joining", "connecting", "live", "lost", "left", "refused"};
    return names[state];
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

/* And whoever waits for a connection waits no longer. */
void link_retry_later(struct link *link)
{
    struct link_connection *connection = &link->connection;
    loop_timer_set_in(connection->retry, backoff_next(&connection->backoff));
    link_orders_not_connected(link, connection->problem);
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
    texts_forget_playlist(link->config.reader, &socket->opening.playlist);
    link_forget_texts(socket);
    memset(socket, 0, sizeof *socket);
    socket->link = link;
    if (connection->live == socket)
        connection->live = NULL;
    if (connection->fresh == socket)
        connection->fresh = NULL;
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
    close_socket(link, link->connection.fresh);
    close_socket(link, link->connection.live);
    link_clock_disconnected(link);
}

static void lose(struct link *link, const char *problem)
{
    link_try_failed(link);
    link_set_state(link, LINK_LOST, problem);
    link_retry_later(link);
}

static void refused(struct link *link, int status, const char *reason)
{
    if (membership_is_refusal(status))
        link_token_refused(link, status, mono_clock_now());
    else if (status == 404)
        lose(link,
             "the WebSocket is answered with 404: does the backend have its WebSocket library?");
    else
        lose(link, reason);
}

void link_socket_ended(struct link *link, struct link_socket *socket, enum ws_client_end end,
                       int status, const char *reason)
{
    struct link_connection *connection = &link->connection;
    bool live = socket == connection->live;
    if (!live && connection->live && end != WS_CLIENT_REFUSED) {
        close_socket(link, socket);
        return; /* a replacement that did not come about: what we have goes on */
    }
    if (connection->live)
        note_end(connection);
    close_socket(link, socket);
    close_socket(link, connection->live);
    link_clock_disconnected(link);
    if (end == WS_CLIENT_REFUSED)
        refused(link, status, reason);
    else
        lose(link, reason);
}

void link_end_late_opening(struct link *link, struct mono_time now)
{
    struct link_connection *connection = &link->connection;
    if (!connection->fresh || mono_sub(now, connection->opening_since) <= OPENING_MAX_NS)
        return;
    close_socket(link, connection->fresh);
    if (!connection->live)
        lose(link, "the backend does not tell its state");
}

/* --- opening one, and adopting it ---------------------------------------------------------- */

static void open_socket(struct link *link)
{
    struct link_connection *connection = &link->connection;
    const struct link_pass *pass = &link->member.used;
    char url[PROTOCOL_URL_MAX + 2 * PROTOCOL_TOKEN_MAX];
    struct link_socket *sockets = connection->sockets;
    struct link_socket *socket = connection->live == sockets ? sockets + 1 : sockets;
    if (!protocol_ws_url(url, sizeof url, link->config.settings->backend.url, pass->session_id,
                         pass->token))
        return;
    close_socket(link, connection->fresh);
    socket->client = ws_client_create(link->loop, url, &link_socket_handlers, socket);
    if (!socket->client) {
        link_retry_later(link);
        return;
    }
    connection->fresh = socket;
    connection->recheck_waits = false;
    connection->opening_since = mono_clock_now();
}

static void retry_fired(void *user, struct mono_time now)
{
    struct link *link = user;
    struct link_connection *connection = &link->connection;
    if (is_away(connection) && connection->state != LINK_LEFT)
        link_try(link, now);
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
    connection->recheck_waits = true;
    loop_timer_set_in(connection->retry, backoff_next(&connection->backoff));
}

void link_replace(struct link *link)
{
    if (link->connection.live)
        open_socket(link); /* which gives up another */
}

void link_adopt(struct link *link, struct link_socket *socket, struct mono_time now)
{
    struct link_connection *connection = &link->connection;
    bool first = connection->state != LINK_LIVE;
    connection->fresh = NULL;
    note_end(connection);
    close_socket(link, connection->live);
    connection->live = socket;
    connection->adopted_at = now;
    link_check_adopted(link, first, now);
    link_apply_adopted(socket, now);
    link_membership_worked(link);
    link_set_state(link, LINK_LIVE, "");
    if (first) {
        connection->connects++;
        link_clock_connected(link, now);
    }
    link_send_probe(link, now);
    link_orders_compare(link);
}

bool link_connection_init(struct link *link)
{
    struct link_connection *connection = &link->connection;
    connection->sockets[0].link = connection->sockets[1].link = link;
    backoff_init(&connection->backoff, RETRY_MIN_NS, RETRY_MAX_NS, (uint64_t)mono_clock_now().ns);
    connection->retry = loop_timer_create(link->loop, retry_fired, link);
    return connection->retry != NULL;
}

void link_connection_finish(struct link *link)
{
    close_socket(link, link->connection.fresh);
    close_socket(link, link->connection.live);
    loop_timer_destroy(link->connection.retry);
}
