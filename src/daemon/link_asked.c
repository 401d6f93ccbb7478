/*
 * link_asked.c: into another session, and out of one, because somebody asks for it.
 */
#include "link_internal.h"
#include "tutti/base/log.h"

#include <stdio.h>
#include <stdlib.h>

static void go_out(struct link *link)
{
    link_cancel_obtaining(link);
    link_cancel_check(link);
    link_disconnect(link);
    link_clock_disconnected(link);
    link_clear_session(link);
}

bool link_leave(struct link *link)
{
    if (link->connection.state == LINK_LEFT)
        return false;
    link_orders_end_all(link, NULL, "this speaker has left the session");
    go_out(link);
    link_forget_membership(link);
    log_info("backend: left the session, as asked");
    link_set_state(link, LINK_LEFT, "");
    return true;
}

static void go_in(struct link_order *pending, const struct session_answer *answer)
{
    struct link *link = pending->link;
    if (!answer || !answer->token[0]) {
        link_order_fail(pending, "the answer to joining holds no session");
        return;
    }
    link_orders_end_all(link, pending, "this speaker has gone into another session");
    go_out(link);
    link_order_joined(pending);
    link_set_state(link, LINK_JOINING, "");
    link_take_asked(link, answer, pending->words.code);
}

static void session_parsed(struct link_order *pending, const struct parsed *parsed)
{
    go_in(pending, parsed->good ? &parsed->session : NULL);
}

static void take_session(struct link_order *pending, const struct http_response *response)
{
    struct session_answer answer;
    if (response->body_bytes <= TEXTS_AT_ONCE_BYTES) {
        bool good = protocol_parse_session(response->body, response->body_bytes, &answer);
        go_in(pending, good ? &answer : NULL);
        return;
    }
    struct text_source source = {.kind = TEXT_JOINED,
                                 .bytes = response->body_bytes,
                                 .text = http_take_body(response),
                                 .received = response->received_at};
    if (!link_order_parse(pending, &source, session_parsed))
        link_order_fail(pending, "no memory or thread to read the answer to joining");
}

static void join_answered(struct link_order *pending, const struct order *order,
                          const struct http_response *response)
{
    (void)order;
    char detail[PROTOCOL_REASON_MAX], error[PROTOCOL_REASON_MAX + 32];
    if (response->status == 200) {
        take_session(pending, response);
        return;
    }
    if (response->status == 0) {
        snprintf(error, sizeof error, "the backend did not answer: %.200s", response->error);
    } else {
        link_error_detail(response, detail);
        snprintf(error, sizeof error, "the backend refuses: %s", detail);
    }
    link_order_fail(pending, error);
}

static void start_joining(struct link_order *pending, const struct order *order)
{
    (void)order;
    char url[PROTOCOL_URL_MAX];
    struct link *link = pending->link;
    if (!link_has_address(link)) {
        link_order_fail(pending, "no hub has been found yet");
        return;
    }
    char *json = protocol_build_join(link->config.settings->backend.name);
    if (json && link_join_url(link, pending->words.code, url, sizeof url))
        link_order_call(pending, &(struct http_request){.method = "POST",
                                                        .url = url,
                                                        .json = json,
                                                        .max_bytes = LINK_LIST_MAX_BYTES});
    else
        link_order_fail(pending, "out of memory");
    free(json);
}

static const struct link_order_kind joining = {.send = start_joining, .answered = join_answered};

void link_join(struct link *link, const char *code, link_done *done, void *user)
{
    struct order order = {.kind = ORDER_JOIN, .position_ms = -1, .new_position = -1};
    struct link_order_words words = {0};
    link_upper_case(words.code, sizeof words.code, code);
    if (link_order_begin(link, &order, &joining, &words, done, user))
        link_orders_run(link);
}
