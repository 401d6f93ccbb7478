/*
 * control_hub.c: the commands about what a hub has beyond the contract. What the hub answers is what
 * the client gets.
 */
#include "control_internal.h"

#include <math.h>
#include <stdlib.h>

/* The hub's answer is an object, whose members are passed on; or it becomes one named so. */
struct hub_call {
    struct waiting *waiting;
    const char *name;
};

static void answered(void *user, const struct link_answer *answer)
{
    struct hub_call call = *(struct hub_call *)user;
    free(user);
    struct asker asker = control_stop_waiting(call.waiting);
    if (answer->error[0]) {
        control_fail(&asker, answer->error);
        return;
    }
    cJSON *body = cJSON_ParseWithLength(answer->body, answer->bytes);
    if (cJSON_IsObject(body)) {
        control_answer(&asker, call.name, body);
    } else {
        cJSON_Delete(body);
        control_fail(&asker, "the hub's answer cannot be understood");
    }
}

/* Takes the body; NULL: none. */
static void ask_hub(struct daemon *daemon, const struct asker *asker, const char *method,
                    const char *path, cJSON *body, const char *name)
{
    struct waiting *waiting = control_wait(daemon, asker);
    struct hub_call *call = waiting ? malloc(sizeof *call) : NULL;
    char *json = body ? cJSON_PrintUnformatted(body) : NULL;
    bool printed = json || !body;
    cJSON_Delete(body);
    if (call && printed) {
        *call = (struct hub_call){waiting, name};
        link_ask_hub(daemon->link, method, path, json, answered, call);
    } else if (waiting) {
        struct asker again = control_stop_waiting(waiting);
        control_fail(&again, "out of memory");
        free(call);
    }
    free(json);
}

static void do_settings(struct daemon *daemon, const struct asker *asker,
                        const struct control_cmd *cmd)
{
    cJSON *body = cJSON_CreateObject();
    if (cmd->advance >= 0)
        cJSON_AddBoolToObject(body, "advance", cmd->advance);
    if (cmd->repeat[0])
        cJSON_AddStringToObject(body, "repeat", cmd->repeat);
    if (cmd->shuffle >= 0)
        cJSON_AddBoolToObject(body, "shuffle", cmd->shuffle);
    if (body->child) {
        ask_hub(daemon, asker, "PATCH", "/settings", body, "settings");
    } else {
        cJSON_Delete(body);
        ask_hub(daemon, asker, "GET", "/settings", NULL, "settings");
    }
}

void control_hub(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd)
{
    if (cmd->verb == CONTROL_SETTINGS)
        do_settings(daemon, asker, cmd);
}
