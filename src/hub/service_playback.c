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

/* Stamps the playback with the time of now, keeps it and tells everybody. Stored first: what
 * everybody was told is never lost. The stamp is taken last, so that it is as young as can be when
 * it is heard; storing it takes a fraction of a millisecond. */
static int set_playback(struct service *service, const char *session_id,
                        struct store_playback *playback)
{
    char now[PROTOCOL_TIME_MAX];
    protocol_format_time(hub_clock_now().ns, now);
    snprintf(playback->updated_at, sizeof playback->updated_at, "%s", now);
    int result = store_set_playback(service->store, session_id, playback);
    if (result == 0)
        service_announce(service, session_id, "playback_state", wire_playback(playback));
    return result;
}

static void point_at(struct store_playback *playback, const struct store_item *item)
{
    playback->has_track = item != NULL;
    snprintf(playback->track_id, sizeof playback->track_id, "%s", item ? item->track_id : "");
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
    point_at(&playback, found ? &item : NULL);
    if (!found)
        playback.playing = false;
    return set_playback(service, session_id, &playback);
}

/* --- what a command says ------------------------------------------------------------------- */

/* Each part of a command is taken by a function that returns 0; an HTTP status with *ret_wrong; or
 * -errno. */

/* The position of now. One beyond the end is heard as the end. */
static int hear(struct service *service, const char *session_id, struct store_playback *playback)
{
    struct server_time since;
    struct store_item item;
    if (!playback->playing || !protocol_parse_time(playback->updated_at, &since))
        return 0;
    int64_t elapsed_ms = (hub_clock_now().ns - since.ns) / NS_PER_MS;
    int64_t heard_ms = playback->position_ms + (elapsed_ms > 0 ? elapsed_ms : 0);
    int known = store_item_of(service->store, session_id, playback->track_id, &item);
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

static int take_track(struct service *service, const char *session_id, const cJSON *payload,
                      struct store_playback *playback, const char **ret_wrong)
{
    struct store_item item;
    const cJSON *track = cJSON_GetObjectItemCaseSensitive(payload, "track_id");
    if (!track || cJSON_IsNull(track))
        return 0;
    const char *track_id = service_text(payload, "track_id");
    int known = track_id ? store_item_of(service->store, session_id, track_id, &item) : 0;
    *ret_wrong = "track_id: no item of the playlist has it";
    if (known != 1)
        return known < 0 ? known : 422;
    if (!playback->has_track || strcmp(track_id, playback->track_id) != 0)
        point_at(playback, &item);
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
                         struct store_playback *playback)
{
    int result = set_playback(service, session_id, playback);
    if (result < 0)
        return service_store_error(result, "The state could not be stored");
    return (struct reply){.status = 200, .body = wire_playback(playback)};
}

/* --- the calls ----------------------------------------------------------------------------- */

static bool begin(struct service *service, const struct caller *caller, const char *session_id,
                  struct store_playback *ret, struct reply *ret_refusal)
{
    struct admission admission;
    if (!service_admit(service, caller, session_id, ROLE_HOST, &admission, ret_refusal))
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
    if (!begin(service, caller, session_id, &playback, &refusal))
        return refusal;
    int status = hear(service, session_id, &playback);
    if (status == 0)
        status = take_track(service, session_id, body, &playback, &wrong);
    if (status == 0)
        status = take_position(body, &playback, &wrong);
    if (status == 0)
        status = take_state(body, &playback, &wrong);
    return status ? refuse(status, wrong) : done(service, session_id, &playback);
}

static struct reply skip(struct service *service, const char *session_id,
                         struct store_playback *playback, int64_t by)
{
    struct store_item item;
    int64_t length = 0;
    int result = store_playlist_length(service->store, session_id, &length);
    if (result < 0)
        return refuse(result, NULL);
    if (length == 0)
        return reply_error(409, "The playlist is empty");
    int known = playback->has_track
                    ? store_item_of(service->store, session_id, playback->track_id, &item)
                    : 0;
    if (known < 0)
        return refuse(known, NULL);
    int64_t to = known ? item.position + by : 0;
    if (to < 0)
        to = 0;
    if (to >= length)
        to = length - 1; /* the last one starts again */
    known = store_item_at(service->store, session_id, to, &item);
    if (known <= 0)
        return refuse(known < 0 ? known : -EIO, NULL);
    point_at(playback, &item);
    return done(service, session_id, playback);
}

struct reply service_command(struct service *service, const struct caller *caller,
                             const char *session_id, const cJSON *payload)
{
    struct store_playback playback;
    struct reply refusal;
    const char *wrong = NULL;
    const char *action = service_text(payload, "action");
    if (!begin(service, caller, session_id, &playback, &refusal))
        return refusal;
    if (action && strcmp(action, "skip_next") == 0)
        return skip(service, session_id, &playback, 1);
    if (action && strcmp(action, "skip_prev") == 0)
        return skip(service, session_id, &playback, -1);
    int status = hear(service, session_id, &playback);
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
    return done(service, session_id, &playback);
}
