/*
 * service.c: users and sessions.
 */
#include "hub_clock.h"
#include "service_internal.h"
#include "tutti/base/log.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

static struct rate_bucket *failures_of(struct service *service, const char *address)
{
    return rate_find(&service->failures, address);
}

/* Somebody who guesses codes or passwords is not even told that he was right. */
static bool may_try(struct service *service, const char *address)
{
    double often = (double)service->limits.failures_per_minute;
    return rate_allows(failures_of(service, address), often / 60, often, hub_clock_steady_ns());
}

static struct reply failed_try(struct service *service, const char *address, int status,
                               const char *detail)
{
    double often = (double)service->limits.failures_per_minute;
    log_warn("%s: %s", address, detail);
    rate_take(failures_of(service, address), often / 60, often, hub_clock_steady_ns());
    return reply_error(status, detail);
}

static struct reply too_many_tries(void)
{
    return reply_error(429, "Too many wrong codes or passwords from this address; wait a minute");
}

/* Both hashed, so that the time taken does not depend on how much of it is right. */
static bool is_house_password(const struct service *service, const char *given)
{
    unsigned char right[EVP_MAX_MD_SIZE], other[EVP_MAX_MD_SIZE];
    const char *password = service->house_password;
    if (!password || !password[0])
        return true;
    return given && EVP_Digest(password, strlen(password), right, NULL, EVP_sha256(), NULL) &&
           EVP_Digest(given, strlen(given), other, NULL, EVP_sha256(), NULL) &&
           CRYPTO_memcmp(right, other, 32) == 0;
}

struct reply service_login(struct service *service, const char *address, const cJSON *body)
{
    char id[STORE_ID_MAX], token[STORE_TOKEN_MAX];
    const char *name = service_text(body, "name");
    const char *role = service_text(body, "role");
    if (!name)
        return reply_error(422, "name: a text of 1 to 255 bytes is wanted");
    if (!role || (strcmp(role, "host") != 0 && strcmp(role, "guest") != 0))
        return reply_error(422, "role: host or guest is wanted");
    if (!may_try(service, address))
        return too_many_tries();
    if (strcmp(role, "host") == 0 && !is_house_password(service, service_text(body, "password")))
        return failed_try(service, address, 401, "password: hosts need the password of the house");
    if (service->logins++ % 64 == 0)
        store_forget_users(service->store, SERVICE_LOGINS_KEPT);
    if (!store_add_user(service->store, name, strcmp(role, "host") == 0, id, token))
        return service_store_error(service, "The user could not be stored");
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "token", token);
    cJSON_AddStringToObject(answer, "user_id", id);
    cJSON_AddStringToObject(answer, "role", role);
    return (struct reply){200, answer};
}

static void add_limit(cJSON *answer, int64_t limit)
{
    if (limit < 0)
        cJSON_AddNullToObject(answer, "max_media_duration_seconds");
    else
        cJSON_AddNumberToObject(answer, "max_media_duration_seconds", (double)limit);
}

static void add_state(struct service *service, cJSON *answer, const char *session_id)
{
    cJSON_AddItemToObject(answer, "playlist", service_playlist_json(service, session_id));
    cJSON_AddItemToObject(answer, "playback_state", service_playback_json(service, session_id));
}

struct reply service_create_session(struct service *service, const char *token, const cJSON *body)
{
    char id[STORE_ID_MAX], code[16];
    struct store_user user;
    if (!token[0] || !store_find_user(service->store, token, &user))
        return reply_error(401, "Invalid or missing token");
    if (!user.host)
        return reply_error(403, "Only hosts may create sessions");
    if (!service_text(body, "host_name"))
        return reply_error(422, "host_name: a text of 1 to 255 bytes is wanted");
    /* -1 is both "absent" and "wrong" here: look again. */
    const cJSON *limit_json = cJSON_GetObjectItemCaseSensitive(body, "max_media_duration_seconds");
    int64_t limit = service_whole(body, "max_media_duration_seconds", -1, 1000000);
    if (limit < 0 && limit_json && !cJSON_IsNull(limit_json))
        return reply_error(422, "max_media_duration_seconds: whole seconds are wanted");
    if (store_session_count(service->store) >= service->limits.sessions)
        return reply_error(507, "This hub holds as many sessions as it may; "
                                "tutti-hub session delete makes room");
    if (!store_add_session(service->store, user.id, limit, id, code))
        return service_store_error(service, "The session could not be stored");
    log_info("session %.8s was created", id);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "session_id", id);
    cJSON_AddStringToObject(answer, "code", code);
    cJSON_AddStringToObject(answer, "host_token", token);
    add_limit(answer, limit);
    add_state(service, answer, id);
    return (struct reply){200, answer};
}

struct reply service_join(struct service *service, const char *address, const char *code,
                          const cJSON *body)
{
    char session_id[STORE_ID_MAX], user_id[STORE_ID_MAX], token[STORE_TOKEN_MAX];
    const char *name = service_text(body, "guest_name");
    if (!may_try(service, address))
        return too_many_tries();
    if (!store_find_session_by_code(service->store, code, session_id))
        return failed_try(service, address, 404, "There is no session with this code");
    if (!name)
        return reply_error(422, "guest_name: a text of 1 to 255 bytes is wanted");
    if (store_member_count(service->store, session_id) >= service->limits.members)
        return reply_error(507, "The session has as many members as this hub allows");
    bool good = store_begin(service->store) &&
                store_add_user(service->store, name, false, user_id, token) &&
                store_add_member(service->store, session_id, user_id);
    if (!store_end(service->store, good))
        return service_store_error(service, "The guest could not be stored");
    log_info("session %.8s: a guest joined from %s", session_id, address);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "session_id", session_id);
    cJSON_AddStringToObject(answer, "guest_token", token);
    add_limit(answer, store_max_duration(service->store, session_id));
    add_state(service, answer, session_id);
    return (struct reply){200, answer};
}

struct reply service_session(struct service *service, const char *token, const char *session_id)
{
    struct store_user user;
    struct reply refusal;
    char code[16];
    if (!service_admit(service, token, session_id, ROLE_MEMBER, &user, &refusal))
        return refusal;
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "session_id", session_id);
    if (store_is_host(service->store, session_id, user.id) &&
        store_session_code(service->store, session_id, code))
        cJSON_AddStringToObject(answer, "code", code);
    add_state(service, answer, session_id);
    return (struct reply){200, answer};
}

static bool is_known_media(void *user, const char *path)
{
    struct service *service = user;
    if (store_media_is_used(service->store, path) &&
        store_media_duration(service->store, path) >= 0)
        return true;
    store_forget_media(service->store, path);
    return false;
}

void service_sweep(struct service *service)
{
    media_sweep(service->media, is_known_media, service);
}
