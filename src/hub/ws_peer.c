/*
 * ws_peer.c: one WebSocket: admission, the initial frames, and what clients say.
 *
 * A message that is refused gets an error envelope, and the socket lives on.
 */
#include "hub_clock.h"
#include "server_internal.h"
#include "tutti/base/log.h"
#include "tutti/core/protocol.h"
#include "tutti/core/utf8.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WS_PATH "/ws/sessions/"
#define TOKEN_PROTOCOL "token."
/* Several seconds' worth of messages may come at once: speakers time the network in bursts. */
#define MESSAGES_BURST_S 5

/* Browsers can send no header of their own, and a query stands in the logs of proxies: the page
 * offers its token as a protocol beside ours. */
static bool take_token_protocol(struct lws *wsi, char token[STORE_TOKEN_MAX])
{
    char offered[STORE_TOKEN_MAX + 64], *rest = NULL;
    if (lws_hdr_copy(wsi, offered, sizeof offered, WSI_TOKEN_PROTOCOL) <= 0)
        return false;
    for (char *name = strtok_r(offered, ", ", &rest); name; name = strtok_r(NULL, ", ", &rest)) {
        if (strncmp(name, TOKEN_PROTOCOL, strlen(TOKEN_PROTOCOL)) != 0)
            continue;
        snprintf(token, STORE_TOKEN_MAX, "%s", name + strlen(TOKEN_PROTOCOL));
        return true;
    }
    return false;
}

static bool take_credentials(struct lws *wsi, char session_id[STORE_ID_MAX],
                             char token[STORE_TOKEN_MAX])
{
    char path[256];
    char argument[STORE_TOKEN_MAX + 8];
    if (lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) <= 0 ||
        strncmp(path, WS_PATH, strlen(WS_PATH)) != 0 ||
        strlen(path) - strlen(WS_PATH) >= STORE_ID_MAX)
        return false;
    strcpy(session_id, path + strlen(WS_PATH));
    const char *value = lws_get_urlarg_by_name(wsi, "token=", argument, sizeof argument);
    if (!value)
        return take_token_protocol(wsi, token);
    snprintf(token, STORE_TOKEN_MAX, "%s", value);
    return strlen(value) < STORE_TOKEN_MAX;
}

/* lws's own answer would be HTTP/1.0 with a page, which WebSocket clients do not expect. */
static void refuse_handshake(struct lws *wsi, int status)
{
    char answer[128];
    unsigned char buffer[LWS_PRE + sizeof answer];
    int bytes = snprintf(answer, sizeof answer,
                         "HTTP/1.1 %d %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", status,
                         status == 403 ? "Forbidden" : "Service Unavailable");
    memcpy(buffer + LWS_PRE, answer, (size_t)bytes);
    lws_write(wsi, buffer + LWS_PRE, (size_t)bytes, LWS_WRITE_HTTP_HEADERS);
}

/* What the store does not know is no refusal: a speaker whose token is refused joins anew. */
static int admit(struct server *server, struct lws *wsi)
{
    char session_id[STORE_ID_MAX], token[STORE_TOKEN_MAX];
    struct store_user user;
    struct caller_address address;
    server_take_address(server, wsi, &address);
    if (!server_is_called_rightly(server, wsi, NULL) || !take_credentials(wsi, session_id, token))
        return 403;
    int known = service_may_connect(server->service, token, session_id, &user);
    if (known <= 0)
        return known < 0 ? 503 : 403;
    unsigned limit = server->config.connections;
    int64_t percent = server->service->limits.share_percent;
    return share_allows(share_held(&server->sockets, user.id), server->sockets.used, limit, percent)
               ? 200
               : 503;
}

bool ws_admit(struct server *server, struct lws *wsi)
{
    int status = admit(server, wsi);
    if (status != 200)
        refuse_handshake(wsi, status);
    return status == 200;
}

/* --- the initial frames -------------------------------------------------------------------- */

static int know_playlist(struct server *server, const char *session_id)
{
    cJSON *playlist;
    if (peers_know_playlist(&server->peers, session_id))
        return 0;
    int result = service_playlist_json(server->service, session_id, &playlist);
    if (result < 0)
        return result;
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddItemToObject(payload, "playlist", playlist);
    peers_keep_playlist(&server->peers, session_id, payload);
    return 0;
}

/* Who cannot be told the state is hung up on, and will connect again. */
static void tell_state(struct server *server, struct peer *peer)
{
    cJSON *playback, *settings;
    int result = service_playback_json(server->service, peer->session_id, &playback);
    if (result == 0) {
        peer_send(peer, "playback_state", playback);
        result = know_playlist(server, peer->session_id);
    }
    if (result == 0) {
        peer_send_playlist(peer);
        result = service_settings_json(server->service, peer->session_id, &settings);
    }
    if (result < 0) {
        peer_close(peer);
        return;
    }
    peer_send(peer, "session_settings", settings);
    peer->tells_pending = true;
}

/* One at a time, as they are sent: they are as many as the session may have. */
void ws_tell_pending(struct server *server, struct peer *peer)
{
    struct store_request request;
    if (!peer->tells_pending || peer->count > 0 || peer->overrun)
        return;
    int known = store_next_pending(server->service->store, peer->session_id, &peer->pending_place,
                                   &request);
    if (known == 1) {
        peer_send(peer, "request_update", wire_request(&request));
        store_request_end(&request);
        return;
    }
    peer->tells_pending = false;
    if (known < 0)
        peer_close(peer);
}

