/*
 * link_rest.c: what is asked over REST by and by: the playlist, for comparison, and Dates.
 *
 * Every answer's Date is evidence for the clock.
 */
#include "link_internal.h"
#include "tutti/base/log.h"

#include <stdio.h>
#include <string.h>

struct http_call *link_call(struct link *link, const char *method, const char *url,
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
        link->date_call = link_call(link, "GET", url, link->token, NULL, date_answered);
    loop_timer_set_in(link->dates, LINK_DATE_STEP_NS);
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

static bool same_playback(const struct playback_state *a, const struct playback_state *b)
{
    return a->has_track == b->has_track && strcmp(a->track_id, b->track_id) == 0 &&
           a->position_ms == b->position_ms && a->playing == b->playing &&
           a->updated_at.ns == b->updated_at.ns;
}

/* Where it agrees, the socket has missed nothing. Where not, only a new one is to be trusted. */
static void session_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    struct playback_state playback;
    struct playlist_message playlist;
    char reason[PROTOCOL_REASON_MAX];
    link->rest = NULL;
    link_take_date(link, response);
    if (response->status == 404 || response->status == 405)
        link->no_session_call = true;
    if (response->status != 200 || !protocol_parse_snapshot(response->body, response->body_bytes,
                                                            &playback, &playlist, reason)) {
        link_recheck(link);
        return;
    }
    link_plan_recheck(link, loop_now(link->loop));
    if (!link->has_playback || !same_playback(&playback, &link->playback))
        link_recheck(link);
    link->handlers.on_resync(link->user, &playlist);
}

void link_resync(struct link *link, struct mono_time now)
{
    char url[PROTOCOL_URL_MAX];
    const char *base = link->config.settings->backend.url;
    if (link->state != LINK_LIVE || link->rest)
        return;
    bool whole = mono_sub(now, link->recheck_at) >= 0;
    if (whole && link->no_session_call)
        link_recheck(link);
    if (whole && !link->no_session_call) {
        if (protocol_url(url, sizeof url, base, "/sessions/%s", link->session_id))
            link->rest = link_call(link, "GET", url, link->token, NULL, session_answered);
    } else if (protocol_url(url, sizeof url, base, "/sessions/%s/playlist", link->session_id)) {
        link->rest = link_call(link, "GET", url, link->token, NULL, playlist_answered);
    }
}
