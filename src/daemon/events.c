/*
 * events.c: what subscribers of the control socket are told without asking.
 *
 * Changes are noted where they happen and told together a moment later, so that a burst of them
 * is one line. Without subscribers nothing is built and no timer runs.
 */
#include "daemon_internal.h"

#include <stdlib.h>

/* While it plays, the status goes out this often: for a progress bar and a plot of the drift. */
static const int64_t STATUS_NS = 250 * NS_PER_MS;

static void tell(struct daemon *daemon, const char *event, cJSON *what)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "event", event);
    cJSON_AddItemToObject(body, event, what);
    char *line = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    if (line)
        control_socket_broadcast(daemon->control, line);
    free(line);
}

static void tell_news(struct daemon *daemon, unsigned news, struct mono_time now)
{
    if (news & EVENTS_PLAYLIST)
        tell(daemon, "playlist", status_build_playlist(daemon));
    if (news & EVENTS_REQUESTS)
        tell(daemon, "requests", status_build_requests(daemon));
    if (news & EVENTS_STATUS)
        tell(daemon, "status", status_build(daemon, now));
}

static bool plays(const struct daemon *daemon, struct mono_time now)
{
    return player_get_status(daemon->player, now).state == TRANSPORT_PLAYING;
}

static void events_fired(void *user, struct mono_time now)
{
    struct daemon *daemon = user;
    struct events *events = &daemon->events;
    if (!control_socket_has_subscribers(daemon->control))
        return;
    unsigned news = events->news;
    events->news = 0;
    events->told_at = now;
    tell_news(daemon, news | (plays(daemon, now) ? EVENTS_STATUS : 0), now);
    if (plays(daemon, now))
        loop_timer_set(events->timer, mono_add(now, STATUS_NS));
}

bool events_init(struct daemon *daemon)
{
    daemon->events.timer = loop_timer_create(daemon->loop, events_fired, daemon);
    return daemon->events.timer != NULL;
}

void events_start(struct daemon *daemon)
{
    loop_timer_set_in(daemon->events.timer, STATUS_NS);
}

/* Not before its quarter of a second, so that nobody is told more often, whatever happens. */
void events_note(struct daemon *daemon, unsigned news)
{
    struct events *events = &daemon->events;
    if (!events->timer || !daemon->control || !control_socket_has_subscribers(daemon->control))
        return;
    events->news |= news;
    loop_timer_set(events->timer, mono_add(events->told_at, STATUS_NS));
}
