/*
 * wire.c: see wire.h.
 */
#include "wire.h"

#include "tutti/base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Told to what is heard of it. */
#define GAIN_UNIT_DB 0.01
#define PEAK_UNIT 1e-6
#define PATH_TOLD_MAX 256

static void add_text_or_null(cJSON *object, const char *name, const char *text, bool is_null)
{
    if (is_null)
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddStringToObject(object, name, text);
}

static void add_number_or_null(cJSON *object, const char *name, double number, bool is_null)
{
    if (is_null)
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddNumberToObject(object, name, number);
}

static void add_text_if_any(cJSON *object, const char *name, const char *text)
{
    if (text[0])
        cJSON_AddStringToObject(object, name, text);
}

static void add_number_if_known(cJSON *object, const char *name, double number, double unit)
{
    if (!isnan(number))
        cJSON_AddNumberToObject(object, name, round(number / unit) * unit);
}

/* What is not known is left out: there may be thousands of items. */
static void add_tags(cJSON *json, const struct track_tags *tags)
{
    const struct loudness *loudness = &tags->loudness;
    add_text_if_any(json, "title", tags->title);
    add_text_if_any(json, "artist", tags->artist);
    add_text_if_any(json, "album", tags->album);
    if (tags->number > 0)
        cJSON_AddNumberToObject(json, "track_number", tags->number);
    add_number_if_known(json, "gain_db", loudness->track_gain_db, GAIN_UNIT_DB);
    add_number_if_known(json, "peak", loudness->track_peak, PEAK_UNIT);
    add_number_if_known(json, "album_gain_db", loudness->album_gain_db, GAIN_UNIT_DB);
    add_number_if_known(json, "album_peak", loudness->album_peak, PEAK_UNIT);
}

static void add_cover(cJSON *json, const char *cover)
{
    char url[COVER_NAME_MAX + 32];
    snprintf(url, sizeof url, "/static/" COVERS_FOLDER "%s", cover);
    if (cover[0])
        cJSON_AddStringToObject(json, "cover_url", url);
}

cJSON *wire_item(const struct store_item *item)
{
    char url[STORE_PATH_MAX + 16];
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", item->id);
    cJSON_AddStringToObject(json, "track_id", item->track_id);
    cJSON_AddStringToObject(json, "name", item->name);
    snprintf(url, sizeof url, "/static/%s", item->media_path);
    if (item->media_path[0])
        cJSON_AddStringToObject(json, "media_url", url);
    else
        add_text_or_null(json, "media_url", item->media_url, !item->media_url[0]);
    cJSON_AddStringToObject(json, "media_type", item->media_type);
    add_number_or_null(json, "duration_seconds", floor(item->duration_s), item->duration_s < 0);
    cJSON_AddNumberToObject(json, "position", (double)item->position);
    add_tags(json, &item->tags);
    add_cover(json, item->cover);
    return json;
}

cJSON *wire_playback(const struct store_playback *playback)
{
    cJSON *json = cJSON_CreateObject();
    add_text_or_null(json, "track_id", playback->track_id, !playback->has_track);
    cJSON_AddNumberToObject(json, "position_ms", (double)playback->position_ms);
    cJSON_AddStringToObject(json, "state", playback->playing ? "playing" : "paused");
    cJSON_AddStringToObject(json, "updated_at", playback->updated_at);
    add_text_or_null(json, "item_id", playback->item_id, !playback->item_id[0]);
    return json;
}

cJSON *wire_settings(const struct store_rules *rules, bool advances)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddBoolToObject(json, "advance", advances);
    cJSON_AddStringToObject(json, "repeat", session_repeat_name(rules->repeat));
    cJSON_AddBoolToObject(json, "shuffle", rules->shuffle);
    cJSON_AddStringToObject(json, "control", session_who_name(rules->control));
    cJSON_AddStringToObject(json, "add", session_who_name(rules->add));
    return json;
}

cJSON *wire_request(const struct store_request *request)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *payload = cJSON_Parse(request->payload);
    cJSON_AddStringToObject(json, "id", request->id);
    cJSON_AddStringToObject(json, "session_id", request->session_id);
    cJSON_AddStringToObject(json, "requester", request->requester);
    cJSON_AddStringToObject(json, "request_type", request->type);
    /* The contract says an object, whatever an older hub has stored. */
    cJSON_AddItemToObject(json, "payload", payload ? payload : cJSON_CreateObject());
    cJSON_AddStringToObject(json, "status", request->status);
    add_text_or_null(json, "reason", request->reason, !request->has_reason);
    return json;
}

/* Within its directory, harmless; null: of an upload, or longer than what is told. */
static void add_path(cJSON *json, const struct library_track *track, bool uploaded)
{
    char path[PATH_TOLD_MAX] = "";
    if (!uploaded && strlen(track->path) < sizeof path)
        strcpy(path, track->path);
    text_defuse(path, '?');
    add_text_or_null(json, "path", path, !path[0]);
}

cJSON *wire_track(const struct library_track *track)
{
    const struct library_reading *reading = &track->reading;
    const struct track_tags *tags = &reading->tags;
    bool uploaded = strcmp(track->root, LIBRARY_UPLOADS) == 0;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", track->key);
    cJSON_AddStringToObject(json, "title", tags->title);
    add_text_or_null(json, "artist", tags->artist, !tags->artist[0]);
    add_text_or_null(json, "album", tags->album, !tags->album[0]);
    add_number_or_null(json, "number", (double)tags->number, tags->number <= 0);
    add_number_or_null(json, "duration_seconds", reading->duration_s, !(reading->duration_s >= 0));
    cJSON_AddStringToObject(json, "media_type", audio_kind_media_type(reading->kind));
    cJSON_AddBoolToObject(json, "uploaded", uploaded);
    add_path(json, track, uploaded);
    add_cover(json, reading->cover);
    return json;
}
