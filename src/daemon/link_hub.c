/*
 * link_hub.c: what people ask of a hub beyond the contract: a call, and its answer as it is. None of
 * these is repeated: whoever asked is told, and may ask again.
 */
#include "link_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Some hundred speakers. */
#define ANSWER_MAX_BYTES (INT64_C(256) * 1024)

struct link_hub_call {
    struct link *link;
    struct http_call *call;
    link_answered *done;
    void *user;
    struct link_hub_call *next;
};

static void forget(struct link_hub_call *ask)
{
    struct link_hub_call **at = &ask->link->asks;
    while (*at != ask)
        at = &(*at)->next;
    *at = ask->next;
    free(ask);
}

static void answered(void *user, const struct http_response *response)
{
    struct link_hub_call *ask = user;
    link_answered *done = ask->done;
    void *who = ask->user;
    char why[PROTOCOL_REASON_MAX] = "";
    bool good = response->status >= 200 && response->status < 300;
    if (response->status == 0)
        snprintf(why, sizeof why, "%s", response->error);
    else if (!good)
        link_error_detail(response, why);
    link_take_date(ask->link, response);
    forget(ask);
    done(who, &(struct link_answer){why, good ? response->body : "", good ? response->body_bytes : 0});
}

static void refuse(link_answered *done, void *user, const char *why)
{
    done(user, &(struct link_answer){why, "", 0});
}

static bool begin(struct link *link, struct link_hub_call *ask, const char *method, const char *path,
                  const char *json)
{
    char url[PROTOCOL_URL_MAX];
    const struct link_pass *pass = &link->member.used;
    if (!protocol_url(url, sizeof url, link->config.settings->backend.url, "/sessions/%s%s",
                      pass->session_id, path))
        return false;
    ask->call = link_call(link, &(struct http_request){.method = method,
                                                       .url = url,
                                                       .token = pass->token,
                                                       .json = json,
                                                       .max_bytes = ANSWER_MAX_BYTES,
                                                       .on_done = answered,
                                                       .user = ask});
    return ask->call != NULL;
}

void link_ask_hub(struct link *link, const char *method, const char *path, const char *json,
              link_answered *done, void *user)
{
    if (!link_is_live(link)) {
        refuse(done, user, "there is no connection to the backend");
        return;
    }
    if (!link->config.session->has_settings) {
        refuse(done, user, "this backend cannot do that; a tutti-hub of this version can");
        return;
    }
    struct link_hub_call *ask = calloc(1, sizeof *ask);
    if (ask)
        *ask = (struct link_hub_call){.link = link, .done = done, .user = user};
    if (!ask || !begin(link, ask, method, path, json)) {
        free(ask);
        refuse(done, user, "out of memory");
        return;
    }
    ask->next = link->asks;
    link->asks = ask;
}

void link_hub_finish(struct link *link)
{
    while (link->asks) {
        http_cancel(link->asks->call);
        forget(link->asks);
    }
}
