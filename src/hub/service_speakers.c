/*
 * service_speakers.c: the session's speakers: who is there and how it is with them, what they are
 * called, and what they are told to do.
 */
#include "hub_clock.h"
#include "service_internal.h"
#include "tutti/base/log.h"
#include "tutti/core/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- as they are told ---------------------------------------------------------------------- */

static void add_time(cJSON *json, const char *name, int64_t utc_ns)
{
    char text[PROTOCOL_TIME_MAX];
    protocol_format_time(utc_ns, text);
    cJSON_AddStringToObject(json, name, text);
}

static bool is_connected(struct service *service, const struct store_speaker *speaker)
{
    return service->is_connected &&
           service->is_connected(service->user, speaker->session_id, speaker->device_id);
}

/* What it said last, as long as it is there. */
static void add_report(const struct speaker *live, cJSON *json)
{
    const cJSON *report = live ? live->report : NULL, *member;
    cJSON_ArrayForEach(member, report)
    {
        cJSON_AddItemToObject(json, member->string, cJSON_Duplicate(member, true));
    }
}

cJSON *service_speaker_json(struct service *service, const struct store_speaker *speaker)
{
    const struct speaker *live =
        speakers_find(&service->speakers, speaker->session_id, speaker->device_id);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "device_id", speaker->device_id);
    cJSON_AddStringToObject(json, "name", speaker->name[0] ? speaker->name : speaker->own_name);
    cJSON_AddStringToObject(json, "own_name", speaker->own_name);
    cJSON_AddStringToObject(json, "role", speaker->is_host ? "host" : "guest");
    cJSON_AddBoolToObject(json, "connected", is_connected(service, speaker));
    add_time(json, "since", speaker->since_ns);
    add_time(json, "seen_at",
             live && live->seen_ns > speaker->seen_ns ? live->seen_ns : speaker->seen_ns);
    add_report(live, json);
    cJSON_AddItemToObject(json, "command", speakers_command_json(live));
    return json;
}

struct listing {
    struct service *service;
    cJSON *array;
};

static void add_speaker(void *user, const struct store_speaker *speaker)
{
    struct listing *listing = user;
    cJSON_AddItemToArray(listing->array, service_speaker_json(listing->service, speaker));
}

int service_speakers_json(struct service *service, const char *session_id, cJSON **ret)
{
    struct listing listing = {service, cJSON_CreateArray()};
    int result = store_each_speaker(service->store, session_id, add_speaker, &listing);
    if (result == 0)
        *ret = listing.array;
    else
        cJSON_Delete(listing.array);
    return result;
}

struct reply service_speakers(struct service *service, const struct caller *caller,
                              const char *session_id)
{
    struct admission admission;
    struct reply refusal;
    cJSON *speakers = NULL;
    if (!service_admit(service, caller, session_id, ROLE_MEMBER, &admission, &refusal))
        return refusal;
    int result = service_speakers_json(service, session_id, &speakers);
    if (result < 0)
        return service_store_error(result, "The speakers cannot be read");
    cJSON *body = cJSON_CreateObject();
    cJSON_AddItemToObject(body, "speakers", speakers);
    return (struct reply){.status = 200, .body = body};
}

/* --- what they say ------------------------------------------------------------------------- */

/* Of the membership by which this speaker was there before, if it was another one. */
static int end_old_membership(struct service *service, const struct store_speaker *before,
                              const char *user_id)
{
    if (before->is_host || !before->user_id[0] || strcmp(before->user_id, user_id) == 0)
        return 0;
    int result = store_remove_member(service->store, before->session_id, before->user_id);
    if (result == 0)
        log_info("session %.8s: a speaker that had joined before is back", before->session_id);
    return result;
}

/* It is there, from now on: by this membership, whichever it had before. */
static int arrive(struct service *service, struct store_speaker *speaker, const char *user_id)
{
    struct store_speaker before;
    int known = store_speaker(service->store, speaker->session_id, speaker->device_id, &before);
    if (known < 0)
        return known;
    if (known && strcmp(before.user_id, user_id) != 0 && is_connected(service, &before))
        return -EBUSY; /* the copy of a card: who is there stays */
    int result = known ? end_old_membership(service, &before, user_id) : 0;
    if (result == 0)
        result = store_put_speaker(service->store, speaker);
    return result;
}

static int keep_arrival(struct service *service, struct store_speaker *speaker, const char *user_id)
{
    int result = service_begin(service);
    if (result < 0)
        return result;
    result = arrive(service, speaker, user_id);
    struct reply reply =
        service_commit(service, result < 0 ? reply_error(500, "The speaker could not be stored")
                                           : (struct reply){.status = 200});
    cJSON_Delete(reply.body);
    return reply.status == 200 ? 0 : result < 0 ? result : -EIO;
}

static void describe(struct store_speaker *speaker, const char *session_id, const char *user_id,
                     const cJSON *said)
{
    const char *name = service_text(said, "name");
    snprintf(speaker->session_id, sizeof speaker->session_id, "%s", session_id);
    snprintf(speaker->user_id, sizeof speaker->user_id, "%s", user_id);
    snprintf(speaker->own_name, sizeof speaker->own_name, "%s", name ? name : "");
    speaker->since_ns = speaker->seen_ns = hub_clock_now().ns;
}

