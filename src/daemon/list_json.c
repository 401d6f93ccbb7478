/*
 * list_json.c: an item of the playlist, and a request, as people's programs are told them.
 */
#include "daemon_internal.h"

/* Texts that are not told are empty; a number is left out. */
void status_add_tags(cJSON *json, const struct track_tags *tags)
{
    cJSON_AddStringToObject(json, "title", tags->title);
    cJSON_AddStringToObject(json, "artist", tags->artist);
    cJSON_AddStringToObject(json, "album", tags->album);
    if (tags->number > 0)
        cJSON_AddNumberToObject(json, "track_number", tags->number);
}

cJSON *status_build_item(const struct playlist_item *item, int position, bool current)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", item->id);
    cJSON_AddStringToObject(json, "track_id", item->track_id);
    cJSON_AddStringToObject(json, "name", item->name);
    status_add_tags(json, &item->tags);
    if (item->duration_s >= 0)
        cJSON_AddNumberToObject(json, "duration_s", item->duration_s);
    cJSON_AddNumberToObject(json, "position", position);
    cJSON_AddStringToObject(json, "media_url", item->media_url);
    cJSON_AddStringToObject(json, "media_type", item->media_type);
    cJSON_AddBoolToObject(json, "current", current);
    return json;
}

cJSON *status_build_request(const struct request_message *request, bool mine)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", request->id);
    cJSON_AddStringToObject(json, "requester", request->requester);
    cJSON_AddStringToObject(json, "type", request->type_word);
    cJSON_AddStringToObject(json, "summary", request->summary);
    cJSON_AddStringToObject(json, "status", request_status_name(request->status));
    cJSON_AddStringToObject(json, "reason", request->reason);
    cJSON_AddBoolToObject(json, "mine", mine);
    return json;
}
