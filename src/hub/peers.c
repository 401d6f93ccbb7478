/*
 * peers.c: see peers.h.
 */
#include "peers.h"

#include "hub_clock.h"
#include "tutti/base/log.h"
#include "tutti/core/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shared_text {
    unsigned references;
    size_t bytes;
    size_t stamp_at;       /* where the time of sending goes, filled in as it is sent; 0: nowhere */
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
        shared->stamp_at = 0;
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
    peer->queue_bytes_max = peers->queue_bytes;
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
    if (peer->count == PEER_QUEUE_MAX || peer->queued_bytes + text->bytes > peer->queue_bytes_max) {
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

void peers_forget_playlist(struct peers *peers)
{
    release(peers->playlist);
    peers->playlist = NULL;
}

static void keep_playlist(struct peers *peers, const char *session_id, struct shared_text *text)
{
    text->references++;
    peers_forget_playlist(peers);
    peers->playlist = text;
    snprintf(peers->playlist_of, sizeof peers->playlist_of, "%s", session_id);
}

void peers_broadcast(struct peers *peers, const char *session_id, const char *type, cJSON *payload)
{
    struct shared_text *text = create_text(type, payload);
    if (!text)
        return;
    for (struct peer *peer = peers->first; peer; peer = peer->next)
        if (strcmp(peer->session_id, session_id) == 0)
            enqueue(peer, text);
    if (strcmp(type, "playlist_update") == 0)
        keep_playlist(peers, session_id, text);
    release(text);
}

void peers_send_playlist(struct peers *peers, struct peer *peer,
                         cJSON *(*make)(void *user, const char *session_id), void *user)
{
    if (!peers->playlist || strcmp(peers->playlist_of, peer->session_id) != 0) {
        struct shared_text *text = create_text("playlist_update", make(user, peer->session_id));
        if (!text)
            return;
        keep_playlist(peers, peer->session_id, text);
        release(text);
    }
    enqueue(peer, peers->playlist);
}

void peer_send(struct peer *peer, const char *type, cJSON *payload)
{
    struct shared_text *text = create_text(type, payload);
    if (!text)
        return;
    enqueue(peer, text);
    release(text);
}

void peer_send_stamped(struct peer *peer, const char *type, cJSON *payload, const char *name)
{
    char blank[PROTOCOL_TIME_MAX];
    protocol_format_time(0, blank);
    cJSON_DeleteItemFromObjectCaseSensitive(payload, name);
    cJSON_AddStringToObject(payload, name, blank);
    struct shared_text *text = create_text(type, payload);
    if (!text)
        return;
    /* It was added last, so it is the last of its like. */
    char *bytes = (char *)text->frame + LWS_PRE;
    for (size_t at = text->bytes - strlen(blank); at > 0 && !text->stamp_at; at--)
        if (memcmp(bytes + at, blank, strlen(blank)) == 0)
            text->stamp_at = at;
    enqueue(peer, text);
    release(text);
}

static void stamp(struct shared_text *text)
{
    char now[PROTOCOL_TIME_MAX];
    if (!text->stamp_at)
        return;
    protocol_format_time(hub_clock_now().ns, now);
    memcpy(text->frame + LWS_PRE + text->stamp_at, now, strlen(now));
}

int peer_write(struct peer *peer)
{
    if (peer->count == 0)
        return 0;
    struct shared_text *text = peer->queue[peer->head];
    peer->head = (peer->head + 1) % PEER_QUEUE_MAX;
    peer->count--;
    peer->queued_bytes -= text->bytes;
    stamp(text);
    int written = lws_write(peer->wsi, text->frame + LWS_PRE, text->bytes, LWS_WRITE_TEXT);
    bool good = written >= (int)text->bytes;
    release(text);
    if (good && peer->count > 0)
        lws_callback_on_writable(peer->wsi);
    return good ? 0 : -1;
}
