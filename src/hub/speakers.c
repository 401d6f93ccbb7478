/*
 * speakers.c: see speakers.h.
 */
#include "speakers.h"

#include "tutti/base/text.h"

#include <ctype.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_DIGITS 32
#define TEXT_MAX 256

/* --- who they are -------------------------------------------------------------------------- */

bool speakers_device_id(const char *key, char device_id[STORE_DEVICE_ID_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (!key || strlen(key) != KEY_DIGITS || strspn(key, "0123456789abcdef") != KEY_DIGITS ||
        !EVP_Digest(key, KEY_DIGITS, digest, NULL, EVP_sha256(), NULL))
        return false;
    for (size_t i = 0; i < (STORE_DEVICE_ID_MAX - 1) / 2; i++)
        snprintf(device_id + 2 * i, 3, "%02x", digest[i]);
    return true;
}

struct speaker *speakers_find(const struct speakers *speakers, const char *session_id,
                              const char *device_id)
{
    struct speaker *speaker = speakers->first;
    while (speaker && (strcmp(speaker->device_id, device_id) != 0 ||
                       strcmp(speaker->session_id, session_id) != 0))
        speaker = speaker->next;
    return speaker;
}

struct speaker *speakers_get(struct speakers *speakers, const char *session_id,
                             const char *device_id)
{
    struct speaker *speaker = speakers_find(speakers, session_id, device_id);
    if (speaker)
        return speaker;
    speaker = calloc(1, sizeof *speaker);
    if (!speaker)
        return NULL;
    snprintf(speaker->session_id, sizeof speaker->session_id, "%s", session_id);
    snprintf(speaker->device_id, sizeof speaker->device_id, "%s", device_id);
    speaker->told_at_ns = INT64_MIN / 2;
    speaker->next = speakers->first;
    speakers->first = speaker;
    return speaker;
}

static void drop(struct speaker **at)
{
    struct speaker *speaker = *at;
    *at = speaker->next;
    cJSON_Delete(speaker->report);
    free(speaker);
}

void speakers_forget(struct speakers *speakers, const char *session_id, const char *device_id)
{
    struct speaker *speaker = speakers_find(speakers, session_id, device_id);
    struct speaker **at = &speakers->first;
    while (speaker && *at != speaker)
        at = &(*at)->next;
    if (speaker)
        drop(at);
}

void speakers_end(struct speakers *speakers)
{
    while (speakers->first)
        drop(&speakers->first);
}

/* --- what they say ------------------------------------------------------------------------- */

enum kind { TEXT, NUMBER, SWITCH };

static const struct member {
    const char *name;
    enum kind kind;
    double low, high;
} own[] =
    {
        {"version", TEXT, 0, 0},      {"volume", NUMBER, 0, 100}, {"muted", SWITCH, 0, 0},
        {"remote", TEXT, 0, 0},       {"clicks", SWITCH, 0, 0},   {"device", TEXT, 0, 0},
        {"device_error", TEXT, 0, 0},
},
  shared[] = {
      {"latency_ms", NUMBER, -10000, 10000},    {"track_id", TEXT, 0, 0},
      {"position_ms", NUMBER, -1e12, 1e12},     {"state", TEXT, 0, 0},
      {"drift_ms", NUMBER, -1e9, 1e9},          {"rate_ppm", NUMBER, -1e6, 1e6},
      {"clock_uncertainty_ms", NUMBER, 0, 1e9},
};

static bool fits(const cJSON *value, const struct member *member)
{
    switch (member->kind) {
    case TEXT:
        return cJSON_IsString(value) && strlen(value->valuestring) < TEXT_MAX;
    case NUMBER:
        return cJSON_IsNumber(value) && value->valuedouble >= member->low &&
               value->valuedouble <= member->high;
    case SWITCH:
        break;
    }
    return cJSON_IsBool(value);
}

static void take(const cJSON *from, const struct member *members, size_t count, cJSON *to)
{
    for (size_t i = 0; i < count; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(from, members[i].name);
        cJSON *kept = fits(value, &members[i]) ? cJSON_Duplicate(value, false) : cJSON_CreateNull();
        cJSON_AddItemToObject(to, members[i].name, kept);
    }
}

cJSON *speakers_read(const cJSON *payload)
{
    const cJSON *said = cJSON_GetObjectItemCaseSensitive(payload, "speaker");
    if (!cJSON_IsObject(said))
        return NULL;
    cJSON *report = cJSON_CreateObject();
    take(said, own, sizeof own / sizeof *own, report);
    take(payload, shared, sizeof shared / sizeof *shared, report);
    return report;
}

/* --- what is told on ----------------------------------------------------------------------- */

void speakers_note(struct speaker *speaker)
{
    speaker->untold = true;
}

struct speaker *speakers_next_to_tell(struct speakers *speakers, int64_t now_ns,
                                      int64_t *ret_next_ns)
{
    *ret_next_ns = SPEAKERS_NEVER;
    speakers_end_late_commands(speakers, now_ns, ret_next_ns);
    for (struct speaker *speaker = speakers->first; speaker; speaker = speaker->next) {
        int64_t due_ns = speaker->hurried ? now_ns : speaker->told_at_ns + SPEAKERS_TELL_NS;
        if (!speaker->untold)
            continue;
        if (due_ns <= now_ns) {
            speaker->untold = speaker->hurried = false;
            speaker->told_at_ns = now_ns;
            return speaker;
        }
        if (due_ns < *ret_next_ns)
            *ret_next_ns = due_ns;
    }
    return NULL;
}
