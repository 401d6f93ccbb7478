/*
 * link.c: a link as a whole: its parts, made and unmade. See link_internal.h for what they are.
 */
#include "tutti/daemon/link.h"

#include "link_internal.h"
#include "tutti/io/mono_clock.h"

#include <stdlib.h>

enum link_state link_get_state(const struct link *link)
{
    return link->connection.state;
}

const char *link_problem(const struct link *link)
{
    return link->connection.problem;
}

const char *link_session_id(const struct link *link)
{
    return link->member.used.session_id;
}

const char *link_token(const struct link *link)
{
    return link->member.used.token;
}

struct link_counters link_get_counters(const struct link *link)
{
    const struct link_orders *orders = &link->orders;
    return (struct link_counters){link->connection.connects, orders->confirmed, orders->repeated,
                                  orders->failed};
}

void link_doubt(struct link *link)
{
    link_recheck(link);
}

/* --- what becomes of the sockets ----------------------------------------------------------- */

static void on_close(struct link_socket *socket)
{
    texts_forget_playlist(socket->link->config.reader, &socket->opening.playlist);
    link_forget_texts(socket);
}

static void lose(struct link *link, const char *problem)
{
    link_try_failed(link);
    link_set_state(link, LINK_LOST, problem);
    link_retry_later(link);
}

static void on_lost(struct link *link, enum ws_client_end end, int status, const char *reason)
{
    bool refused = end == WS_CLIENT_REFUSED;
    link_clock_disconnected(link);
    if (refused && membership_is_refusal(status))
        link_token_refused(link, status, mono_clock_now());
    else if (refused && status == 404)
        lose(link,
             "the WebSocket is answered with 404: does the backend have its WebSocket library?");
    else
        lose(link, reason);
}

/* Whoever waits for a connection waits no longer. */
static void on_wait(struct link *link)
{
    link_orders_not_connected(link, link->connection.problem);
}

static const struct link_connection_handlers connection_handlers = {
    .on_text = link_take_text,
    .on_close = on_close,
    .on_lost = on_lost,
    .on_wait = on_wait,
    .on_retry = link_try,
};

/* --- life ---------------------------------------------------------------------------------- */

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
    if (!link_session_init(link) || !link_connection_init(link, &connection_handlers) ||
        !link_clock_init(link) || !link_orders_init(link) || !link_check_init(link)) {
        link_destroy(link);
        return NULL;
    }
    if (link_find_membership(link))
        link_retry_now(link);
    else
        link_set_state(link, LINK_LEFT, "");
    return link;
}

void link_destroy(struct link *link)
{
    if (!link)
        return;
    link_cancel_obtaining(link);
    link_hub_finish(link);
    link_orders_finish(link);
    link_check_finish(link);
    link_clock_finish(link);
    link_connection_finish(link);
    link_session_finish(link);
    free(link);
}
