/*
 * orders.c: see orders.h.
 */
#include "orders.h"

#include "duration.h"
#include "members.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add_text(struct order *order, const char *name, const char *value)
{
    return cJSON_AddStringToObject(order->request, name, value) != NULL;
}

static bool add_number(struct order *order, const char *name, double value)
{
    return cJSON_AddNumberToObject(order->request, name, value) != NULL;
}

bool order_number(const char *text, double *ret)
{
    char *end;
    *ret = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*ret) && !strpbrk(text, "xX ");
}

bool order_is_relative(const char *text)
{
    return *text == '+' || *text == '-';
}

static void name_subject(struct order *order, const cJSON *item)
{
    text_fit(order->subject, sizeof order->subject, member_text(item, "name"), 44);
}

static const cJSON *find_item(const struct order_call *call, const char *word, struct order *order)
{
    const cJSON *item = lookup_item(call->playlist, word, LOOKUP_ITEM, order->error);
    if (item)
        name_subject(order, item);
    return item;
}

bool order_plain(const struct order_call *call, struct order *order)
{
    (void)order;
    return call->argc == 0;
}

/* At most one word, and at most one value of option, which may follow it or an equals sign. */
static bool split(const struct order_call *call, const char *option, const char **ret_word,
                  const char **ret_value)
{
    size_t length = strlen(option);
    *ret_word = *ret_value = NULL;
    for (int i = 0; i < call->argc; i++) {
        const char *word = call->argv[i], **to = ret_word;
        if (strncmp(word, option, length) == 0 && (word[length] == '=' || !word[length])) {
            to = ret_value;
            word = word[length] ? word + length + 1 : call->argv[++i];
        }
        if (i == call->argc || *to)
            return false;
        *to = word;
    }
    return true;
}

bool order_play(const struct order_call *call, struct order *order)
{
    const char *word, *at;
    double ms;
    if (!split(call, "--at", &word, &at) || (at && !duration_parse(at, &ms)))
        return false;
    if (at)
        add_number(order, "position_ms", ms);
    if (!word)
        return true;
    const cJSON *item = lookup_item(call->playlist, word, LOOKUP_TRACK, order->error);
    if (!item)
        return false;
    name_subject(order, item);
    return add_text(order, "track_id", member_text(item, "track_id"));
}

bool order_seek(const struct order_call *call, struct order *order)
{
    double ms;
    char shown[DURATION_MAX];
    if (call->argc != 1)
        return false;
    const char *to = call->argv[0];
    bool relative = order_is_relative(to);
    if (!duration_parse(to + relative, &ms))
        return false;
    duration_format(ms, shown);
    snprintf(order->subject, sizeof order->subject, "%s%.1s%s", relative ? "by " : "to ",
             relative ? to : "", shown);
    return add_number(order, relative ? "by_ms" : "position_ms", *to == '-' ? -ms : ms);
}

bool order_remove(const struct order_call *call, struct order *order)
{
    if (call->argc != 1)
        return false;
    const cJSON *item = find_item(call, call->argv[0], order);
    return item && add_text(order, "item_id", member_text(item, "id"));
}

/* People count from 1, the backend from 0. */
static bool add_position(const struct order_call *call, const char *word, struct order *order)
{
    double number;
    int count = cJSON_GetArraySize(call->playlist);
    if (!order_number(word, &number) || number != floor(number))
        return false;
    if (number < 1 || number > count) {
        snprintf(order->error, sizeof order->error,
                 "there is no place %.0f: the playlist's places are 1 to %d", number, count);
        return false;
    }
    size_t at = strlen(order->subject);
    snprintf(order->subject + at, sizeof order->subject - at, " to %.0f", number);
    return add_number(order, "new_position", number - 1);
}

bool order_move(const struct order_call *call, struct order *order)
{
    if (call->argc != 2)
        return false;
    const cJSON *item = find_item(call, call->argv[0], order);
    return item && add_text(order, "item_id", member_text(item, "id")) &&
           add_position(call, call->argv[1], order);
}

bool order_request(const struct order_call *call, struct order *order)
{
    static const struct {
        const char *word, *type;
        order_build *build;
    } kinds[] = {
        {"add", "add", order_remove}, /* an item of the playlist, once more: named likewise */
        {"remove", "remove", order_remove},
        {"move", "reorder", order_move},
    };
    struct order_call rest = *call;
    rest.argc--, rest.argv++;
    for (size_t i = 0; call->argc > 0 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(call->argv[0], kinds[i].word) == 0)
            return add_text(order, "type", kinds[i].type) && kinds[i].build(&rest, order);
    }
    return false;
}

bool order_requests(const struct order_call *call, struct order *order)
{
    (void)order;
    return call->argc == 0 || (call->argc == 1 && strcmp(call->argv[0], "--pending") == 0);
}

static bool add_request(const struct order_call *call, const char *word, struct order *order)
{
    const char *id = lookup_request(call->requests, word, order->error);
    return id && add_text(order, "request_id", id);
}

