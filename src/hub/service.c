/*
 * service.c: users and sessions.
 */
#include "hub_clock.h"
#include "service_internal.h"
#include "tutti/base/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* Wrong codes and passwords of all together, as a multiple of one address's. From there on every
 * answer waits: 50 ms for each that is too many, up to 8 s. */
#define ALL_FAILURES 6
#define DELAY_STEP_MS 50
#define DELAY_MAX_MS 8000
/* Whoever joined has so long to open his socket before somebody else may take his place. */
#define STRANGER_S 10
/* The same for a session that has nothing in it, where there is no room for more. */
#define ABANDONED_S 60

/* --- guessing ------------------------------------------------------------------------------ */

static int64_t delay_ms(struct service *service)
{
    double budget = (double)service->limits.failures_per_minute * ALL_FAILURES;
    double beyond =
        rate_filled(&service->all_failures, budget / 60, hub_clock_steady_ns()) - budget;
    int64_t delay = beyond > 0 ? (int64_t)(beyond * DELAY_STEP_MS) : 0;
    return delay < DELAY_MAX_MS ? delay : DELAY_MAX_MS;
}

/* Somebody who guesses codes or passwords is not even told that he was right. */
static bool may_try(struct service *service, const char *address)
{
    if (!rate_table_allows(&service->failures, address, service->limits.failures_per_minute,
                           hub_clock_steady_ns()))
        return false;
    return delay_ms(service) == 0 ||
           share_allows(share_held(&service->delayed, address), service->delayed.used,
                        SERVICE_DELAYED_MAX, service->limits.share_percent);
}

static struct reply failed_try(struct service *service, const char *address, int status,
                               const char *detail)
{
    int64_t often = service->limits.failures_per_minute;
    int64_t now_ns = hub_clock_steady_ns();
    if (rate_table_take(&service->failures, address, often, now_ns))
        log_warn("%s: %s", address, detail);
    rate_count(&service->all_failures, (double)often * ALL_FAILURES / 60, now_ns);
    struct reply reply = reply_error(status, detail);
    reply.delay_ms = delay_ms(service);
    return reply;
}

static struct reply too_many_tries(void)
{
    return reply_error(429, "Too many wrong codes or passwords from this address; wait a minute");
}

/* Who makes users and sessions faster than people do. */
static bool may_come(struct service *service, const char *address)
{
    return rate_table_take(&service->joins, address, service->limits.joins_per_minute,
                           hub_clock_steady_ns());
}

static struct reply too_often(void)
{
    return reply_error(429, "Too many logins and joins from this address; wait a minute");
}

/* Both hashed, so that the time taken does not depend on how much of it is right. */
static bool is_house_password(const struct service *service, const char *given)
{
    unsigned char right[EVP_MAX_MD_SIZE], other[EVP_MAX_MD_SIZE];
    const char *password = service->house_password;
    return given && EVP_Digest(password, strlen(password), right, NULL, EVP_sha256(), NULL) &&
           EVP_Digest(given, strlen(given), other, NULL, EVP_sha256(), NULL) &&
           CRYPTO_memcmp(right, other, 32) == 0;
}

static bool has_password(const struct service *service)
{
    return service->house_password && service->house_password[0];
}

/* --- users --------------------------------------------------------------------------------- */

static struct reply add_user(struct service *service, struct store_user *user)
{
    char token[STORE_TOKEN_MAX];
    int result = store_add_user(service->store, user, token);
    if (result < 0)
        return service_store_error(result, "The user could not be stored");
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "token", token);
    cJSON_AddStringToObject(answer, "user_id", user->id);
    cJSON_AddStringToObject(answer, "role", user->host ? "host" : "guest");
    return (struct reply){.status = 200, .body = answer};
}

struct reply service_login(struct service *service, const struct caller *caller, const cJSON *body)
{
    struct store_user user = {0};
    const char *name = service_text(body, "name");
    const char *role = service_text(body, "role");
    if (!name)
        return reply_error(422, "name: a text of 1 to 255 bytes is wanted");
    if (!role || (strcmp(role, "host") != 0 && strcmp(role, "guest") != 0))
        return reply_error(422, "role: host or guest is wanted");
    if (!may_try(service, caller->address))
        return too_many_tries();
    snprintf(user.name, sizeof user.name, "%s", name);
    user.host = strcmp(role, "host") == 0;
    user.trusted = user.host && has_password(service);
    if (user.trusted && !is_house_password(service, service_text(body, "password")))
        return failed_try(service, caller->address, 401,
                          "password: hosts need the password of the house");
    if (!user.trusted && !may_come(service, caller->address))
        return too_often();
    if (service->logins++ % 64 == 0 && store_forget_users(service->store, SERVICE_LOGINS_KEPT) < 0)
        log_debug("old logins could not be forgotten; next time");
    struct reply reply = add_user(service, &user);
    reply.delay_ms = user.host ? delay_ms(service) : 0;
    return reply;
}

