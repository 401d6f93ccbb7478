/*
 * link_membership.c: whose guest or host we are: as configured, as kept, as somebody has asked
 * since; and how another membership is asked for over REST. When, core/membership decides. What is
 * to be kept over restarts goes into config.state here alone.
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

static void set_pass(struct link_pass *pass, const char *session_id, const char *token)
{
    *pass = (struct link_pass){0};
    snprintf(pass->session_id, sizeof pass->session_id, "%s", session_id);
    snprintf(pass->token, sizeof pass->token, "%s", token);
}

static void take_kept(struct link *link)
{
    set_pass(&link->member.kept, link->config.state->session_id, link->config.state->token);
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
static void find_pass(struct link *link)
{
    const struct settings *settings = link->config.settings;
    bool rejoined = settings->backend.join_code[0] && is_ours(link);
    if (settings->backend.session_id[0] && link->config.token && !rejoined)
        set_pass(&link->member.kept, settings->backend.session_id, link->config.token);
    else if (is_ours(link))
        take_kept(link);
}

static void find_membership(struct link *link)
{
    struct session_state *state = link->config.state;
    if (was_asked(link)) {
        if (!state->left)
            take_kept(link);
        return;
    }
    state->left = false;
    state->asked_code[0] = state->asked_instead_of[0] = '\0';
    find_pass(link);
}

static bool is_whole(const struct link_pass *pass)
{
    return pass->session_id[0] && pass->token[0];
}

bool link_find_membership(struct link *link)
{
    find_membership(link);
    log_add_secret(link->member.kept.token);
    membership_init(&link->member.machine, is_whole(&link->member.kept));
    return !link->config.state->left;
}

/* --- keeping it ---------------------------------------------------------------------------- */

static bool is_host(const struct link *link)
{
    return link->config.settings->backend.role == SETTINGS_HOST;
}

/* The code by which a guest can join anew; "" none. */
static const char *join_code(const struct link *link)
{
    const char *asked = link->config.state->asked_code;
    if (is_host(link))
        return "";
    return asked[0] ? asked : link->config.settings->backend.join_code;
}

static bool may_obtain(const struct link *link)
{
    return join_code(link)[0] || link_may_ask(link);
}

static void use(struct link *link, const struct link_pass *pass)
{
    link->member.used = *pass;
}

/* From now on, over restarts, this is the membership. */
static void keep(struct link *link, const struct link_pass *pass)
{
    struct session_state *state = link->config.state;
    const struct settings *settings = link->config.settings;
    link->member.kept = *pass;
    snprintf(state->url, sizeof state->url, "%s", settings->backend.url);
    snprintf(state->join_code, sizeof state->join_code, "%s", settings->backend.join_code);
    state->left = false;
    snprintf(state->session_id, sizeof state->session_id, "%s", pass->session_id);
    snprintf(state->token, sizeof state->token, "%s", pass->token);
    snprintf(state->code, sizeof state->code, "%s", pass->code);
    if (pass->code[0])
        log_info("backend: the session's invite code is %s", pass->code);
    link->handlers.on_change(link->user);
}

void link_membership_worked(struct link *link)
{
    if (membership_worked(&link->member.machine))
        keep(link, &link->member.trial);
}

void link_try_failed(struct link *link)
{
    membership_failed(&link->member.machine);
}

/* Said once, however long it lasts; what comes of joining again has its own words. */
void link_token_refused(struct link *link, int status, struct mono_time now)
{
    char problem[PROTOCOL_REASON_MAX];
    membership_refused(&link->member.machine, now);
    if (link->connection.state == LINK_REFUSED) {
        link_retry_later(link);
        return;
    }
    if (is_host(link))
        snprintf(problem, sizeof problem,
                 "the token is refused (HTTP %d): the session is kept, and tried again", status);
    else if (may_obtain(link))
        snprintf(
            problem, sizeof problem,
            "the token is refused (HTTP %d): trying on, and joining again after a minute of it",
            status);
    else
        snprintf(
            problem, sizeof problem,
            "the token is refused, and there is no join code to get another: trying on slowly");
    link_set_state(link, LINK_REFUSED, problem);
    link_retry_later(link);
}

/* --- getting one --------------------------------------------------------------------------- */

