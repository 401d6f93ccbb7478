/*
 * protocol.c: frames and answers in.
 */
#include "tutti/core/protocol.h"

#include "protocol_json.h"
#include "tutti/core/playlist.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(char *reason, const char *what)
{
    snprintf(reason, PROTOCOL_REASON_MAX, "%s", what);
    return false;
}

static bool parse_position(const cJSON *payload, double *ret_ms)
{
    double ms;
    if (!json_number(payload, "position_ms", &ms) || ms < 0 || ms > PROTOCOL_POSITION_MAX_MS)
        return false;
    *ret_ms = ms;
    return true;
}

static bool parse_playback(const cJSON *payload, struct playback_state *ret, char *reason)
{
    struct playback_state playback = {0};
    char text[64];
    const cJSON *track = cJSON_GetObjectItemCaseSensitive(payload, "track_id");
    playback.has_track = track && !cJSON_IsNull(track);
    if (playback.has_track &&
        !json_string(payload, "track_id", playback.track_id, sizeof playback.track_id))
        return refuse(reason, "playback_state: track_id is not a string of usable length");
    if (!playback.has_track ||
        !json_optional_string(payload, "item_id", playback.item_id, sizeof playback.item_id))
        playback.item_id[0] = '\0';
    if (!parse_position(payload, &playback.position_ms))
        return refuse(reason, "playback_state: position_ms is not a non-negative number");
    if (!json_string(payload, "state", text, sizeof text) ||
        !playback_state_parse(text, &playback.playing))
        return refuse(reason, "playback_state: state is neither \"playing\" nor \"paused\"");
    if (!json_string(payload, "updated_at", text, sizeof text) ||
        !protocol_parse_time(text, &playback.updated_at))
        return refuse(reason, "playback_state: updated_at is not an ISO 8601 time");
    *ret = playback;
    return true;
}

/* Of what starts at a moment to come; a pause does not start. */
static bool parse_next(const cJSON *payload, struct playback_state *ret, char *reason)
{
    char odd[PROTOCOL_REASON_MAX];
    const cJSON *track = cJSON_GetObjectItemCaseSensitive(payload, "track_id");
    if (cJSON_IsNull(track))
        return true;
    if (!parse_playback(payload, ret, odd))
        return refuse(reason, "next_state: not as a playback_state");
    return ret->has_track && ret->playing ? true
                                          : refuse(reason, "next_state: nothing that is to play");
}

static void take_tag(const cJSON *json, const char *name, struct track_tags *tags,
                     enum track_tag tag)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    if (text)
        track_tags_take(tags, tag, text, strlen(text));
}

static double number_or_nan(const cJSON *json, const char *name)
{
    double number;
    return json_number(json, name, &number) ? number : NAN;
}

static void take_tags(const cJSON *json, struct track_tags *tags)
{
    double number = number_or_nan(json, "track_number");
    *tags = track_tags_none();
    take_tag(json, "title", tags, TRACK_TAG_TITLE);
    take_tag(json, "artist", tags, TRACK_TAG_ARTIST);
    take_tag(json, "album", tags, TRACK_TAG_ALBUM);
    if (number >= 1 && number <= TRACK_NUMBER_MAX)
        tags->number = (int)number;
    tags->loudness = (struct loudness){
        .track_gain_db = loudness_gain_db(number_or_nan(json, "gain_db")),
        .track_peak = loudness_peak(number_or_nan(json, "peak")),
        .album_gain_db = loudness_gain_db(number_or_nan(json, "album_gain_db")),
        .album_peak = loudness_peak(number_or_nan(json, "album_peak")),
    };
}

static bool parse_item(const cJSON *json, struct playlist_item *item)
{
    double duration_s = -1, position = 0;
    char id[32];
    double number;
    if (!cJSON_IsObject(json) ||
        !json_string(json, "track_id", item->track_id, sizeof item->track_id))
        return false;
    if (!json_string(json, "id", item->id, sizeof item->id)) {
        if (!json_number(json, "id", &number))
            return false;
        snprintf(id, sizeof id, "%.0f", number);
        strcpy(item->id, id);
    }
    if (!json_optional_string(json, "name", item->name, sizeof item->name))
        snprintf(item->name, sizeof item->name, "%s", item->track_id);
    if (!json_optional_string(json, "media_url", item->media_url, sizeof item->media_url))
        item->media_url[0] = '\0';
    if (!json_optional_string(json, "media_type", item->media_type, sizeof item->media_type))
        item->media_type[0] = '\0';
    if (json_number(json, "duration_seconds", &number) && number > 0 &&
        number <= PROTOCOL_POSITION_MAX_MS / 1000)
        duration_s = number;
    item->duration_s = duration_s;
    if (json_number(json, "position", &position) && position >= 0 && position < 1e9)
        item->position = (int)position;
    take_tags(json, &item->tags);
    return true;
}

