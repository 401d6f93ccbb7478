/*
 * control_pairing.c: the host's commands about speakers that ask a hub to be let in: who they are,
 * and what is decided about the one that shows a sign. Answered by the hub over REST.
 */
#include "control_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- answers, read beside the loop --------------------------------------------------------- */

static void read_whole(const cJSON *root, const char *key, struct link_said *ret)
{
    (void)key;
    link_say(ret, root);
}

static const cJSON *asker_of_sign(const cJSON *askers, const char *sign)
{
    const cJSON *asker;
    cJSON_ArrayForEach(asker, askers)
    {
        const char *shown = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(asker, "sign"));
        if (shown && strcmp(shown, sign) == 0)
            return asker;
    }
    return NULL;
}

/* The list; and the id of the one that shows the sign. */
static void read_askers(const cJSON *root, const char *sign, struct link_said *ret)
{
    if (!cJSON_IsArray(root))
        return;
    const cJSON *asker = asker_of_sign(root, sign);
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(asker, "id"));
    snprintf(ret->id, sizeof ret->id, "%s", id ? id : "");
    link_say(ret, root);
}

/* --- in the loop --------------------------------------------------------------------------- */

static void fail(struct waiting *waiting, const char *error)
{
    struct asker asker = control_stop_waiting(waiting);
    control_fail(&asker, error);
}

static void succeed(struct waiting *waiting, const char *result)
{
    char *members = NULL;
    struct asker asker = control_stop_waiting(waiting);
    if (asprintf(&members, "\"pairing\":%s", result) > 0)
        control_answer_text(&asker, members);
    free(members);
}

/* True: it is a yes; else whoever waits has been told. */
static bool is_answered(struct waiting *waiting, const struct link_answer *answer)
{
    char error[PROTOCOL_REASON_MAX + 64];
    bool good = answer->status >= 200 && answer->status < 300;
    if (good && answer->said->text)
        return true;
    if (good)
        snprintf(error, sizeof error, "the backend's answer makes no sense");
    else if (answer->status == 0)
        snprintf(error, sizeof error, "the backend did not answer: %.200s", answer->error);
    else if (answer->status == 404 && !waiting->sign[0])
        snprintf(error, sizeof error, "this backend has no pairing: speakers join it with a code");
    else
        snprintf(error, sizeof error, "the backend refuses: %s", answer->error);
    fail(waiting, error);
    return false;
}

static void decided(void *user, const struct link_answer *answer)
{
    if (is_answered(user, answer))
        succeed(user, answer->said->text);
}

static void decide(struct waiting *waiting, const char *id)
{
    char path[96];
    snprintf(path, sizeof path, "/pairing/%s", id);
    const struct link_question question = {.method = "POST",
                                           .path = path,
                                           .json = waiting->allow ? "{\"allow\":true}"
                                                                  : "{\"allow\":false}",
                                           .read = read_whole,
                                           .of_any_backend = true};
    link_ask_hub(waiting->daemon->link, &question, decided, waiting);
}

static void listed(void *user, const struct link_answer *answer)
{
    struct waiting *waiting = user;
    if (!is_answered(waiting, answer))
        return;
    if (!waiting->sign[0])
        succeed(waiting, answer->said->text);
    else if (!control_is_hub_id(answer->said->id))
        fail(waiting, "no speaker that asks to be let in shows this sign");
    else
        decide(waiting, answer->said->id);
}

void control_pairing(struct daemon *daemon, const struct asker *asker,
                     const struct control_cmd *cmd)
{
    if (!link_is_live(daemon->link)) {
        control_fail(asker, "this speaker is not connected");
        return;
    }
    if (!cmd->sign[0] != (cmd->on < 0)) {
        control_fail(asker, "sign and allow go together");
        return;
    }
    struct waiting *waiting = control_wait(daemon, asker);
    if (!waiting)
        return;
    waiting->allow = cmd->on > 0;
    strcpy(waiting->sign, cmd->sign);
    const struct link_question question = {.method = "GET",
                                           .path = "/pairing",
                                           .read = read_askers,
                                           .key = waiting->sign,
                                           .of_any_backend = true};
    link_ask_hub(daemon->link, &question, listed, waiting);
}