/* What is kept, if anything, is tried again. */
static void not_obtained(struct link *link, const char *problem)
{
    membership_not_obtained(&link->member.machine);
    link_set_state(link, link->member.machine.has_kept ? LINK_REFUSED : LINK_JOINING, problem);
    link_retry_later(link);
}

static void bootstrap_failed(struct link *link, const char *doing,
                             const struct http_response *response)
{
    char detail[PROTOCOL_REASON_MAX], problem[PROTOCOL_REASON_MAX];
    if (response->status == 0)
        snprintf(problem, sizeof problem, "%s at %.100s: %.120s", doing,
                 link->config.settings->backend.url, response->error);
    else {
        link_error_detail(response, detail);
        snprintf(problem, sizeof problem, "%s is answered with HTTP %d: %.180s", doing,
                 response->status, detail);
    }
    not_obtained(link, problem);
}

/* token: where the answer tells none, as it goes on with a host's. */
static struct link_pass pass_of(const struct session_answer *answer, const char *token)
{
    struct link_pass pass;
    set_pass(&pass, answer->session_id, answer->token[0] ? answer->token : token);
    snprintf(pass.code, sizeof pass.code, "%s", answer->code);
    return pass;
}

static void take_pass(struct link *link, const struct link_pass *pass)
{
    log_add_secret(pass->token);
    if (membership_obtained(&link->member.machine))
        link->member.trial = *pass;
    else
        keep(link, pass);
    link_try(link, loop_now(link->loop));
}

static void take_session(struct link *link, const struct session_answer *answer)
{
    if (!answer || (!answer->token[0] && !is_host(link))) {
        not_obtained(link, "the answer to joining holds no session");
        return;
    }
    struct link_pass pass = pass_of(answer, link->member.used.token);
    take_pass(link, &pass);
}

static void session_parsed(void *user, struct text *text, struct parsed *parsed)
{
    struct link *link = user;
    (void)text;
    link->member.text = NULL;
    take_session(link, parsed->good ? &parsed->session : NULL);
}

static void session_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    struct session_answer answer;
    link->member.call = NULL;
    link_take_date(link, response);
    const char *doing = is_host(link) ? "creating a session" : "joining the session";
    if (response->status != 200) {
        bootstrap_failed(link, doing, response);
        return;
    }
    if (response->body_bytes <= TEXTS_AT_ONCE_BYTES) {
        bool good = protocol_parse_session(response->body, response->body_bytes, &answer);
        take_session(link, good ? &answer : NULL);
        return;
    }
    struct text_source source = {.kind = TEXT_JOINED,
                                 .bytes = response->body_bytes,
                                 .text = http_take_body(response),
                                 .received = response->received_at};
    if (source.text)
        link->member.text = texts_parse(link->config.reader, &source, session_parsed, link);
    if (!link->member.text)
        not_obtained(link, "no memory or thread to read the answer to joining");
}

static void login_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    struct login_answer answer;
    char url[PROTOCOL_URL_MAX];
    link->member.call = NULL;
    link_take_date(link, response);
    if (response->status != 200) {
        bootstrap_failed(link, "logging in", response);
        return;
    }
    if (!protocol_parse_login(response->body, response->body_bytes, &answer)) {
        not_obtained(link, "the answer to logging in holds no token");
        return;
    }
    snprintf(link->member.used.token, sizeof link->member.used.token, "%s", answer.token);
    log_add_secret(link->member.used.token);
    char *json = protocol_build_create(link->config.settings->backend.name);
    if (json && protocol_url(url, sizeof url, link->config.settings->backend.url, "/sessions"))
        link->member.call = link_call(link, &(struct http_request){.method = "POST",
                                                                   .url = url,
                                                                   .token = link->member.used.token,
                                                                   .json = json,
                                                                   .on_done = session_answered,
                                                                   .user = link});
    free(json);
    if (!link->member.call)
        link_retry_later(link);
}

void link_upper_case(char *to, size_t size, const char *from)
{
    size_t at = 0;
    for (; *from && at + 1 < size; from++)
        to[at++] = (char)(*from >= 'a' && *from <= 'z' ? *from - 'a' + 'A' : *from);
    to[at] = '\0';
}