static bool parse_items(const cJSON *array, struct playlist_message *ret, char *reason)
{
    if (!cJSON_IsArray(array))
        return refuse(reason, "playlist: not an array");
    int size = cJSON_GetArraySize(array);
    if (size > PROTOCOL_PLAYLIST_MAX)
        return refuse(reason, "playlist: too many items");
    struct playlist_item *items = calloc((size_t)size + 1, sizeof *items);
    if (!items)
        return refuse(reason, "playlist: out of memory");
    size_t count = 0;
    const cJSON *json;
    cJSON_ArrayForEach(json, array)
    {
        if (parse_item(json, &items[count]))
            count++;
    }
    *ret = (struct playlist_message){.items = items, .count = count};
    if (playlist_index_create(ret))
        return true;
    playlist_message_finish(ret);
    return refuse(reason, "playlist: out of memory");
}

/* Anybody may have put anything into it: what is not as expected counts as absent. */
static void take_wish(const cJSON *payload, struct request_message *ret)
{
    double to;
    if (!json_string(payload, "item_id", ret->item_id, sizeof ret->item_id))
        ret->item_id[0] = '\0';
    if (!json_string(payload, "track_id", ret->track_id, sizeof ret->track_id))
        ret->track_id[0] = '\0';
    bool placed = json_number(payload, "new_position", &to) && to >= 0 &&
                  to <= PROTOCOL_PLAYLIST_MAX && to == floor(to);
    ret->new_position = placed ? (int)to : -1;
    if (!json_string(payload, "name", ret->summary, sizeof ret->summary))
        snprintf(ret->summary, sizeof ret->summary, "%s",
                 ret->track_id[0] ? ret->track_id : ret->item_id);
}

static bool parse_request(const cJSON *payload, struct request_message *ret, char *reason)
{
    char status[16];
    if (!json_string(payload, "id", ret->id, sizeof ret->id) ||
        !json_string(payload, "status", status, sizeof status))
        return refuse(reason, "request_update: id or status is missing");
    if (!request_status_parse(status, &ret->status))
        return refuse(reason, "request_update: status is not pending, approved or denied");
    if (!json_optional_string(payload, "requester", ret->requester, sizeof ret->requester))
        ret->requester[0] = '\0';
    if (!json_optional_string(payload, "request_type", ret->type_word, sizeof ret->type_word))
        ret->type_word[0] = '\0';
    ret->type = request_type_parse(ret->type_word);
    if (!json_optional_string(payload, "reason", ret->reason, sizeof ret->reason))
        ret->reason[0] = '\0';
    take_wish(cJSON_GetObjectItemCaseSensitive(payload, "payload"), ret);
    return true;
}

/* A hub that does not say who may is one of the contract's roles. */
static bool take_who(const cJSON *payload, const char *name, enum session_who unsaid,
                     enum session_who *ret)
{
    char word[16];
    *ret = unsaid;
    return !cJSON_HasObjectItem(payload, name) ||
           (json_string(payload, name, word, sizeof word) && session_who_parse(word, ret));
}

static bool parse_settings(const cJSON *payload, struct session_settings *ret, char *reason)
{
    struct session_settings settings = {0};
    char repeat[16];
    const cJSON *advance = cJSON_GetObjectItemCaseSensitive(payload, "advance");
    const cJSON *shuffle = cJSON_GetObjectItemCaseSensitive(payload, "shuffle");
    if (!cJSON_IsBool(advance) || !cJSON_IsBool(shuffle))
        return refuse(reason, "session_settings: advance or shuffle is neither true nor false");
    if (!json_string(payload, "repeat", repeat, sizeof repeat) ||
        !session_repeat_parse(repeat, &settings.repeat))
        return refuse(reason, "session_settings: repeat is not off, one or all");
    if (!take_who(payload, "control", WHO_HOST, &settings.control) ||
        !take_who(payload, "add", WHO_REQUESTS, &settings.add))
        return refuse(reason, "session_settings: control or add is not host, requests or everyone");
    settings.advance = cJSON_IsTrue(advance);
    settings.shuffle = cJSON_IsTrue(shuffle);
    *ret = settings;
    return true;
}