static bool same_report(const cJSON *a, const cJSON *b)
{
    return a && b && cJSON_Compare(a, b, true);
}

bool service_take_report(struct service *service, const char *session_id, const char *user_id,
                         const cJSON *payload, char device_id[STORE_DEVICE_ID_MAX])
{
    struct store_speaker speaker = {0};
    const cJSON *said = cJSON_GetObjectItemCaseSensitive(payload, "speaker");
    bool is_new = !device_id[0];
    if (!speakers_device_id(service_text(said, "device_key"), speaker.device_id) ||
        (!is_new && strcmp(device_id, speaker.device_id) != 0))
        return false;
    describe(&speaker, session_id, user_id, said);
    if (is_new && keep_arrival(service, &speaker, user_id) < 0)
        return false;
    struct speaker *live = speakers_get(&service->speakers, session_id, speaker.device_id);
    cJSON *report = live ? speakers_read(payload) : NULL;
    if (!report)
        return false;
    if (is_new || !same_report(live->report, report))
        speakers_note(live);
    cJSON_Delete(live->report);
    live->report = report;
    live->seen_ns = speaker.seen_ns;
    speakers_take_answer(live, said);
    snprintf(device_id, STORE_DEVICE_ID_MAX, "%s", speaker.device_id);
    return true;
}

/* That it goes is told like anything else of it. */
void service_speaker_left(struct service *service, const char *session_id, const char *device_id)
{
    struct speaker *live = speakers_find(&service->speakers, session_id, device_id);
    if (store_see_speaker(service->store, session_id, device_id, hub_clock_now().ns) < 0)
        log_debug("it could not be stored that a speaker was seen");
    if (live)
        speakers_note(live);
}

bool service_tell_speaker(struct service *service, int64_t *ret_next_ns,
                          char session_id[STORE_ID_MAX], cJSON **ret)
{
    struct store_speaker stored;
    struct speaker *live;
    while ((live = speakers_next_to_tell(&service->speakers, hub_clock_steady_ns(), ret_next_ns)) !=
           NULL) {
        if (store_speaker(service->store, live->session_id, live->device_id, &stored) != 1)
            continue;
        snprintf(session_id, STORE_ID_MAX, "%s", live->session_id);
        *ret = service_speaker_json(service, &stored);
        return true;
    }
    return false;
}

/* --- names --------------------------------------------------------------------------------- */

static void note(struct service *service, const char *session_id, const char *device_id)
{
    struct speaker *live = speakers_find(&service->speakers, session_id, device_id);
    if (live)
        speakers_note(live);
}

static struct reply rename_to(struct service *service, struct store_speaker *speaker,
                              const char *name)
{
    int result = store_name_speaker(service->store, speaker->session_id, speaker->device_id, name);
    if (result < 0)
        return service_store_error(result, "The name could not be stored");
    snprintf(speaker->name, sizeof speaker->name, "%s", name);
    note(service, speaker->session_id, speaker->device_id);
    service_announce(service, speaker->session_id, "speaker_update",
                     service_speaker_json(service, speaker));
    return (struct reply){.status = 200, .body = service_speaker_json(service, speaker)};
}

/* A call about a speaker of the session. */
static bool find(struct service *service, const struct caller *caller, enum service_role role,
                 const char *session_id, const char *device_id, struct store_speaker *ret,
                 struct reply *ret_refusal)
{
    struct admission admission;
    if (!service_admit(service, caller, session_id, role, &admission, ret_refusal))
        return false;
    int known = store_speaker(service->store, session_id, device_id, ret);
    if (known == 1)
        return true;
    *ret_refusal = known < 0 ? service_store_error(known, "The speakers cannot be read")
                             : reply_error(404, "The session has no such speaker");
    return false;
}

struct reply service_name_speaker(struct service *service, const struct caller *caller,
                                  const char *session_id, const char *device_id, const cJSON *body)
{
    struct store_speaker speaker;
    struct reply refusal;
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(body, "name");
    if (!find(service, caller, ROLE_CONTROLLER, session_id, device_id, &speaker, &refusal))
        return refusal;
    if (!cJSON_IsString(name) || strlen(name->valuestring) >= STORE_NAME_MAX)
        return reply_error(422, "name: a text of at most 255 bytes is wanted; \"\" is its own");
    return rename_to(service, &speaker, name->valuestring);
}

struct reply service_forget_speaker(struct service *service, const struct caller *caller,
                                    const char *session_id, const char *device_id)
{
    struct store_speaker speaker;
    struct reply refusal;
    if (!find(service, caller, ROLE_HOST, session_id, device_id, &speaker, &refusal))
        return refusal;
    if (is_connected(service, &speaker))
        return reply_error(409, "This speaker is connected: it would be back at once");
    int result = store_forget_speaker(service->store, session_id, device_id);
    if (result < 0)
        return service_store_error(result, "The speaker could not be forgotten");
    speakers_forget(&service->speakers, session_id, device_id);
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "device_id", device_id);
    cJSON_AddBoolToObject(body, "removed", true);
    service_announce(service, session_id, "speaker_update", cJSON_Duplicate(body, true));
    return (struct reply){.status = 200, .body = body};
}
