/*
 * link_hub.c: what people ask of a hub beyond the contract: a call, and what is wanted of its answer,
 * which is read beside the loop. None of these is repeated: whoever asked is told, and may ask again.
 */
#include "link_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Some hundred speakers, or 200 tracks with the longest texts and paths. */
#define ANSWER_MAX_BYTES (INT64_C(512) * 1024)

struct link_hub_call {
    struct link *link;
    struct http_call *call; /* NULL: answered */
    struct text *text;      /* the answer, being read; NULL: not yet */
    link_read *read;
    char key[32];
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

/* It is over, for this side. */
static void end(struct link_hub_call *ask, const char *why, int status, struct link_said *said)
{
    link_answered *done = ask->done;
    void *user = ask->user;
    forget(ask);
    done(user, &(struct link_answer){why, status, said});
}

static void was_read(void *user, struct text *text, struct parsed *parsed)
{
    (void)text;
    end(user, parsed->good ? "" : "the hub's answer cannot be understood", 200, &parsed->said);
}

static void read_beside(struct link_hub_call *ask, const struct http_response *response)
{
    struct link_said nothing = {0};
    struct text_source source = {.kind = TEXT_ANSWER,
                                 .bytes = response->body_bytes,
                                 .text = http_take_body(response),
                                 .read = ask->read};
    memcpy(source.key, ask->key, sizeof source.key);
    ask->text = texts_parse(ask->link->config.reader, &source, was_read, ask);
    if (!ask->text)
        end(ask, "out of memory", response->status, &nothing);
}

static void answered(void *user, const struct http_response *response)
{
    struct link_hub_call *ask = user;
    struct link_said nothing = {0};
    char why[PROTOCOL_REASON_MAX] = "";
    ask->call = NULL;
    link_take_date(ask->link, response);
    if (response->status >= 200 && response->status < 300) {
        read_beside(ask, response);
        return;
    }
    if (response->status == 0)
        snprintf(why, sizeof why, "%s", response->error);
    else
        link_error_detail(response, why);
    end(ask, why, response->status, &nothing);
}

static void refuse(link_answered *done, void *user, const char *why)
{
    struct link_said nothing = {0};
    done(user, &(struct link_answer){why, 0, &nothing});
}

static bool name_url(const struct link *link, const struct link_question *question,
                     char url[PROTOCOL_URL_MAX])
{
    const char *base = link->config.settings->backend.url;
    return question->of_house ? protocol_url(url, PROTOCOL_URL_MAX, base, "%s", question->path)
                              : protocol_url(url, PROTOCOL_URL_MAX, base, "/sessions/%s%s",
                                             link->member.used.session_id, question->path);
}

static bool begin(struct link *link, struct link_hub_call *ask,
                  const struct link_question *question)
{
    char url[PROTOCOL_URL_MAX];
    const struct link_pass *pass = &link->member.used;
    if (!name_url(link, question, url))
        return false;
    ask->call = link_call(link, &(struct http_request){.method = question->method,
                                                       .url = url,
                                                       .token = pass->token,
                                                       .json = question->json,
                                                       .max_bytes = ANSWER_MAX_BYTES,
                                                       .on_done = answered,
                                                       .user = ask});
    return ask->call != NULL;
}

void link_ask_hub(struct link *link, const struct link_question *question, link_answered *done,
                  void *user)
{
    if (!link_is_live(link)) {
        refuse(done, user, "there is no connection to the backend");
        return;
    }
    if (!question->of_any_backend && !link->config.session->has_settings) {
        refuse(done, user, "this backend cannot do that; a tutti-hub of this version can");
        return;
    }
    struct link_hub_call *ask = calloc(1, sizeof *ask);
    if (ask) {
        *ask = (struct link_hub_call){
            .link = link, .read = question->read, .done = done, .user = user};
        snprintf(ask->key, sizeof ask->key, "%s", question->key ? question->key : "");
    }
    if (!ask || !begin(link, ask, question)) {
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
        texts_cancel(link->asks->text);
        forget(link->asks);
    }
}
