/*
 * service_turn.c: the house plays on: at the end of a track its session goes to the next, and after
 * a pause of the hub itself it is where it was.
 */
#include "hub_clock.h"
#include "service_internal.h"
#include "tutti/base/log.h"
#include "tutti/core/protocol.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>

/* One call does no more of them: the others' sockets are served in between. */
#define TURNS_AT_ONCE 8
/* The hub was away: whoever comes back later finds the music paused. */
#define AWAY_NS (60 * NS_PER_S)

/* --- where to ------------------------------------------------------------------------------ */

int service_find_turn(struct service *service, const char *session_id,
                      const struct store_rules *rules, const struct store_item *from, int by,
                      bool at_end, struct store_item *ret)
{
    int beside = store_item_beside(service->store, session_id, rules->shuffle, from, by, ret);
    if (beside < 0)
        return beside;
    enum turn_to to = at_end   ? turn_at_end(rules->repeat, beside)
                      : by > 0 ? turn_forward(rules->repeat, beside)
                               : turn_back(rules->repeat, beside);
    switch (to) {
    case TURN_NOWHERE:
        return 0;
    case TURN_SAME:
        *ret = *from;
        return 1;
    case TURN_NEXT:
    case TURN_PREVIOUS:
        return 1;
    case TURN_FIRST:
    case TURN_LAST:
        break;
    }
    return store_item_at_end(service->store, session_id, rules->shuffle, to == TURN_FIRST ? 1 : -1,
                             ret);
}

/* --- at the end of a track ----------------------------------------------------------------- */

/* 1: what is played after the end of the current track; its stamp is the caller's. 0: there is no
 * end, or not any more. */
static int follow(struct service *service, const char *session_id, struct store_playback *ret)
{
    struct store_rules rules;
    struct store_item item, next;
    int result = service_get_current(service, session_id, ret, &item);
    if (result >= 0 && store_get_rules(service->store, session_id, &rules) != 1)
        return -EIO;
    if (result <= 0 || !service_advances(service, &rules))
        return result < 0 ? result : 0;
    int found = service_find_turn(service, session_id, &rules, &item, 1, true, &next);
    if (found < 0)
        return found;
    if (found) {
        service_point_at(ret, &next);
    } else {
        ret->playing = false;
        ret->position_ms = (int64_t)(item.duration_s * 1e3);
    }
    return 1;
}

static bool was_told(const struct service *service, struct server_time due)
{
    return due.ns <= service->told_turn_ns;
}

static int turn(struct service *service, const char *session_id, struct server_time due)
{
    struct store_playback playback;
    int known = follow(service, session_id, &playback);
    if (known <= 0)
        return known < 0 ? known : service_plan_turn(service, session_id);
    struct server_time stamp = turn_stamp(due, hub_clock_now(), was_told(service, due));
    return service_set_playback(service, session_id, &playback, stamp);
}

static int take_due_turns(struct service *service, int64_t *ret_next_ns)
{
    char session_id[STORE_ID_MAX];
    for (int i = 0; i < TURNS_AT_ONCE; i++) {
        int known = store_next_turn(service->store, session_id, ret_next_ns);
        if (known == 0)
            *ret_next_ns = STORE_NEVER;
        if (known <= 0 || *ret_next_ns > hub_clock_now().ns)
            return known < 0 ? known : 0;
        int result = turn(service, session_id, (struct server_time){*ret_next_ns});
        if (result < 0)
            return result;
    }
    return 0;
}

/* --- before it ----------------------------------------------------------------------------- */

int service_next_json(struct service *service, const char *session_id, cJSON **ret)
{
    struct store_playback playback;
    int known = store_get_playback(service->store, session_id, &playback);
    if (known <= 0)
        return known;
    struct server_time due = {playback.turn_at_ns};
    known = turn_is_near(due, hub_clock_now()) ? follow(service, session_id, &playback) : 0;
    if (known <= 0 || !playback.playing)
        return known < 0 ? known : 0;
    protocol_format_time(due.ns, playback.updated_at);
    *ret = wire_playback(&playback);
    return 1;
}

int service_tell_next(struct service *service, const char *session_id)
{
    cJSON *next;
    int known = service_next_json(service, session_id, &next);
    if (known == 1)
        service_announce(service, session_id, "next_state", next);
    return known < 0 ? known : 0;
}

static int is_near(struct service *service, const char *session_id)
{
    struct store_playback playback;
    int known = store_get_playback(service->store, session_id, &playback);
    if (known < 0)
        return known;
    return known && turn_is_near((struct server_time){playback.turn_at_ns}, hub_clock_now());
}

