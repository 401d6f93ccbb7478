/*
 * link.c: a link as a whole: its parts, made and unmade. See link_internal.h for what they are.
 */
#include "tutti/daemon/link.h"

#include "link_internal.h"

#include <stdlib.h>

enum link_state link_get_state(const struct link *link)
{
    return link->connection.state;
}

const char *link_problem(const struct link *link)
{
    return link->connection.problem;
}

bool link_is_live(const struct link *link)
{
    return link->connection.state == LINK_LIVE;
}

const char *link_session_id(const struct link *link)
{
    return link->member.used.session_id;
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
    if (!link_connection_init(link) || !link_clock_init(link) || !link_orders_init(link) ||
        !link_check_init(link)) {
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
    link_orders_finish(link);
    link_check_finish(link);
    link_clock_finish(link);
    link_connection_finish(link);
    free(link);
}
