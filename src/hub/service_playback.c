/*
 * service_playback.c: the authoritative playback state, and what changes it.
 */
#include "hub_clock.h"
#include "service_internal.h"
#include "tutti/core/protocol.h"

#include <stdio.h>
#include <string.h>

#define POSITION_MAX_MS (INT64_C(366) * 24 * 3600 * 1000)

static cJSON *playback_json(const struct store_playback *playback)
{
    cJSON *json = cJSON_CreateObject();
    if (playback->has_track)
        cJSON_AddStringToObject(json, "track_id", playback->track_id);
    else
        cJSON_AddNullToObject(json, "track_id");
    cJSON_AddNumberToObject(json, "position_ms", (double)playback->position_ms);
    cJSON_AddStringToObject(json, "state", playback->playing ? "playing" : "paused");
    cJSON_AddStringToObject(json, "updated_at", playback->updated_at);
    return json;
}

cJSON *service_playback_json(struct service *service, const char *session_id)
{
    struct store_playback playback;
    if (!store_get_playback(service->store, session_id, &playback))
        return cJSON_CreateNull();
    return playback_json(&playback);
}

/* Stamps the playback with the time of now, keeps it and tells everybody. Stored first: what
 * everybody was told is never lost. The stamp is taken last, so that it is as young as can be when
 * it is heard; storing it takes a fraction of a millisecond. */
static bool set_playback(struct service *service, const char *session_id,
                         struct store_playback *playback)
{
    char now[PROTOCOL_TIME_MAX];
    protocol_format_time(hub_clock_now().ns, now);
    snprintf(playback->updated_at, sizeof playback->updated_at, "%s", now);
    if (!store_set_playback(service->store, session_id, playback))
        return false;
    service_announce(service, session_id, "playback_state", playback_json(playback));
    return true;
}

bool service_mend_current(struct service *service, const char *session_id, int64_t position)
{
    struct store_playback playback;
    int64_t length = store_playlist_length(service->store, session_id);
    if (!store_get_playback(service->store, session_id, &playback))
        return false;
    if (position >= length)
        position = length - 1;
    playback.has_track =
        position >= 0 && store_track_at(service->store, session_id, position, playback.track_id);
    if (!playback.has_track)
        playback.playing = false;
    playback.position_ms = 0;
    return set_playback(service, session_id, &playback);
}

/* NULL when it is good, as of take_position(). */
static const char *take_track(struct service *service, const char *session_id, const cJSON *payload,
                              struct store_playback *playback)
{
    const cJSON *track = cJSON_GetObjectItemCaseSensitive(payload, "track_id");
    if (!track || cJSON_IsNull(track))
        return NULL;
    const char *track_id = service_text(payload, "track_id");
    if (!track_id || !store_track_exists(service->store, session_id, track_id))
        return "track_id: no item of the playlist has it";
    if (strcmp(track_id, playback->track_id) != 0)
        playback->position_ms = 0;
    playback->has_track = true;
    snprintf(playback->track_id, sizeof playback->track_id, "%s", track_id);
    return NULL;
}

static const char *take_position(const cJSON *payload, struct store_playback *playback)
{
    int64_t position =
        service_whole(payload, "position_ms", playback->position_ms, POSITION_MAX_MS);
    if (position < 0)
        return "position_ms: a whole number of milliseconds from 0 on is wanted";
    playback->position_ms = position;
    return NULL;
}

static struct reply done(struct service *service, const char *session_id,
                         struct store_playback *playback)
{
    if (!set_playback(service, session_id, playback))
        return service_store_error(service, "The state could not be stored");
    return (struct reply){200, playback_json(playback)};
}

struct reply service_playback(struct service *service, const char *token, const char *session_id,
                              const cJSON *body)
{
    struct store_user user;
    struct store_playback playback;
    struct reply refusal;
    if (!service_admit(service, token, session_id, ROLE_HOST, &user, &refusal))
        return refusal;
    if (!store_get_playback(service->store, session_id, &playback))
        return reply_error(404, "Session not found");
    const char *wrong = take_track(service, session_id, body, &playback);
    if (!wrong)
        wrong = take_position(body, &playback);
    if (wrong)
        return reply_error(422, wrong);
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(body, "state");
    if (state && !cJSON_IsNull(state)) {
        const char *text = service_text(body, "state");
        if (!text || (strcmp(text, "playing") != 0 && strcmp(text, "paused") != 0))
            return reply_error(422, "state: playing or paused is wanted");
        playback.playing = strcmp(text, "playing") == 0;
    }
    return done(service, session_id, &playback);
}

static struct reply skip(struct service *service, const char *session_id,
                         struct store_playback *playback, int64_t by)
{
    int64_t length = store_playlist_length(service->store, session_id);
    int64_t here = playback->has_track
                       ? store_position_of(service->store, session_id, playback->track_id)
                       : -1;
    int64_t to = here < 0 ? 0 : here + by;
    if (length == 0)
        return reply_error(409, "The playlist is empty");
    if (to < 0)
        to = 0;
    if (to >= length)
        to = length - 1; /* the last one starts again */
    playback->has_track = store_track_at(service->store, session_id, to, playback->track_id);
    playback->position_ms = 0;
    return done(service, session_id, playback);
}

struct reply service_command(struct service *service, const char *token, const char *session_id,
                             const cJSON *payload)
{
    struct store_user user;
    struct store_playback playback;
    struct reply refusal;
    const char *action = service_text(payload, "action");
    if (!service_admit(service, token, session_id, ROLE_HOST, &user, &refusal))
        return refusal;
    if (!action || !store_get_playback(service->store, session_id, &playback))
        return reply_error(422, "action: play, pause, seek, skip_next or skip_prev is wanted");
    if (strcmp(action, "skip_next") == 0)
        return skip(service, session_id, &playback, 1);
    if (strcmp(action, "skip_prev") == 0)
        return skip(service, session_id, &playback, -1);
    if (strcmp(action, "play") == 0)
        playback.playing = true;
    else if (strcmp(action, "pause") == 0)
        playback.playing = false;
    else if (strcmp(action, "seek") != 0)
        return reply_error(422, "action: play, pause, seek, skip_next or skip_prev is wanted");
    const char *wrong = NULL;
    if (strcmp(action, "pause") != 0) /* which concerns the current track, whatever it names */
        wrong = take_track(service, session_id, payload, &playback);
    if (!wrong)
        wrong = take_position(payload, &playback);
    if (wrong)
        return reply_error(422, wrong);
    if (!playback.has_track)
        return reply_error(409, "There is no track to play");
    return done(service, session_id, &playback);
}
