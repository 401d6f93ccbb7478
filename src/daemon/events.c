/*
 * events.c: what subscribers of the control socket are told without asking.
 *
 * A playlist may be long: what has changed in it is told, not all of it. Changes are noted where
 * they happen and told together a moment later, so that a burst of them is one line. Without
 * subscribers nothing is built and no timer runs.
 */
#include "daemon_internal.h"
#include "listing.h"

#include <stdlib.h>
#include <string.h>

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

/* --- lists --------------------------------------------------------------------------------- */

struct telling {
    struct daemon *daemon;
    const struct playlist_change *change; /* NULL: the requests */
};

static struct listing *list_change(const struct daemon *daemon,
                                   const struct playlist_change *change)
{
    cJSON *members = cJSON_CreateObject();
    cJSON_AddStringToObject(members, "event", "playlist_change");
    cJSON_AddNumberToObject(members, "at", (double)change->at);
    cJSON_AddNumberToObject(members, "removed", (double)change->removed);
    struct listing *listing = listing_create(daemon, members);
    listing_add_items(listing, "items", change->at, change->at + change->added);
    return listing;
}

static struct listing *list_requests(const struct daemon *daemon)
{
    cJSON *members = cJSON_CreateObject();
    cJSON_AddStringToObject(members, "event", "requests");
    struct listing *listing = listing_create(daemon, members);
    listing_add_requests(listing, &daemon->session->requests, "requests");
    return listing;
}

/* Each subscriber reads at its own pace. */
static void tell_list(void *user, struct control_client *client)
{
    const struct telling *telling = user;
    listing_send(telling->change ? list_change(telling->daemon, telling->change)
                                 : list_requests(telling->daemon),
                 client);
}

static void tell_requests(struct daemon *daemon)
{
    control_socket_each_subscriber(daemon->control, tell_list, &(struct telling){daemon, NULL});
}

/* As they know it from now on; NULL prints of some items: no memory. */
static void remember_prints(struct daemon *daemon)
{
    struct events *events = &daemon->events;
    size_t count = daemon->session->playlist.count, bytes = count * sizeof *events->prints;
    free(events->prints);
    events->prints = count > 0 ? malloc(bytes) : NULL;
    events->print_count = count;
    if (events->prints)
        memcpy(events->prints, playlist_prints(&daemon->session->playlist), bytes);
}

static size_t compare(const struct daemon *daemon,
                      struct playlist_change changes[PLAYLIST_CHANGES_MAX])
{
    const struct events *events = &daemon->events;
    const struct playlist_message *now = &daemon->session->playlist;
    if (events->prints && now->count > 0)
        return playlist_compare(events->prints, events->print_count, playlist_prints(now),
                                now->count, changes);
    changes[0] = (struct playlist_change){0, events->print_count, now->count};
    return changes[0].removed + changes[0].added > 0;
}

static void tell_playlist(struct daemon *daemon)
{
    struct playlist_change changes[PLAYLIST_CHANGES_MAX];
    size_t count = compare(daemon, changes);
    for (size_t i = 0; i < count; i++)
        control_socket_each_subscriber(daemon->control, tell_list,
                                       &(struct telling){daemon, &changes[i]});
    if (count > 0)
        remember_prints(daemon);
}

static void tell_news(struct daemon *daemon, unsigned news, struct mono_time now)
{
    if (news & EVENTS_PLAYLIST)
        tell_playlist(daemon);
    if (news & EVENTS_REQUESTS)
        tell_requests(daemon);
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
    if (!control_socket_has_subscribers(daemon->control))
        return;
    unsigned news = events_take_news(daemon, now);
    tell_news(daemon, news | (plays(daemon, now) ? EVENTS_STATUS : 0), now);
    if (plays(daemon, now))
        loop_timer_set(daemon->events.timer, mono_add(now, EVENTS_EVERY_NS));
}

bool events_init(struct daemon *daemon)
{
    daemon->events.timer = loop_timer_create(daemon->loop, events_fired, daemon);
    return daemon->events.timer != NULL;
}

void events_start(struct daemon *daemon)
{
    if (control_socket_has_subscribers(daemon->control))
        tell_playlist(daemon);
    else
        remember_prints(daemon);
    loop_timer_set_in(daemon->events.timer, EVENTS_EVERY_NS);
}

void events_finish(struct daemon *daemon)
{
    loop_timer_destroy(daemon->events.timer);
    free(daemon->events.prints);
    daemon->events.timer = NULL;
    daemon->events.prints = NULL;
}