/* Absent or null is NAN. */
static bool take_number(const cJSON *payload, const char *name, double low, double high,
                        double *ret)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(payload, name);
    *ret = NAN;
    if (!member || cJSON_IsNull(member))
        return true;
    return json_number(payload, name, ret) && *ret >= low && *ret <= high;
}

/* Absent or null is -1. */
static bool take_flag(const cJSON *payload, const char *name, int *ret)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(payload, name);
    *ret = cJSON_IsBool(member) ? cJSON_IsTrue(member) : -1;
    return *ret >= 0 || !member || cJSON_IsNull(member);
}

static bool parse_command(const cJSON *payload, struct command_message *ret, char *reason)
{
    int identify;
    if (!json_string(payload, "id", ret->id, sizeof ret->id) || !ret->id[0])
        return refuse(reason, "speaker_command: id is missing");
    if (!take_number(payload, "volume", 0, 100, &ret->volume))
        return refuse(reason, "speaker_command: volume is not 0 to 100");
    if (!take_number(payload, "latency_ms", -PROTOCOL_LATENCY_MAX_MS, PROTOCOL_LATENCY_MAX_MS,
                     &ret->latency_ms))
        return refuse(reason, "speaker_command: latency_ms is not -2000 to 2000");
    if (!take_flag(payload, "muted", &ret->muted))
        return refuse(reason, "speaker_command: muted is neither true nor false");
    if (!take_flag(payload, "identify", &identify) || !take_flag(payload, "clicks", &ret->clicks))
        return refuse(reason, "speaker_command: identify and clicks are true or false");
    ret->identify = identify > 0;
    return true;
}

static bool parse_echo(const cJSON *payload, struct echo_message *ret, char *reason)
{
    char received[64], sent[64];
    double sequence;
    if (!json_number(payload, "sequence", &sequence) ||
        !json_string(payload, "server_received_at", received, sizeof received) ||
        !json_string(payload, "server_sent_at", sent, sizeof sent) ||
        !protocol_parse_time(received, &ret->server_received_at) ||
        !protocol_parse_time(sent, &ret->server_sent_at))
        return refuse(reason, "sync_ack: not an answer to ours");
    if (fabs(sequence) > 9e15)
        return refuse(reason, "sync_ack: impossible sequence");
    ret->sequence = (int64_t)sequence;
    return true;
}

static enum message_type type_of(const char *text)
{
    static const struct {
        const char *text;
        enum message_type type;
    } types[] = {
        {"playback_state", MESSAGE_PLAYBACK_STATE},
        {"next_state", MESSAGE_NEXT_STATE},
        {"playlist_update", MESSAGE_PLAYLIST},
        {"request_update", MESSAGE_REQUEST},
        {"session_settings", MESSAGE_SETTINGS},
        {"speaker_command", MESSAGE_COMMAND},
        {"sync_ack", MESSAGE_ECHO},
        {"error", MESSAGE_ERROR},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(text, types[i].text) == 0)
            return types[i].type;
    }
    return MESSAGE_UNKNOWN;
}

static bool parse_payload(const cJSON *payload, struct protocol_message *message, char *reason)
{
    switch (message->type) {
    case MESSAGE_PLAYBACK_STATE:
        return parse_playback(payload, &message->playback, reason);
    case MESSAGE_NEXT_STATE:
        return parse_next(payload, &message->playback, reason);
    case MESSAGE_PLAYLIST:
        return parse_items(cJSON_GetObjectItemCaseSensitive(payload, "playlist"),
                           &message->playlist, reason);
    case MESSAGE_REQUEST:
        return parse_request(payload, &message->request, reason);
    case MESSAGE_SETTINGS:
        return parse_settings(payload, &message->settings, reason);
    case MESSAGE_COMMAND:
        return parse_command(payload, &message->command, reason);
    case MESSAGE_ECHO:
        return parse_echo(payload, &message->echo, reason);
    case MESSAGE_ERROR:
        if (!json_string(payload, "detail", message->detail, sizeof message->detail))
            snprintf(message->detail, sizeof message->detail, "no detail given");
        return true;
    case MESSAGE_UNKNOWN:
        break;
    }
    return true;
}

