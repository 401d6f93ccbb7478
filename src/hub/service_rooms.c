/*
 * service_rooms.c: telling speakers of a session what to do: one, several or all of them. How it
 * ends is told with what else there is to tell of a speaker.
 */
#include "hub_clock.h"
#include "service_internal.h"
#include "store_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who wants more of them at once wants all. */
#define NAMED_MAX 64
#define ID_DIGITS (SPEAKERS_COMMAND_ID_MAX - 1)

struct rooms {
    struct service *service;
    const char *session_id;
    struct speaker_wish wish;
    struct speaker **speakers; /* those that are concerned */
    size_t count;
};

static bool is_connected(const struct rooms *rooms, const char *device_id)
{
    const struct service *service = rooms->service;
    return service->is_connected &&
           service->is_connected(service->user, rooms->session_id, device_id);
}

/* --- who is meant -------------------------------------------------------------------------- */

/* As far as it says itself. */
static bool is_willing(const struct speaker *speaker, const struct speaker_wish *wish)
{
    bool volume = !isnan(wish->volume) || !isnan(wish->volume_by);
    if (volume && isnan(speakers_volume(speaker)))
        return false;
    return speakers_may_change(speaker, wish) || !speakers_tells_remote(speaker);
}

/* Those that are connected, except who says that this is not to be changed. */
static struct reply take_all(struct rooms *rooms)
{
    size_t known = 0;
    for (struct speaker *each = rooms->service->speakers.first; each; each = each->next)
        known++;
    rooms->speakers = calloc(known ? known : 1, sizeof *rooms->speakers);
    if (!rooms->speakers)
        return reply_error(500, "Out of memory");
    for (struct speaker *each = rooms->service->speakers.first; each; each = each->next) {
        if (strcmp(each->session_id, rooms->session_id) == 0 && is_willing(each, &rooms->wish) &&
            is_connected(rooms, each->device_id))
            rooms->speakers[rooms->count++] = each;
    }
    if (rooms->count > 0)
        return (struct reply){.status = 200};
    return reply_error(409, "No speaker that lets others change this is connected");
}

static bool is_taken(const struct rooms *rooms, const struct speaker *speaker)
{
    for (size_t i = 0; i < rooms->count; i++)
        if (rooms->speakers[i] == speaker)
            return true;
    return false;
}

/* 1: taken, or it is not connected; 0: there is none such; or -errno. */
static int take_one(struct rooms *rooms, const char *device_id)
{
    struct store_speaker stored;
    int known = store_speaker(rooms->service->store, rooms->session_id, device_id, &stored);
    if (known != 1)
        return known;
    struct speaker *speaker =
        speakers_find(&rooms->service->speakers, rooms->session_id, device_id);
    if (speaker && is_connected(rooms, device_id) && !is_taken(rooms, speaker))
        rooms->speakers[rooms->count++] = speaker;
    return 1;
}

static struct reply take_named(struct rooms *rooms, const cJSON *named)
{
    const cJSON *each;
    int known = 1;
    rooms->speakers = calloc(NAMED_MAX, sizeof *rooms->speakers);
    if (!rooms->speakers)
        return reply_error(500, "Out of memory");
    cJSON_ArrayForEach(each, named)
    {
        if (known == 1)
            known = cJSON_IsString(each) ? take_one(rooms, each->valuestring) : 0;
    }
    if (known < 0)
        return service_store_error(known, "The speakers cannot be read");
    if (known == 0)
        return reply_error(404, "The session has no such speaker");
    if (rooms->count == 0)
        return reply_error(409, "This speaker is not connected");
    return (struct reply){.status = 200};
}

static struct reply take_speakers(struct rooms *rooms, const cJSON *body)
{
    const cJSON *named = cJSON_GetObjectItemCaseSensitive(body, "speakers");
    int count = cJSON_GetArraySize(named);
    if (cJSON_IsString(named) && strcmp(named->valuestring, "all") == 0)
        return take_all(rooms);
    if (!cJSON_IsArray(named) || count < 1 || count > NAMED_MAX)
        return reply_error(422, "speakers: \"all\", or an array of up to 64 device_ids is wanted");
    return take_named(rooms, named);
}

/* --- what they are told -------------------------------------------------------------------- */

