/*
 * link_session.c: what the backend says, into the session, and on to whoever follows it. core's
 * session says what it changes, and whether that leaves doubt.
 */
#include "link_internal.h"
#include "tutti/base/log.h"

#include <stdio.h>

/* A clock that is not known is asked again so often. */
static const int64_t TURN_AGAIN_NS = NS_PER_S;

/* When the session has to be looked at for what was told to start. */
static void set_turn_timer(struct link *link, struct mono_time now)
{
    const struct session *session = link->config.session;
    const struct server_clock *clock = link->config.clock;
    struct mono_time at = mono_add(now, TURN_AGAIN_NS);
    if (!session->has_next) {
        loop_timer_cancel(link->turn);
        return;
    }
    if (server_clock_estimate(clock, now).ready)
        at = server_clock_mono_at(clock, server_add(session->next.updated_at, SESSION_TURN_NS));
    loop_timer_set(link->turn, at);
}

static void tell(struct link *link, struct session_change change, struct mono_time now)
{
    texts_forget_playlist(link->config.reader, &change.dropped);
    set_turn_timer(link, now);
    if (change.news)
        link->handlers.on_session(link->user, change.news, now);
    if (change.doubtful)
        link_recheck(link);
}

/* Nobody has told what starts, nor anything else: it has started. */
static void turn_fired(void *user, struct mono_time now)
{
    struct link *link = user;
    struct session_change change = {0};
    double length_s = link->handlers.length_s(link->user, now);
    if (server_clock_estimate(link->config.clock, now).ready)
        change = session_turn(link->config.session, server_clock_at(link->config.clock, now),
                              length_s, now);
    tell(link, change, now);
}

bool link_session_init(struct link *link)
{
    link->turn = loop_timer_create(link->loop, turn_fired, link);
    return link->turn != NULL;
}

void link_session_finish(struct link *link)
{
    loop_timer_destroy(link->turn);
}

void link_apply(struct link *link, struct protocol_message *message, struct mono_time now)
{
    double length_s = link->handlers.length_s(link->user, now);
    tell(link, session_apply(link->config.session, message, length_s, now), now);
}

void link_apply_late(struct link *link, struct protocol_message *message, struct mono_time now)
{
    double length_s = link->handlers.length_s(link->user, now);
    tell(link, session_apply_late(link->config.session, message, length_s, now), now);
}

void link_apply_opening(struct link_socket *socket, struct protocol_message *message,
                        struct mono_time now)
{
    struct link *link = socket->link;
    tell(link, session_apply_opening(link->config.session, &socket->opening, message), now);
}

void link_apply_odd(struct link_socket *socket, enum message_type type, const char *reason,
                    struct mono_time now)
{
    struct link *link = socket->link;
    unsigned withheld;
    char others[48] = "";
    struct session_opening *opening = socket == link->connection.live ? NULL : &socket->opening;
    if (!session_note_odd(link->config.session, opening, type, reason, now, &withheld))
        return;
    if (withheld > 0)
        snprintf(others, sizeof others, " (%u odd ones before were not logged)", withheld);
    log_warn("backend: %s; the last good state stays%s", reason, others);
}

void link_apply_adopted(struct link_socket *socket, struct mono_time now)
{
    struct link *link = socket->link;
    double length_s = link->handlers.length_s(link->user, now);
    tell(link, session_adopt(link->config.session, &socket->opening, length_s, now), now);
}

void link_clear_session(struct link *link)
{
    tell(link, session_clear(link->config.session), loop_now(link->loop));
}

void link_expect(struct link *link, const struct playlist_item *item)
{
    session_expect(link->config.session, item, loop_now(link->loop));
}

void link_mark_mine(struct link *link, const char *request_id)
{
    session_mark_mine(link->config.session, request_id);
}
