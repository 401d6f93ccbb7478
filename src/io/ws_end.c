/*
 * ws_end.c: the end of a client, and of its link to lws's connection. Whoever cuts the link first
 * leaves the other alone.
 */
#include "tutti/base/log.h"
#include "ws_client_internal.h"

#include <stdio.h>

void ws_client_let_go(struct ws_client *client)
{
    ws_arrival_stop(&client->arrival);
    if (client->wsi)
        lws_set_opaque_user_data(client->wsi, NULL);
    client->wsi = NULL;
    client->open = false;
}

void ws_client_drop_connection(struct ws_client *client)
{
    if (client->wsi)
        lws_set_timeout(client->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
    ws_client_let_go(client);
}

void ws_client_tell_end(struct ws_client *client)
{
    if (!client->destroyed)
        client->handlers.on_end(client->user, client->end_kind, client->end_status,
                                client->end_reason);
}

void ws_client_end(struct ws_client *client, enum ws_client_end kind, int status,
                   const char *reason)
{
    client->open = false;
    if (client->ended || client->destroyed)
        return;
    client->ended = true;
    client->end_kind = kind;
    client->end_status = status;
    snprintf(client->end_reason, sizeof client->end_reason, "%s", reason);
    log_redact(client->end_reason);
    loop_timer_cancel(client->timer);
    if (client->creating)
        loop_timer_set_in(client->timer, 0);
    else
        ws_client_tell_end(client);
}
