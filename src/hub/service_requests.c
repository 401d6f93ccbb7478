/*
 * service_requests.c: what members ask for, and what the host decides.
 */
#include "hub_clock.h"
#include "service_internal.h"
#include "tutti/base/log.h"
#include "wire.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many guests at once behind one address are believed. */
#define GUESTS_OF_ADDRESS 4

/* By the member, and by where he is: whoever joins again is the same. */
bool service_may_ask(struct service *service, const struct admission *admission, const char *what,
                     struct reply *ret_refusal)
{
    int64_t often = service->limits.requests_per_minute;
    int64_t now_ns = hub_clock_steady_ns();
    if (admission->is_host ||
        (rate_table_allows(&service->asking, admission->address, GUESTS_OF_ADDRESS * often,
                           now_ns) &&
         rate_table_take(&service->requests, admission->user.id, often, now_ns) &&
         rate_table_take(&service->asking, admission->address, GUESTS_OF_ADDRESS * often, now_ns)))
        return true;
    *ret_refusal = reply_limit(429, what, often, "requests_per_minute");
    return false;
}

/* 1: one more may wait; 0: not of this member or address; or -errno. */
static int may_wait(struct service *service, const struct admission *admission)
{
    struct store_pending pending;
    int64_t limit = service->limits.pending_requests;
    int64_t percent = admission->is_host ? 100 : service->limits.share_percent;
    int result = store_pending_requests(service->store, admission->session.id, admission->user.id,
                                        admission->address, &pending);
    if (result < 0)
        return result;
    return share_allows(pending.of_member, pending.all, limit, percent) &&
           share_allows(pending.of_address, pending.all, limit, percent);
}

static void describe(struct store_request *request, const struct admission *admission,
                     const char *type, const cJSON *payload)
{
    const char *path = service_text(payload, "media_path");
    snprintf(request->session_id, sizeof request->session_id, "%s", admission->session.id);
    snprintf(request->requester_id, sizeof request->requester_id, "%s", admission->user.id);
    snprintf(request->requester, sizeof request->requester, "%s", admission->user.name);
    snprintf(request->address, sizeof request->address, "%s", admission->address);
    snprintf(request->type, sizeof request->type, "%s", type);
    snprintf(request->status, sizeof request->status, "pending");
    if (path && strcmp(type, "add") == 0 && strlen(path) < sizeof request->media_path)
        strcpy(request->media_path, path);
    request->payload = cJSON_PrintUnformatted(payload);
}

static struct reply add(struct service *service, struct store_request *request)
{
    if (!request->payload)
        return service_store_error(-ENOMEM, "There is no memory for the request");
    if (strlen(request->payload) > SERVICE_REQUEST_BYTES_MAX)
        return reply_error(413, "payload: too long");
    int result = store_add_request(service->store, request);
    if (result < 0)
        return service_store_error(result, "The request could not be stored");
    cJSON *json = wire_request(request);
    service_announce(service, request->session_id, "request_update", cJSON_Duplicate(json, true));
    return (struct reply){.status = 200, .body = json};
}

struct reply service_add_request(struct service *service, const struct admission *admission,
                                 const char *type, const cJSON *payload)
{
    struct store_request request = {0};
    struct reply refusal;
    if (!service_may_ask(service, admission, "Too many requests in a minute", &refusal))
        return refusal;
    int result = may_wait(service, admission);
    if (result < 0)
        return service_store_error(result, "The requests cannot be read");
    if (result == 0)
        return reply_limit(429,
                           "Too many requests, of the session, of this member or of this address, "
                           "wait for the host's decision",
                           service->limits.pending_requests, "pending_requests");
    describe(&request, admission, type, payload);
    struct reply reply = add(service, &request);
    store_request_end(&request);
    return reply;
}

struct reply service_ask_for_track(struct service *service, const struct admission *admission,
                                   const struct store_item *item)
{
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddStringToObject(payload, "track_id", item->track_id);
    cJSON_AddStringToObject(payload, "name", item->name);
    cJSON_AddStringToObject(payload, "media_path", item->media_path);
    cJSON_AddStringToObject(payload, "media_type", item->media_type);
    if (item->duration_s >= 0)
        cJSON_AddNumberToObject(payload, "duration_seconds", floor(item->duration_s));
    struct reply reply = service_add_request(service, admission, "add", payload);
    cJSON_Delete(payload);
    return reply;
}

struct reply service_requests(struct service *service, const struct caller *caller,
                              const char *session_id)
{
    struct admission admission;
    struct reply refusal;
    struct store_request request;
    int64_t place = 0;
    int result;
    if (!service_admit(service, caller, session_id, ROLE_MEMBER, &admission, &refusal))
        return refusal;
    cJSON *array = cJSON_CreateArray();
    while ((result = store_next_pending(service->store, session_id, &place, &request)) == 1) {
        cJSON_AddItemToArray(array, wire_request(&request));
        store_request_end(&request);
    }
    if (result == 0)
        return (struct reply){.status = 200, .body = array};
    cJSON_Delete(array);
    return service_store_error(result, "The requests cannot be read");
}

/* --- decisions ----------------------------------------------------------------------------- */

/* The change that was asked for and the decision are one: never the one without the other. */
static struct reply decide(struct service *service, const struct store_session *session,
                           struct store_request *request, bool approve, const char *reason)
{
    if (approve) {
        cJSON *payload = cJSON_Parse(request->payload);
        struct reply applied = service_apply(service, session, request->type, payload);
        cJSON_Delete(payload);
        if (applied.status != 200)
            return applied;
        cJSON_Delete(applied.body);
    }
    snprintf(request->status, sizeof request->status, "%s", approve ? "approved" : "denied");
    request->has_reason = reason != NULL;
    snprintf(request->reason, sizeof request->reason, "%s", reason ? reason : "");
    int result = store_decide_request(service->store, request->id, request->status, reason);
    if (result < 0)
        return service_store_error(result, "The decision could not be stored");
    cJSON *json = wire_request(request);
    service_announce(service, request->session_id, "request_update", cJSON_Duplicate(json, true));
    return (struct reply){.status = 200, .body = json};
}

