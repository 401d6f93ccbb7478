/*
 * control_pairing.c: the host's commands about speakers that ask a hub to be let in: who they are,
 * and what is decided about the one that shows a sign. Answered by the hub over REST.
 */
#include "control_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t TIMEOUT_NS = 10 * NS_PER_S;
/* 64 askers, each with a name of 255 bytes that JSON may write with six each. */
#define LIST_MAX_BYTES (INT64_C(256) * 1024)

struct pairing_call {
    struct daemon *daemon;
    struct waiting *waiting;
    struct http_call *call;
    struct pairing_call *next;
    char sign[8]; /* "": the list is wanted */
    bool allow;
};

static void finish(struct pairing_call *pairing)
{
    struct pairing_call **at = &pairing->daemon->pairing_calls;
    while (*at != pairing)
        at = &(*at)->next;
    *at = pairing->next;
    free(pairing);
}

static void fail(struct pairing_call *pairing, const char *error)
{
    struct asker asker = control_stop_waiting(pairing->waiting);
    finish(pairing);
    control_fail(&asker, error);
}

static void succeed(struct pairing_call *pairing, cJSON *result)
{
    struct asker asker = control_stop_waiting(pairing->waiting);
    finish(pairing);
    control_answer(&asker, "pairing", result);
}

static bool call(struct pairing_call *pairing, const char *id, const char *json,
                 void (*done)(void *user, const struct http_response *response))
{
    const struct daemon *daemon = pairing->daemon;
    char url[PROTOCOL_URL_MAX];
    const char *base = daemon->settings->backend.url, *session = link_session_id(daemon->link);
    bool fits = id ? protocol_url(url, sizeof url, base, "/sessions/%s/pairing/%s", session, id)
                   : protocol_url(url, sizeof url, base, "/sessions/%s/pairing", session);
    if (fits)
        pairing->call = http_start(daemon->http, &(struct http_request){
                                                     .method = json ? "POST" : "GET",
                                                     .url = url,
                                                     .token = link_token(daemon->link),
                                                     .json = json,
                                                     .fresh_connection = true,
                                                     .timeout_ns = TIMEOUT_NS,
                                                     .max_bytes = LIST_MAX_BYTES,
                                                     .on_done = done,
                                                     .user = pairing,
                                                 });
    return pairing->call != NULL;
}

/* NULL after the failure has been told. */
static cJSON *take_answer(struct pairing_call *pairing, const struct http_response *response)
{
    char detail[PROTOCOL_REASON_MAX], error[PROTOCOL_REASON_MAX + 64];
    pairing->call = NULL;
    if (response->status == 200) {
        cJSON *answer = cJSON_ParseWithLength(response->body, response->body_bytes);
        if (!answer)
            fail(pairing, "the backend's answer makes no sense");
        return answer;
    }
    if (response->status == 0)
        snprintf(error, sizeof error, "the backend did not answer: %.200s", response->error);
    else if (response->status == 404 && !pairing->sign[0])
        snprintf(error, sizeof error, "this backend has no pairing: speakers join it with a code");
    else {
        protocol_error_detail(response->body, response->body_bytes, detail);
        snprintf(error, sizeof error, "the backend refuses: %s", detail);
    }
    fail(pairing, error);
    return NULL;
}

static void decided(void *user, const struct http_response *response)
{
    struct pairing_call *pairing = user;
    cJSON *answer = take_answer(pairing, response);
    if (answer)
        succeed(pairing, answer);
}

static const char *id_of_sign(const cJSON *askers, const char *sign)
{
    const cJSON *asker;
    cJSON_ArrayForEach(asker, askers)
    {
        const char *shown = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(asker, "sign"));
        if (shown && strcmp(shown, sign) == 0)
            return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(asker, "id"));
    }
    return NULL;
}

static void decide(struct pairing_call *pairing, const char *id)
{
    if (!id)
        fail(pairing, "no speaker that asks to be let in shows this sign");
    else if (!call(pairing, id, pairing->allow ? "{\"allow\":true}" : "{\"allow\":false}", decided))
        fail(pairing, "out of memory");
}

static void listed(void *user, const struct http_response *response)
{
    struct pairing_call *pairing = user;
    cJSON *askers = take_answer(pairing, response);
    if (!askers)
        return;
    if (!cJSON_IsArray(askers)) {
        fail(pairing, "the backend's answer makes no sense");
    } else if (!pairing->sign[0]) {
        succeed(pairing, askers);
        return;
    } else {
        decide(pairing, id_of_sign(askers, pairing->sign));
    }
    cJSON_Delete(askers);
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
    struct pairing_call *pairing = calloc(1, sizeof *pairing);
    if (!pairing) {
        control_fail(asker, "out of memory");
        return;
    }
    *pairing = (struct pairing_call){.daemon = daemon, .allow = cmd->on > 0};
    strcpy(pairing->sign, cmd->sign);
    pairing->waiting = control_wait(daemon, asker);
    if (!pairing->waiting) {
        free(pairing);
        return;
    }
    pairing->next = daemon->pairing_calls;
    daemon->pairing_calls = pairing;
    if (!call(pairing, NULL, NULL, listed))
        fail(pairing, "out of memory");
}

void control_pairing_finish(struct daemon *daemon)
{
    while (daemon->pairing_calls) {
        http_cancel(daemon->pairing_calls->call);
        finish(daemon->pairing_calls);
    }
}
