/*
 * ws_peer.c: one WebSocket: admission, the initial frames, and what clients say.
 *
 * A message that is refused gets an error envelope, and the socket lives on.
 */
#include "hub_clock.h"
#include "server_internal.h"
#include "tutti/core/protocol.h"
#include "tutti/core/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WS_PATH "/ws/sessions/"
/* Several seconds' worth of messages may come at once: speakers time the network in bursts. */
#define MESSAGES_BURST_S 5

static bool take_credentials(struct lws *wsi, char session_id[STORE_ID_MAX],
                             char token[STORE_TOKEN_MAX])
{
    char path[256];
    char argument[STORE_TOKEN_MAX + 8];
    if (lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) <= 0 ||
        strncmp(path, WS_PATH, strlen(WS_PATH)) != 0 ||
        strlen(path) - strlen(WS_PATH) >= STORE_ID_MAX)
        return false;
    const char *value = lws_get_urlarg_by_name(wsi, "token=", argument, sizeof argument);
    if (!value || strlen(value) >= STORE_TOKEN_MAX)
        return false;
    strcpy(session_id, path + strlen(WS_PATH));
    strcpy(token, value);
    return true;
}

/* lws's own answer would be HTTP/1.0 with a page, which WebSocket clients do not expect. */
static void refuse_handshake(struct lws *wsi)
{
    static const char answer[] = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n"
                                 "connection: close\r\n\r\n";
    unsigned char buffer[LWS_PRE + sizeof answer];
    memcpy(buffer + LWS_PRE, answer, sizeof answer - 1);
    lws_write(wsi, buffer + LWS_PRE, sizeof answer - 1, LWS_WRITE_HTTP_HEADERS);
}

bool ws_admit(struct server *server, struct lws *wsi)
{
    char session_id[STORE_ID_MAX], token[STORE_TOKEN_MAX];
    if (take_credentials(wsi, session_id, token) &&
        service_may_connect(server->service, token, session_id))
        return true;
    refuse_handshake(wsi);
    return false;
}

static cJSON *make_playlist(void *user, const char *session_id)
{
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddItemToObject(payload, "playlist", service_playlist_json(user, session_id));
    return payload;
}

void ws_established(struct server *server, struct lws *wsi, struct peer *peer)
{
    struct service *service = server->service;
    memset(peer, 0, sizeof *peer);
    peer->wsi = wsi;
    if (!take_credentials(wsi, peer->session_id, peer->token))
        return;
    peers_add(&server->peers, peer);
    peer_send(peer, "playback_state", service_playback_json(service, peer->session_id));
    peers_send_playlist(&server->peers, peer, make_playlist, service);
}

void ws_review(struct server *server)
{
    for (struct peer *peer = server->peers.first; peer; peer = peer->next)
        if (!service_may_connect(server->service, peer->token, peer->session_id))
            lws_set_timeout(peer->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
}

/* The time of receipt was taken before anything else; the time of sending is put in last. */
static void echo(struct peer *peer, const cJSON *payload, struct server_time received)
{
    char text[PROTOCOL_TIME_MAX];
    cJSON *answer = cJSON_Duplicate(payload, true);
    cJSON_DeleteItemFromObjectCaseSensitive(answer, "server_received_at");
    protocol_format_time(received.ns, text);
    cJSON_AddStringToObject(answer, "server_received_at", text);
    peer_send_stamped(peer, "sync_ack", answer, "server_sent_at");
}

static void refuse(struct peer *peer, const cJSON *body)
{
    peer_send(peer, "error", cJSON_Duplicate(body, true));
}

static void settle(struct peer *peer, struct reply reply)
{
    if (reply.status != 200)
        refuse(peer, reply.body);
    cJSON_Delete(reply.body);
}

static const char *text_of(const cJSON *payload, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(payload, name);
    return cJSON_IsString(member) ? member->valuestring : NULL;
}

static void dispatch(struct server *server, struct peer *peer, const char *type,
                     const cJSON *payload, struct server_time received)
{
    struct service *service = server->service;
    if (strcmp(type, "sync_ack") == 0)
        echo(peer, payload, received);
    else if (strcmp(type, "playback_command") == 0)
        settle(peer, service_command(service, peer->token, peer->session_id, payload));
    else if (strcmp(type, "request_playlist_change") == 0)
        settle(peer, service_request(service, peer->token, peer->session_id, payload));
    else if (strcmp(type, "approve_request") == 0)
        settle(peer,
               service_decide(service, peer->token, text_of(payload, "request_id"), true, payload));
    else if (strcmp(type, "deny_request") == 0)
        settle(peer, service_decide(service, peer->token, text_of(payload, "request_id"), false,
                                    payload));
    else
        settle(peer, reply_error(422, "type: there is no such message"));
}

static void take_message(struct server *server, struct peer *peer, struct server_time received)
{
    double often = server->config.messages_per_second;
    if (!rate_take(&peer->messages, often, MESSAGES_BURST_S * often, hub_clock_steady_ns())) {
        settle(peer, reply_error(429, "Too many messages; this one was dropped"));
        return;
    }
    if (!utf8_is_valid(peer->message, peer->message_bytes)) {
        settle(peer, reply_error(422, "The message is not UTF-8"));
        return;
    }
    cJSON *root = cJSON_ParseWithLength(peer->message, peer->message_bytes);
    const char *type = text_of(root, "type");
    const cJSON *payload = cJSON_GetObjectItemCaseSensitive(root, "payload");
    if (!type || !cJSON_IsObject(payload))
        settle(peer, reply_error(422, "A JSON object with type and payload is wanted"));
    else
        dispatch(server, peer, type, payload, received);
    cJSON_Delete(root);
}

static bool append(struct peer *peer, const char *bytes, size_t count, size_t max)
{
    if (peer->message_too_large || peer->message_bytes + count > max) {
        peer->message_too_large = true;
        free(peer->message);
        peer->message = NULL;
        peer->message_bytes = 0;
        return true;
    }
    char *grown = realloc(peer->message, peer->message_bytes + count + 1);
    if (!grown)
        return false;
    peer->message = grown;
    memcpy(peer->message + peer->message_bytes, bytes, count);
    peer->message_bytes += count;
    return true;
}

int ws_receive(struct server *server, struct lws *wsi, struct peer *peer, const char *bytes,
               size_t count)
{
    struct server_time received = hub_clock_now();
    if (!append(peer, bytes, count, server->config.frame_bytes))
        return -1;
    if (lws_remaining_packet_payload(wsi) > 0 || !lws_is_final_fragment(wsi))
        return 0;
    if (peer->message_too_large)
        settle(peer, reply_error(413, "The message is too large, and was dropped"));
    else
        take_message(server, peer, received);
    peer->message_too_large = false;
    free(peer->message);
    peer->message = NULL;
    peer->message_bytes = 0;
    return 0;
}