/* The file of a track that was refused, or of an item that is to be removed; "" if there is none.
 */
static int find_media(struct service *service, const struct store_request *request,
                      char path[STORE_PATH_MAX])
{
    struct store_item item = {0};
    cJSON *payload = cJSON_Parse(request->payload);
    const char *item_id = service_text(payload, "item_id");
    int result = 0;
    if (strcmp(request->type, "remove") == 0 && item_id)
        result = store_item(service->store, request->session_id, item_id, &item);
    snprintf(path, STORE_PATH_MAX, "%s",
             request->media_path[0] ? request->media_path : item.media_path);
    cJSON_Delete(payload);
    return result < 0 ? result : 0;
}

static struct reply decide_and_drop(struct service *service, const struct store_session *session,
                                    struct store_request *request, bool approve, const char *reason)
{
    char path[STORE_PATH_MAX];
    int result = find_media(service, request, path);
    if (result == 0)
        result = service_begin(service);
    if (result < 0)
        return service_store_error(result, "The decision could not be stored");
    struct reply reply =
        service_commit(service, decide(service, session, request, approve, reason));
    if (reply.status != 200)
        return reply;
    service_drop_media(service, path);
    if (store_forget_requests(service->store, session->id, SERVICE_REQUEST_LOG) < 0)
        log_debug("old requests could not be forgotten; next time");
    return reply;
}

/* --- who may ------------------------------------------------------------------------------- */

bool service_may_add(struct service *service, const struct admission *admission, bool *ret_at_once,
                     struct reply *ret_refusal)
{
    struct store_rules rules;
    *ret_at_once = true;
    if (admission->is_host)
        return true;
    int known = store_get_rules(service->store, admission->session.id, &rules);
    if (known != 1) {
        *ret_refusal = service_store_error(known < 0 ? known : -EIO, "The session cannot be read");
        return false;
    }
    *ret_at_once = rules.add == WHO_EVERYONE;
    if (rules.add != WHO_HOST)
        return true;
    *ret_refusal = reply_error(403, "Only the host may add tracks to this session");
    return false;
}

/* What cannot be done at once, as when the playlist is full, is the host's to decide. */
static void approve_at_once(struct service *service, const struct admission *admission,
                            struct reply *reply)
{
    struct store_request request = {0};
    const char *id = service_text(reply->body, "id");
    if (!id || store_request(service->store, id, &request) != 1)
        return;
    struct reply decided = decide_and_drop(service, &admission->session, &request, true, NULL);
    store_request_end(&request);
    if (decided.status != 200) {
        cJSON_Delete(decided.body);
        return;
    }
    cJSON_Delete(reply->body);
    *reply = decided;
}

struct reply service_ask(struct service *service, const struct admission *admission,
                         const char *type, const cJSON *payload)
{
    struct reply reply;
    bool at_once = false;
    if (strcmp(type, "add") == 0 && !service_may_add(service, admission, &at_once, &reply))
        return reply;
    reply = service_add_request(service, admission, type, payload);
    if (reply.status == 200 && at_once && !admission->is_host)
        approve_at_once(service, admission, &reply);
    return reply;
}

struct reply service_request(struct service *service, const struct caller *caller,
                             const char *session_id, const cJSON *body)
{
    struct admission admission;
    struct reply refusal;
    const char *type = service_text(body, "request_type");
    const cJSON *payload = cJSON_GetObjectItemCaseSensitive(body, "payload");
    if (!service_admit(service, caller, session_id, ROLE_MEMBER, &admission, &refusal))
        return refusal;
    if (!type ||
        (strcmp(type, "add") != 0 && strcmp(type, "reorder") != 0 && strcmp(type, "remove") != 0))
        return reply_error(422, "request_type: add, reorder or remove is wanted");
    if (!cJSON_IsObject(payload))
        return reply_error(422, "payload: an object is wanted");
    return service_ask(service, &admission, type, payload);
}

/* 1: *ret is the request, to be ended; 0 with the refusal. */
static bool find_request(struct service *service, const struct caller *caller,
                         const char *request_id, struct store_request *ret,
                         struct reply *ret_refusal)
{
    struct store_user user;
    int known = caller->token[0] ? store_find_user(service->store, caller->token, &user) : 0;
    if (known == 0) {
        *ret_refusal = reply_error(401, "Invalid or missing token");
        return false;
    }
    if (known == 1)
        known = request_id ? store_request(service->store, request_id, ret) : 0;
    if (known == 1)
        return true;
    *ret_refusal = known < 0 ? service_store_error(known, "The request cannot be read")
                             : reply_error(404, "There is no such request");
    return false;
}

struct reply service_decide(struct service *service, const struct caller *caller,
                            const char *request_id, bool approve, const cJSON *body)
{
    struct admission admission;
    struct store_request request = {0};
    struct reply reply;
    if (!find_request(service, caller, request_id, &request, &reply))
        return reply;
    if (service_admit(service, caller, request.session_id, ROLE_HOST, &admission, &reply)) {
        if (strcmp(request.status, "pending") != 0)
            reply = reply_error(409, "The request was decided already");
        else
            reply = decide_and_drop(service, &admission.session, &request, approve,
                                    service_text(body, "reason"));
    }
    store_request_end(&request);
    return reply;
}
