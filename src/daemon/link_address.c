/*
 * link_address.c: a backend that is not known yet, or is at another address from now on.
 */
#include "link_internal.h"

void link_wait_for_address(struct link *link, const char *problem)
{
    if (!link_has_address(link) && link->connection.state != LINK_LEFT)
        link_set_state(link, LINK_JOINING, problem);
}

/* What is known of the session stays until the hub tells it anew: what plays goes on. */
void link_use_address(struct link *link)
{
    if (link->connection.state == LINK_LEFT)
        return;
    link_cancel_obtaining(link);
    link_cancel_check(link);
    link_disconnect(link);
    link_clock_disconnected(link);
    link_find_membership(link);
    link_forget_failures(link);
    link_set_state(link, LINK_JOINING, "");
    link_retry_now(link);
}
