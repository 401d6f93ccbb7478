/*
 * service_playlist.c: calls that change the playlist; what a guest asks for becomes a request.
 */
#include "service_internal.h"

#include <stdio.h>
#include <string.h>

struct reply service_playlist(struct service *service, const struct caller *caller,
                              const char *session_id)
{
    struct admission admission;
    struct reply refusal;
    cJSON *playlist;
    if (!service_admit(service, caller, session_id, ROLE_MEMBER, &admission, &refusal))
        return refusal;
    int result = service_playlist_json(service, session_id, &playlist);
    if (result < 0)
        return service_store_error(result, "The playlist cannot be read");
    return (struct reply){.status = 200, .body = playlist};
}

static struct reply remove_with_media(struct service *service, const char *session_id,
                                      const char *item_id)
{
    struct store_item item = {0};
    struct reply reply;
    int result = service_begin(service);
    if (result == 0) {
        result = store_item(service->store, session_id, item_id, &item);
        reply =
            service_commit(service, result < 0 ? service_store_error(result, "It cannot be read")
                                               : service_remove(service, session_id, item_id));
    } else {
        reply = service_store_error(result, "The playlist could not be stored");
    }
    if (reply.status == 200)
        service_drop_media(service, item.media_path);
    return reply;
}

/* Requests of guests that came in the form of a host's call. */
static struct reply request_instead(struct service *service, const struct admission *admission,
                                    const char *type, const char *item_id, const cJSON *body)
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
    struct reply reply = service_ask(service, admission, type, payload);
    cJSON_Delete(payload);
    return reply;
}

struct reply service_add_item(struct service *service, const struct caller *caller,
                              const char *session_id, const cJSON *body,
                              struct media_upload *upload)
{
    struct admission admission;
    struct reply refusal;
    if (!service_admit(service, caller, session_id, ROLE_MEMBER, &admission, &refusal))
        return refusal;
    if (cJSON_HasObjectItem(body, "library"))
        return service_add_tracks(service, &admission, body);
    if (cJSON_HasObjectItem(body, "media") || admission.is_host)
        return service_upload(service, &admission, body, upload);
    if (!service_text(body, "track_id") || !service_text(body, "name"))
        return reply_error(422, "track_id and name: texts of 1 to 255 bytes are wanted");
    return request_instead(service, &admission, "add", NULL, body);
}

struct reply service_move_item(struct service *service, const struct caller *caller,
                               const char *session_id, const char *item_id, const cJSON *body)
{
    struct admission admission;
    struct reply refusal;
    if (!service_admit(service, caller, session_id, ROLE_MEMBER, &admission, &refusal))
        return refusal;
    if (!admission.is_host)
        return request_instead(service, &admission, "reorder", item_id, body);
    int result = service_begin(service);
    if (result < 0)
        return service_store_error(result, "The playlist could not be stored");
    return service_commit(
        service, service_move(service, session_id, item_id,
                              service_whole(body, "new_position", -1, SERVICE_POSITION_MAX)));
}

struct reply service_remove_item(struct service *service, const struct caller *caller,
                                 const char *session_id, const char *item_id)
{
    struct admission admission;
    struct reply refusal;
    if (!service_admit(service, caller, session_id, ROLE_MEMBER, &admission, &refusal))
        return refusal;
    if (!admission.is_host)
        return request_instead(service, &admission, "remove", item_id, NULL);
    return remove_with_media(service, session_id, item_id);
}

struct reply service_remove_items(struct service *service, const struct caller *caller,
                                  const char *session_id)
{
    struct admission admission;
    struct reply refusal;
    if (!service_admit(service, caller, session_id, ROLE_HOST, &admission, &refusal))
        return refusal;
    int result = service_begin(service);
    if (result < 0)
        return service_store_error(result, "The playlist could not be stored");
    return service_commit(service, service_clear(service, session_id));
}
