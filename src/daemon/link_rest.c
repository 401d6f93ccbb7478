/*
 * link_rest.c: what is asked over REST by and by: the playlist, for comparison, and Dates.
 *
 * Every answer's Date is evidence for the clock.
 */
#include "link_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/mono_clock.h"

#include <stdio.h>
#include <string.h>

struct http_call *link_call(struct link *link, const char *method, const char *url,
                            const char *token, const char *json, int64_t max_bytes,
                            void (*on_done)(void *user, const struct http_response *response))
{
    struct http_request request = {
        .method = method,
        .url = url,
        .token = token,
        .json = json,
        .fresh_connection = true,
        .timeout_ns = LINK_REST_TIMEOUT_NS,
        .max_bytes = max_bytes,
        .on_done = on_done,
        .user = link,
    };
    return http_start(link->http, &request);
}

void link_error_detail(const struct http_response *response, char detail[PROTOCOL_REASON_MAX])
{
    static const char *const ours[] = {"/sessions", "/auth/login", "/requests", "?"};
    bool redirect = response->status >= 300 && response->status < 400;
    size_t length = strlen(response->location);
    if (!redirect || length == 0) {
        protocol_error_detail(response->body, response->body_bytes, detail);
        return;
    }
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        const char *path = strstr(response->location, ours[i]);
        if (path && (size_t)(path - response->location) < length)
            length = (size_t)(path - response->location);
    }
    snprintf(detail, PROTOCOL_REASON_MAX, "a redirect to %.*s: put that address into url",
             length < 150 ? (int)length : 150, response->location);
}

void link_take_date(struct link *link, const struct http_response *response)
{
    if (response->status <= 0 || !response->has_date)
        return;
    date_filter_expect(&link->config.clock->dates, date_server_of(response->server));
    server_clock_add_date(link->config.clock, response->sent_at, response->received_at,
                          response->date, response->fresh_connection);
}

static void plan_date(struct link *link)
{
    struct mono_time at;
    if (date_plan_next(&link->date_plan, &link->config.clock->dates, mono_clock_now(), &at))
        loop_timer_set(link->dates, at);
}

static void date_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    link->date_call = NULL;
    if (response->status > 0)
        date_plan_note(&link->date_plan, link->date_asked_at, response->sent_at,
                       response->received_at);
    link_take_date(link, response);
    texts_forget(link->config.reader, http_take_body(response));
    plan_date(link);
}

void link_ask_date(void *user, struct mono_time now)
{
    struct link *link = user;
    char url[PROTOCOL_URL_MAX];
    if (link->state != LINK_LIVE || link->config.clock->echo_seen || link->date_call)
        return;
    link->date_asked_at = now;
    if (protocol_url(url, sizeof url, link->config.settings->backend.url, "/sessions/%s/playlist",
                     link->session_id))
        link->date_call =
            link_call(link, "GET", url, link->token, NULL, LINK_LIST_MAX_BYTES, date_answered);
}

/* --- cross-check --------------------------------------------------------------------------- */

/* The change may be in what the socket has said and is yet to be parsed. */
static bool hears_news(const struct link *link)
{
    return link->live && link->live->text_count > 0;
}

static void say_difference(unsigned differs)
{
    if (differs & SESSION_PLAYLIST)
        log_info("backend: the playlist changed without a word; looking at the whole state");
}

/* Where it agrees, the socket has missed nothing. Where not, only a new one is to be trusted. */
static void compare(struct link *link, const struct playback_state *playback,
                    struct playlist_message *playlist)
{
    unsigned differs = session_differs(link->config.session, playback, playlist);
    say_difference(differs);
    texts_forget_playlist(link->config.reader, playlist);
    if (differs)
        link_recheck(link);
}

/* What cannot be parsed: the next one will do. */
static void playlist_parsed(void *user, struct text *text, struct parsed *parsed)
{
    struct link *link = user;
    (void)text;
    link->rest_text = NULL;
    if (parsed->good && link->state == LINK_LIVE && !hears_news(link))
        compare(link, NULL, &parsed->playlist);
}

static void parse(struct link *link, enum text_kind kind, const struct http_response *response,
                  void (*done)(void *user, struct text *text, struct parsed *parsed))
{
    struct text_source source = {kind, http_take_body(response), response->body_bytes,
                                 response->received_at};
    link->rest_text = texts_parse(link->config.reader, &source, done, link);
}

static void playlist_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    link->rest = NULL;
    link_take_date(link, response);
    if (response->status == 401 || response->status == 403)
        link_recheck(link); /* the handshake says whether it is true */
    else if (response->status == 200 && response->body_bytes > 0)
        parse(link, TEXT_PLAYLIST, response, playlist_parsed);
}

static void session_parsed(void *user, struct text *text, struct parsed *parsed)
{
    struct link *link = user;
    (void)text;
    link->rest_text = NULL;
    if (link->state != LINK_LIVE || hears_news(link))
        return;
    if (!parsed->good) {
        link_recheck(link);
        return;
    }
    link_plan_recheck(link, loop_now(link->loop));
    compare(link, &parsed->playback, &parsed->playlist);
}

static void session_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    link->rest = NULL;
    link_take_date(link, response);
    if (response->status == 404 || response->status == 405)
        link->no_session_call = true;
    if (response->status == 200 && response->body_bytes > 0)
        parse(link, TEXT_SNAPSHOT, response, session_parsed);
    else
        link_recheck(link);
}

void link_resync(struct link *link, struct mono_time now)
{
    char url[PROTOCOL_URL_MAX];
    const char *base = link->config.settings->backend.url;
    if (link->state != LINK_LIVE || link->rest || link->rest_text)
        return;
    bool whole = mono_sub(now, link->recheck_at) >= 0;
    if (whole && link->no_session_call)
        link_recheck(link);
    if (whole && !link->no_session_call) {
        if (protocol_url(url, sizeof url, base, "/sessions/%s", link->session_id))
            link->rest = link_call(link, "GET", url, link->token, NULL, LINK_LIST_MAX_BYTES,
                                   session_answered);
    } else if (protocol_url(url, sizeof url, base, "/sessions/%s/playlist", link->session_id)) {
        link->rest =
            link_call(link, "GET", url, link->token, NULL, LINK_LIST_MAX_BYTES, playlist_answered);
    }
}
