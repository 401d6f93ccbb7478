/*
 * service_playback.c: the authoritative playback state, and what changes it.
 *
 * A command that says no position means where the music is: what is heard now is computed, the
 * position that was stored is as old as its stamp.
 */
#include "hub_clock.h"
#include "service_internal.h"
#include "tutti/core/protocol.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POSITION_MAX_MS (INT64_C(366) * 24 * 3600 * 1000)

int service_playback_json(struct service *service, const char *session_id, cJSON **ret)
{
    struct store_playback playback;
    int result = store_get_playback(service->store, session_id, &playback);
    if (result <= 0)
        return result < 0 ? result : -ENOENT;
    *ret = wire_playback(&playback);
    return 0;
}

/* By its id; or, as sessions were before they had it, the first one with the track. */
static int find_current(struct service *service, const char *session_id,
                        const struct store_playback *playback, struct store_item *ret)
{
    if (!playback->has_track)
        return 0;
    int known =
        playback->item_id[0] ? store_item(service->store, session_id, playback->item_id, ret) : 0;
    return known == 0 ? store_item_of(service->store, session_id, playback->track_id, ret) : known;
}

int service_get_current(struct service *service, const char *session_id,
                        struct store_playback *ret_playback, struct store_item *ret_item)
{
    int result = store_get_playback(service->store, session_id, ret_playback);
    if (result <= 0)
        return result < 0 ? result : -ENOENT;
    return find_current(service, session_id, ret_playback, ret_item);
}

/* --- what is kept and told ----------------------------------------------------------------- */

/* When what is played is over. */
static int plan(struct service *service, const char *session_id, struct store_playback *playback)
{
    struct store_item item = {.duration_s = -1};
    struct store_rules rules;
    struct turn_facts facts = {
        .timeline = {playback->playing, (double)playback->position_ms / 1e3, {0}}};
    int result = find_current(service, session_id, playback, &item);
    if (result < 0)
        return result;
    result = store_get_rules(service->store, session_id, &rules);
    if (result <= 0)
        return result < 0 ? result : -ENOENT;
    facts.length_s = item.duration_s;
    facts.advance = service_advances(service, &rules) &&
                    protocol_parse_time(playback->updated_at, &facts.timeline.anchored_at);
    playback->turn_at_ns = turn_due(&facts).ns;
    return 0;
}

/* Stored first: what everybody was told is never lost. */
static int keep(struct service *service, const char *session_id, struct store_playback *playback)
{
    int result = plan(service, session_id, playback);
    if (result == 0)
        result = store_set_playback(service->store, session_id, playback);
    if (result == 0)
        service_announce(service, session_id, "playback_state", wire_playback(playback));
    return result == 0 ? service_tell_next(service, session_id) : result;
}

int service_set_playback(struct service *service, const char *session_id,
                         struct store_playback *playback, struct server_time stamp)
{
    char text[PROTOCOL_TIME_MAX];
    protocol_format_time(stamp.ns, text);
    snprintf(playback->updated_at, sizeof playback->updated_at, "%s", text);
    return keep(service, session_id, playback);
}

int service_plan_turn(struct service *service, const char *session_id)
{
    struct store_playback playback;
    int result = store_get_playback(service->store, session_id, &playback);
    if (result <= 0)
        return result < 0 ? result : -ENOENT;
    int64_t before_ns = playback.turn_at_ns;
    result = plan(service, session_id, &playback);
    if (result < 0 || playback.turn_at_ns == before_ns)
        return result;
    result = store_set_playback(service->store, session_id, &playback);
    return result == 0 ? service_retell_next(service, session_id, before_ns) : result;
}

static void stand_at(struct store_playback *playback, const struct store_item *item)
{
    playback->has_track = item != NULL;
    snprintf(playback->track_id, sizeof playback->track_id, "%s", item ? item->track_id : "");
    snprintf(playback->item_id, sizeof playback->item_id, "%s", item ? item->id : "");
}

void service_point_at(struct store_playback *playback, const struct store_item *item)
{
    stand_at(playback, item);
    playback->position_ms = 0;
}

