/*
 * control_hub.c: the commands about what a hub has beyond the contract. What the hub answers is what
 * the client gets.
 */
#include "control_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The member that is called so, or else the whole, is the answer here. */
static void read_member(const cJSON *root, const char *name, struct link_said *ret)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(root, name);
    if (cJSON_IsObject(root))
        link_say(ret, member ? member : root);
}

static void answered(void *user, const struct link_answer *answer)
{
    struct waiting *waiting = user;
    const char *name = waiting->name;
    struct asker asker = control_stop_waiting(waiting);
    char *members = NULL;
    if (answer->error[0])
        control_fail(&asker, answer->error);
    else if (!answer->said->text)
        control_fail(&asker, "the hub's answer cannot be understood");
    else if (asprintf(&members, "\"%s\":%s", name, answer->said->text) > 0)
        control_answer_text(&asker, members);
    free(members);
}

void control_ask_hub(struct daemon *daemon, const struct asker *asker, const char *method,
                     const char *path, cJSON *body, const char *name)
{
    char *json = body ? cJSON_PrintUnformatted(body) : NULL;
    bool printed = json || !body;
    struct waiting *waiting = printed ? control_wait(daemon, asker) : NULL;
    cJSON_Delete(body);
    if (waiting) {
        const struct link_question question = {
            .method = method, .path = path, .json = json, .read = read_member, .key = name};
        waiting->name = name;
        link_ask_hub(daemon->link, &question, answered, waiting);
    } else if (!printed) {
        control_fail(asker, "out of memory");
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
    if (cmd->control[0])
        cJSON_AddStringToObject(body, "control", cmd->control);
    if (cmd->add[0])
        cJSON_AddStringToObject(body, "add", cmd->add);
    if (body->child) {
        control_ask_hub(daemon, asker, "PATCH", "/settings", body, "settings");
    } else {
        cJSON_Delete(body);
        control_ask_hub(daemon, asker, "GET", "/settings", NULL, "settings");
    }
}

static void do_name_speaker(struct daemon *daemon, const struct asker *asker,
                            const struct control_cmd *cmd)
{
    char path[sizeof cmd->device_id + 16];
    if (!control_is_hub_id(cmd->device_id)) {
        control_fail(asker, "the session has no such speaker");
        return;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "name", cmd->name);
    snprintf(path, sizeof path, "/speakers/%s", cmd->device_id);
    control_ask_hub(daemon, asker, "PATCH", path, body, "speaker");
}

void control_hub(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd)
{
    if (cmd->verb == CONTROL_SETTINGS)
        do_settings(daemon, asker, cmd);
    else if (cmd->verb == CONTROL_SPEAKERS)
        control_ask_hub(daemon, asker, "GET", "/speakers", NULL, "speakers");
    else if (cmd->verb == CONTROL_NAME_SPEAKER)
        do_name_speaker(daemon, asker, cmd);
    else
        control_rooms(daemon, asker, cmd);
}
