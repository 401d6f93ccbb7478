/*
 * service_playlist.c: the playlist, and what guests ask to be changed in it.
 */
#include "service_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POSITION_MAX 1000000

cJSON *service_playlist_json(struct service *service, const char *session_id)
{
    return store_playlist(service->store, session_id);
}

void service_announce_playlist(struct service *service, const char *session_id)
{
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddItemToObject(payload, "playlist", service_playlist_json(service, session_id));
    service_announce(service, session_id, "playlist_update", payload);
}

struct reply service_playlist(struct service *service, const char *token, const char *session_id)
{
    struct store_user user;
    struct reply refusal;
    if (!service_admit(service, token, session_id, ROLE_MEMBER, &user, &refusal))
        return refusal;
    return (struct reply){200, service_playlist_json(service, session_id)};
}

static cJSON *status_body(const char *status)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "status", status);
    return body;
}

/* After any change of the list: everybody sees it, and the current track is one that exists. */
static struct reply changed(struct service *service, const char *session_id, bool current_gone,
                            int64_t position, cJSON *body)
{
    service_announce_playlist(service, session_id);
    if (!current_gone || service_mend_current(service, session_id, position))
        return (struct reply){200, body};
    cJSON_Delete(body);
    return service_store_error(service, "The current track could not be stored");
}

static struct reply insert(struct service *service, const char *session_id, struct store_item *item)
{
    struct store_playback playback;
    if (store_playlist_length(service->store, session_id) >= service->limits.playlist_items)
        return reply_error(413, "The playlist is full");
    if (!store_get_playback(service->store, session_id, &playback) ||
        !store_add_item(service->store, session_id, item))
        return service_store_error(service, "The track could not be stored");
    return changed(service, session_id, !playback.has_track, 0,
                   store_item(service->store, session_id, item->id));
}

static struct reply move(struct service *service, const char *session_id, const char *item_id,
                         int64_t to)
{
    if (!item_id || !store_item_exists(service->store, session_id, item_id))
        return reply_error(404, "The playlist has no such item");
    if (to < 0 || to >= store_playlist_length(service->store, session_id))
        return reply_error(400, "new_position: out of range");
    if (!store_move_item(service->store, session_id, item_id, to))
        return service_store_error(service, "The playlist could not be stored");
    return changed(service, session_id, false, 0, status_body("updated"));
}

static struct reply remove_one(struct service *service, const char *session_id, const char *item_id)
{
    char track_id[STORE_NAME_MAX];
    struct store_playback playback;
    if (!item_id || !store_item_track(service->store, session_id, item_id, track_id) ||
        !store_get_playback(service->store, session_id, &playback))
        return reply_error(404, "The playlist has no such item");
    int64_t position = store_position_of(service->store, session_id, track_id);
    if (!store_remove_item(service->store, session_id, item_id))
        return service_store_error(service, "The playlist could not be stored");
    bool gone = playback.has_track && strcmp(playback.track_id, track_id) == 0 &&
                !store_track_exists(service->store, session_id, track_id);
    return changed(service, session_id, gone, position, status_body("removed"));
}

static struct reply upload(struct service *service, const char *session_id, const cJSON *body)
{
    char path[MEDIA_PATH_MAX];
    double duration_s;
    const char *error;
    const cJSON *media = cJSON_GetObjectItemCaseSensitive(body, "media");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(media, "data");
    const char *type = service_text(media, "content_type");
    struct store_item item = {
        .track_id = service_text(body, "track_id"),
        .name = service_text(body, "name"),
        .media_type = "audio/mpeg",
    };
    if (!item.track_id || !item.name)
        return reply_error(422, "track_id and name: texts of 1 to 255 bytes are wanted");
    if (!cJSON_IsObject(media) || !cJSON_IsString(data))
        return reply_error(422, "media: an object with content_type and data is wanted");
    if (!type || (strcmp(type, "audio/mpeg") != 0 && strcmp(type, "audio/mp3") != 0))
        return reply_error(415, "Only audio/mpeg can be played");
    if (!media_store_base64(service->media, data->valuestring, (size_t)service->limits.track_bytes,
                            path, &duration_s, &error))
        return reply_error(strcmp(error, "the file is too large") == 0 ? 413 : 415, error);
    int64_t limit = store_max_duration(service->store, session_id);
    if (limit >= 0 && duration_s > (double)limit) {
        media_remove(service->media, path);
        return reply_error(400, "The track is longer than this session allows");
    }
    item.media_path = path;
    item.duration_s = duration_s;
    struct reply reply = {500, NULL};
    if (service_begin(service))
        reply = insert(service, session_id, &item);
    reply = service_commit(service, reply);
    if (reply.status != 200)
        media_remove(service->media, path);
    return reply;
}

/* --- requests ------------------------------------------------------------------------------ */

static struct reply add_request(struct service *service, const char *session_id,
                                const struct store_user *user, const char *type,
                                const cJSON *payload)
{
    cJSON *request = store_add_request(service->store, session_id, user, type, payload);
    if (!request)
        return service_store_error(service, "The request could not be stored");
    service_announce(service, session_id, "request_update", cJSON_Duplicate(request, true));
    return (struct reply){200, request};
}

struct reply service_request(struct service *service, const char *token, const char *session_id,
                             const cJSON *body)
{
    struct store_user user;
    struct reply refusal;
    const char *type = service_text(body, "request_type");
    const cJSON *payload = cJSON_GetObjectItemCaseSensitive(body, "payload");
    if (!service_admit(service, token, session_id, ROLE_MEMBER, &user, &refusal))
        return refusal;
    if (!type ||
        (strcmp(type, "add") != 0 && strcmp(type, "reorder") != 0 && strcmp(type, "remove") != 0))
        return reply_error(422, "request_type: add, reorder or remove is wanted");
    if (!cJSON_IsObject(payload))
        return reply_error(422, "payload: an object is wanted");
    return add_request(service, session_id, &user, type, payload);
}

