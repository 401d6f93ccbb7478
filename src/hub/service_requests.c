/*
 * service_requests.c: what members ask for, and what the host decides.
 */
#include "hub_clock.h"
#include "service_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool may_ask(struct service *service, const char *user_id)
{
    double often = (double)service->limits.requests_per_minute;
    return rate_take(rate_find(&service->requests, user_id), often / 60, often,
                     hub_clock_steady_ns());
}

static bool is_too_long(const cJSON *payload)
{
    char *text = cJSON_PrintUnformatted(payload);
    bool long_one = !text || strlen(text) > SERVICE_REQUEST_BYTES_MAX;
    free(text);
    return long_one;
}

struct reply service_add_request(struct service *service, const char *session_id,
                                 const struct store_user *user, const char *type,
                                 const cJSON *payload)
{
    if (!store_is_host(service->store, session_id, user->id) && !may_ask(service, user->id))
        return reply_error(429, "Too many requests; wait a minute");
    if (store_pending_requests(service->store, session_id) >= service->limits.pending_requests)
        return reply_error(429, "Too many requests wait for the host's decision");
    if (is_too_long(payload))
        return reply_error(413, "payload: too long");
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
    return service_add_request(service, session_id, &user, type, payload);
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

/* The file of a track that was refused, or of an item that is to be removed; "" if there is none.
 */
static void find_media(struct service *service, const struct store_request *request,
                       char path[MEDIA_PATH_MAX])
{
    const char *asked = service_text(request->payload, "media_path");
    const char *item_id = service_text(request->payload, "item_id");
    path[0] = '\0';
    if (asked)
        snprintf(path, MEDIA_PATH_MAX, "%s", asked);
    else if (item_id)
        store_item_media(service->store, request->session_id, item_id, path, MEDIA_PATH_MAX);
}

struct reply service_decide(struct service *service, const char *token, const char *request_id,
                            bool approve, const cJSON *body)
{
    struct store_user user;
    struct store_request request;
    struct reply reply;
    char path[MEDIA_PATH_MAX];
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
        find_media(service, &request, path);
        reply = (struct reply){500, NULL};
        if (service_begin(service))
            reply = decide(service, request_id, &request, approve, service_text(body, "reason"));
        reply = service_commit(service, reply);
        store_forget_requests(service->store, request.session_id, SERVICE_REQUEST_LOG);
        if (reply.status == 200)
            service_drop_media(service, path);
    }
    cJSON_Delete(request.payload);
    return reply;
}
