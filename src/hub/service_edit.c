/*
 * service_edit.c: the playlist and its changes, whoever made them: the host at once, or a guest
 * whose request was approved.
 */
#include "service_internal.h"

#include <string.h>

cJSON *service_playlist_json(struct service *service, const char *session_id)
{
    return store_playlist(service->store, session_id);
}

static void announce_playlist(struct service *service, const char *session_id)
{
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddItemToObject(payload, "playlist", service_playlist_json(service, session_id));
    service_announce(service, session_id, "playlist_update", payload);
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
    announce_playlist(service, session_id);
    if (!current_gone || service_mend_current(service, session_id, position))
        return (struct reply){200, body};
    cJSON_Delete(body);
    return service_store_error(service, "The current track could not be stored");
}

struct reply service_insert(struct service *service, const char *session_id,
                            struct store_item *item)
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

struct reply service_move(struct service *service, const char *session_id, const char *item_id,
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

struct reply service_remove(struct service *service, const char *session_id, const char *item_id)
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

void service_drop_media(struct service *service, const char *path)
{
    if (!path[0] || store_media_is_used(service->store, path))
        return;
    store_forget_media(service->store, path);
    media_remove(service->media, path);
}

static struct reply apply_add(struct service *service, const char *session_id, const cJSON *payload)
{
    struct store_item item = {
        .track_id = service_text(payload, "track_id"),
        .name = service_text(payload, "name"),
        .media_path = service_text(payload, "media_path"),
        .media_url = service_text(payload, "media_url"),
        .media_type = "audio/mpeg",
        .duration_s = -1,
    };
    int64_t limit = store_max_duration(service->store, session_id);
    if (item.media_path)
        item.duration_s = store_media_duration(service->store, item.media_path);
    if (!item.track_id || !item.name || (!item.media_path && !item.media_url) ||
        (item.media_path && item.duration_s < 0))
        return reply_error(422, "The request names no track that exists");
    if (limit >= 0 && item.duration_s < 0)
        return reply_error(422, "The track's length is not known, and this session limits it");
    if (limit >= 0 && item.duration_s > (double)limit)
        return reply_error(400, "The track is longer than this session allows");
    return service_insert(service, session_id, &item);
}

struct reply service_apply(struct service *service, const char *session_id, const char *type,
                           const cJSON *payload)
{
    if (strcmp(type, "reorder") == 0)
        return service_move(service, session_id, service_text(payload, "item_id"),
                            service_whole(payload, "new_position", -1, SERVICE_POSITION_MAX));
    if (strcmp(type, "remove") == 0)
        return service_remove(service, session_id, service_text(payload, "item_id"));
    return apply_add(service, session_id, payload);
}
