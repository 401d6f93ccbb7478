/*
 * service_upload.c: from a whole upload to an item of the playlist, or to a request for one.
 */
#include "service_internal.h"
#include "tutti/base/log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* NULL when what describes the upload is good. */
static const char *wrong_upload(const cJSON *body, int *ret_status)
{
    const cJSON *media = cJSON_GetObjectItemCaseSensitive(body, "media");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(media, "data");
    const char *type = service_text(media, "content_type");
    *ret_status = 422;
    if (!service_text(body, "track_id") || !service_text(body, "name"))
        return "track_id and name: texts of 1 to 255 bytes are wanted";
    if (!cJSON_IsObject(media) || !cJSON_IsString(data))
        return "media: an object with content_type and data is wanted";
    *ret_status = 415;
    if (!type || (strcmp(type, "audio/mpeg") != 0 && strcmp(type, "audio/mp3") != 0))
        return "Only audio/mpeg can be played";
    return NULL;
}

/* The file is there, under its name; true when it is one that the session allows. */
static bool take_file(struct service *service, const char *session_id, struct media_upload *upload,
                      char path[MEDIA_PATH_MAX], double *ret_duration_s, struct reply *ret_refusal)
{
    int status;
    const char *reason;
    int64_t limit = store_max_duration(service->store, session_id);
    if (!media_upload_finish(upload, path, ret_duration_s, &status, &reason)) {
        *ret_refusal = reply_error(status, reason);
        return false;
    }
    if (limit < 0 || *ret_duration_s <= (double)limit)
        return true;
    media_remove(service->media, path);
    *ret_refusal = reply_error(400, "The track is longer than this session allows");
    return false;
}

/* Hosts add what they upload; guests ask that it be added. */
static struct reply add_file(struct service *service, const char *session_id,
                             const struct store_user *user, const cJSON *body, const char *path,
                             double duration_s)
{
    struct store_item item = {
        .track_id = service_text(body, "track_id"),
        .name = service_text(body, "name"),
        .media_type = "audio/mpeg",
        .media_path = path,
        .duration_s = duration_s,
    };
    if (!store_add_media(service->store, path, duration_s))
        return service_store_error(service, "The track could not be stored");
    if (store_is_host(service->store, session_id, user->id))
        return service_insert(service, session_id, &item);
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddStringToObject(payload, "track_id", item.track_id);
    cJSON_AddStringToObject(payload, "name", item.name);
    cJSON_AddStringToObject(payload, "media_path", path);
    cJSON_AddStringToObject(payload, "media_type", item.media_type);
    cJSON_AddNumberToObject(payload, "duration_seconds", floor(duration_s));
    struct reply reply = service_add_request(service, session_id, user, "add", payload);
    cJSON_Delete(payload);
    return reply;
}

static struct reply add_upload(struct service *service, const char *session_id,
                               const struct store_user *user, const cJSON *body,
                               struct media_upload *upload)
{
    char path[MEDIA_PATH_MAX];
    double duration_s;
    struct reply reply = {500, NULL};
    if (!take_file(service, session_id, upload, path, &duration_s, &reply))
        return reply;
    if (service_begin(service))
        reply = add_file(service, session_id, user, body, path, duration_s);
    reply = service_commit(service, reply);
    if (reply.status != 200)
        media_remove(service->media, path);
    else
        log_info("session %.8s: %s, %.0f s, was uploaded", session_id, path, duration_s);
    return reply;
}

/* A track small enough to have come within its JSON. */
static struct reply add_inline(struct service *service, const char *session_id,
                               const struct store_user *user, const cJSON *body)
{
    int status;
    const char *reason;
    const cJSON *media = cJSON_GetObjectItemCaseSensitive(body, "media");
    const char *data = cJSON_GetObjectItemCaseSensitive(media, "data")->valuestring;
    struct media_upload *upload = media_upload_begin(service->media, &status, &reason);
    if (!upload)
        return reply_error(status, reason);
    media_upload_feed_base64(upload, data, strlen(data));
    struct reply reply = add_upload(service, session_id, user, body, upload);
    media_upload_destroy(upload);
    return reply;
}

struct reply service_upload(struct service *service, const char *session_id,
                            const struct store_user *user, const cJSON *body,
                            struct media_upload *upload)
{
    int status;
    const char *wrong = wrong_upload(body, &status);
    if (wrong)
        return reply_error(status, wrong);
    return upload ? add_upload(service, session_id, user, body, upload)
                  : add_inline(service, session_id, user, body);
}

struct reply service_may_upload(struct service *service, const char *token, const char *session_id)
{
    struct store_user user;
    struct reply refusal;
    if (service_admit(service, token, session_id, ROLE_MEMBER, &user, &refusal))
        return (struct reply){200, NULL};
    return refusal;
}
