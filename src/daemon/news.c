/*
 * news.c: what subscribers have yet to be told is noted where it happens; events.c tells it.
 */
#include "daemon_internal.h"

/* Not before its quarter of a second, so that nobody is told more often, whatever happens. */
void events_note(struct daemon *daemon, unsigned news)
{
    struct events *events = &daemon->events;
    if (!events->timer || !daemon->control || !control_socket_has_subscribers(daemon->control))
        return;
    events->news |= news;
    loop_timer_set(events->timer, mono_add(events->told_at, EVENTS_EVERY_NS));
}

unsigned events_take_news(struct daemon *daemon, struct mono_time now)
{
    unsigned news = daemon->events.news;
    daemon->events.news = 0;
    daemon->events.told_at = now;
    return news;
}
