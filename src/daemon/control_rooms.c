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
    char id[64]; /* of the command */
    char *told;  /* whom it is for: JSON */
    struct room_call *next;
};

static void finish(struct room_call *call)
{
    struct room_call **at = &call->daemon->room_calls;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    loop_timer_destroy(call->timer);
    free(call->told);
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

/* --- answers, read beside the loop --------------------------------------------------------- */

static void read_told(const cJSON *root, const char *key, struct link_said *ret)
{
    (void)key;
    snprintf(ret->id, sizeof ret->id, "%s", text(root, "id"));
    link_say(ret, cJSON_GetObjectItemCaseSensitive(root, "speakers"));
}

static void read_list(const cJSON *root, const char *key, struct link_said *ret)
{
    const cJSON *speakers = cJSON_GetObjectItemCaseSensitive(root, "speakers");
    (void)key;
    ret->pending = is_pending(speakers);
    if (cJSON_IsArray(speakers))
        link_say(ret, speakers);
}

/* --- in the loop --------------------------------------------------------------------------- */

static void succeed(struct room_call *call, const char *speakers)
{
    char *members;
    if (asprintf(&members, "\"speakers\":%s,\"told\":%s", speakers, call->told) < 0) {
        fail(call, "out of memory");
        return;
    }
    struct asker asker = control_stop_waiting(call->waiting);
    finish(call);
    control_answer_text(&asker, members);
    free(members);
}

static void listed(void *user, const struct link_answer *answer)
{
    struct room_call *call = user;
    if (answer->error[0])
        fail(call, answer->error);
    else if (!answer->said->text)
        fail(call, "the hub's answer cannot be understood");
    else if (!answer->said->pending)
        succeed(call, answer->said->text);
    else if (mono_sub(loop_now(call->daemon->loop), call->until) >= 0)
        fail(call, "the hub does not say how it ended");
    else
        loop_timer_set_in(call->timer, LOOK_NS);
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
    snprintf(path, sizeof path, "/speakers/command/%s", call->id);
    const struct link_question question = {.method = "GET", .path = path, .read = read_list};
    link_ask_hub(call->daemon->link, &question, listed, call);
}

static void told(void *user, const struct link_answer *answer)
{
    struct room_call *call = user;
    if (answer->error[0]) {
        fail(call, answer->error);
        return;
    }
    snprintf(call->id, sizeof call->id, "%s", answer->said->id);
    call->told = link_said_take(answer->said);
    if (control_is_hub_id(call->id) && call->told)
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
    const struct link_question question = {
        .method = "POST", .path = "/speakers/command", .json = json, .read = read_told};
    if (call && json && call->timer)
        link_ask_hub(daemon->link, &question, told, call);
    else if (call)
        fail(call, "out of memory");
    free(json);
}

void control_rooms_finish(struct daemon *daemon)
{
    while (daemon->room_calls)
        finish(daemon->room_calls);
}
