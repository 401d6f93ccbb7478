/*
 * link_asked.c: into another session, and out of one, because somebody asks for it.
 */
#include "link_internal.h"
#include "tutti/base/log.h"

#include <stdio.h>
#include <stdlib.h>

static void close_all(struct link *link)
{
    http_cancel(link->rest);
    http_cancel(link->date_call);
    texts_cancel(link->rest_text);
    link->rest = link->date_call = NULL;
    link->rest_text = NULL;
    loop_timer_cancel(link->retry);
    link_close_socket(link, link->fresh);
    link_close_socket(link, link->live);
    server_clock_disconnected(link->config.clock);
    link_tell_change(link, session_clear(link->config.session), loop_now(link->loop));
}

static void keep_asked(struct link *link, const char *code, bool left)
{
    struct session_state *state = link->config.state;
    snprintf(state->url, sizeof state->url, "%s", link->config.settings->backend.url);
    snprintf(state->asked_code, sizeof state->asked_code, "%s", code);
    snprintf(state->asked_instead_of, sizeof state->asked_instead_of, "%s", link_configured(link));
    state->left = left;
}

bool link_leave(struct link *link)
{
    struct session_state *state = link->config.state;
    if (link->state == LINK_LEFT)
        return false;
    link_orders_end_all(link, NULL, "this speaker has left the session");
    close_all(link);
    link->session_id[0] = link->token[0] = '\0';
    membership_init(&link->membership, false);
    state->session_id[0] = state->token[0] = '\0';
    keep_asked(link, "", true);
    log_info("backend: left the session, as asked");
    link_set_state(link, LINK_LEFT, "");
    return true;
}

static void join_answered(void *user, const struct http_response *response)
{
    struct link_order *pending = user;
    struct link *link = pending->link;
    struct session_answer answer;
    char detail[PROTOCOL_REASON_MAX], error[PROTOCOL_REASON_MAX + 32];
    pending->call = NULL;
    if (response->status == 0) {
        snprintf(error, sizeof error, "the backend did not answer: %.200s", response->error);
        link_order_fail(pending, error);
    } else if (response->status != 200) {
        link_error_detail(response, detail);
        snprintf(error, sizeof error, "the backend refuses: %s", detail);
        link_order_fail(pending, error);
    } else if (!protocol_parse_session(response->body, response->body_bytes, &answer) ||
               !answer.token[0]) {
        link_order_fail(pending, "the answer to joining holds no session");
    } else {
        link_orders_end_all(link, pending, "this speaker has gone into another session");
        close_all(link);
        keep_asked(link, pending->code, false);
        orders_joined(&link->orders, pending->number, loop_now(link->loop));
        link_set_state(link, LINK_JOINING, "");
        membership_init(&link->membership, false); /* it has been given up for this one */
        struct link_pass pass = link_pass_of(&answer, "");
        link_take_pass(link, &pass);
    }
}

void link_join_start(struct link_order *pending)
{
    char url[PROTOCOL_URL_MAX];
    struct link *link = pending->link;
    char *json = protocol_build_join(link->config.settings->backend.name);
    struct http_request request = {
        .method = "POST",
        .url = url,
        .json = json,
        .fresh_connection = true,
        .timeout_ns = LINK_REST_TIMEOUT_NS,
        .max_bytes = LINK_LIST_MAX_BYTES,
        .on_done = join_answered,
        .user = pending,
    };
    if (json && link_join_url(link, pending->code, url, sizeof url))
        pending->call = http_start(link->http, &request);
    free(json);
    if (pending->call)
        orders_calls(&link->orders, pending->number);
    else
        orders_fail(&link->orders, pending->number, "out of memory");
}

void link_join(struct link *link, const char *code, link_done *done, void *user)
{
    struct order order = {.kind = ORDER_JOIN, .position_ms = -1, .new_position = -1};
    struct link_order *pending = link_order_begin(link, &order, done, user);
    if (!pending)
        return;
    link_upper_case(pending->code, sizeof pending->code, code);
    link_orders_run(link);
}