/* Requests of guests that came in the form of a host's call. */
static struct reply request_instead(struct service *service, const char *session_id,
                                    const struct store_user *user, const char *type,
                                    const char *item_id, const cJSON *body)
{
    cJSON *payload = cJSON_CreateObject();
    if (item_id) {
        const cJSON *to = cJSON_GetObjectItemCaseSensitive(body, "new_position");
        cJSON_AddStringToObject(payload, "item_id", item_id);
        if (cJSON_IsNumber(to))
            cJSON_AddNumberToObject(payload, "new_position", to->valuedouble);
    } else {
        static const char *const names[] = {"track_id", "name", "media_url"};
        for (size_t i = 0; i < 3; i++)
            if (service_text(body, names[i]))
                cJSON_AddStringToObject(payload, names[i], service_text(body, names[i]));
    }
    struct reply reply = add_request(service, session_id, user, type, payload);
    cJSON_Delete(payload);
    return reply;
}

struct reply service_add_item(struct service *service, const char *token, const char *session_id,
                              const cJSON *body)
{
    struct store_user user;
    struct reply refusal;
    if (!service_admit(service, token, session_id, ROLE_MEMBER, &user, &refusal))
        return refusal;
    if (store_is_host(service->store, session_id, user.id))
        return upload(service, session_id, body);
    if (!service_text(body, "track_id") || !service_text(body, "name"))
        return reply_error(422, "track_id and name: texts of 1 to 255 bytes are wanted");
    return request_instead(service, session_id, &user, "add", NULL, body);
}

struct reply service_move_item(struct service *service, const char *token, const char *session_id,
                               const char *item_id, const cJSON *body)
{
    struct store_user user;
    struct reply refusal;
    if (!service_admit(service, token, session_id, ROLE_MEMBER, &user, &refusal))
        return refusal;
    if (!store_is_host(service->store, session_id, user.id))
        return request_instead(service, session_id, &user, "reorder", item_id, body);
    struct reply reply = {500, NULL};
    if (service_begin(service))
        reply = move(service, session_id, item_id,
                     service_whole(body, "new_position", -1, POSITION_MAX));
    return service_commit(service, reply);
}

struct reply service_remove_item(struct service *service, const char *token, const char *session_id,
                                 const char *item_id)
{
    struct store_user user;
    struct reply refusal;
    if (!service_admit(service, token, session_id, ROLE_MEMBER, &user, &refusal))
        return refusal;
    if (!store_is_host(service->store, session_id, user.id))
        return request_instead(service, session_id, &user, "remove", item_id, NULL);
    struct reply reply = {500, NULL};
    if (service_begin(service))
        reply = remove_one(service, session_id, item_id);
    return service_commit(service, reply);
}

struct reply service_apply(struct service *service, const char *session_id, const char *type,
                           const cJSON *payload)
{
    if (strcmp(type, "reorder") == 0)
        return move(service, session_id, service_text(payload, "item_id"),
                    service_whole(payload, "new_position", -1, POSITION_MAX));
    if (strcmp(type, "remove") == 0)
        return remove_one(service, session_id, service_text(payload, "item_id"));
    struct store_item item = {
        .track_id = service_text(payload, "track_id"),
        .name = service_text(payload, "name"),
        .media_path = service_text(payload, "media_path"),
        .media_url = service_text(payload, "media_url"),
        .media_type = "audio/mpeg",
        .duration_s = -1,
    };
    int64_t bytes;
    int fd = item.media_path ? media_open(service->media, item.media_path, &bytes) : -1;
    if (!item.track_id || !item.name || (!item.media_path && !item.media_url) ||
        (item.media_path && fd < 0))
        return reply_error(422, "The request names no track that exists");
    if (fd >= 0)
        close(fd);
    return insert(service, session_id, &item);
}

/* The change that was asked for and the decision are one: never the one without the other. */
static struct reply decide(struct service *service, const char *request_id,
                           const struct store_request *request, bool approve, const char *reason)
{
    if (approve) {
        struct reply applied =
            service_apply(service, request->session_id, request->type, request->payload);
        if (applied.status != 200)
            return applied;
        cJSON_Delete(applied.body);
    }
    if (!store_decide_request(service->store, request_id, approve ? "approved" : "denied", reason))
        return service_store_error(service, "The decision could not be stored");
    cJSON *result = store_request(service->store, request_id);
    service_announce(service, request->session_id, "request_update", cJSON_Duplicate(result, true));
    return (struct reply){200, result};
}

struct reply service_decide(struct service *service, const char *token, const char *request_id,
                            bool approve, const cJSON *body)
{
    struct store_user user;
    struct store_request request;
    struct reply reply;
    if (!token[0] || !store_find_user(service->store, token, &user))
        return reply_error(401, "Invalid or missing token");
    if (!request_id || !store_get_request(service->store, request_id, &request))
        return reply_error(404, "There is no such request");
    if (!service_admit(service, token, request.session_id, ROLE_HOST, &user, &reply)) {
        cJSON_Delete(request.payload);
        return reply;
    }
    if (strcmp(request.status, "pending") != 0) {
        reply = reply_error(409, "The request was decided already");
    } else {
        reply = (struct reply){500, NULL};
        if (service_begin(service))
            reply = decide(service, request_id, &request, approve, service_text(body, "reason"));
        reply = service_commit(service, reply);
    }
    cJSON_Delete(request.payload);
    return reply;
}
