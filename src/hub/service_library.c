/*
 * service_library.c: from tracks of the library to items of a playlist, or to requests for them.
 */
#include "service_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* At once: an album, or a page of what was found. */
#define TRACKS_MAX LIBRARY_LIMIT_MAX

/* 200 if it is so, else the refusal. */
static struct reply refuse_unless(int known, const char *detail)
{
    if (known == 1)
        return (struct reply){.status = 200};
    return known < 0 ? service_store_error(known, "The hub cannot read who may do this")
                     : reply_error(403, detail);
}

static struct reply find_caller(struct service *service, const struct caller *caller,
                                struct store_user *ret)
{
    int known = caller->token[0] ? store_find_user(service->store, caller->token, ret) : 0;
    return known == 0 ? reply_error(401, "Invalid or missing token") : refuse_unless(known, "");
}

struct reply service_may_search(struct service *service, const struct caller *caller)
{
    struct store_user user;
    struct reply reply = find_caller(service, caller, &user);
    if (reply.status != 200)
        return reply;
    if (!service->library)
        return reply_error(503, "There is no library: the hub's log says why");
    return refuse_unless(user.trusted ? 1 : store_is_member_somewhere(service->store, user.id),
                         "Only members of a session may search");
}

/* --- a track as an item -------------------------------------------------------------------- */

int service_find_track(struct service *service, const char *key, struct store_item *item)
{
    struct library_track *track = service->library ? malloc(sizeof *track) : NULL;
    if (!track)
        return service->library ? -ENOMEM : 0;
    int result = library_find(service->library, key, track, item->media_path, STORE_PATH_MAX);
    if (result == 1) {
        snprintf(item->media_type, sizeof item->media_type, "%s",
                 audio_kind_media_type(track->reading.kind));
        item->duration_s = track->reading.duration_s;
        item->tags = track->reading.tags;
        snprintf(item->cover, sizeof item->cover, "%s", track->reading.cover);
        if (!item->name[0])
            snprintf(item->name, sizeof item->name, "%s", track->reading.tags.title);
        if (!item->track_id[0])
            snprintf(item->track_id, sizeof item->track_id, "%s", track->key);
    }
    free(track);
    return result;
}

static struct reply look_up(struct service *service, const struct admission *admission,
                            const cJSON *key, struct store_item *item)
{
    int known = cJSON_IsString(key) ? service_find_track(service, key->valuestring, item) : 0;
    if (known == -EAGAIN)
        return reply_error(503, "The library is still being looked through; try again");
    if (known < 0)
        return service_store_error(known, "The library cannot be read");
    if (known == 0)
        return reply_error(404, "The library has no such track");
    return service_fit_length(&admission->session, item->duration_s);
}

/* --- one or several ------------------------------------------------------------------------ */

struct tracks {
    struct store_item *items;
    int64_t count;
    bool alone; /* one that was named alone: the answer is it, and no list */
};

static struct reply take_tracks(struct service *service, const struct admission *admission,
                                const cJSON *named, struct tracks *ret)
{
    const cJSON *key = cJSON_IsArray(named) ? named->child : named;
    int count = cJSON_IsArray(named) ? cJSON_GetArraySize(named) : 1;
    struct reply reply = {.status = 200};
    if (count < 1 || count > TRACKS_MAX)
        return reply_error(422, "library: 1 to 200 tracks are wanted");
    *ret = (struct tracks){calloc((size_t)count, sizeof *ret->items), 0, !cJSON_IsArray(named)};
    if (!ret->items)
        return service_store_error(-ENOMEM, "There is no memory for so many tracks");
    for (; ret->count < count && reply.status == 200; key = key->next)
        reply = look_up(service, admission, key, &ret->items[ret->count++]);
    return reply;
}

static struct reply insert(struct service *service, const struct admission *admission,
                           struct tracks *tracks)
{
    struct reply refusal;
    for (int64_t i = 0; i < tracks->count; i++)
        if (!service_may_ask(service, admission, "Too many tracks in a minute", &refusal))
            return refusal;
    int result = service_begin(service);
    if (result < 0)
        return service_store_error(result, "The tracks could not be stored");
    const char *session_id = admission->session.id;
    return service_commit(
        service, tracks->alone
                     ? service_insert(service, session_id, tracks->items)
                     : service_insert_all(service, session_id, tracks->items, tracks->count));
}

/* As many as may be asked for now: of those that do not fit, the first says why, unless it is none
 * of several. */
static struct reply ask(struct service *service, const struct admission *admission,
                        const struct tracks *tracks)
{
    if (tracks->alone)
        return service_ask_for_track(service, admission, tracks->items);
    cJSON *body = cJSON_CreateObject();
    cJSON *requests = cJSON_AddArrayToObject(body, "requests");
    for (int64_t i = 0; i < tracks->count; i++) {
        struct reply reply = service_ask_for_track(service, admission, &tracks->items[i]);
        if (reply.status == 200) {
            cJSON_AddItemToArray(requests, reply.body);
            continue;
        }
        if (i == 0) {
            cJSON_Delete(body);
            return reply;
        }
        cJSON_AddItemToObject(body, "refused", reply.body);
        break;
    }
    return (struct reply){.status = 200, .body = body};
}

struct reply service_add_tracks(struct service *service, const struct admission *admission,
                                const cJSON *body)
{
    struct tracks tracks = {0};
    struct reply reply;
    bool at_once;
    if (!service_may_add(service, admission, &at_once, &reply))
        return reply;
    reply =
        take_tracks(service, admission, cJSON_GetObjectItemCaseSensitive(body, "library"), &tracks);
    if (reply.status == 200)
        reply = at_once ? insert(service, admission, &tracks) : ask(service, admission, &tracks);
    free(tracks.items);
    return reply;
}

/* --- out of it ----------------------------------------------------------------------------- */

static struct reply remove_upload(struct service *service, const char *media_path)
{
    int listed = store_media_is_listed(service->store, media_path);
    if (listed == 1)
        return reply_error(409, "A playlist has this track, or somebody asks for it");
    int result = listed < 0 ? listed : store_forget_media(service->store, media_path);
    if (result < 0)
        return service_store_error(result, "The track could not be removed");
    media_remove(service->media, media_path);
    library_uploads_changed(service->library);
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "status", "removed");
    return (struct reply){.status = 200, .body = body};
}

/* Where the house has a password, who knows it; else whoever is a host. */
static bool may_remove(const struct service *service, const struct store_user *user)
{
    return user->host && (user->trusted || !service->house_password[0]);
}

struct reply service_remove_track(struct service *service, const struct caller *caller,
                                  const char *key)
{
    struct store_user user;
    struct store_item item = {0};
    struct reply reply = find_caller(service, caller, &user);
    if (reply.status != 200)
        return reply;
    if (!may_remove(service, &user))
        return reply_error(403, "Only hosts may remove tracks from the library");
    int known = service_find_track(service, key, &item);
    if (known < 0)
        return known == -EAGAIN ? reply_error(503, "The library is still being looked through")
                                : service_store_error(known, "The library cannot be read");
    if (known == 0)
        return reply_error(404, "The library has no such track");
    if (strncmp(item.media_path, LIBRARY_FOLDER, strlen(LIBRARY_FOLDER)) == 0)
        return reply_error(409, "The track is in a directory that is only read: remove its file");
    return remove_upload(service, item.media_path);
}