/* --- sessions ------------------------------------------------------------------------------ */

static void add_limit(cJSON *answer, int64_t limit)
{
    if (limit < 0)
        cJSON_AddNullToObject(answer, "max_media_duration_seconds");
    else
        cJSON_AddNumberToObject(answer, "max_media_duration_seconds", (double)limit);
}

/* The session's state as the end of an answer; what cannot be read leaves none. */
static struct reply with_state(struct service *service, cJSON *answer, const char *session_id)
{
    cJSON *playlist = NULL, *playback = NULL, *settings = NULL;
    int result = service_playlist_json(service, session_id, &playlist);
    if (result == 0)
        result = service_playback_json(service, session_id, &playback);
    if (result == 0)
        result = service_settings_json(service, session_id, &settings);
    if (result < 0) {
        cJSON_Delete(playlist);
        cJSON_Delete(playback);
        cJSON_Delete(answer);
        return service_store_error(result, "The session cannot be read");
    }
    cJSON_AddItemToObject(answer, "playlist", playlist);
    cJSON_AddItemToObject(answer, "playback_state", playback);
    cJSON_AddItemToObject(answer, "settings", settings);
    return (struct reply){.status = 200, .body = answer};
}

static struct reply session_made(struct service *service, const struct store_session *session,
                                 const char *token)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "session_id", session->id);
    cJSON_AddStringToObject(answer, "code", session->code);
    cJSON_AddStringToObject(answer, "host_token", token);
    add_limit(answer, session->max_duration_s);
    return with_state(service, answer, session->id);
}

/* Within a change. 0: there is room for another session, after a forgotten one went if need be. */
static int make_room(struct service *service, const char *address, bool trusted)
{
    char abandoned[STORE_ID_MAX];
    int64_t all = 0, held = 0;
    int result = store_session_count(service->store, NULL, &all);
    if (result == 0)
        result = store_session_count(service->store, address, &held);
    if (result < 0)
        return result;
    int64_t percent = trusted ? 100 : service->limits.share_percent;
    if (share_allows(held, all, service->limits.sessions, percent))
        return 0;
    result = store_abandoned_session(service->store, ABANDONED_S, abandoned);
    if (result < 0)
        return result;
    return result == 0 ? -EDQUOT : store_delete_session(service->store, abandoned);
}

static struct reply create(struct service *service, struct store_session *session, const char *name,
                           const struct caller *caller, bool trusted)
{
    int result = make_room(service, caller->address, trusted);
    if (result == -EDQUOT)
        return reply_limit(507,
                           "This hub holds as many sessions as it may, or as an address may; "
                           "tutti-hub session delete makes room",
                           service->limits.sessions, "sessions");
    if (result == 0)
        result = store_add_session(service->store, session, name, caller->address);
    if (result < 0)
        return service_store_error(result, "The session could not be stored");
    log_info("session %.8s was created", session->id);
    return session_made(service, session, caller->token);
}

/* A host who knows the house's password and names a session that there is, is its host again. */
static struct reply take_over(struct service *service, struct store_session *session,
                              const struct store_user *user, const char *token)
{
    int result = store_set_host(service->store, session->id, user->id);
    if (result < 0)
        return service_store_error(result, "The session could not be taken over");
    log_info("session %.8s has another host", session->id);
    return session_made(service, session, token);
}

static struct reply create_or_take_over(struct service *service, const struct store_user *user,
                                        struct store_session *session, const char *name,
                                        const struct caller *caller)
{
    int known = 0;
    if (name && user->trusted)
        known = store_find_session_by_name(service->store, name, session);
    if (known < 0)
        return service_store_error(known, "The sessions cannot be read");
    return known ? take_over(service, session, user, caller->token)
                 : create(service, session, name, caller, user->trusted);
}

