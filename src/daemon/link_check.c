/*
 * link_check.c: what is known of the session, compared over REST with what the backend has. When,
 * and what an answer says, core/resync decides; whether it differs, core/session.
 */
#include "link_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/mono_clock.h"

static int64_t interval_ns(const struct link *link)
{
    return s_to_ns(link->config.settings->sync.resync_interval_s);
}

static void note_whole(struct link *link, struct mono_time now)
{
    resync_looked(&link->check.plan, interval_ns(link), backoff_random(&link->connection.backoff),
                  now);
}

void link_check_adopted(struct link *link, bool first, struct mono_time now)
{
    if (first)
        resync_connected(&link->check.plan);
    note_whole(link, now);
}

/* --- an answer ----------------------------------------------------------------------------- */

/* Where it agrees, the socket has missed nothing. Where not, only a new one is to be trusted. */
static void compare(struct link *link, struct parsed *parsed)
{
    const struct playback_state *playback =
        parsed->kind == TEXT_SNAPSHOT ? &parsed->playback : NULL;
    unsigned differs = session_differs(link->config.session, playback, &parsed->playlist);
    if (differs & SESSION_PLAYLIST)
        log_info("backend: the playlist changed without a word; looking at the whole state");
    texts_forget_playlist(link->config.reader, &parsed->playlist);
    if (playback)
        note_whole(link, loop_now(link->loop));
    if (differs)
        link_recheck(link);
}

/* The change may be in what the socket has said and is yet to be parsed. */
static bool hears_news(const struct link *link)
{
    const struct link_socket *live = link->connection.live;
    return live && live->text;
}

static void answer_parsed(void *user, struct text *text, struct parsed *parsed)
{
    struct link *link = user;
    (void)text;
    link->check.text = NULL;
    if (!link_is_live(link) || hears_news(link))
        return;
    if (parsed->good)
        compare(link, parsed);
    else if (resync_unreadable(link->check.asked) == RESYNC_DISTRUST)
        link_recheck(link);
}

static void parse(struct link *link, const struct http_response *response)
{
    enum text_kind kind = link->check.asked == RESYNC_STATE ? TEXT_SNAPSHOT : TEXT_PLAYLIST;
    struct text_source source = {.kind = kind,
                                 .bytes = response->body_bytes,
                                 .text = http_take_body(response),
                                 .received = response->received_at};
    link->check.text = texts_parse(link->config.reader, &source, answer_parsed, link);
}

static void answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    struct link_check *check = &link->check;
    check->call = NULL;
    link_take_date(link, response);
    switch (
        resync_answered(&check->plan, check->asked, response->status, response->body_bytes > 0)) {
    case RESYNC_COMPARE:
        parse(link, response);
        break;
    case RESYNC_DISTRUST:
        link_recheck(link);
        break;
    case RESYNC_IGNORE:
        break;
    }
}

/* --- asking -------------------------------------------------------------------------------- */

static void ask(struct link *link)
{
    char url[PROTOCOL_URL_MAX];
    const struct link_pass *pass = &link->member.used;
    struct http_request request = {.method = "GET",
                                   .url = url,
                                   .token = pass->token,
                                   .max_bytes = LINK_LIST_MAX_BYTES,
                                   .on_done = answered,
                                   .user = link};
    if (protocol_url(url, sizeof url, link->config.settings->backend.url, "/sessions/%s%s",
                     pass->session_id, link->check.asked == RESYNC_STATE ? "" : "/playlist"))
        link->check.call = link_call(link, &request);
}

static void look(struct link *link, struct mono_time now)
{
    struct link_check *check = &link->check;
    if (!link_is_live(link) || check->call || check->text)
        return;
    check->asked = resync_next(&check->plan, now);
    if (check->asked == RESYNC_SOCKET)
        link_recheck(link);
    ask(link);
}

/* Where an echo says all of the time, with whatever wakes the board about then. */
static void set_timer(struct link *link)
{
    int64_t early_ns = link->config.clock->echo_seen ? interval_ns(link) / 8 : 0;
    struct mono_time at = link_time_of_check(link, mono_add(mono_clock_now(), interval_ns(link)));
    loop_timer_set_between(link->check.timer, mono_add(at, -early_ns), at);
}

static void timer_fired(void *user, struct mono_time now)
{
    struct link *link = user;
    link_end_late_opening(link, now);
    look(link, now);
    set_timer(link);
}

/* --- life ---------------------------------------------------------------------------------- */

bool link_check_init(struct link *link)
{
    link->check.timer = loop_timer_create(link->loop, timer_fired, link);
    if (link->check.timer)
        set_timer(link);
    return link->check.timer != NULL;
}

void link_cancel_check(struct link *link)
{
    http_cancel(link->check.call);
    texts_cancel(link->check.text);
    link->check.call = NULL;
    link->check.text = NULL;
}

void link_check_finish(struct link *link)
{
    link_cancel_check(link);
    loop_timer_destroy(link->check.timer);
}