bool order_approve(const struct order_call *call, struct order *order)
{
    return call->argc == 1 && *call->argv[0] && add_request(call, call->argv[0], order);
}

bool order_deny(const struct order_call *call, struct order *order)
{
    const char *word, *reason;
    if (!split(call, "--reason", &word, &reason) || !word || !*word ||
        (reason && !text_is_clean(reason)))
        return false;
    if (reason)
        add_text(order, "reason", reason);
    return add_request(call, word, order);
}

bool order_pairing(const struct order_call *call, struct order *order)
{
    if (call->argc == 0)
        return true;
    bool allow = strcmp(call->argv[0], "allow") == 0;
    if (call->argc != 2 || (!allow && strcmp(call->argv[0], "deny") != 0) ||
        strlen(call->argv[1]) != 4 || strspn(call->argv[1], "0123456789") != 4)
        return false;
    return add_text(order, "sign", call->argv[1]) &&
           cJSON_AddBoolToObject(order->request, "allow", allow);
}

bool order_join(const struct order_call *call, struct order *order)
{
    if (call->argc != 1 || !*call->argv[0] || !text_is_clean(call->argv[0]))
        return false;
    text_fit(order->subject, sizeof order->subject, call->argv[0], 44);
    return add_text(order, "code", call->argv[0]);
}

bool order_volume(const struct order_call *call, struct order *order)
{
    double number;
    if (call->argc == 0)
        return true;
    if (call->argc != 1 || !order_number(call->argv[0], &number))
        return false;
    return add_number(order, order_is_relative(call->argv[0]) ? "by" : "percent", number);
}

bool order_mute(const struct order_call *call, struct order *order)
{
    if (call->argc == 0)
        return true;
    bool on = strcmp(call->argv[0], "on") == 0;
    if (call->argc != 1 || (!on && strcmp(call->argv[0], "off") != 0))
        return false;
    return cJSON_AddBoolToObject(order->request, "on", on) != NULL;
}

bool order_latency(const struct order_call *call, struct order *order)
{
    double number;
    if (call->argc == 0)
        return true;
    return call->argc == 1 && order_number(call->argv[0], &number) &&
           add_number(order, "ms", number);
}

bool order_clicks(const struct order_call *call, struct order *order)
{
    return order_mute(call, order);
}

bool order_speakers(const struct order_call *call, struct order *order)
{
    (void)order;
    return call->argc == 0;
}

bool order_log_level(const struct order_call *call, struct order *order)
{
    return call->argc == 0 || (call->argc == 1 && add_text(order, "level", call->argv[0]));
}

/* --- how the session goes on --------------------------------------------------------------- */

/* The daemon's command for it; its answer is the same, whatever is changed. */
static bool ask_settings(struct order *order)
{
    return cJSON_ReplaceItemInObject(order->request, "cmd", cJSON_CreateString("settings"));
}

static bool add_switch(struct order *order, const char *name, const char *word)
{
    bool on = strcmp(word, "on") == 0;
    return (on || strcmp(word, "off") == 0) &&
           cJSON_AddBoolToObject(order->request, name, on) != NULL;
}

bool order_repeat(const struct order_call *call, struct order *order)
{
    static const char *const words[] = {"off", "one", "all"};
    if (!ask_settings(order))
        return false;
    if (call->argc == 0)
        return true;
    for (size_t i = 0; call->argc == 1 && i < sizeof words / sizeof *words; i++)
        if (strcmp(call->argv[0], words[i]) == 0)
            return add_text(order, "repeat", words[i]);
    return false;
}

bool order_shuffle(const struct order_call *call, struct order *order)
{
    return ask_settings(order) &&
           (call->argc == 0 || (call->argc == 1 && add_switch(order, "shuffle", call->argv[0])));
}

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

bool order_session(const struct order_call *call, struct order *order)
{
    static const char *const controls[] = {"host", "everyone", NULL}, *const adds[] = {
                                                                          "host", "everyone",
                                                                          "requests", NULL};
    if (call->argc == 0)
        return true;
    if (call->argc != 2 || !ask_settings(order))
        return false;
    const char *name = call->argv[0], *value = call->argv[1];
    if (strcmp(name, "advance") == 0)
        return add_switch(order, name, value);
    bool control = strcmp(name, "control") == 0;
    return (control || strcmp(name, "add") == 0) && is_one_of(value, control ? controls : adds) &&
           add_text(order, name, value);
}

/* --- speakers ------------------------------------------------------------------------------ */

bool order_speaker(const struct order_call *call, struct order *order)
{
    if (call->argc != 3 || strcmp(call->argv[0], "rename") != 0 || !text_is_clean(call->argv[2]))
        return false;
    const cJSON *speaker = lookup_speaker(call->speakers, call->argv[1], order->error);
    return speaker &&
           cJSON_ReplaceItemInObject(order->request, "cmd", cJSON_CreateString("name-speaker")) &&
           add_text(order, "device_id", member_text(speaker, "device_id")) &&
           add_text(order, "name", call->argv[2]);
}
