/*
 * service_common.c: what every call stands on: what is valid, who may do it, and a change that is
 * kept and told, or neither.
 */
#include "service_internal.h"
#include "tutti/base/log.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct reply reply_error(int status, const char *detail)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "detail", detail);
    return (struct reply){.status = status, .body = body};
}

struct reply reply_limit(int status, const char *what, int64_t limit, const char *option)
{
    char detail[256];
    snprintf(detail, sizeof detail, "%s: %lld at most ([limits] %s of the hub)", what,
             (long long)limit, option);
    return reply_error(status, detail);
}

void service_end(struct service *service)
{
    speakers_end(&service->speakers);
    share_end(&service->delayed);
    share_end(&service->uploads);
    share_end(&service->uploaders);
    service_forget_pairings(service);
}

struct reply service_store_error(int error, const char *detail)
{
    switch (error) {
    case -ENOSPC:
        return reply_error(507, "The disk is full");
    case -EROFS:
    case -EUCLEAN:
        return reply_error(503, "The hub's database is damaged, and only read: its log says more");
    case -EBUSY:
        return reply_error(503, "The hub's database is busy; try again");
    default:
        return reply_error(500, detail);
    }
}

int service_begin(struct service *service)
{
    assert(!service->changing && service->news_count == 0);
    int result = store_begin(service->store);
    service->changing = result == 0;
    return result;
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
    int result = store_end(service->store, reply.status == 200 ? 0 : -ECANCELED);
    service->changing = false;
    tell_news(service, result == 0);
    if (result == 0 || reply.status != 200)
        return reply;
    cJSON_Delete(reply.body);
    return service_store_error(result, "The change could not be stored");
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

/* 200, or the refusal's status: what the store does not know is none. */
static int admit(struct service *service, const char *token, const char *session_id,
                 struct store_user *user, struct store_session *session, int *ret_error)
{
    int known = token[0] ? store_find_user(service->store, token, user) : 0;
    if (known == 1) {
        known = store_session(service->store, session_id, session);
        if (known == 0)
            return 404;
        if (known == 1)
            known = store_is_member(service->store, session_id, user->id);
        if (known == 0)
            return 403;
    } else if (known == 0) {
        return 401;
    }
    *ret_error = known < 0 ? known : 0;
    return known < 0 ? 500 : 200;
}

/* 1: he may; 0: not; or -errno. */
static int has_role(struct service *service, const struct admission *admission,
                    enum service_role role)
{
    struct store_rules rules;
    if (role == ROLE_MEMBER || admission->is_host)
        return 1;
    if (role == ROLE_HOST)
        return 0;
    int known = store_get_rules(service->store, admission->session.id, &rules);
    return known == 1 ? rules.control == WHO_EVERYONE : known;
}

bool service_admit(struct service *service, const struct caller *caller, const char *session_id,
                   enum service_role role, struct admission *ret, struct reply *ret_refusal)
{
    int error = 0;
    int status = admit(service, caller->token, session_id, &ret->user, &ret->session, &error);
    ret->address = caller->address;
    ret->is_host = status == 200 && strcmp(ret->session.host_id, ret->user.id) == 0;
    if (status == 200 && !store_is_damaged(service->store) &&
        store_see_caller(service->store, session_id, ret->user.id) < 0)
        log_debug("it could not be stored that a member was seen");
    int allowed = status == 200 ? has_role(service, ret, role) : 0;
    if (allowed < 0) {
        status = 500;
        error = allowed;
    }
    if (status == 500)
        *ret_refusal = service_store_error(error, "The hub cannot read who may do this");
    else if (status == 401)
        *ret_refusal = reply_error(401, "Invalid or missing token");
    else if (status == 404)
        *ret_refusal = reply_error(404, "Session not found");
    else if (status == 403)
        *ret_refusal = reply_error(403, "Not a member of this session");
    else if (allowed == 0)
        *ret_refusal = reply_error(403, "Only the host may do this");
    else
        return true;
    return false;
}

int service_may_connect(struct service *service, const char *token, const char *session_id,
                        struct store_user *ret_user)
{
    struct store_session session;
    int error = 0;
    int status = admit(service, token, session_id, ret_user, &session, &error);
    return status == 500 ? error : status == 200;
}