static cJSON *message(const struct speaker *speaker, const struct speaker_wish *wish)
{
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddStringToObject(payload, "id", speaker->command.id);
    cJSON_AddStringToObject(payload, "device_id", speaker->device_id);
    if (!isnan(speaker->command.volume))
        cJSON_AddNumberToObject(payload, "volume", speaker->command.volume);
    if (wish->muted >= 0)
        cJSON_AddBoolToObject(payload, "muted", wish->muted);
    if (!isnan(wish->latency_ms))
        cJSON_AddNumberToObject(payload, "latency_ms", wish->latency_ms);
    if (wish->identify)
        cJSON_AddBoolToObject(payload, "identify", true);
    if (wish->clicks >= 0)
        cJSON_AddBoolToObject(payload, "clicks", wish->clicks);
    return payload;
}

static void tell(const struct rooms *rooms, struct speaker *speaker, const char *id, double loudest)
{
    struct service *service = rooms->service;
    double volume = speakers_wanted_volume(speaker, &rooms->wish, loudest);
    speakers_begin_command(speaker, id, &rooms->wish, volume, hub_clock_steady_ns());
    if (!speakers_tells_remote(speaker))
        speakers_fail_command(speaker, "its tuttid is of a version that nobody else can change");
    else if (!speakers_can_sound(speaker, &rooms->wish))
        speakers_fail_command(speaker, "its tuttid is of a version that has no such sound");
    else if (isnan(volume) && !isnan(rooms->wish.volume_by))
        speakers_fail_command(speaker, "it has no volume that could be set");
    else
        service->tell_speaker(service->user, speaker->session_id, speaker->device_id,
                              "speaker_command", message(speaker, &rooms->wish));
}

static double loudest_of(const struct rooms *rooms)
{
    double loudest = 0;
    for (size_t i = 0; i < rooms->count; i++)
        loudest = fmax(loudest, speakers_volume(rooms->speakers[i])); /* NAN is nothing to it */
    return loudest;
}

static struct reply tell_all(const struct rooms *rooms)
{
    char id[SPEAKERS_COMMAND_ID_MAX];
    double loudest = loudest_of(rooms);
    cJSON *body = cJSON_CreateObject();
    store_random_hex(id, ID_DIGITS);
    cJSON_AddStringToObject(body, "id", id);
    cJSON *told = cJSON_AddArrayToObject(body, "speakers");
    for (size_t i = 0; i < rooms->count; i++) {
        tell(rooms, rooms->speakers[i], id, loudest);
        cJSON_AddItemToArray(told, cJSON_CreateString(rooms->speakers[i]->device_id));
    }
    if (rooms->service->speaker_news)
        rooms->service->speaker_news(rooms->service->user);
    return (struct reply){.status = 200, .body = body};
}

/* --- how it goes --------------------------------------------------------------------------- */

struct reply service_speakers_commanded(struct service *service, const struct caller *caller,
                                        const char *session_id, const char *command_id)
{
    struct admission admission;
    struct reply refusal;
    if (!service_admit(service, caller, session_id, ROLE_MEMBER, &admission, &refusal))
        return refusal;
    cJSON *body = cJSON_CreateObject();
    cJSON *found = cJSON_AddArrayToObject(body, "speakers");
    for (const struct speaker *each = service->speakers.first; each; each = each->next) {
        struct store_speaker stored;
        if (strcmp(each->session_id, session_id) == 0 &&
            strcmp(each->command.id, command_id) == 0 &&
            store_speaker(service->store, session_id, each->device_id, &stored) == 1)
            cJSON_AddItemToArray(found, service_speaker_json(service, &stored));
    }
    return (struct reply){.status = 200, .body = body};
}

/* --- the call ------------------------------------------------------------------------------ */

struct reply service_command_speakers(struct service *service, const struct caller *caller,
                                      const char *session_id, const cJSON *body)
{
    struct admission admission;
    struct reply reply;
    struct rooms rooms = {.service = service, .session_id = session_id};
    if (!service_admit(service, caller, session_id, ROLE_CONTROLLER, &admission, &reply))
        return reply;
    const char *wrong = speakers_read_wish(body, &rooms.wish);
    if (wrong)
        return reply_error(422, wrong);
    reply = take_speakers(&rooms, body);
    if (reply.status == 200)
        reply = tell_all(&rooms);
    free(rooms.speakers);
    return reply;
}
