/*
 * peers.h: the open WebSockets, and what waits to be sent to them.
 *
 * A broadcast is one buffer that all queues share. A client that does not read is closed when its
 * queue is full; it never holds up the others.
 */
#ifndef TUTTI_HUB_PEERS_H
#define TUTTI_HUB_PEERS_H

#include "rate.h"
#include "store.h"

#include <cjson/cJSON.h>
#include <libwebsockets.h>
#include <stdbool.h>

#define PEER_QUEUE_MAX 64

struct shared_text;

struct peer {
    struct lws *wsi;
    char session_id[STORE_ID_MAX];
    char token[STORE_TOKEN_MAX];
    struct shared_text *queue[PEER_QUEUE_MAX];
    unsigned head;
    unsigned count;
    size_t queued_bytes;
    bool overrun;  /* to be closed */
    char *message; /* being assembled */
    size_t message_bytes;
    bool message_too_large; /* the rest of it is dropped */
    struct rate_bucket messages;
    size_t queue_bytes_max;
    struct peer *next;
};

struct peers {
    struct peer *first;
    unsigned count;
    size_t queue_bytes;
    /* The playlist as it was told last: whoever connects is told the same, without building it. */
    struct shared_text *playlist;
    char playlist_of[STORE_ID_MAX];
};

/* Forgets the playlist that is kept. */
void peers_forget_playlist(struct peers *peers);
/* Tells this peer the playlist; make() is asked for it when it is not known. */
void peers_send_playlist(struct peers *peers, struct peer *peer,
                         cJSON *(*make)(void *user, const char *session_id), void *user);

void peers_add(struct peers *peers, struct peer *peer);
void peers_remove(struct peers *peers, struct peer *peer);

/* {"type":..., "payload":...}; the payload becomes the callee's. */
void peers_broadcast(struct peers *peers, const char *session_id, const char *type, cJSON *payload);
void peer_send(struct peer *peer, const char *type, cJSON *payload);

/* The same, with a member `name` that tells when it was sent, to the microsecond. */
void peer_send_stamped(struct peer *peer, const char *type, cJSON *payload, const char *name);

/* Writes what is next. Negative: the connection is to be closed. */
int peer_write(struct peer *peer);

#endif
