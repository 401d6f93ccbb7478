/*
 * link_rest.c: what goes over REST: getting a membership, and cross-checking the playlist.
 *
 * Every answer's Date is evidence for the clock.
 */
#include "link_internal.h"
#include "tutti/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct http_call *call(struct link *link, const char *method, const char *url,
                              const char *token, const char *json,
                              void (*on_done)(void *user, const struct http_response *response))
{
    struct http_request request = {
        .method = method,
        .url = url,
        .token = token,
        .json = json,
        .fresh_connection = true,
        .timeout_ns = LINK_REST_TIMEOUT_NS,
        .max_bytes = LINK_REST_MAX_BYTES,
        .on_done = on_done,
        .user = link,
    };
    return http_start(link->http, &request);
}

void link_take_date(struct link *link, const struct http_response *response)
{
    if (response->status > 0 && response->has_date)
        server_clock_add_date(link->config.clock, response->sent_at, response->received_at,
                              response->date, response->fresh_connection);
}

static void date_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    link->date_call = NULL;
    link_take_date(link, response);
}

void link_ask_date(void *user, struct mono_time now)
{
    struct link *link = user;
    char url[PROTOCOL_URL_MAX];
    (void)now;
    if (link->dates_left == 0 || link->state != LINK_LIVE || link->config.clock->echo_seen)
        return;
    link->dates_left--;
    if (!link->date_call && protocol_url(url, sizeof url, link->config.settings->backend.url,
                                         "/sessions/%s/playlist", link->session_id))
        link->date_call = call(link, "GET", url, link->token, NULL, date_answered);
    loop_timer_set_in(link->dates, LINK_DATE_STEP_NS);
}

/* --- membership ---------------------------------------------------------------------------- */

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
        link->rest = call(link, "POST", url, link->token, json, session_answered);
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
            link->rest = call(link, "POST", url, NULL, json, login_answered);
    } else {
        upper_case(code, sizeof code, settings->backend.join_code);
        json = protocol_build_join(settings->backend.name);
        if (json && protocol_url(url, sizeof url, settings->backend.url, "/sessions/%s/join", code))
            link->rest = call(link, "POST", url, NULL, json, session_answered);
    }
    free(json);
    if (!link->rest)
        link_retry_later(link);
}

/* --- cross-check --------------------------------------------------------------------------- */

static void playlist_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    struct playlist_message playlist;
    char reason[PROTOCOL_REASON_MAX];
    link->rest = NULL;
    link_take_date(link, response);
    if (response->status == 401 || response->status == 403) {
        link_recheck(link); /* the handshake says whether it is true */
        return;
    }
    if (response->status != 200 ||
        !protocol_parse_playlist(response->body, response->body_bytes, &playlist, reason))
        return; /* the next one will do */
    link->handlers.on_resync(link->user, &playlist);
}

void link_resync(struct link *link, struct mono_time now)
{
    char url[PROTOCOL_URL_MAX];
    if (link->state != LINK_LIVE || link->rest)
        return;
    if (mono_sub(now, link->recheck_at) >= 0)
        link_recheck(link);
    if (protocol_url(url, sizeof url, link->config.settings->backend.url, "/sessions/%s/playlist",
                     link->session_id))
        link->rest = call(link, "GET", url, link->token, NULL, playlist_answered);
}
