/*
 * service_upload.c: from a whole upload to an item of the playlist, or to a request for one.
 */
#include "service_internal.h"
#include "tutti/base/log.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Of a single upload: whatever is lacking then, is so for the next one no more. */
#define MAKE_ROOM_MAX 64

/* --- who may, how many at a time ----------------------------------------------------------- */

struct reply service_begin_upload(struct service *service, const struct caller *caller,
                                  const char *session_id, struct upload_slot *ret_slot)
{
    struct admission admission;
    struct reply refusal;
    bool at_once;
    if (!service_admit(service, caller, session_id, ROLE_MEMBER, &admission, &refusal) ||
        !service_may_add(service, &admission, &at_once, &refusal))
        return refusal;
    *ret_slot = (struct upload_slot){.is_host = admission.is_host};
    snprintf(ret_slot->user_id, sizeof ret_slot->user_id, "%s", admission.user.id);
    snprintf(ret_slot->address, sizeof ret_slot->address, "%s", caller->address);
    return (struct reply){.status = 200};
}

/* 1: tracks of this guest may still wait for a decision; 0: those that do, from his address or from
 * all, take what there is for them; or -errno. */
static int may_wait(struct service *service, const struct upload_slot *slot)
{
    int64_t all = 0, held = 0;
    int result = store_waiting_bytes(service->store, NULL, &all);
    if (result == 0)
        result = store_waiting_bytes(service->store, slot->address, &held);
    if (result < 0)
        return result;
    return share_allows(held, all, service->limits.waiting_bytes, service->limits.share_percent);
}

static bool take_slot(struct service *service, struct upload_slot *slot)
{
    int64_t percent = service->limits.share_percent;
    if (!share_take(&service->uploads, slot->address, MEDIA_UPLOADS_MAX, percent))
        return false;
    slot->taken = share_take(&service->uploaders, slot->user_id, MEDIA_UPLOADS_MAX, percent);
    if (!slot->taken)
        share_give(&service->uploads, slot->address);
    return slot->taken;
}

/* What was left first by all playlists goes first, out of the library, so that there is room for
 * the next track: of any size, for it is not known yet. */
static void make_room(struct service *service)
{
    char path[STORE_PATH_MAX];
    int64_t lacking = media_lacking(service->media), bytes = 0;
    for (int tries = 0; lacking > 0 && tries < MAKE_ROOM_MAX; tries++) {
        if (store_left_media(service->store, path, &bytes) != 1 ||
            store_forget_media(service->store, path) < 0)
            return;
        media_remove(service->media, path);
        log_info("%s, which no playlist has, makes room for others", path);
        lacking -= bytes > 0 ? bytes : 1;
        library_uploads_changed(service->library);
    }
}

struct media_upload *service_open_upload(struct service *service, struct upload_slot *slot,
                                         int *ret_status, const char **ret_reason)
{
    int allowed = slot->is_host ? 1 : may_wait(service, slot);
    *ret_status = allowed < 0 ? 500 : 507;
    *ret_reason = allowed < 0
                      ? "The hub cannot read what waits"
                      : "There is no room for more tracks that wait for the host's decision";
    if (allowed <= 0)
        return NULL;
    if (take_slot(service, slot)) {
        make_room(service);
        return media_upload_begin(service->media, ret_status, ret_reason);
    }
    *ret_status = 429;
    *ret_reason = "Too many uploads at once, of all, of this member or of this address; try again";
    return NULL;
}

void service_end_upload(struct service *service, struct upload_slot *slot)
{
    if (!slot->taken)
        return;
    share_give(&service->uploads, slot->address);
    share_give(&service->uploaders, slot->user_id);
    slot->taken = false;
}

/* --- a whole one --------------------------------------------------------------------------- */

/* What it is called. What it is, its contents say. */
static bool is_media_type(const char *type)
{
    return strncasecmp(type, "audio/", 6) == 0 || strcasecmp(type, "video/mp4") == 0 ||
           strcasecmp(type, "application/ogg") == 0;
}

#define UNNAMED "track_id and name: texts of 1 to 255 bytes are wanted"

/* As whoever uploads it says; else as the file itself says, or what that was called. */
static const char *name_of(const cJSON *body, const struct track_tags *tags)
{
    const char *name = service_text(body, "name");
    if (name)
        return name;
    return tags->title[0] ? tags->title : service_text(body, "filename");
}

