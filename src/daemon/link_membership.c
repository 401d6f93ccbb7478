/*
 * link_membership.c: whose guest or host we are: as configured, as kept, as somebody has asked
 * since; and how to get in, over REST, and out.
 */
#include "link_internal.h"
#include "tutti/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kept membership is of the configured backend and code. */
static bool is_ours(const struct link *link)
{
    const struct settings *settings = link->config.settings;
    const struct session_state *state = link->config.state;
    return state->token[0] && strcmp(state->url, settings->backend.url) == 0 &&
           (settings->backend.role == SETTINGS_HOST ||
            strcmp(state->join_code, settings->backend.join_code) == 0);
}

static void take_kept(struct link *link)
{
    const struct session_state *state = link->config.state;
    snprintf(link->session_id, sizeof link->session_id, "%s", state->session_id);
    snprintf(link->token, sizeof link->token, "%s", state->token);
}

/* What the configuration calls its session. */
static const char *configured(const struct link *link)
{
    const struct settings *settings = link->config.settings;
    return settings->backend.join_code[0] ? settings->backend.join_code
                                          : settings->backend.session_id;
}

/* Somebody has said where to be, and the configuration has not changed its mind since. */
static bool was_asked(const struct link *link)
{
    const struct session_state *state = link->config.state;
    return link->config.settings->backend.role == SETTINGS_GUEST &&
           (state->left || state->asked_code[0]) &&
           strcmp(state->url, link->config.settings->backend.url) == 0 &&
           strcmp(state->asked_instead_of, configured(link)) == 0;
}

/* The configured token; but once it was refused and the join code gave another, that one. */
void link_take_membership(struct link *link)
{
    const struct settings *settings = link->config.settings;
    struct session_state *state = link->config.state;
    if (was_asked(link)) {
        link->joined_here = true;
        if (state->left)
            link->state = LINK_LEFT;
        else
            take_kept(link);
        return;
    }
    state->left = false;
    state->asked_code[0] = state->asked_instead_of[0] = '\0';
    bool rejoined = settings->backend.join_code[0] && is_ours(link);
    if (settings->backend.session_id[0] && link->config.token && !rejoined) {
        snprintf(link->session_id, sizeof link->session_id, "%s", settings->backend.session_id);
        snprintf(link->token, sizeof link->token, "%s", link->config.token);
        return;
    }
    link->joined_here = true;
    if (is_ours(link))
        take_kept(link);
}

static void bootstrap_failed(struct link *link, const char *doing,
                             const struct http_response *response)
{
    char detail[PROTOCOL_REASON_MAX], problem[PROTOCOL_REASON_MAX];
    if (response->status == 0)
        snprintf(problem, sizeof problem, "%s at %.100s: %.120s", doing,
                 link->config.settings->backend.url, response->error);
    else {
        protocol_error_detail(response->body, response->body_bytes, detail);
        snprintf(problem, sizeof problem, "%s is answered with HTTP %d: %.180s", doing,
                 response->status, detail);
    }
    link_set_state(link, LINK_JOINING, problem);
    link_retry_later(link);
}

static void keep_membership(struct link *link, const struct session_answer *answer)
{
    struct session_state *state = link->config.state;
    const struct settings *settings = link->config.settings;
    snprintf(link->session_id, sizeof link->session_id, "%s", answer->session_id);
    if (answer->token[0])
        snprintf(link->token, sizeof link->token, "%s", answer->token);
    log_add_secret(link->token);
    snprintf(state->url, sizeof state->url, "%s", settings->backend.url);
    snprintf(state->join_code, sizeof state->join_code, "%s", settings->backend.join_code);
    state->left = false;
    snprintf(state->session_id, sizeof state->session_id, "%s", link->session_id);
    snprintf(state->token, sizeof state->token, "%s", link->token);
    snprintf(state->code, sizeof state->code, "%s", answer->code);
    if (answer->code[0])
        log_info("backend: the session's invite code is %s", answer->code);
    link->handlers.on_change(link->user);
    link_connect(link);
}

static void session_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    struct session_answer answer;
    link->rest = NULL;
    link_take_date(link, response);
    const char *doing = link->config.settings->backend.role == SETTINGS_HOST
                            ? "creating a session"
                            : "joining the session";
    if (response->status != 200) {
        bootstrap_failed(link, doing, response);
        return;
    }
    if (!protocol_parse_session(response->body, response->body_bytes, &answer)) {
        link_set_state(link, LINK_JOINING, "the answer to joining holds no session");
        link_retry_later(link);
        return;
    }
    keep_membership(link, &answer);
}

