/*
 * service_common.c: what every call stands on: what is valid, who may do it, and a change that is
 * kept and told, or neither.
 */
#include "service_internal.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct reply reply_error(int status, const char *detail)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "detail", detail);
    return (struct reply){status, body};
}

struct reply service_store_error(struct service *service, const char *detail)
{
    if (store_is_full(service->store))
        return reply_error(507, "The disk is full");
    return reply_error(500, detail);
}

bool service_begin(struct service *service)
{
    assert(!service->changing && service->news_count == 0);
    service->changing = store_begin(service->store);
    return service->changing;
}

static void tell_news(struct service *service, bool kept)
{
    unsigned count = service->news_count;
    service->news_count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct service_news *news = &service->news[i];
        if (kept)
            service->announce(service->user, news->session_id, news->type, news->payload);
        else
            cJSON_Delete(news->payload);
    }
}

struct reply service_commit(struct service *service, struct reply reply)
{
    if (!service->changing) { /* it could not even begin */
        cJSON_Delete(reply.body);
        return service_store_error(service, "The change could not be stored");
    }
    bool kept = store_end(service->store, reply.status == 200);
    service->changing = false;
    tell_news(service, kept);
    if (kept || reply.status != 200)
        return reply;
    cJSON_Delete(reply.body);
    return service_store_error(service, "The change could not be stored");
}

void service_announce(struct service *service, const char *session_id, const char *type,
                      cJSON *payload)
{
    if (!service->changing) {
        service->announce(service->user, session_id, type, payload);
        return;
    }
    assert(service->news_count < SERVICE_NEWS_MAX);
    struct service_news *news = &service->news[service->news_count++];
    snprintf(news->session_id, sizeof news->session_id, "%s", session_id);
    news->type = type;
    news->payload = payload;
}

const char *service_text(const cJSON *body, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(body, name);
    if (!cJSON_IsString(member) || member->valuestring[0] == '\0' ||
        strlen(member->valuestring) >= STORE_NAME_MAX)
        return NULL;
    return member->valuestring;
}

int64_t service_whole(const cJSON *body, const char *name, int64_t fallback, int64_t high)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(body, name);
    if (!member || cJSON_IsNull(member))
        return fallback;
    if (!cJSON_IsNumber(member))
        return -1;
    double number = member->valuedouble;
    if (!(number >= 0) || number > (double)high || number != floor(number))
        return -1;
    return (int64_t)number;
}

bool service_admit(struct service *service, const char *token, const char *session_id,
                   enum service_role role, struct store_user *ret_user, struct reply *ret_refusal)
{
    if (!token[0] || !store_find_user(service->store, token, ret_user)) {
        *ret_refusal = reply_error(401, "Invalid or missing token");
        return false;
    }
    if (!store_session_exists(service->store, session_id)) {
        *ret_refusal = reply_error(404, "Session not found");
        return false;
    }
    if (!store_is_member(service->store, session_id, ret_user->id)) {
        *ret_refusal = reply_error(403, "Not a member of this session");
        return false;
    }
    if (role == ROLE_HOST && !store_is_host(service->store, session_id, ret_user->id)) {
        *ret_refusal = reply_error(403, "Only the host may do this");
        return false;
    }
    return true;
}

bool service_may_connect(struct service *service, const char *token, const char *session_id)
{
    struct store_user user;
    struct reply refusal;
    if (service_admit(service, token, session_id, ROLE_MEMBER, &user, &refusal))
        return true;
    cJSON_Delete(refusal.body);
    return false;
}