int service_mend_current(struct service *service, const char *session_id, int64_t position)
{
    struct store_playback playback;
    struct store_item item;
    int64_t length = 0;
    int result = store_get_playback(service->store, session_id, &playback);
    if (result <= 0)
        return result < 0 ? result : -ENOENT;
    result = store_playlist_length(service->store, session_id, &length);
    if (result < 0)
        return result;
    if (position >= length)
        position = length - 1;
    int found = position < 0 ? 0 : store_item_at(service->store, session_id, position, &item);
    if (found < 0)
        return found;
    service_point_at(&playback, found ? &item : NULL);
    if (!found)
        playback.playing = false;
    return service_set_playback(service, session_id, &playback, hub_clock_now());
}

int service_stand_elsewhere(struct service *service, const char *session_id)
{
    struct store_playback playback;
    struct store_item item;
    int known = service_get_current(service, session_id, &playback, &item);
    if (known <= 0 || strcmp(playback.item_id, item.id) == 0)
        return known < 0 ? known : 0;
    stand_at(&playback, &item);
    return keep(service, session_id, &playback);
}

/* --- what a command says ------------------------------------------------------------------- */

/* Each part of a command is taken by a function that returns 0; an HTTP status with *ret_wrong; or
 * -errno. */

/* The position of now, which becomes its stamp. One beyond the end is heard as the end. */
static int hear(struct service *service, const char *session_id, struct store_playback *playback,
                struct server_time now)
{
    struct server_time since;
    struct store_item item;
    if (!playback->playing || !protocol_parse_time(playback->updated_at, &since))
        return 0;
    int64_t elapsed_ms = server_sub(now, since) / NS_PER_MS;
    int64_t heard_ms = playback->position_ms + (elapsed_ms > 0 ? elapsed_ms : 0);
    int known = find_current(service, session_id, playback, &item);
    if (known < 0)
        return known;
    int64_t end_ms =
        known && item.duration_s > 0 ? (int64_t)(item.duration_s * 1e3) : POSITION_MAX_MS;
    /* Who asked for a place beyond the end stays there. */
    if (heard_ms > end_ms)
        heard_ms = playback->position_ms > end_ms ? playback->position_ms : end_ms;
    playback->position_ms = heard_ms;
    return 0;
}

/* One item among several with its track. */
static int take_item(struct service *service, const char *session_id, const char *item_id,
                     struct store_playback *playback, const char **ret_wrong)
{
    struct store_item item;
    int known = store_item(service->store, session_id, item_id, &item);
    *ret_wrong = "item_id: the playlist has no such item";
    if (known != 1)
        return known < 0 ? known : 404;
    if (!playback->has_track || strcmp(item.track_id, playback->track_id) != 0 ||
        strcmp(item.id, playback->item_id) != 0)
        service_point_at(playback, &item);
    return 0;
}

/* So much before its end a track's time counts as over, for those who go on early. */
#define END_SLACK_MS 500

/* The item beside this one, if it is one with the track. */
static int beside_with(struct service *service, const char *session_id,
                       const struct store_item *here, int by, const char *track_id,
                       struct store_item *ret)
{
    int known = store_item_at(service->store, session_id, here->position + by, ret);
    return known == 1 ? strcmp(ret->track_id, track_id) == 0 : known;
}

/* Which item with the track is meant by who names the track alone: as speakers have it (core's
 * place.h). playback is as it is heard now. */
static int find_place(struct service *service, const char *session_id,
                      const struct store_playback *playback, const char *track_id,
                      int64_t position_ms, struct store_item *ret)
{
    struct store_item here;
    int known = find_current(service, session_id, playback, &here);
    if (known < 0)
        return known;
    bool same = known && strcmp(here.track_id, track_id) == 0;
    bool over = same && playback->playing && here.duration_s > 0 && position_ms == 0 &&
                (double)playback->position_ms >= here.duration_s * 1e3 - END_SLACK_MS;
    int beside =
        known && (over || !same) ? beside_with(service, session_id, &here, 1, track_id, ret) : 0;
    if (beside != 0)
        return beside;
    if (same) {
        *ret = here;
        return 1;
    }
    beside = known ? beside_with(service, session_id, &here, -1, track_id, ret) : 0;
    return beside ? beside : store_item_of(service->store, session_id, track_id, ret);
}