bool protocol_parse(const char *text, size_t bytes, struct protocol_message *ret_message,
                    char reason[PROTOCOL_REASON_MAX])
{
    cJSON *root = json_parse(text, bytes);
    const cJSON *payload = cJSON_GetObjectItemCaseSensitive(root, "payload");
    char type[64];
    bool typed = root ? json_string(root, "type", type, sizeof type)
                      : json_scan_string(text, bytes, "type", type, sizeof type);
    bool good = false;
    memset(ret_message, 0, sizeof *ret_message);
    ret_message->type = typed ? type_of(type) : MESSAGE_UNKNOWN;
    if (!root)
        refuse(reason, "the message is not JSON");
    else if (!typed || !cJSON_IsObject(payload))
        refuse(reason, "the message has no type or no payload object");
    else
        good = parse_payload(payload, ret_message, reason);
    cJSON_Delete(root);
    return good;
}

void protocol_message_finish(struct protocol_message *message)
{
    if (message->type == MESSAGE_PLAYLIST)
        playlist_message_finish(&message->playlist);
}

bool protocol_parse_playlist(const char *text, size_t bytes, struct playlist_message *ret_playlist,
                             char reason[PROTOCOL_REASON_MAX])
{
    cJSON *root = json_parse(text, bytes);
    bool good =
        root ? parse_items(root, ret_playlist, reason) : refuse(reason, "the playlist is not JSON");
    cJSON_Delete(root);
    return good;
}

bool protocol_parse_playback(const char *text, size_t bytes, struct playback_state *ret_playback,
                             char reason[PROTOCOL_REASON_MAX])
{
    cJSON *root = json_parse(text, bytes);
    bool good = root ? parse_playback(root, ret_playback, reason)
                     : refuse(reason, "the playback state is not JSON");
    cJSON_Delete(root);
    return good;
}

bool protocol_parse_request(const char *text, size_t bytes, struct request_message *ret_request,
                            char reason[PROTOCOL_REASON_MAX])
{
    cJSON *root = json_parse(text, bytes);
    struct request_message request = {0};
    bool good =
        root ? parse_request(root, &request, reason) : refuse(reason, "the request is not JSON");
    cJSON_Delete(root);
    if (good)
        *ret_request = request;
    return good;
}

bool protocol_parse_item(const char *text, size_t bytes, struct playlist_item *ret_item)
{
    cJSON *root = json_parse(text, bytes);
    struct playlist_item item = {0};
    bool good = parse_item(root, &item);
    cJSON_Delete(root);
    if (good)
        *ret_item = item;
    return good;
}

bool protocol_parse_snapshot(const char *text, size_t bytes, struct playback_state *ret_playback,
                             struct playlist_message *ret_playlist,
                             char reason[PROTOCOL_REASON_MAX])
{
    cJSON *root = json_parse(text, bytes);
    struct playback_state playback;
    bool good =
        parse_playback(cJSON_GetObjectItemCaseSensitive(root, "playback_state"), &playback,
                       reason) &&
        parse_items(cJSON_GetObjectItemCaseSensitive(root, "playlist"), ret_playlist, reason);
    cJSON_Delete(root);
    if (good)
        *ret_playback = playback;
    return good;
}

bool protocol_parse_login(const char *text, size_t bytes, struct login_answer *ret_answer)
{
    cJSON *root = json_parse(text, bytes);
    bool good = json_string(root, "token", ret_answer->token, sizeof ret_answer->token);
    cJSON_Delete(root);
    return good;
}

bool protocol_parse_session(const char *text, size_t bytes, struct session_answer *ret_answer)
{
    cJSON *root = json_parse(text, bytes);
    struct session_answer answer = {0};
    bool good = json_string(root, "session_id", answer.session_id, sizeof answer.session_id) &&
                json_optional_string(root, "code", answer.code, sizeof answer.code);
    if (good && !json_string(root, "guest_token", answer.token, sizeof answer.token) &&
        !json_string(root, "host_token", answer.token, sizeof answer.token))
        answer.token[0] = '\0';
    cJSON_Delete(root);
    if (good)
        *ret_answer = answer;
    return good;
}

void protocol_error_detail(const char *text, size_t bytes, char detail[PROTOCOL_REASON_MAX])
{
    cJSON *root = json_parse(text, bytes);
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(root, "detail");
    const cJSON *first = cJSON_IsArray(member) ? cJSON_GetArrayItem(member, 0) : NULL;
    const cJSON *said = cJSON_GetObjectItemCaseSensitive(first, "msg");
    if (cJSON_IsString(member))
        snprintf(detail, PROTOCOL_REASON_MAX, "%s", member->valuestring);
    else if (cJSON_IsString(said))
        snprintf(detail, PROTOCOL_REASON_MAX, "%s", said->valuestring);
    else
        snprintf(detail, PROTOCOL_REASON_MAX, "%.*s", (int)(bytes < 80 ? bytes : 80), text);
    cJSON_Delete(root);
}
