/*
 * rooms.c: see rooms.h.
 */
#include "rooms.h"

#include "members.h"
#include "paper.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

bool rooms_are_named(const struct order_call *call)
{
    return call->all || call->room_count > 0;
}

/* --- what is asked ------------------------------------------------------------------------- */

static bool ask(struct order *order, const char *cmd)
{
    return cJSON_ReplaceItemInObject(order->request, "cmd", cJSON_CreateString(cmd));
}

/* All of them must be there: nothing is changed anywhere where one is not. */
static bool add_speakers(const struct order_call *call, struct order *order)
{
    char ids[1200] = "";
    for (int i = 0; i < call->room_count; i++) {
        const cJSON *speaker = lookup_speaker(call->speakers, call->rooms[i], order->error);
        if (!speaker)
            return false;
        size_t at = strlen(ids);
        snprintf(ids + at, sizeof ids - at, "%s%.16s", at ? " " : "",
                 member_text(speaker, "device_id"));
    }
    cJSON_AddStringToObject(order->request, "speakers", call->all ? "all" : ids);
    return ask(order, "command-speakers");
}

/* Without an argument: shows it. But the names must be right. */
static bool show(const struct order_call *call, struct order *order)
{
    for (int i = 0; i < call->room_count; i++)
        if (!lookup_speaker(call->speakers, call->rooms[i], order->error))
            return false;
    return ask(order, "speakers");
}

bool order_rooms_volume(const struct order_call *call, struct order *order)
{
    double number;
    if (call->argc == 0)
        return show(call, order);
    if (call->argc != 1 || !order_number(call->argv[0], &number))
        return false;
    cJSON_AddNumberToObject(order->request,
                            order_is_relative(call->argv[0]) ? "volume_by" : "volume", number);
    return add_speakers(call, order);
}

static bool is_meant(const struct order_call *call, const cJSON *speaker)
{
    char error[LOOKUP_ERROR_MAX];
    for (int i = 0; i < call->room_count; i++) {
        const cJSON *meant = lookup_speaker(call->speakers, call->rooms[i], error);
        if (strcmp(member_text(meant, "device_id"), member_text(speaker, "device_id")) == 0)
            return true;
    }
    return call->all;
}

/* As long as one of them can be heard, they are to be muted. */
static bool is_one_heard(const struct order_call *call)
{
    const cJSON *speaker;
    cJSON_ArrayForEach(speaker, call->speakers)
    {
        if (is_meant(call, speaker) && member_is_true(speaker, "connected") &&
            !member_is_true(speaker, "muted"))
            return true;
    }
    return false;
}

bool order_rooms_mute(const struct order_call *call, struct order *order)
{
    bool on = call->argc == 0 ? is_one_heard(call) : strcmp(call->argv[0], "on") == 0;
    if (call->argc > 1 || (call->argc == 1 && !on && strcmp(call->argv[0], "off") != 0))
        return false;
    cJSON_AddBoolToObject(order->request, "muted", on);
    return add_speakers(call, order);
}

bool order_rooms_latency(const struct order_call *call, struct order *order)
{
    double number;
    if (call->argc == 0)
        return show(call, order);
    if (call->argc != 1 || !order_number(call->argv[0], &number))
        return false;
    cJSON_AddNumberToObject(order->request, "latency_ms", number);
    return add_speakers(call, order);
}

bool order_rooms_identify(const struct order_call *call, struct order *order)
{
    cJSON_AddBoolToObject(order->request, "identify", true);
    return add_speakers(call, order);
}

/* Where all of them click already, they are to be silent. */
static bool is_one_without_clicks(const struct order_call *call)
{
    const cJSON *speaker;
    cJSON_ArrayForEach(speaker, call->speakers)
    {
        if (is_meant(call, speaker) && member_is_true(speaker, "connected") &&
            !member_is_true(speaker, "clicks"))
            return true;
    }
    return false;
}

bool order_rooms_clicks(const struct order_call *call, struct order *order)
{
    bool on = call->argc == 0 ? is_one_without_clicks(call) : strcmp(call->argv[0], "on") == 0;
    if (call->argc > 1 || (call->argc == 1 && !on && strcmp(call->argv[0], "off") != 0))
        return false;
    cJSON_AddBoolToObject(order->request, "clicks", on);
    return add_speakers(call, order);
}

/* --- what came of it ----------------------------------------------------------------------- */

void rooms_pick(const struct order_call *call, cJSON *answer)
{
    cJSON *speakers = cJSON_GetObjectItemCaseSensitive(answer, "speakers");
    cJSON *speaker = speakers ? speakers->child : NULL, *next;
    for (; speaker; speaker = next) {
        next = speaker->next;
        if (!is_meant(call, speaker))
            cJSON_Delete(cJSON_DetachItemViaPointer(speakers, speaker));
    }
}

static bool is_command(const cJSON *answer)
{
    return member(answer, "told") != NULL;
}

bool rooms_is_done(const cJSON *speaker)
{
    return strcmp(member_text(member(speaker, "command"), "status"), "done") == 0;
}

static const cJSON *find(const cJSON *speakers, const char *device_id)
{
    const cJSON *speaker;
    cJSON_ArrayForEach(speaker, speakers)
    {
        if (strcmp(member_text(speaker, "device_id"), device_id) == 0)
            return speaker;
    }
    return NULL;
}

/* Why not, and where. */
static void complain_of(const cJSON *speaker, const char *why)
{
    char name[128], reason[300];
    text_fit(name, sizeof name, member_text(speaker, "name"), 24);
    text_fit(reason, sizeof reason, why, 140);
    complain("%s: %s", name, reason);
}

static bool complain_of_told(const struct order_call *call, const cJSON *answer)
{
    const cJSON *each;
    bool done = true;
    cJSON_ArrayForEach(each, member(answer, "told"))
    {
        const char *id = cJSON_IsString(each) ? each->valuestring : "";
        const cJSON *speaker = find(member(answer, "speakers"), id);
        if (speaker && rooms_is_done(speaker))
            continue;
        const char *reason = member_text(member(speaker, "command"), "reason");
        complain_of(speaker ? speaker : find(call->speakers, id),
                    !speaker  ? "another command came before it had answered"
                    : *reason ? reason
                              : "it was not done");
        done = false;
    }
    return done;
}

/* Those that were named and are not there. */
static bool complain_of_absent(const struct order_call *call, const cJSON *answer)
{
    const cJSON *speaker, *told;
    bool done = true;
    cJSON_ArrayForEach(speaker, call->speakers)
    {
        bool was_told = false;
        cJSON_ArrayForEach(told, member(answer, "told"))
        {
            if (cJSON_IsString(told) &&
                strcmp(told->valuestring, member_text(speaker, "device_id")) == 0)
                was_told = true;
        }
        if (was_told || call->all || !is_meant(call, speaker))
            continue;
        complain_of(speaker, "it is not connected");
        done = false;
    }
    return done;
}

bool rooms_complain(const struct order_call *call, const cJSON *answer)
{
    if (!is_command(answer))
        return true;
    bool told = complain_of_told(call, answer);
    return complain_of_absent(call, answer) && told;
}
