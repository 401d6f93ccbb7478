/*
 * protocol_build.c: messages and URLs out.
 */
#include "tutti/core/protocol.h"
#include "tutti/core/server_address.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *print_and_delete(cJSON *root)
{
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}

static char *envelope(const char *type, cJSON *payload)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "type", type);
    cJSON_AddItemToObject(root, "payload", payload);
    return print_and_delete(root);
}

/* JSON has no infinity, and three decimals of a millisecond are a microsecond. */
static void add_rounded(cJSON *object, const char *name, double number)
{
    if (isfinite(number))
        cJSON_AddNumberToObject(object, name, round(number * 1000) / 1000);
}

static void add_command(cJSON *speaker, const struct speaker_report *report)
{
    bool done = !report->command_refusal[0];
    cJSON *command = cJSON_AddObjectToObject(speaker, "command");
    cJSON_AddStringToObject(command, "id", report->command_id);
    cJSON_AddStringToObject(command, "status", done ? "done" : "refused");
    if (!done)
        cJSON_AddStringToObject(command, "reason", report->command_refusal);
}

static void add_speaker(cJSON *payload, const struct speaker_report *report)
{
    cJSON *speaker = cJSON_AddObjectToObject(payload, "speaker");
    cJSON_AddStringToObject(speaker, "device_key", report->device_key);
    cJSON_AddStringToObject(speaker, "name", report->name);
    cJSON_AddStringToObject(speaker, "version", report->version);
    add_rounded(speaker, "volume", report->volume);
    cJSON_AddBoolToObject(speaker, "muted", report->muted);
    cJSON_AddStringToObject(speaker, "device", report->device);
    cJSON_AddStringToObject(speaker, "device_error", report->device_error);
    cJSON_AddBoolToObject(speaker, "clicks", report->clicks);
    cJSON_AddStringToObject(speaker, "remote", report->remote);
    cJSON_AddBoolToObject(speaker, "next_state", true);
    if (report->command_id[0])
        add_command(speaker, report);
}

char *protocol_build_sync_ack(const struct sync_ack *ack)
{
    char time[PROTOCOL_TIME_MAX];
    cJSON *payload = cJSON_CreateObject();
    protocol_format_time(ack->client_time.ns, time);
    cJSON_AddStringToObject(payload, "client_time", time);
    if (ack->track_id)
        cJSON_AddStringToObject(payload, "track_id", ack->track_id);
    else
        cJSON_AddNullToObject(payload, "track_id");
    add_rounded(payload, "position_ms", ack->position_ms);
    cJSON_AddStringToObject(payload, "state", playback_state_name(ack->playing));
    if (ack->drift_known)
        add_rounded(payload, "drift_ms", ack->drift_ms);
    else
        cJSON_AddNullToObject(payload, "drift_ms");
    add_rounded(payload, "rate_ppm", ack->rate_ppm);
    add_rounded(payload, "clock_offset_ms", ack->clock_offset_ms);
    add_rounded(payload, "clock_uncertainty_ms", ack->clock_uncertainty_ms);
    add_rounded(payload, "latency_ms", ack->latency_ms);
    cJSON_AddNumberToObject(payload, "sequence", (double)ack->sequence);
    if (ack->speaker)
        add_speaker(payload, ack->speaker);
    return envelope("sync_ack", payload);
}

static void add_target(cJSON *object, const char *track_id, double position_ms)
{
    if (track_id)
        cJSON_AddStringToObject(object, "track_id", track_id);
    if (position_ms >= 0)
        cJSON_AddNumberToObject(object, "position_ms", floor(position_ms));
}

static cJSON *playback_payload(const struct playback_wish *wish)
{
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddStringToObject(payload, "action", playback_action_name(wish->action));
    if (wish->item_id)
        cJSON_AddStringToObject(payload, "item_id", wish->item_id);
    add_target(payload, wish->item_id ? NULL : wish->track_id, wish->position_ms);
    return payload;
}

char *protocol_build_playback_command(const struct playback_wish *wish)
{
    return envelope("playback_command", playback_payload(wish));
}