static void login_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    struct login_answer answer;
    char url[PROTOCOL_URL_MAX];
    link->rest = NULL;
    link_take_date(link, response);
    if (response->status != 200) {
        bootstrap_failed(link, "logging in", response);
        return;
    }
    if (!protocol_parse_login(response->body, response->body_bytes, &answer)) {
        link_set_state(link, LINK_JOINING, "the answer to logging in holds no token");
        link_retry_later(link);
        return;
    }
    snprintf(link->token, sizeof link->token, "%s", answer.token);
    log_add_secret(link->token);
    char *json = protocol_build_create(link->config.settings->backend.name);
    if (json && protocol_url(url, sizeof url, link->config.settings->backend.url, "/sessions"))
        link->rest = link_call(link, "POST", url, link->token, json, session_answered);
    free(json);
    if (!link->rest)
        link_retry_later(link);
}

static void upper_case(char *to, size_t size, const char *from)
{
    size_t at = 0;
    for (; *from && at + 1 < size; from++)
        to[at++] = (char)(*from >= 'a' && *from <= 'z' ? *from - 'a' + 'A' : *from);
    to[at] = '\0';
}

void link_bootstrap(struct link *link)
{
    const struct settings *settings = link->config.settings;
    char url[PROTOCOL_URL_MAX], code[64];
    char *json;
    if (link->rest)
        return;
    if (settings->backend.role == SETTINGS_HOST) {
        json =
            protocol_build_login(settings->backend.name, "host", settings->backend.house_password);
        if (json && protocol_url(url, sizeof url, settings->backend.url, "/auth/login"))
            link->rest = link_call(link, "POST", url, NULL, json, login_answered);
    } else {
        const char *asked = link->config.state->asked_code;
        upper_case(code, sizeof code, asked[0] ? asked : settings->backend.join_code);
        json = protocol_build_join(settings->backend.name);
        if (json && protocol_url(url, sizeof url, settings->backend.url, "/sessions/%s/join", code))
            link->rest = link_call(link, "POST", url, NULL, json, session_answered);
    }
    free(json);
    if (!link->rest)
        link_retry_later(link);
}

/* --- in and out on request ------------------------------------------------------------------ */

static void close_all(struct link *link)
{
    http_cancel(link->rest);
    http_cancel(link->date_call);
    link->rest = link->date_call = NULL;
    loop_timer_cancel(link->retry);
    link_close_socket(link, link->fresh);
    link_close_socket(link, link->live);
    server_clock_disconnected(link->config.clock);
    link->has_playback = false;
    link->playback = (struct playback_state){0};
    link->handlers.on_left(link->user);
}

static void keep_asked(struct link *link, const char *code, bool left)
{
    struct session_state *state = link->config.state;
    snprintf(state->url, sizeof state->url, "%s", link->config.settings->backend.url);
    snprintf(state->asked_code, sizeof state->asked_code, "%s", code);
    snprintf(state->asked_instead_of, sizeof state->asked_instead_of, "%s", configured(link));
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
        link_order_end(pending, error);
    } else if (response->status != 200) {
        protocol_error_detail(response->body, response->body_bytes, detail);
        snprintf(error, sizeof error, "the backend refuses: %s", detail);
        link_order_end(pending, error);
    } else if (!protocol_parse_session(response->body, response->body_bytes, &answer) ||
               !answer.token[0]) {
        link_order_end(pending, "the answer to joining holds no session");
    } else {
        link_orders_end_all(link, pending, "this speaker has gone into another session");
        close_all(link);
        link->joined_here = true;
        keep_asked(link, pending->reason, false);
        link_order_wait(pending, LINK_ORDER_DOUBTED);
        link_set_state(link, LINK_JOINING, "");
        keep_membership(link, &answer);
    }
}

void link_join(struct link *link, const char *code, link_done *done, void *user)
{
    char url[PROTOCOL_URL_MAX], upper[PROTOCOL_CODE_MAX], segment[3 * PROTOCOL_CODE_MAX];
    struct order order = {.kind = ORDER_JOIN, .position_ms = -1, .new_position = -1};
    struct link_order *pending = link_order_begin(link, &order, done, user);
    if (!pending)
        return;
    upper_case(upper, sizeof upper, code);
    snprintf(pending->reason, sizeof pending->reason, "%s", upper);
    link_order_wait(pending, LINK_ORDER_SENDING);
    char *json = protocol_build_join(link->config.settings->backend.name);
    struct http_request request = {
        .method = "POST",
        .url = url,
        .json = json,
        .fresh_connection = true,
        .timeout_ns = LINK_REST_TIMEOUT_NS,
        .max_bytes = LINK_REST_MAX_BYTES,
        .on_done = join_answered,
        .user = pending,
    };
    if (json && protocol_encode(segment, sizeof segment, upper) &&
        protocol_url(url, sizeof url, link->config.settings->backend.url, "/sessions/%s/join",
                     segment))
        pending->call = http_start(link->http, &request);
    free(json);
    if (!pending->call)
        link_order_end(pending, "out of memory");
}
