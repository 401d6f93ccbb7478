/*
 * service_playlist.c: calls that change the playlist; what a guest asks for becomes a request.
 */
#include "service_internal.h"

#include <string.h>

struct reply service_playlist(struct service *service, const char *token, const char *session_id)
{
    struct store_user user;
    struct reply refusal;
    if (!service_admit(service, token, session_id, ROLE_MEMBER, &user, &refusal))
        return refusal;
    return (struct reply){200, service_playlist_json(service, session_id)};
}

static struct reply remove_with_media(struct service *service, const char *session_id,
                                      const char *item_id)
{
    char path[MEDIA_PATH_MAX] = "";
    struct reply reply = {500, NULL};
    store_item_media(service->store, session_id, item_id, path, sizeof path);
    if (service_begin(service))
        reply = service_remove(service, session_id, item_id);
    reply = service_commit(service, reply);
    if (reply.status == 200)
        service_drop_media(service, path);
    return reply;
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
    struct reply reply = service_add_request(service, session_id, user, type, payload);
    cJSON_Delete(payload);
    return reply;
}

struct reply service_add_item(struct service *service, const char *token, const char *session_id,
                              const cJSON *body, struct media_upload *upload)
{
    struct store_user user;
    struct reply refusal;
    if (!service_admit(service, token, session_id, ROLE_MEMBER, &user, &refusal))
        return refusal;
    if (cJSON_HasObjectItem(body, "media") || store_is_host(service->store, session_id, user.id))
        return service_upload(service, session_id, &user, body, upload);
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
        reply = service_move(service, session_id, item_id,
                             service_whole(body, "new_position", -1, SERVICE_POSITION_MAX));
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
    return remove_with_media(service, session_id, item_id);
}
