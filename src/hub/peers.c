/*
 * peers.c: see peers.h.
 *
 * Long messages go out in fragments: what one lws_write() cannot pass on to the kernel, lws would
 * copy and keep, for every client that does not read. A queue that is full is first rid of what is
 * outdated: states are told whole, so that of those only the newest matters.
 */
#include "peers.h"

#include "hub_clock.h"
#include "tutti/base/log.h"
#include "tutti/core/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAGMENT_BYTES 32768

/* Messages of which the newest says all. */
enum state { STATE_NONE, STATE_PLAYBACK, STATE_NEXT, STATE_PLAYLIST, STATE_SETTINGS };

struct shared_text {
    struct peers *peers;
    unsigned references;
    size_t bytes;
    size_t stamp_at; /* where the time of sending goes, filled in as it is sent; 0: nowhere */
    enum state state;
    bool own;      /* for one client alone */
    bool speakers; /* for those who watch the speakers */
    char text[];
};

static enum state state_of(const char *type)
{
    return strcmp(type, "playback_state") == 0     ? STATE_PLAYBACK
           : strcmp(type, "next_state") == 0       ? STATE_NEXT
           : strcmp(type, "playlist_update") == 0  ? STATE_PLAYLIST
           : strcmp(type, "session_settings") == 0 ? STATE_SETTINGS
                                                   : STATE_NONE;
}

static struct shared_text *create_text(struct peers *peers, const char *type, cJSON *payload)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "type", type);
    cJSON_AddItemToObject(root, "payload", payload);
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    if (!text)
        return NULL;
    size_t bytes = strlen(text);
    struct shared_text *shared = malloc(sizeof *shared + bytes);
    if (shared) {
        *shared = (struct shared_text){
            .peers = peers,
            .references = 1,
            .bytes = bytes,
            .state = state_of(type),
            .speakers = strcmp(type, "speaker_update") == 0,
        };
        memcpy(shared->text, text, bytes);
        peers->live_bytes += bytes;
    }
    free(text);
    return shared;
}

static void release(struct shared_text *text)
{
    if (!text || --text->references > 0)
        return;
    text->peers->live_bytes -= text->bytes;
    free(text);
}

/* --- queues -------------------------------------------------------------------------------- */

static struct shared_text **at(struct peer *peer, unsigned i)
{
    return &peer->queue[(peer->head + i) % PEER_QUEUE_MAX];
}

static void forget_bytes(struct peer *peer, const struct shared_text *text)
{
    peer->queued_bytes -= text->bytes;
    if (text->own)
        peer->own_bytes -= text->bytes;
}

static void drop_first(struct peer *peer)
{
    struct shared_text *text = *at(peer, 0);
    forget_bytes(peer, text);
    release(text);
    peer->head = (peer->head + 1) % PEER_QUEUE_MAX;
    peer->count--;
    peer->sent = 0;
}

static void drop_all(struct peer *peer)
{
    while (peer->count > 0)
        drop_first(peer);
}

/* Is there, behind i or coming, a newer one of the same state? */
static bool is_outdated(struct peer *peer, unsigned i, enum state coming)
{
    enum state state = (*at(peer, i))->state;
    if (state == STATE_NONE)
        return false;
    for (unsigned later = i + 1; later < peer->count; later++)
        if ((*at(peer, later))->state == state)
            return true;
    return state == coming;
}

/* What has begun to go out stays. */
static void drop_outdated(struct peer *peer, enum state coming)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < peer->count; i++) {
        struct shared_text *text = *at(peer, i);
        if ((i > 0 || peer->sent == 0) && is_outdated(peer, i, coming)) {
            forget_bytes(peer, text);
            release(text);
            continue;
        }
        *at(peer, kept++) = text;
    }
    peer->count = kept;
}

static bool fits(const struct peer *peer, const struct shared_text *text)
{
    return peer->count < PEER_QUEUE_MAX &&
           (peer->count == 0 || peer->queued_bytes + text->bytes <= peer->peers->queue_bytes);
}

/* The newest state is taken whatever its size: there is one of each. */
static bool has_room(struct peer *peer, const struct shared_text *text)
{
    if (fits(peer, text))
        return true;
    drop_outdated(peer, text->state);
    return fits(peer, text) || (text->state != STATE_NONE && peer->count < PEER_QUEUE_MAX);
}

