/*
 * peers.c: see peers.h.
 */
#include "peers.h"

#include "tutti/base/log.h"

#include <stdlib.h>
#include <string.h>

struct shared_text {
    unsigned references;
    size_t bytes;
    unsigned char frame[]; /* LWS_PRE bytes of room, then the text */
};

static struct shared_text *create_text(const char *type, cJSON *payload)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "type", type);
    cJSON_AddItemToObject(root, "payload", payload);
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    if (!text)
        return NULL;
    size_t bytes = strlen(text);
    struct shared_text *shared = malloc(sizeof *shared + LWS_PRE + bytes);
    if (shared) {
        shared->references = 1;
        shared->bytes = bytes;
        memcpy(shared->frame + LWS_PRE, text, bytes);
    }
    free(text);
    return shared;
}

static void release(struct shared_text *text)
{
    if (text && --text->references == 0)
        free(text);
}

void peers_add(struct peers *peers, struct peer *peer)
{
    peer->next = peers->first;
    peers->first = peer;
    peers->count++;
}

void peers_remove(struct peers *peers, struct peer *peer)
{
    for (struct peer **at = &peers->first; *at; at = &(*at)->next) {
        if (*at == peer) {
            *at = peer->next;
            peers->count--;
            break;
        }
    }
    while (peer->count > 0) {
        release(peer->queue[peer->head]);
        peer->head = (peer->head + 1) % PEER_QUEUE_MAX;
        peer->count--;
    }
    free(peer->message);
    peer->message = NULL;
}

static void enqueue(struct peer *peer, struct shared_text *text)
{
    if (peer->overrun)
        return;
    if (peer->count == PEER_QUEUE_MAX || peer->queued_bytes + text->bytes > PEER_QUEUE_BYTES_MAX) {
        log_warn("a client does not read what it is sent, and is closed");
        peer->overrun = true;
        lws_set_timeout(peer->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
        return;
    }
    peer->queue[(peer->head + peer->count++) % PEER_QUEUE_MAX] = text;
    peer->queued_bytes += text->bytes;
    text->references++;
    lws_callback_on_writable(peer->wsi);
}

void peers_broadcast(struct peers *peers, const char *session_id, const char *type, cJSON *payload)
{
    struct shared_text *text = create_text(type, payload);
    if (!text)
        return;
    for (struct peer *peer = peers->first; peer; peer = peer->next)
        if (strcmp(peer->session_id, session_id) == 0)
            enqueue(peer, text);
    release(text);
}

void peer_send(struct peer *peer, const char *type, cJSON *payload)
{
    struct shared_text *text = create_text(type, payload);
    if (!text)
        return;
    enqueue(peer, text);
    release(text);
}

int peer_write(struct peer *peer)
{
    if (peer->count == 0)
        return 0;
    struct shared_text *text = peer->queue[peer->head];
    peer->head = (peer->head + 1) % PEER_QUEUE_MAX;
    peer->count--;
    peer->queued_bytes -= text->bytes;
    int written = lws_write(peer->wsi, text->frame + LWS_PRE, text->bytes, LWS_WRITE_TEXT);
    bool good = written >= (int)text->bytes;
    release(text);
    if (good && peer->count > 0)
        lws_callback_on_writable(peer->wsi);
    return good ? 0 : -1;
}
