/*
 * peers.h: the open WebSockets, and what waits to be sent to them.
 *
 * A broadcast is one buffer that all queues share. A client that does not read is closed when its
 * queue is full; it never holds up the others. Whatever waits, for all together, has a bound as
 * well: beyond it those are closed for whose address most of it waits.
 */
#ifndef TUTTI_HUB_PEERS_H
#define TUTTI_HUB_PEERS_H

#include "rate.h"
#include "store.h"

#include <cjson/cJSON.h>
#include <libwebsockets.h>
#include <stdbool.h>

#define PEER_QUEUE_MAX 64
/* Of answers to a client alone. One that lets more of them wait is not read from until it reads. */
#define PEER_OWN_BYTES 65536

struct shared_text;
struct peers;

struct peer {
    struct lws *wsi;
    struct peers *peers; /* NULL: it is not among them (any more) */
    char session_id[STORE_ID_MAX];
    char user_id[STORE_ID_MAX];
    char token[STORE_TOKEN_MAX];
    char address[STORE_ADDRESS_MAX];
    struct shared_text *queue[PEER_QUEUE_MAX];
    unsigned head;
    unsigned count;
    size_t sent; /* of the first in the queue */
    size_t queued_bytes;
    size_t own_bytes; /* of them, what is for this client alone */
    bool muted;       /* nothing is read from it */
    bool overrun;     /* to be closed */
    char *message;    /* being assembled */
    size_t message_bytes;
    bool message_too_large; /* the rest of it is dropped */
    bool tells_pending;     /* the session's pending requests are still being told */
    int64_t pending_place;
    struct rate_bucket messages;
    char device_id[STORE_DEVICE_ID_MAX]; /* of the speaker that it is; "": of none */
    bool watches_speakers;               /* what they say of themselves is told on to it */
    bool knows_next;                     /* what a next_state is: it has said so */
    struct peer *next;
};

struct peers {
    struct peer *first;
    unsigned count;
    size_t queue_bytes;   /* that may wait for one; a queue that is empty takes any message */
    size_t waiting_bytes; /* that may wait for all, a message that is being received included */
    size_t live_bytes;    /* that do */
    /* The playlist as it was told last: whoever connects is told the same, without building it. */
    struct shared_text *playlist;
    char playlist_of[STORE_ID_MAX];
};

/* Forgets the playlist that is kept. */
void peers_forget_playlist(struct peers *peers);
/* Is it this session's that is kept? */
bool peers_know_playlist(const struct peers *peers, const char *session_id);
/* Keeps this as the playlist; the payload becomes the callee's. */
void peers_keep_playlist(struct peers *peers, const char *session_id, cJSON *payload);
/* Tells this peer the playlist that is kept. */
void peer_send_playlist(struct peer *peer);

void peers_add(struct peers *peers, struct peer *peer);
/* Fine for one that was never added. */
void peers_remove(struct peer *peer);

/* {"type":..., "payload":...}; the payload becomes the callee's. */
void peers_broadcast(struct peers *peers, const char *session_id, const char *type, cJSON *payload);
void peer_send(struct peer *peer, const char *type, cJSON *payload);
/* One that is this speaker's; NULL: it has none. */
struct peer *peers_find_device(const struct peers *peers, const char *session_id,
                               const char *device_id);

/* The same, with a member `name` that tells when it was sent, to the microsecond. */
void peer_send_stamped(struct peer *peer, const char *type, cJSON *payload, const char *name);

/* Appends to the message that is being received. False: there is no memory. */
bool peer_gather(struct peer *peer, const char *bytes, size_t count, size_t max);
void peer_forget_message(struct peer *peer);

/* The connection goes, soon; its queue at once. */
void peer_close(struct peer *peer);

/* Writes what is next. Negative: the connection is to be closed. */
int peer_write(struct peer *peer);

#endif