static void log_in(struct link *link)
{
    const struct settings *settings = link->config.settings;
    char url[PROTOCOL_URL_MAX];
    char *json =
        protocol_build_login(settings->backend.name, "host", settings->backend.house_password);
    if (json && protocol_url(url, sizeof url, settings->backend.url, "/auth/login"))
        link->member.call = link_call(link, &(struct http_request){.method = "POST",
                                                                   .url = url,
                                                                   .json = json,
                                                                   .on_done = login_answered,
                                                                   .user = link});
    free(json);
}

/* URL of joining with a code, which is upper case whatever was typed. */
bool link_join_url(const struct link *link, const char *code, char *url, size_t size)
{
    char upper[PROTOCOL_CODE_MAX], segment[3 * PROTOCOL_CODE_MAX];
    link_upper_case(upper, sizeof upper, code);
    return protocol_encode(segment, sizeof segment, upper) &&
           protocol_url(url, size, link->config.settings->backend.url, "/sessions/%s/join",
                        segment);
}

static void join_anew(struct link *link)
{
    char url[PROTOCOL_URL_MAX];
    char *json = protocol_build_join(link->config.settings->backend.name);
    if (json && link_join_url(link, join_code(link), url, sizeof url))
        link->member.call = link_call(link, &(struct http_request){.method = "POST",
                                                                   .url = url,
                                                                   .json = json,
                                                                   .max_bytes = LINK_LIST_MAX_BYTES,
                                                                   .on_done = session_answered,
                                                                   .user = link});
    free(json);
}

static void pairing_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    struct link_pass pass;
    link->member.call = NULL;
    link_take_date(link, response);
    switch (link_take_pairing(link, response, &pass)) {
    case LINK_PAIRING_WAITS:
        break;
    case LINK_PAIRING_LET_IN:
        take_pass(link, &pass);
        break;
    case LINK_PAIRING_FAILED:
        bootstrap_failed(link, "asking to be let in", response);
        break;
    case LINK_PAIRING_NONSENSE:
        not_obtained(link, "the answer to asking to be let in makes no sense");
        break;
    }
}

static void obtain(struct link *link)
{
    if (link->member.call || link->member.text)
        return;
    if (link->member.machine.has_kept)
        log_info("backend: joining again; what there is is kept until the new membership works");
    if (is_host(link))
        log_in(link);
    else if (link_may_ask(link))
        link->member.call = link_ask(link, pairing_answered);
    else
        join_anew(link);
    if (!link->member.call)
        link_retry_later(link);
}

void link_try(struct link *link, struct mono_time now)
{
    if (!link_has_address(link))
        return; /* until link_use_address() */
    switch (membership_next(&link->member.machine, may_obtain(link), now)) {
    case MEMBERSHIP_KEPT:
        use(link, &link->member.kept);
        link_connect(link);
        break;
    case MEMBERSHIP_TRIAL:
        use(link, &link->member.trial);
        link_connect(link);
        break;
    case MEMBERSHIP_OBTAIN:
        obtain(link);
        break;
    }
}

void link_cancel_obtaining(struct link *link)
{
    http_cancel(link->member.call);
    texts_cancel(link->member.text);
    link->member.call = NULL;
    link->member.text = NULL;
}

/* --- as somebody asks ---------------------------------------------------------------------- */

static void keep_asked(struct link *link, const char *code, bool left)
{
    struct session_state *state = link->config.state;
    snprintf(state->url, sizeof state->url, "%s", link->config.settings->backend.url);
    snprintf(state->asked_code, sizeof state->asked_code, "%s", code);
    snprintf(state->asked_instead_of, sizeof state->asked_instead_of, "%s", configured(link));
    state->left = left;
}

/* What there was is given up for it. */
void link_take_asked(struct link *link, const struct session_answer *answer, const char *code)
{
    struct link_pass pass = pass_of(answer, "");
    keep_asked(link, code, false);
    membership_init(&link->member.machine, false);
    take_pass(link, &pass);
}

void link_forget_membership(struct link *link)
{
    struct session_state *state = link->config.state;
    link->member.used = (struct link_pass){0};
    membership_init(&link->member.machine, false);
    state->session_id[0] = state->token[0] = '\0';
    keep_asked(link, "", true);
}