static int take_track(struct service *service, const char *session_id, const cJSON *payload,
                      struct store_playback *playback, const char **ret_wrong)
{
    struct store_item item;
    const char *item_id = service_text(payload, "item_id");
    if (item_id)
        return take_item(service, session_id, item_id, playback, ret_wrong);
    const cJSON *track = cJSON_GetObjectItemCaseSensitive(payload, "track_id");
    if (!track || cJSON_IsNull(track))
        return 0;
    const char *track_id = service_text(payload, "track_id");
    int known = track_id
                    ? find_place(service, session_id, playback, track_id,
                                 service_whole(payload, "position_ms", -1, POSITION_MAX_MS), &item)
                    : 0;
    *ret_wrong = "track_id: no item of the playlist has it";
    if (known != 1)
        return known < 0 ? known : 422;
    if (!playback->has_track || strcmp(track_id, playback->track_id) != 0)
        service_point_at(playback, &item);
    stand_at(playback, &item);
    return 0;
}

static int take_position(const cJSON *payload, struct store_playback *playback,
                         const char **ret_wrong)
{
    int64_t position =
        service_whole(payload, "position_ms", playback->position_ms, POSITION_MAX_MS);
    *ret_wrong = "position_ms: a whole number of milliseconds from 0 on is wanted";
    if (position < 0)
        return 422;
    playback->position_ms = position;
    return 0;
}

static int take_state(const cJSON *body, struct store_playback *playback, const char **ret_wrong)
{
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(body, "state");
    const char *text = service_text(body, "state");
    *ret_wrong = "state: playing or paused is wanted";
    if (!state || cJSON_IsNull(state))
        return 0;
    if (!text || (strcmp(text, "playing") != 0 && strcmp(text, "paused") != 0))
        return 422;
    playback->playing = strcmp(text, "playing") == 0;
    return 0;
}

static int take_action(const char *action, struct store_playback *playback, const char **ret_wrong)
{
    *ret_wrong = "action: play, pause, seek, skip_next or skip_prev is wanted";
    if (!action)
        return 422;
    if (strcmp(action, "play") == 0)
        playback->playing = true;
    else if (strcmp(action, "pause") == 0)
        playback->playing = false;
    else if (strcmp(action, "seek") != 0)
        return 422;
    return 0;
}

static struct reply refuse(int status, const char *wrong)
{
    return status < 0 ? service_store_error(status, "The session cannot be read")
                      : reply_error(status, wrong);
}

static struct reply done(struct service *service, const char *session_id,
                         struct store_playback *playback, struct server_time now)
{
    int result = service_set_playback(service, session_id, playback, now);
    if (result < 0)
        return service_store_error(result, "The state could not be stored");
    return (struct reply){.status = 200, .body = wire_playback(playback)};
}

/* --- the calls ----------------------------------------------------------------------------- */

static bool begin(struct service *service, const struct caller *caller, const char *session_id,
                  struct store_playback *ret, struct reply *ret_refusal)
{
    struct admission admission;
    if (!service_admit(service, caller, session_id, ROLE_CONTROLLER, &admission, ret_refusal))
        return false;
    int known = store_get_playback(service->store, session_id, ret);
    if (known == 1)
        return true;
    *ret_refusal = refuse(known < 0 ? known : 404, "Session not found");
    return false;
}

struct reply service_playback(struct service *service, const struct caller *caller,
                              const char *session_id, const cJSON *body)
{
    struct store_playback playback;
    struct reply refusal;
    const char *wrong = NULL;
    struct server_time now = hub_clock_now();
    if (service_text(body, "action"))
        return service_command(service, caller, session_id, body);
    if (!begin(service, caller, session_id, &playback, &refusal))
        return refusal;
    int status = hear(service, session_id, &playback, now);
    if (status == 0)
        status = take_track(service, session_id, body, &playback, &wrong);
    if (status == 0)
        status = take_position(body, &playback, &wrong);
    if (status == 0)
        status = take_state(body, &playback, &wrong);
    return status ? refuse(status, wrong) : done(service, session_id, &playback, now);
}