char *protocol_build_playback_action(const struct playback_wish *wish)
{
    return print_and_delete(playback_payload(wish));
}

char *protocol_build_playback(const char *track_id, double position_ms, const char *state)
{
    cJSON *body = cJSON_CreateObject();
    add_target(body, track_id, position_ms);
    if (state)
        cJSON_AddStringToObject(body, "state", state);
    return print_and_delete(body);
}

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text[0])
        cJSON_AddStringToObject(object, name, text);
}

char *protocol_build_request(const struct request_wish *wish)
{
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddStringToObject(payload, "request_type", request_type_name(wish->type));
    cJSON *inner = cJSON_AddObjectToObject(payload, "payload");
    add_text(inner, "item_id", wish->item_id);
    if (wish->new_position >= 0)
        cJSON_AddNumberToObject(inner, "new_position", wish->new_position);
    add_text(inner, "track_id", wish->track_id);
    add_text(inner, "name", wish->name);
    add_text(inner, "media_path", wish->media_path);
    add_text(inner, "media_type", wish->media_type);
    if (wish->duration_s > 0) /* a whole number, as the backend has it */
        cJSON_AddNumberToObject(inner, "duration_seconds", floor(wish->duration_s));
    return envelope("request_playlist_change", payload);
}

char *protocol_build_decision(const char *reason)
{
    cJSON *body = cJSON_CreateObject();
    add_text(body, "reason", reason);
    return print_and_delete(body);
}

char *protocol_build_move(int new_position)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddNumberToObject(body, "new_position", new_position);
    return print_and_delete(body);
}

char *protocol_build_login(const char *name, const char *role, const char *password)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "name", name);
    cJSON_AddStringToObject(body, "role", role);
    if (password[0])
        cJSON_AddStringToObject(body, "password", password);
    return print_and_delete(body);
}

char *protocol_build_create(const char *host_name)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "host_name", host_name);
    return print_and_delete(body);
}

char *protocol_build_join(const char *guest_name)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "guest_name", guest_name);
    return print_and_delete(body);
}

/* The backend's address, without a slash at its end; scheme: "http" or "ws". */
static bool print_base(char *to, size_t size, const char *base, const char *scheme)
{
    struct server_address address;
    const char *problem;
    if (!server_address_parse(base, &address, &problem) || strchr(address.path, '?') ||
        !server_address_print(&address, scheme, to, size))
        return false;
    size_t length = strlen(to), path = strlen(address.path);
    while (path > 0 && address.path[path - 1] == '/')
        path--;
    int more = snprintf(to + length, size - length, "%.*s", (int)path, address.path);
    return more >= 0 && (size_t)more < size - length;
}

bool protocol_url(char *to, size_t size, const char *base, const char *format, ...)
{
    if (!print_base(to, size, base, "http"))
        return false;
    size_t length = strlen(to);
    va_list args;
    va_start(args, format);
    int more = vsnprintf(to + length, size - length, format, args);
    va_end(args);
    return more >= 0 && (size_t)more < size - length;
}

/* RFC 3986: everything but the unreserved characters. */
bool protocol_encode(char *to, size_t size, const char *from)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    size_t at = 0;
    for (; *from; from++) {
        if (at + 4 > size)
            return false;
        if (strchr(unreserved, *from))
            to[at++] = *from;
        else
            at += (size_t)snprintf(to + at, size - at, "%%%02X", (unsigned char)*from);
    }
    to[at] = '\0';
    return true;
}

bool protocol_ws_url(char *to, size_t size, const char *base, const char *session_id,
                     const char *token)
{
    char session[3 * PROTOCOL_ID_MAX], secret[3 * PROTOCOL_TOKEN_MAX];
    if (!print_base(to, size, base, "ws") ||
        !protocol_encode(session, sizeof session, session_id) ||
        !protocol_encode(secret, sizeof secret, token))
        return false;
    size_t length = strlen(to);
    int more = snprintf(to + length, size - length, "/ws/sessions/%s?token=%s", session, secret);
    return more >= 0 && (size_t)more < size - length;
}
