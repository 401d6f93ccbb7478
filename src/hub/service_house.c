/*
 * service_house.c: who knows the password of the house may see its sessions, and act as the host of
 * each. Whoever is host already stays it: they are one member with several tokens.
 */
#include "service_internal.h"
#include "tutti/base/log.h"

/* Of the list: those that changed last. */
#define SESSIONS_SHOWN 100

/* Is the caller one who has said the password? If not, the refusal. */
static bool is_of_house(struct service *service, const struct caller *caller,
                        struct reply *ret_refusal)
{
    struct store_user user;
    int known = caller->token[0] ? store_find_user(service->store, caller->token, &user) : 0;
    if (known < 0)
        *ret_refusal = service_store_error(known, "The hub cannot read who may do this");
    else if (known == 0)
        *ret_refusal = reply_error(401, "Invalid or missing token");
    else if (!user.host || !user.trusted)
        *ret_refusal = reply_error(403, "Only who knows the password of the house may do this; "
                                        "without one, see tutti-hub session link");
    return known == 1 && user.host && user.trusted;
}

static void list(void *user, const struct store_summary *summary)
{
    cJSON *session = cJSON_CreateObject();
    cJSON_AddStringToObject(session, "session_id", summary->session.id);
    cJSON_AddStringToObject(session, "code", summary->session.code);
    if (summary->name[0])
        cJSON_AddStringToObject(session, "name", summary->name);
    else
        cJSON_AddNullToObject(session, "name");
    cJSON_AddStringToObject(session, "host_name", summary->host_name);
    cJSON_AddStringToObject(session, "state", summary->playing ? "playing" : "paused");
    cJSON_AddNumberToObject(session, "items", (double)summary->items);
    cJSON_AddItemToArray(user, session);
}

struct reply service_sessions(struct service *service, const struct caller *caller)
{
    struct reply refusal;
    if (!is_of_house(service, caller, &refusal))
        return refusal;
    cJSON *sessions = cJSON_CreateArray();
    int result = store_each_session(service->store, SESSIONS_SHOWN, list, sessions);
    if (result == 0)
        return (struct reply){.status = 200, .body = sessions};
    cJSON_Delete(sessions);
    return service_store_error(result, "The sessions cannot be read");
}

static struct reply make_token(struct service *service, const struct store_session *session)
{
    char token[STORE_TOKEN_MAX];
    int result = store_add_token(service->store, session->host_id, token);
    if (result < 0)
        return service_store_error(result, "The token could not be stored");
    log_info("session %.8s: somebody who knows the password of the house acts as its host",
             session->id);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "session_id", session->id);
    cJSON_AddStringToObject(answer, "code", session->code);
    cJSON_AddStringToObject(answer, "host_token", token);
    return (struct reply){.status = 200, .body = answer};
}

struct reply service_act_as_host(struct service *service, const struct caller *caller,
                                 const char *session_id)
{
    struct store_session session;
    struct reply refusal;
    if (!is_of_house(service, caller, &refusal))
        return refusal;
    int result = service_begin(service);
    if (result < 0)
        return service_store_error(result, "The token could not be stored");
    int known = store_session(service->store, session_id, &session);
    return service_commit(service, known == 1  ? make_token(service, &session)
                                   : known < 0 ? service_store_error(known, "The session cannot "
                                                                            "be read")
                                               : reply_error(404, "There is no such session"));
}
