/*
 * link_session.c: what the backend says, into the session, and on to whoever follows it. core's
 * session says what it changes, and whether that leaves doubt.
 */
#include "link_internal.h"
#include "tutti/base/log.h"

#include <stdio.h>

static void tell(struct link *link, struct session_change change, struct mono_time now)
{
    texts_forget_playlist(link->config.reader, &change.dropped);
    if (change.news)
        link->handlers.on_session(link->user, change.news, now);
    if (change.doubtful)
        link_recheck(link);
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
