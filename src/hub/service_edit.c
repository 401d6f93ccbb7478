/*
 * service_edit.c: the playlist and its changes, whoever made them: the host at once, or a guest
 * whose request was approved.
 */
#include "hub_clock.h"
#include "service_internal.h"
#include "tutti/base/log.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void add_item(void *user, const struct store_item *item)
{
    cJSON_AddItemToArray(user, wire_item(item));
}

static cJSON *wire_items(const struct store_item *items, int64_t count)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *array = cJSON_AddArrayToObject(body, "items");
    for (int64_t i = 0; i < count; i++)
        cJSON_AddItemToArray(array, wire_item(&items[i]));
    return body;
}

int service_playlist_json(struct service *service, const char *session_id, cJSON **ret)
{
    *ret = cJSON_CreateArray();
    int result = store_each_item(service->store, session_id, add_item, *ret);
    if (result == 0)
        return 0;
    cJSON_Delete(*ret);
    *ret = NULL;
    return result;
}

int service_announce_playlist(struct service *service, const char *session_id)
{
    cJSON *playlist;
    int result = service_playlist_json(service, session_id, &playlist);
    if (result < 0)
        return result;
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddItemToObject(payload, "playlist", playlist);
    service_announce(service, session_id, "playlist_update", payload);
    return 0;
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
    int result = service_announce_playlist(service, session_id);
    if (result == 0)
        result = current_gone ? service_mend_current(service, session_id, position)
                              : service_retell_next(service, session_id, STORE_NEVER);
    if (result == 0)
        return (struct reply){.status = 200, .body = body};
    cJSON_Delete(body);
    return service_store_error(result, "The playlist could not be stored");
}

/* 1: there is room for so many and *ret is what plays; 0: there is none; or -errno. */
static int look_before_insert(struct service *service, const char *session_id, int64_t count,
                              struct store_playback *ret)
{
    int64_t length = 0;
    int result = store_playlist_length(service->store, session_id, &length);
    if (result < 0)
        return result;
    if (length + count > service->limits.playlist_items)
        return 0;
    result = store_get_playback(service->store, session_id, ret);
    return result == 0 ? -ENOENT : result;
}

/* What is on a playlist is in the library. */
static int add_and_keep(struct service *service, const char *session_id, struct store_item *item)
{
    char key[LIBRARY_KEY_MAX];
    int result = store_add_item(service->store, session_id, item);
    if (result < 0 || !item->media_path[0])
        return result;
    return library_key_of(item->media_path, key)
               ? store_note_track(service->store, item)
               : store_keep_media(service->store, item->media_path, item->name);
}

/* 200 without a body, or the refusal; *ret_first: nothing was played before. */
static struct reply add_items(struct service *service, const char *session_id,
                              struct store_item *items, int64_t count, bool *ret_first)
{
    struct store_playback playback;
    int result = look_before_insert(service, session_id, count, &playback);
    if (result == 0)
        return reply_limit(413, "The playlist is full", service->limits.playlist_items,
                           "playlist_items");
    for (int64_t i = 0; i < count && result >= 0; i++)
        result = add_and_keep(service, session_id, &items[i]);
    if (result < 0)
        return service_store_error(result, "The track could not be stored");
    *ret_first = !playback.has_track;
    return (struct reply){.status = 200};
}

struct reply service_insert(struct service *service, const char *session_id,
                            struct store_item *item)
{
    bool first;
    struct reply reply = add_items(service, session_id, item, 1, &first);
    return reply.status == 200 ? changed(service, session_id, first, 0, wire_item(item)) : reply;
}

struct reply service_insert_all(struct service *service, const char *session_id,
                                struct store_item *items, int64_t count)
{
    bool first;
    struct reply reply = add_items(service, session_id, items, count, &first);
    return reply.status == 200 ? changed(service, session_id, first, 0, wire_items(items, count))
                               : reply;
}

static int find_item(struct service *service, const char *session_id, const char *item_id,
                     struct store_item *ret)
{
    return item_id ? store_item(service->store, session_id, item_id, ret) : 0;
}

static struct reply no_item(int result)
{
    return result < 0 ? service_store_error(result, "The playlist cannot be read")
                      : reply_error(404, "The playlist has no such item");
}

struct reply service_move(struct service *service, const char *session_id, const char *item_id,
                          int64_t to)
{
    struct store_item item;
    int64_t length = 0;
    int result = find_item(service, session_id, item_id, &item);
    if (result <= 0)
        return no_item(result);
    result = store_playlist_length(service->store, session_id, &length);
    if (result < 0)
        return no_item(result);
    if (to < 0 || to >= length)
        return reply_error(400, "new_position: out of range");
    result = store_move_item(service->store, session_id, &item, to);
    if (result < 0)
        return service_store_error(result, "The playlist could not be stored");
    return changed(service, session_id, false, 0, status_body("updated"));
}