/* A name that is there must be good; without one it takes the file's. */
static bool has_name(const cJSON *body)
{
    return cJSON_GetObjectItemCaseSensitive(body, "name") ? service_text(body, "name") != NULL
                                                          : service_text(body, "filename") != NULL;
}

/* NULL when what describes the upload is good. */
static const char *wrong_upload(const cJSON *body, const struct media_upload *upload,
                                int *ret_status)
{
    const cJSON *media = cJSON_GetObjectItemCaseSensitive(body, "media");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(media, "data");
    const char *type = service_text(media, "content_type");
    *ret_status = 422;
    if (!service_text(body, "track_id") || !has_name(body))
        return UNNAMED;
    if (!cJSON_IsObject(media) || !cJSON_IsString(data))
        return "media: an object with content_type and data is wanted";
    *ret_status = 415;
    if (!type || !is_media_type(type))
        return "content_type: audio/… or video/mp4 is wanted";
    return upload ? NULL : "data: there is no track in it";
}

void service_take_track(struct store_item *item, const struct measurement *track)
{
    item->duration_s = track->seconds;
    item->tags = track->tags;
    snprintf(item->media_type, sizeof item->media_type, "%s", formats_media_type(item->media_path));
}

struct store_media service_media_of(const struct store_item *item, int64_t bytes)
{
    struct store_media media = {.duration_s = item->duration_s, .bytes = bytes, .tags = item->tags};
    snprintf(media.path, sizeof media.path, "%s", item->media_path);
    return media;
}

/* is_called: for want of a name. Hosts add what they upload; guests ask that it be added, where not everybody adds. */
static struct reply add_file(struct service *service, const struct admission *admission,
                             struct store_item *item, bool is_called, int64_t bytes)
{
    struct reply refusal;
    bool at_once;
    if (!service_may_add(service, admission, &at_once, &refusal))
        return refusal;
    if (at_once && !service_may_ask(service, admission, "Too many tracks in a minute", &refusal))
        return refusal;
    struct store_media media = service_media_of(item, bytes);
    int result = store_add_media(service->store, &media);
    if (result == 0 && is_called)
        result = store_call_media(service->store, media.path, item->name);
    if (result < 0)
        return service_store_error(result, "The track could not be stored");
    if (at_once)
        return service_insert(service, admission->session.id, item);
    return service_ask_for_track(service, admission, item);
}

static struct reply add_upload(struct service *service, const struct admission *admission,
                               struct store_item *item, bool is_called, int64_t bytes)
{
    struct reply reply = service_fit_length(&admission->session, item->duration_s);
    if (reply.status != 200)
        return reply;
    int result = service_begin(service);
    if (result < 0)
        return service_store_error(result, "The track could not be stored");
    return service_commit(service, add_file(service, admission, item, is_called, bytes));
}

static void say_uploaded(const struct admission *admission, const struct store_item *item)
{
    char length[32] = "of unknown length";
    if (item->duration_s >= 0)
        snprintf(length, sizeof length, "%.0f s", item->duration_s);
    log_info("session %.8s: %s, %s, was uploaded", admission->session.id, item->media_path, length);
}

struct reply service_upload(struct service *service, const struct admission *admission,
                            const cJSON *body, struct media_upload *upload)
{
    struct store_item item = {0};
    struct measurement track;
    int status;
    const char *reason = wrong_upload(body, upload, &status);
    if (reason || !media_upload_finish(upload, item.media_path, &track, &status, &reason))
        return reply_error(status, reason);
    service_take_track(&item, &track);
    snprintf(item.track_id, sizeof item.track_id, "%s", service_text(body, "track_id"));
    snprintf(item.name, sizeof item.name, "%s", name_of(body, &track.tags));
    struct reply reply = add_upload(service, admission, &item, !service_text(body, "name"),
                                    media_upload_bytes(upload));
    /* Of a change that failed it is not known whether the disk has it: then the file stays, and is
     * put aside one day if nothing names it. */
    if (reply.status == 200 || reply.status == 500)
        media_upload_keep(upload);
    service_describe(service);
    if (reply.status != 200)
        return reply;
    say_uploaded(admission, &item);
    library_uploads_changed(service->library);
    return reply;
}
