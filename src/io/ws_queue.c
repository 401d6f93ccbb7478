/*
 * ws_queue.c: what is to be sent, until lws takes it.
 */
#include "tutti/io/mono_clock.h"
#include "ws_client_internal.h"

#include <stdlib.h>
#include <string.h>

bool ws_queue_add(struct ws_client *client, enum lws_write_protocol type, const void *bytes,
                  size_t count)
{
    if (client->queued >= WS_CLIENT_QUEUE_MAX)
        return false;
    struct ws_message *message = malloc(sizeof *message + LWS_PRE + count);
    if (!message)
        return false;
    message->next = NULL;
    message->type = type;
    message->bytes = count;
    memcpy(message->frame + LWS_PRE, bytes, count);
    *client->last = message;
    client->last = &message->next;
    client->queued++;
    lws_callback_on_writable(client->wsi);
    return true;
}

bool ws_queue_send_first(struct ws_client *client)
{
    struct ws_message *message = client->first;
    if (message->type == LWS_WRITE_TEXT)
        client->last_sent_at = mono_clock_now();
    int written = lws_write(client->wsi, message->frame + LWS_PRE, message->bytes, message->type);
    client->first = message->next;
    if (!client->first)
        client->last = &client->first;
    client->queued--;
    free(message);
    return written >= 0;
}

int ws_queue_send_next(struct ws_client *client)
{
    if (!client->first)
        return 0;
    if (!ws_queue_send_first(client))
        return -1;
    if (client->first)
        lws_callback_on_writable(client->wsi);
    return 0;
}