static void see(struct server *server, const struct peer *peer, int sockets)
{
    if (store_see_member(server->service->store, peer->session_id, peer->user_id, sockets) < 0)
        log_debug("it could not be stored that a member was seen");
}

void ws_established(struct server *server, struct lws *wsi, struct peer *peer)
{
    struct store_user user;
    struct caller_address address;
    memset(peer, 0, sizeof *peer);
    peer->wsi = wsi;
    server_take_address(server, wsi, &address);
    bool good = take_credentials(wsi, peer->session_id, peer->token) &&
                service_may_connect(server->service, peer->token, peer->session_id, &user) == 1;
    if (!good || !share_take(&server->sockets, user.id, server->config.connections, 100)) {
        peer_close(peer);
        return;
    }
    snprintf(peer->user_id, sizeof peer->user_id, "%s", user.id);
    snprintf(peer->address, sizeof peer->address, "%s", address.group);
    peers_add(&server->peers, peer);
    see(server, peer, 1);
    tell_state(server, peer);
}

void ws_closed(struct server *server, struct peer *peer)
{
    if (!peer->peers)
        return;
    share_give(&server->sockets, peer->user_id);
    peers_remove(peer);
    see(server, peer, -1);
    if (peer->device_id[0] && !peers_find_device(&server->peers, peer->session_id, peer->device_id))
        service_speaker_left(server->service, peer->session_id, peer->device_id);
    server_tell_speakers(server);
}

void ws_review(struct server *server)
{
    struct store_user user;
    for (struct peer *peer = server->peers.first; peer; peer = peer->next)
        if (service_may_connect(server->service, peer->token, peer->session_id, &user) == 0)
            peer_close(peer);
}

/* --- what clients say ---------------------------------------------------------------------- */

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

/* A speaker that comes back by another membership ends the one before: its sockets, too. */
static void take_report(struct server *server, struct peer *peer, const cJSON *payload)
{
    bool is_new = !peer->device_id[0];
    if (!service_take_report(server->service, peer->session_id, peer->user_id, payload,
                             peer->device_id))
        return;
    if (is_new)
        ws_review(server);
    server_tell_speakers(server);
}

/* Who can begin a track where the one before ends is told of it before. */
static void take_abilities(struct server *server, struct peer *peer, const cJSON *payload)
{
    const cJSON *speaker = cJSON_GetObjectItemCaseSensitive(payload, "speaker");
    cJSON *next;
    if (peer->knows_next || !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(speaker, "next_state")))
        return;
    peer->knows_next = true;
    if (service_next_json(server->service, peer->session_id, &next) == 1)
        peer_send(peer, "next_state", next);
}

/* First those that there are, one message each. */
static struct reply subscribe(struct server *server, struct peer *peer, const cJSON *payload)
{
    cJSON *speakers = NULL, *speaker;
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(payload, "speakers");
    if (!cJSON_IsBool(wanted))
        return reply_error(422, "speakers: true or false is wanted");
    if (cJSON_IsFalse(wanted) || peer->watches_speakers) {
        peer->watches_speakers = cJSON_IsTrue(wanted);
        return (struct reply){.status = 200};
    }
    if (service_speakers_json(server->service, peer->session_id, &speakers) < 0)
        return reply_error(500, "The speakers cannot be read");
    peer->watches_speakers = true;
    while ((speaker = cJSON_DetachItemFromArray(speakers, 0)) != NULL)
        peer_send(peer, "speaker_update", speaker);
    cJSON_Delete(speakers);
    return (struct reply){.status = 200};
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
    const struct caller caller = {peer->token, peer->address, NULL};
    if (strcmp(type, "sync_ack") == 0) {
        echo(peer, payload, received);
        take_report(server, peer, payload);
        take_abilities(server, peer, payload);
    } else if (strcmp(type, "subscribe") == 0) {
        settle(peer, subscribe(server, peer, payload));
    } else if (strcmp(type, "playback_command") == 0) {
        settle(peer, service_command(service, &caller, peer->session_id, payload));
    } else if (strcmp(type, "request_playlist_change") == 0) {
        settle(peer, service_request(service, &caller, peer->session_id, payload));
    } else if (strcmp(type, "approve_request") == 0) {
        settle(peer,
               service_decide(service, &caller, text_of(payload, "request_id"), true, payload));
    } else if (strcmp(type, "deny_request") == 0) {
        settle(peer,
               service_decide(service, &caller, text_of(payload, "request_id"), false, payload));
    } else {
        settle(peer, reply_error(422, "type: there is no such message"));
    }
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
    if (body_nesting(peer->message, peer->message_bytes) > SERVICE_NESTING_MAX) {
        settle(peer, reply_error(422, "The message is nested too deeply"));
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

int ws_receive(struct server *server, struct lws *wsi, struct peer *peer, const char *bytes,
               size_t count)
{
    struct server_time received = hub_clock_now();
    if (!peer->peers || !peer_gather(peer, bytes, count, server->config.frame_bytes) ||
        peer->overrun)
        return -1;
    if (lws_remaining_packet_payload(wsi) > 0 || !lws_is_final_fragment(wsi))
        return 0;
    if (peer->message_too_large)
        settle(peer, reply_error(413, "The message is too large, and was dropped"));
    else
        take_message(server, peer, received);
    peer->message_too_large = false;
    peer_forget_message(peer);
    return peer->overrun ? -1 : 0;
}