struct reply service_create_session(struct service *service, const struct caller *caller,
                                    const cJSON *body)
{
    struct store_user user;
    struct store_session session = {0};
    int known = caller->token[0] ? store_find_user(service->store, caller->token, &user) : 0;
    if (known < 0)
        return service_store_error(known, "The hub cannot read who may do this");
    if (known == 0)
        return reply_error(401, "Invalid or missing token");
    if (!user.host)
        return reply_error(403, "Only hosts may create sessions");
    if (!service_text(body, "host_name"))
        return reply_error(422, "host_name: a text of 1 to 255 bytes is wanted");
    /* -1 is both "absent" and "wrong" here: look again. */
    const cJSON *limit_json = cJSON_GetObjectItemCaseSensitive(body, "max_media_duration_seconds");
    session.max_duration_s = service_whole(body, "max_media_duration_seconds", -1, 1000000);
    if (session.max_duration_s < 0 && limit_json && !cJSON_IsNull(limit_json))
        return reply_error(422, "max_media_duration_seconds: whole seconds are wanted");
    if (!user.trusted && !may_come(service, caller->address))
        return too_often();
    snprintf(session.host_id, sizeof session.host_id, "%s", user.id);
    int result = service_begin(service);
    if (result < 0)
        return service_store_error(result, "The session could not be stored");
    return service_commit(service, create_or_take_over(service, &user, &session,
                                                       service_text(body, "session_name"), caller));
}

/* --- joining ------------------------------------------------------------------------------- */

/* Within a change. Of those who joined and were never seen since, the one who waits longest makes
 * way. */
static int seat_guest(struct service *service, const char *session_id, const char *address)
{
    int64_t all = 0, held = 0;
    int result = store_member_count(service->store, session_id, NULL, &all);
    if (result == 0)
        result = store_member_count(service->store, session_id, address, &held);
    if (result < 0)
        return result;
    if (share_allows(held, all, service->limits.members, service->limits.share_percent))
        return 0;
    result = store_forget_stranger(service->store, session_id, STRANGER_S);
    return result == 1 ? 0 : result == 0 ? -EDQUOT : result;
}

struct reply service_seat(struct service *service, const struct store_session *session,
                          const char *name, const char *address)
{
    struct store_user user = {0};
    char token[STORE_TOKEN_MAX];
    snprintf(user.name, sizeof user.name, "%s", name);
    int result = seat_guest(service, session->id, address);
    if (result == -EDQUOT)
        return reply_limit(507,
                           "The session has as many members as this hub allows it, or an address",
                           service->limits.members, "members");
    if (result == 0)
        result = store_add_user(service->store, &user, token);
    if (result == 0)
        result = store_add_member(service->store, session->id, user.id, address);
    if (result < 0)
        return service_store_error(result, "The guest could not be stored");
    log_info("session %.8s: a guest joined from %s", session->id, address);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "session_id", session->id);
    cJSON_AddStringToObject(answer, "guest_token", token);
    add_limit(answer, session->max_duration_s);
    return with_state(service, answer, session->id);
}

struct reply service_join(struct service *service, const struct caller *caller, const char *code,
                          const cJSON *body)
{
    struct store_session session;
    const char *name = service_text(body, "guest_name");
    if (!may_try(service, caller->address))
        return too_many_tries();
    int known = store_find_session_by_code(service->store, code, &session);
    if (known < 0)
        return service_store_error(known, "The hub cannot read its sessions");
    if (known == 0)
        return failed_try(service, caller->address, 404, "There is no session with this code");
    if (!name)
        return reply_error(422, "guest_name: a text of 1 to 255 bytes is wanted");
    if (!may_come(service, caller->address))
        return too_often();
    int result = service_begin(service);
    if (result < 0)
        return service_store_error(result, "The guest could not be stored");
    struct reply reply =
        service_commit(service, service_seat(service, &session, name, caller->address));
    reply.delay_ms = delay_ms(service);
    return reply;
}

struct reply service_session(struct service *service, const struct caller *caller,
                             const char *session_id)
{
    struct admission admission;
    struct reply refusal;
    if (!service_admit(service, caller, session_id, ROLE_MEMBER, &admission, &refusal))
        return refusal;
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "session_id", session_id);
    cJSON_AddStringToObject(answer, "role", admission.is_host ? "host" : "guest");
    if (admission.is_host)
        cJSON_AddStringToObject(answer, "code", admission.session.code);
    return with_state(service, answer, session_id);
}