void peer_close(struct peer *peer)
{
    peer->overrun = true;
    drop_all(peer);
    peer_forget_message(peer);
    lws_set_timeout(peer->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
}

static void close_slow(struct peer *peer)
{
    log_warn("a client does not read what it is sent, and is closed");
    peer_close(peer);
}

/* --- what all of them may let wait --------------------------------------------------------- */

static size_t held_by(const struct peer *peer)
{
    return peer->queued_bytes + peer->message_bytes;
}

static size_t held_at(const struct peers *peers, const char *address)
{
    size_t held = 0;
    for (const struct peer *peer = peers->first; peer; peer = peer->next)
        if (strcmp(peer->address, address) == 0)
            held += held_by(peer);
    return held;
}

/* Of the address for which most waits, the peer for whom most does; NULL if nothing does. */
static struct peer *find_worst(struct peers *peers)
{
    struct peer *worst = NULL;
    size_t most = 0;
    for (struct peer *peer = peers->first; peer; peer = peer->next) {
        bool is_same = worst && strcmp(worst->address, peer->address) == 0;
        size_t held = held_by(peer) == 0 || is_same ? 0 : held_at(peers, peer->address);
        if (held > most || (is_same && held_by(peer) > held_by(worst))) {
            worst = peer;
            most = held > most ? held : most;
        }
    }
    return worst;
}

static void keep_within(struct peers *peers)
{
    if (peers->live_bytes <= peers->waiting_bytes)
        return;
    for (struct peer *peer = peers->first; peer; peer = peer->next)
        drop_outdated(peer, STATE_NONE);
    struct peer *worst;
    while (peers->live_bytes > peers->waiting_bytes && (worst = find_worst(peers)))
        close_slow(worst);
}

static void enqueue(struct peer *peer, struct shared_text *text)
{
    if (peer->overrun || !peer->peers)
        return;
    if (!has_room(peer, text)) {
        close_slow(peer);
        return;
    }
    *at(peer, peer->count++) = text;
    peer->queued_bytes += text->bytes;
    text->references++;
    if (text->own)
        peer->own_bytes += text->bytes;
    if (peer->own_bytes > PEER_OWN_BYTES && !peer->muted) {
        peer->muted = true;
        lws_rx_flow_control(peer->wsi, 0);
    }
    lws_callback_on_writable(peer->wsi);
}

/* --- the peers ----------------------------------------------------------------------------- */

void peers_add(struct peers *peers, struct peer *peer)
{
    peer->peers = peers;
    peer->next = peers->first;
    peers->first = peer;
    peers->count++;
}

void peers_remove(struct peer *peer)
{
    struct peers *peers = peer->peers;
    if (!peers)
        return;
    for (struct peer **link = &peers->first; *link; link = &(*link)->next) {
        if (*link == peer) {
            *link = peer->next;
            peers->count--;
            break;
        }
    }
    drop_all(peer);
    peer_forget_message(peer);
    peer->peers = NULL;
}

struct peer *peers_find_device(const struct peers *peers, const char *session_id,
                               const char *device_id)
{
    struct peer *peer = peers->first;
    while (peer &&
           (strcmp(peer->device_id, device_id) != 0 || strcmp(peer->session_id, session_id) != 0))
        peer = peer->next;
    return peer;
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

bool peers_know_playlist(const struct peers *peers, const char *session_id)
{
    return peers->playlist && strcmp(peers->playlist_of, session_id) == 0;
}

void peers_keep_playlist(struct peers *peers, const char *session_id, cJSON *payload)
{
    struct shared_text *text = create_text(peers, "playlist_update", payload);
    if (!text)
        return;
    keep_playlist(peers, session_id, text);
    release(text);
}

void peer_send_playlist(struct peer *peer)
{
    if (peer->peers->playlist)
        enqueue(peer, peer->peers->playlist);
}

static bool is_for(const struct peer *peer, const struct shared_text *text)
{
    if (text->state == STATE_NEXT)
        return peer->knows_next;
    return !text->speakers || peer->watches_speakers;
}

void peers_broadcast(struct peers *peers, const char *session_id, const char *type, cJSON *payload)
{
    struct shared_text *text = create_text(peers, type, payload);
    if (!text)
        return;
    for (struct peer *peer = peers->first; peer; peer = peer->next)
        if (strcmp(peer->session_id, session_id) == 0 && is_for(peer, text))
            enqueue(peer, text);
    if (text->state == STATE_PLAYLIST)
        keep_playlist(peers, session_id, text);
    release(text);
    keep_within(peers);
}

/* --- to one of them ------------------------------------------------------------------------ */

static void send_own(struct peer *peer, struct shared_text *text)
{
    struct peers *peers = peer->peers;
    text->own = true;
    enqueue(peer, text);
    release(text);
    keep_within(peers);
}

void peer_send(struct peer *peer, const char *type, cJSON *payload)
{
    struct shared_text *text = create_text(peer->peers, type, payload);
    if (text)
        send_own(peer, text);
}

void peer_send_stamped(struct peer *peer, const char *type, cJSON *payload, const char *name)
{
    char blank[PROTOCOL_TIME_MAX];
    protocol_format_time(0, blank);
    cJSON_DeleteItemFromObjectCaseSensitive(payload, name);
    cJSON_AddStringToObject(payload, name, blank);
    struct shared_text *text = create_text(peer->peers, type, payload);
    if (!text)
        return;
    /* It was added last, so it is the last of its like. */
    for (size_t i = text->bytes - strlen(blank); i > 0 && !text->stamp_at; i--)
        if (memcmp(text->text + i, blank, strlen(blank)) == 0)
            text->stamp_at = i;
    send_own(peer, text);
}

bool peer_gather(struct peer *peer, const char *bytes, size_t count, size_t max)
{
    if (peer->message_too_large || peer->message_bytes + count > max) {
        peer_forget_message(peer);
        peer->message_too_large = true;
        return true;
    }
    char *grown = realloc(peer->message, peer->message_bytes + count + 1);
    if (!grown)
        return false;
    peer->message = grown;
    memcpy(peer->message + peer->message_bytes, bytes, count);
    peer->message_bytes += count;
    peer->peers->live_bytes += count;
    keep_within(peer->peers);
    return true;
}

void peer_forget_message(struct peer *peer)
{
    if (peer->peers)
        peer->peers->live_bytes -= peer->message_bytes;
    free(peer->message);
    peer->message = NULL;
    peer->message_bytes = 0;
}

static void stamp(struct shared_text *text)
{
    char now[PROTOCOL_TIME_MAX];
    if (!text->stamp_at)
        return;
    protocol_format_time(hub_clock_now().ns, now);
    memcpy(text->text + text->stamp_at, now, strlen(now));
}

/* One fragment of the first message: from a copy, since lws writes before what it is given. */
static bool write_fragment(struct peer *peer)
{
    unsigned char buffer[LWS_PRE + FRAGMENT_BYTES];
    struct shared_text *text = *at(peer, 0);
    if (peer->sent == 0)
        stamp(text);
    size_t left = text->bytes - peer->sent;
    size_t count = left < FRAGMENT_BYTES ? left : FRAGMENT_BYTES;
    int how = peer->sent == 0 ? LWS_WRITE_TEXT : LWS_WRITE_CONTINUATION;
    if (count < left)
        how |= LWS_WRITE_NO_FIN;
    memcpy(buffer + LWS_PRE, text->text + peer->sent, count);
    if (lws_write(peer->wsi, buffer + LWS_PRE, count, (enum lws_write_protocol)how) < (int)count)
        return false;
    peer->sent += count;
    if (count == left)
        drop_first(peer);
    return true;
}

int peer_write(struct peer *peer)
{
    if (peer->overrun)
        return -1;
    if (peer->count == 0)
        return 0;
    do {
        if (!write_fragment(peer))
            return -1;
    } while (peer->sent > 0 && !lws_send_pipe_choked(peer->wsi));
    if (peer->muted && peer->own_bytes <= PEER_OWN_BYTES / 2) {
        peer->muted = false;
        lws_rx_flow_control(peer->wsi, 1);
    }
    if (peer->count > 0)
        lws_callback_on_writable(peer->wsi);
    return 0;
}
