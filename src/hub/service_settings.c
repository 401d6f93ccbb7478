/*
 * service_settings.c: how a session goes on at the end of a track, and who may do what in it, as its
 * host wants it.
 */
#include "service_internal.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

bool service_advances(const struct service *service, const struct store_rules *rules)
{
    return rules->advance < 0 ? service->advance : rules->advance != 0;
}

int service_settings_json(struct service *service, const char *session_id, cJSON **ret)
{
    struct store_rules rules;
    int result = store_get_rules(service->store, session_id, &rules);
    if (result <= 0)
        return result < 0 ? result : -ENOENT;
    *ret = wire_settings(&rules, service_advances(service, &rules));
    return 0;
}

static struct reply settings_reply(struct service *service, const char *session_id)
{
    cJSON *settings;
    int result = service_settings_json(service, session_id, &settings);
    if (result < 0)
        return service_store_error(result, "The session cannot be read");
    return (struct reply){.status = 200, .body = settings};
}

struct reply service_settings(struct service *service, const struct caller *caller,
                              const char *session_id)
{
    struct admission admission;
    struct reply refusal;
    if (!service_admit(service, caller, session_id, ROLE_MEMBER, &admission, &refusal))
        return refusal;
    return settings_reply(service, session_id);
}

/* --- changes ------------------------------------------------------------------------------- */

/* Each takes one member; NULL, or what is wanted instead. */

static const char *take_advance(const cJSON *value, struct store_rules *rules)
{
    rules->advance = cJSON_IsTrue(value);
    return cJSON_IsBool(value) ? NULL : "advance: true or false is wanted";
}

static const char *take_repeat(const cJSON *value, struct store_rules *rules)
{
    return cJSON_IsString(value) && session_repeat_parse(value->valuestring, &rules->repeat)
               ? NULL
               : "repeat: off, one or all is wanted";
}

/* What is shuffled already keeps its order. */
static const char *take_shuffle(const cJSON *value, struct store_rules *rules)
{
    if (!cJSON_IsBool(value))
        return "shuffle: true or false is wanted";
    if (cJSON_IsTrue(value) && !rules->shuffle &&
        getrandom(&rules->shuffle_seed, sizeof rules->shuffle_seed, 0) !=
            sizeof rules->shuffle_seed)
        abort(); /* so few bytes are always given */
    rules->shuffle = cJSON_IsTrue(value);
    return NULL;
}

static const char *take_control(const cJSON *value, struct store_rules *rules)
{
    return cJSON_IsString(value) && session_who_parse(value->valuestring, &rules->control) &&
                   rules->control != WHO_REQUESTS
               ? NULL
               : "control: host or everyone is wanted";
}

static const char *take_add(const cJSON *value, struct store_rules *rules)
{
    return cJSON_IsString(value) && session_who_parse(value->valuestring, &rules->add)
               ? NULL
               : "add: host, everyone or requests is wanted";
}

static const struct setting {
    const char *name;
    const char *(*take)(const cJSON *value, struct store_rules *rules);
    bool is_control; /* of what is played: whoever controls it may */
} settings[] = {
    {"advance", take_advance, false}, {"repeat", take_repeat, true},
    {"shuffle", take_shuffle, true},  {"control", take_control, false},
    {"add", take_add, false},
};

static bool is_for_host(const cJSON *body)
{
    const cJSON *member;
    bool only_host = false;
    cJSON_ArrayForEach(member, body)
    {
        for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
            if (strcmp(member->string, settings[i].name) == 0 && !settings[i].is_control)
                only_host = true;
    }
    return only_host;
}

static const char *take_member(const cJSON *member, struct store_rules *rules)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (strcmp(member->string, settings[i].name) == 0)
            return settings[i].take(member, rules);
    return "A session has the settings advance, repeat, shuffle, control and add";
}

static const char *take_members(const cJSON *body, struct store_rules *rules)
{
    const cJSON *member;
    const char *wrong = body->child ? NULL : "advance, repeat, shuffle, control or add is wanted";
    cJSON_ArrayForEach(member, body)
    {
        if (!wrong)
            wrong = take_member(member, rules);
    }
    return wrong;
}

static struct reply change(struct service *service, const char *session_id, const cJSON *body)
{
    struct store_rules rules;
    int result = store_get_rules(service->store, session_id, &rules);
    if (result <= 0)
        return service_store_error(result < 0 ? result : -EIO, "The session cannot be read");
    const char *wrong = take_members(body, &rules);
    if (wrong)
        return reply_error(422, wrong);
    result = store_set_rules(service->store, session_id, &rules);
    if (result == 0)
        result = service_plan_turn(service, session_id);
    if (result < 0)
        return service_store_error(result, "The settings could not be stored");
    struct reply reply = settings_reply(service, session_id);
    if (reply.status != 200)
        return reply;
    service_announce(service, session_id, "session_settings", cJSON_Duplicate(reply.body, true));
    result = service_retell_next(service, session_id, STORE_NEVER);
    if (result == 0)
        return reply;
    cJSON_Delete(reply.body);
    return service_store_error(result, "The session cannot be read");
}

struct reply service_change_settings(struct service *service, const struct caller *caller,
                                     const char *session_id, const cJSON *body)
{
    struct admission admission;
    struct reply refusal;
    enum service_role role = is_for_host(body) ? ROLE_HOST : ROLE_CONTROLLER;
    if (!service_admit(service, caller, session_id, role, &admission, &refusal))
        return refusal;
    int result = service_begin(service);
    if (result < 0)
        return service_store_error(result, "The settings could not be stored");
    return service_commit(service, change(service, session_id, body));
}