/* After the removal: was it the last item of the current track? */
static int is_current_gone(struct service *service, const char *session_id, const char *track_id,
                           bool *ret_gone)
{
    struct store_playback playback;
    struct store_item other;
    int result = store_get_playback(service->store, session_id, &playback);
    if (result <= 0)
        return result < 0 ? result : -ENOENT;
    *ret_gone = false;
    if (!playback.has_track || strcmp(playback.track_id, track_id) != 0)
        return 0;
    result = store_item_of(service->store, session_id, track_id, &other);
    *ret_gone = result == 0;
    return result < 0 ? result : 0;
}

struct reply service_remove(struct service *service, const char *session_id, const char *item_id)
{
    struct store_item item;
    bool gone = false;
    int result = find_item(service, session_id, item_id, &item);
    if (result <= 0)
        return no_item(result);
    result = store_remove_item(service->store, session_id, &item);
    if (result == 0)
        result = is_current_gone(service, session_id, item.track_id, &gone);
    if (result == 0 && !gone)
        result = service_stand_elsewhere(service, session_id);
    if (result < 0)
        return service_store_error(result, "The playlist could not be stored");
    /* Gone: it was the track's only item. */
    return changed(service, session_id, gone, item.position, status_body("removed"));
}

struct reply service_clear(struct service *service, const char *session_id)
{
    int64_t count = 0;
    int result = store_playlist_length(service->store, session_id, &count);
    if (result == 0)
        result = store_remove_items(service->store, session_id, hub_clock_now().ns);
    if (result < 0)
        return service_store_error(result, "The playlist could not be stored");
    cJSON *body = cJSON_CreateObject();
    cJSON_AddNumberToObject(body, "removed", (double)count);
    return changed(service, session_id, count > 0, 0, body);
}

/* Names are forgotten before files: a name without a file is a track that cannot be played. */
void service_drop_media(struct service *service, const char *path)
{
    if (!path[0])
        return;
    if (store_media_is_listed(service->store, path) == 0 &&
        store_leave_media(service->store, path, hub_clock_now().ns) < 0)
        log_debug("%s: it could not be stored that no playlist has it", path);
    library_uploads_changed(service->library);
    if (store_media_is_used(service->store, path) != 0)
        return;
    if (store_forget_media(service->store, path) == 0)
        media_remove(service->media, path);
}

static void take_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

/* 1: there is such a file; 0: there is none; or -errno. */
static int take_file(struct service *service, const char *path, struct store_item *item)
{
    struct store_media media;
    int result = store_media(service->store, path, &media);
    if (result == 1) {
        item->duration_s = media.duration_s;
        item->tags = media.tags;
    }
    if (result == 1 && store_title_of_called(service->store, path, item->name, item->name) < 0)
        return -EIO;
    return result;
}

/* 1: the request names a track; 0: none that exists; or -errno. */
static int find_track(struct service *service, const cJSON *payload, struct store_item *item)
{
    const char *track_id = service_text(payload, "track_id");
    const char *name = service_text(payload, "name");
    const char *path = service_text(payload, "media_path");
    const char *url = service_text(payload, "media_url");
    if (!track_id || !name || (!path && !url) || (path && strlen(path) >= STORE_PATH_MAX))
        return 0;
    take_text(item->track_id, sizeof item->track_id, track_id);
    take_text(item->name, sizeof item->name, name);
    take_text(item->media_path, sizeof item->media_path, path);
    take_text(item->media_url, sizeof item->media_url, url);
    take_text(item->media_type, sizeof item->media_type,
              path ? formats_media_type(path) : "audio/mpeg");
    item->duration_s = -1;
    item->tags = track_tags_none();
    if (!path)
        return 1;
    char key[LIBRARY_KEY_MAX];
    return library_key_of(path, key) ? service_find_track(service, key, item)
                                     : take_file(service, path, item);
}

struct reply service_fit_length(const struct store_session *session, double duration_s)
{
    int64_t limit = session->max_duration_s;
    if (limit >= 0 && duration_s < 0)
        return reply_error(422, "The track's length is not known, and this session limits it");
    if (limit >= 0 && duration_s > (double)limit)
        return reply_error(400, "The track is longer than this session allows");
    return (struct reply){.status = 200};
}

static struct reply apply_add(struct service *service, const struct store_session *session,
                              const cJSON *payload)
{
    struct store_item item = {0};
    int known = find_track(service, payload, &item);
    if (known < 0)
        return service_store_error(known, "The track cannot be read");
    if (known == 0)
        return reply_error(422, "The request names no track that exists");
    struct reply reply = service_fit_length(session, item.duration_s);
    return reply.status == 200 ? service_insert(service, session->id, &item) : reply;
}

struct reply service_apply(struct service *service, const struct store_session *session,
                           const char *type, const cJSON *payload)
{
    if (strcmp(type, "reorder") == 0)
        return service_move(service, session->id, service_text(payload, "item_id"),
                            service_whole(payload, "new_position", -1, SERVICE_POSITION_MAX));
    if (strcmp(type, "remove") == 0)
        return service_remove(service, session->id, service_text(payload, "item_id"));
    return apply_add(service, session, payload);
}