int service_retell_next(struct service *service, const char *session_id, int64_t before_ns)
{
    cJSON *next;
    bool was_near = turn_is_near((struct server_time){before_ns}, hub_clock_now());
    int near = is_near(service, session_id);
    if (near < 0 || (!near && !was_near)) /* nothing was told */
        return near;
    int known = service_next_json(service, session_id, &next);
    if (known < 0)
        return known;
    if (known == 0) {
        next = cJSON_CreateObject();
        cJSON_AddNullToObject(next, "track_id");
    }
    service_announce(service, session_id, "next_state", next);
    return 0;
}

/* In their order, each once; whatever changes one of them later tells it anew. */
static int tell_near_turns(struct service *service, int64_t *ret_next_ns)
{
    struct server_time now = hub_clock_now();
    if (service->told_turn_ns > now.ns + TURN_NEAR_NS) /* the clock was set back */
        service->told_turn_ns = now.ns;
    for (int i = 0; i < TURNS_AT_ONCE; i++) {
        char session_id[STORE_ID_MAX];
        struct server_time due = {service->told_turn_ns};
        snprintf(session_id, sizeof session_id, "%s", service->told_turn_id);
        int known = store_turn_after(service->store, session_id, &due.ns);
        *ret_next_ns = known == 1 ? due.ns - TURN_NEAR_NS : STORE_NEVER;
        if (known <= 0 || !turn_is_near(due, now))
            return known < 0 ? known : 0;
        known = service_tell_next(service, session_id);
        if (known < 0)
            return known;
        service->told_turn_ns = due.ns;
        snprintf(service->told_turn_id, sizeof service->told_turn_id, "%s", session_id);
    }
    *ret_next_ns = now.ns;
    return 0;
}

int service_take_turns(struct service *service, int64_t *ret_next_ns)
{
    int64_t tell_ns;
    int result = take_due_turns(service, ret_next_ns);
    if (result == 0)
        result = tell_near_turns(service, &tell_ns);
    if (result == 0 && tell_ns < *ret_next_ns)
        *ret_next_ns = tell_ns;
    return result;
}

int service_plan_all(struct service *service)
{
    char session_id[STORE_ID_MAX] = "";
    int known;
    while ((known = store_next_playing(service->store, session_id)) == 1) {
        known = service_plan_turn(service, session_id);
        if (known < 0)
            break;
    }
    return known;
}

/* --- after a pause of the hub -------------------------------------------------------------- */

/* What was heard when the hub went. */
static int64_t position_at(const struct store_playback *playback, const struct store_item *item,
                           struct server_time at)
{
    struct server_time since;
    if (!protocol_parse_time(playback->updated_at, &since) || server_sub(at, since) < 0)
        return playback->position_ms;
    int64_t heard_ms = playback->position_ms + server_sub(at, since) / NS_PER_MS;
    int64_t end_ms = (int64_t)(item->duration_s * 1e3);
    return item->duration_s > 0 && heard_ms > end_ms ? end_ms : heard_ms;
}

/* 1: it was changed. A track that is not over yet plays on where it would be by now. */
static int resume_one(struct service *service, const char *session_id, bool play,
                      struct server_time alive)
{
    struct store_playback playback;
    struct store_item item;
    struct server_time now = hub_clock_now();
    int known = service_get_current(service, session_id, &playback, &item);
    if (known <= 0 || !playback.playing || (play && playback.turn_at_ns > now.ns))
        return known < 0 ? known : 0;
    playback.position_ms = position_at(&playback, &item, alive);
    playback.playing = play;
    known = service_set_playback(service, session_id, &playback, now);
    return known < 0 ? known : 1;
}

int service_resume(struct service *service, enum service_resume how)
{
    char session_id[STORE_ID_MAX] = "";
    int64_t alive_ns;
    int known = store_get_alive(service->store, &alive_ns);
    if (known <= 0)
        return known;
    int64_t away_ns = hub_clock_now().ns - alive_ns;
    service->told_turn_ns = alive_ns + TURN_NEAR_NS; /* while it ran, those that were near */
    if (how != RESUME_PAUSED && away_ns <= AWAY_NS)
        return 0;
    while ((known = store_next_to_resume(service->store, session_id)) == 1) {
        known =
            resume_one(service, session_id, how == RESUME_PLAYING, (struct server_time){alive_ns});
        if (known < 0)
            break;
        if (known == 0)
            continue;
        log_info("session %.8s was playing when the hub stopped, %lld s ago: it is %s", session_id,
                 (long long)(away_ns / NS_PER_S),
                 how == RESUME_PLAYING ? "played on" : "paused ([session] resume)");
    }
    return known;
}

int service_stay_alive(struct service *service)
{
    return store_set_alive(service->store, hub_clock_now().ns);
}