/* --- skips --------------------------------------------------------------------------------- */

/* The item that the skip is meant from: the one that it names, else the current one. */
static int skip_from(struct service *service, const char *session_id,
                     const struct store_playback *playback, const char *item_id,
                     struct store_item *ret)
{
    int known = item_id ? store_item(service->store, session_id, item_id, ret) : 0;
    return known == 0 ? find_current(service, session_id, playback, ret) : known;
}

/* 1: where it leads to; 0: nowhere. Who does not say from where, as those do who know nothing of a
 * hub, begins the last one again instead. */
static int skip_to(struct service *service, const char *session_id,
                   const struct store_playback *playback, const char *item_id, int by,
                   struct store_item *ret)
{
    struct store_rules rules;
    struct store_item from;
    int known = store_get_rules(service->store, session_id, &rules);
    if (known <= 0)
        return known < 0 ? known : -ENOENT;
    known = skip_from(service, session_id, playback, item_id, &from);
    if (known < 0)
        return known;
    if (known == 0)
        return store_item_at_end(service->store, session_id, rules.shuffle, 1, ret);
    known = service_find_turn(service, session_id, &rules, &from, by, false, ret);
    if (known == 0 && !item_id) {
        *ret = from;
        return 1;
    }
    return known;
}

/* Somebody skips a track that has just ended by itself: he is where he wants to be, and what has
 * begun is not begun again. */
static bool is_there_already(const struct store_playback *playback, const char *from_id,
                             const struct store_item *to)
{
    return from_id && strcmp(from_id, playback->item_id) != 0 &&
           strcmp(to->id, playback->item_id) == 0;
}

static struct reply skip(struct service *service, const char *session_id, const cJSON *payload,
                         struct store_playback *playback, int by)
{
    struct store_item to;
    int64_t length = 0;
    const char *item_id = service_text(payload, "item_id");
    int result = store_playlist_length(service->store, session_id, &length);
    if (result < 0)
        return refuse(result, NULL);
    if (length == 0)
        return reply_error(409, "The playlist is empty");
    int known = skip_to(service, session_id, playback, item_id, by, &to);
    if (known < 0)
        return refuse(known, NULL);
    if (known == 0)
        return reply_error(409, "This is the last track of the playlist; none comes after it");
    if (is_there_already(playback, item_id, &to)) {
        service_announce(service, session_id, "playback_state", wire_playback(playback));
        return (struct reply){.status = 200, .body = wire_playback(playback)};
    }
    service_point_at(playback, &to);
    return done(service, session_id, playback, hub_clock_now());
}

struct reply service_command(struct service *service, const struct caller *caller,
                             const char *session_id, const cJSON *payload)
{
    struct store_playback playback;
    struct reply refusal;
    const char *wrong = NULL;
    struct server_time now = hub_clock_now();
    const char *action = service_text(payload, "action");
    if (!begin(service, caller, session_id, &playback, &refusal))
        return refusal;
    if (action && strcmp(action, "skip_next") == 0)
        return skip(service, session_id, payload, &playback, 1);
    if (action && strcmp(action, "skip_prev") == 0)
        return skip(service, session_id, payload, &playback, -1);
    int status = hear(service, session_id, &playback, now);
    if (status == 0)
        status = take_action(action, &playback, &wrong);
    if (status == 0 && strcmp(action, "pause") != 0) /* that is the current track's, whatever */
        status = take_track(service, session_id, payload, &playback, &wrong);
    if (status == 0)
        status = take_position(payload, &playback, &wrong);
    if (status)
        return refuse(status, wrong);
    if (!playback.has_track)
        return reply_error(409, "There is no track to play");
    return done(service, session_id, &playback, now);
}
