/*
 * speakers_command.c: what speakers are told to do, and how that ends: by what the speaker says of
 * it, or, when it says nothing in time, as failed.
 */
#include "speakers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LATENCY_MAX_MS 2000

/* --- what is wished for -------------------------------------------------------------------- */

static bool take_number(const cJSON *value, double low, double high, double *ret)
{
    *ret = cJSON_IsNumber(value) ? value->valuedouble : NAN;
    return *ret >= low && *ret <= high;
}

static bool take_flag(const cJSON *value, int *ret)
{
    *ret = cJSON_IsTrue(value);
    return cJSON_IsBool(value);
}

static bool is_sound(const struct speaker_wish *wish)
{
    return wish->identify || wish->clicks >= 0;
}

static const char *take_member(const cJSON *member, struct speaker_wish *wish)
{
    const char *name = member->string;
    if (strcmp(name, "speakers") == 0)
        return NULL;
    if (strcmp(name, "volume") == 0)
        return take_number(member, 0, 100, &wish->volume) ? NULL : "volume: 0 to 100 is wanted";
    if (strcmp(name, "volume_by") == 0)
        return take_number(member, -100, 100, &wish->volume_by)
                   ? NULL
                   : "volume_by: -100 to 100 is wanted";
    if (strcmp(name, "latency_ms") == 0)
        return take_number(member, -LATENCY_MAX_MS, LATENCY_MAX_MS, &wish->latency_ms)
                   ? NULL
                   : "latency_ms: -2000 to 2000 is wanted";
    if (strcmp(name, "muted") == 0)
        return take_flag(member, &wish->muted) ? NULL : "muted: true or false is wanted";
    if (strcmp(name, "clicks") == 0)
        return take_flag(member, &wish->clicks) ? NULL : "clicks: true or false is wanted";
    if (strcmp(name, "identify") != 0)
        return "A speaker can be told volume, volume_by, muted, latency_ms, identify and clicks";
    wish->identify = cJSON_IsTrue(member);
    return wish->identify ? NULL : "identify: true is wanted";
}

const char *speakers_read_wish(const cJSON *body, struct speaker_wish *ret)
{
    const cJSON *member;
    const char *wrong = NULL;
    *ret = (struct speaker_wish){NAN, NAN, NAN, -1, -1, false};
    cJSON_ArrayForEach(member, body)
    {
        if (!wrong)
            wrong = take_member(member, ret);
    }
    if (wrong)
        return wrong;
    bool volume = !isnan(ret->volume), by = !isnan(ret->volume_by);
    if (volume && by)
        return "volume and volume_by: one of them is wanted";
    return volume || by || ret->muted >= 0 || !isnan(ret->latency_ms) || is_sound(ret)
               ? NULL
               : "volume, volume_by, muted, latency_ms, identify or clicks is wanted";
}

static const char *said_text(const struct speaker *speaker, const char *name)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(speaker->report, name));
    return text ? text : "";
}

bool speakers_tells_remote(const struct speaker *speaker)
{
    return said_text(speaker, "remote")[0] != '\0';
}

bool speakers_can_sound(const struct speaker *speaker, const struct speaker_wish *wish)
{
    const cJSON *clicks = cJSON_GetObjectItemCaseSensitive(speaker->report, "clicks");
    return !is_sound(wish) || cJSON_IsBool(clicks);
}

bool speakers_may_change(const struct speaker *speaker, const struct speaker_wish *wish)
{
    const char *remote = said_text(speaker, "remote");
    bool volume_only = strcmp(remote, "volume") == 0 && isnan(wish->latency_ms);
    return volume_only || strcmp(remote, "all") == 0;
}

double speakers_volume(const struct speaker *speaker)
{
    const struct speaker_command *command = &speaker->command;
    if (command->status == SPEAKER_COMMAND_PENDING && !isnan(command->volume))
        return command->volume;
    const cJSON *volume = cJSON_GetObjectItemCaseSensitive(speaker->report, "volume");
    return cJSON_IsNumber(volume) ? volume->valuedouble : NAN;
}

