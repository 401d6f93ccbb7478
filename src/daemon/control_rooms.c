/*
 * control_rooms.c: the command that changes other speakers, over a hub: it is told, and then asked
 * until each of them has done it, or not. The hub ends what is not answered in time.
 */
#include "control_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t LOOK_NS = 20 * NS_PER_MS;
/* A hub gives each speaker a third of a second. */
static const int64_t PATIENCE_NS = 3 * NS_PER_S;

struct room_call {
    struct daemon *daemon;
    struct waiting *waiting;
    struct loop_timer *timer; /* for the next look */
    struct mono_time until;
    cJSON *told; /* the hub's answer: id and speakers */
    struct room_call *next;
};

static void finish(struct room_call *call)
{
    struct room_call **at = &call->daemon->room_calls;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    loop_timer_destroy(call->timer);
    cJSON_Delete(call->told);
    free(call);
}

static void fail(struct room_call *call, const char *error)
{
    struct asker asker = control_stop_waiting(call->waiting);
    finish(call);
    control_fail(&asker, error);
}

static const char *text(const cJSON *object, const char *name)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return value ? value : "";
}

static bool is_pending(const cJSON *speakers)
{
    const cJSON *speaker;
    cJSON_ArrayForEach(speaker, speakers)
    {
        const cJSON *command = cJSON_GetObjectItemCaseSensitive(speaker, "command");
        if (strcmp(text(command, "status"), "pending") == 0)
            return true;
    }
    return false;
}

static void succeed(struct room_call *call, cJSON *speakers)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddItemToObject(body, "speakers", speakers);
    cJSON_AddItemToObject(body, "told", cJSON_DetachItemFromObject(call->told, "speakers"));
    struct asker asker = control_stop_waiting(call->waiting);
    finish(call);
    control_succeed(&asker, body);
}

static void listed(void *user, const struct link_answer *answer)
{
    struct room_call *call = user;
    if (answer->error[0]) {
        fail(call, answer->error);
        return;
    }
    cJSON *body = cJSON_ParseWithLength(answer->body, answer->bytes);
    cJSON *speakers = cJSON_DetachItemFromObjectCaseSensitive(body, "speakers");
    cJSON_Delete(body);
    if (!cJSON_IsArray(speakers)) {
        fail(call, "the hub's answer cannot be understood");
    } else if (!is_pending(speakers)) {
        succeed(call, speakers);
        return;
    } else if (mono_sub(loop_now(call->daemon->loop), call->until) >= 0) {
        fail(call, "the hub does not say how it ended");
    } else {
        loop_timer_set_in(call->timer, LOOK_NS);
    }
    cJSON_Delete(speakers);
}

bool control_is_hub_id(const char *text)
{
    return text[0] && strspn(text, "0123456789abcdef") == strlen(text);
}

static void look(void *user, struct mono_time now)
{
    struct room_call *call = user;
    char path[128];
    (void)now;
    snprintf(path, sizeof path, "/speakers/command/%.64s", text(call->told, "id"));
    link_ask_hub(call->daemon->link, "GET", path, NULL, listed, call);
}

static void told(void *user, const struct link_answer *answer)
{
    struct room_call *call = user;
    if (answer->error[0]) {
        fail(call, answer->error);
        return;
    }
    call->told = cJSON_ParseWithLength(answer->body, answer->bytes);
    if (control_is_hub_id(text(call->told, "id")))
        loop_timer_set_in(call->timer, 0);
    else
        fail(call, "the hub's answer cannot be understood");
}

static struct room_call *begin(struct daemon *daemon, const struct asker *asker)
{
    struct room_call *call = calloc(1, sizeof *call);
    if (!call) {
        control_fail(asker, "out of memory");
        return NULL;
    }
    call->waiting = control_wait(daemon, asker);
    if (!call->waiting) {
        free(call);
        return NULL;
    }
    call->daemon = daemon;
    call->until = mono_add(loop_now(daemon->loop), PATIENCE_NS);
    call->timer = loop_timer_create(daemon->loop, look, call);
    call->next = daemon->room_calls;
    daemon->room_calls = call;
    return call;
}

/* "all", or an array of the ids that stand in the text. */
static cJSON *speakers_json(const char *list)
{
    char ids[CONTROL_SPEAKERS_MAX], *rest = NULL;
    if (strcmp(list, "all") == 0)
        return cJSON_CreateString("all");
    cJSON *array = cJSON_CreateArray();
    strcpy(ids, list);
    for (char *id = strtok_r(ids, " ", &rest); id; id = strtok_r(NULL, " ", &rest))
        cJSON_AddItemToArray(array, cJSON_CreateString(id));
    return array;
}

static char *build(const struct control_cmd *cmd)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddItemToObject(body, "speakers", speakers_json(cmd->speakers));
    if (!isnan(cmd->percent))
        cJSON_AddNumberToObject(body, "volume", cmd->percent);
    if (!isnan(cmd->by))
        cJSON_AddNumberToObject(body, "volume_by", cmd->by);
    if (cmd->on >= 0)
        cJSON_AddBoolToObject(body, "muted", cmd->on);
    if (!isnan(cmd->ms))
        cJSON_AddNumberToObject(body, "latency_ms", cmd->ms);
    if (cmd->identify >= 0)
        cJSON_AddBoolToObject(body, "identify", cmd->identify);
    if (cmd->clicks >= 0)
        cJSON_AddBoolToObject(body, "clicks", cmd->clicks);
    char *json = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    return json;
}

void control_rooms(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd)
{
    struct room_call *call = begin(daemon, asker);
    char *json = call ? build(cmd) : NULL;
    if (call && json && call->timer)
        link_ask_hub(daemon->link, "POST", "/speakers/command", json, told, call);
    else if (call)
        fail(call, "out of memory");
    free(json);
}

void control_rooms_finish(struct daemon *daemon)
{
    while (daemon->room_calls)
        finish(daemon->room_calls);
}