/* The curve of the volume is a power: speakers whose percents keep their proportion keep their
 * distance in dB (audio's gain.h). */
double speakers_wanted_volume(const struct speaker *speaker, const struct speaker_wish *wish,
                              double loudest)
{
    double volume = speakers_volume(speaker);
    if (isnan(wish->volume_by))
        return wish->volume;
    double wanted = fmin(fmax(loudest + wish->volume_by, 0), 100);
    if (loudest > 0)
        wanted *= volume / loudest;
    return round(wanted * 10) / 10;
}

/* --- how it ends --------------------------------------------------------------------------- */

static void end(struct speaker *speaker, enum speaker_command_status status, const char *reason)
{
    speaker->command.status = status;
    snprintf(speaker->command.reason, sizeof speaker->command.reason, "%s", reason);
    speaker->untold = speaker->hurried = true;
}

void speakers_begin_command(struct speaker *speaker, const char *id,
                            const struct speaker_wish *wish, double volume, int64_t now_ns)
{
    int64_t answer_ns = is_sound(wish) ? SPEAKERS_SOUND_ANSWER_NS : SPEAKERS_ANSWER_NS;
    speaker->command = (struct speaker_command){.status = SPEAKER_COMMAND_PENDING,
                                                .volume = volume,
                                                .answer_ns = answer_ns,
                                                .until_ns = now_ns + answer_ns};
    snprintf(speaker->command.id, sizeof speaker->command.id, "%s", id);
    speakers_note(speaker);
}

void speakers_fail_command(struct speaker *speaker, const char *reason)
{
    end(speaker, SPEAKER_COMMAND_FAILED, reason);
}

/* One that comes late is the truth all the same. */
void speakers_take_answer(struct speaker *speaker, const cJSON *said)
{
    const cJSON *answer = cJSON_GetObjectItemCaseSensitive(said, "command");
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "id"));
    const char *status = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "status"));
    const char *reason = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "reason"));
    const struct speaker_command *command = &speaker->command;
    bool open =
        command->status == SPEAKER_COMMAND_PENDING || command->status == SPEAKER_COMMAND_FAILED;
    if (!open || !id || !status || strcmp(id, command->id) != 0)
        return;
    if (strcmp(status, "done") == 0)
        end(speaker, SPEAKER_COMMAND_DONE, "");
    else if (strcmp(status, "refused") == 0)
        end(speaker, SPEAKER_COMMAND_REFUSED, reason ? reason : "");
}

static void fail_late(struct speaker *speaker)
{
    char reason[64];
    snprintf(reason, sizeof reason, "it did not answer within %d ms",
             (int)(speaker->command.answer_ns / 1000000));
    speakers_fail_command(speaker, reason);
}

void speakers_end_late_commands(struct speakers *speakers, int64_t now_ns, int64_t *ret_next_ns)
{
    for (struct speaker *speaker = speakers->first; speaker; speaker = speaker->next) {
        const struct speaker_command *command = &speaker->command;
        if (command->status != SPEAKER_COMMAND_PENDING)
            continue;
        if (command->until_ns <= now_ns)
            fail_late(speaker);
        else if (command->until_ns < *ret_next_ns)
            *ret_next_ns = command->until_ns;
    }
}

cJSON *speakers_command_json(const struct speaker *speaker)
{
    static const char *const words[] = {
        [SPEAKER_COMMAND_PENDING] = "pending",
        [SPEAKER_COMMAND_DONE] = "done",
        [SPEAKER_COMMAND_REFUSED] = "refused",
        [SPEAKER_COMMAND_FAILED] = "failed",
    };
    if (!speaker || speaker->command.status == SPEAKER_COMMAND_NONE)
        return cJSON_CreateNull();
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", speaker->command.id);
    cJSON_AddStringToObject(json, "status", words[speaker->command.status]);
    if (speaker->command.reason[0])
        cJSON_AddStringToObject(json, "reason", speaker->command.reason);
    else
        cJSON_AddNullToObject(json, "reason");
    return json;
}
