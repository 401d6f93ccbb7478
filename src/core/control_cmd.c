/*
 * control_cmd.c: one table of commands, each with the members that it takes.
 */
#include "tutti/core/control_cmd.h"

#include "protocol_json.h"
#include "tutti/core/utf8.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define VOLUME_MAX 100

enum field_kind {
    TEXT,
    NUMBER,
    WHOLE,
    FLAG,
};

struct field {
    const char *name; /* NULL: the end */
    enum field_kind kind;
    size_t at;
    size_t size; /* of a text's array */
    bool required;
    double low, high; /* of numbers */
};

#define TEXT_FIELD(member, required)                                                               \
    {                                                                                              \
#member, TEXT, offsetof(struct control_cmd, member),                                       \
            sizeof((struct control_cmd *)0)->member, required, 0, 0                                \
    }
#define NUMBER_FIELD(name, member, low, high)                                                      \
    {                                                                                              \
        name, NUMBER, offsetof(struct control_cmd, member), 0, false, low, high                    \
    }
#define FLAG_FIELD(member)                                                                         \
    {                                                                                              \
#member, FLAG, offsetof(struct control_cmd, member), 0, false, 0, 0                        \
    }
#define POSITION_FIELD NUMBER_FIELD("position_ms", position_ms, 0, PROTOCOL_POSITION_MAX_MS)
#define PLACE_FIELD(required)                                                                      \
    {                                                                                              \
        "new_position", WHOLE, offsetof(struct control_cmd, new_position), 0, required, 0,         \
            PROTOCOL_PLAYLIST_MAX                                                                  \
    }

static const struct field none[] = {{0}};
static const struct field play[] = {TEXT_FIELD(track_id, false), POSITION_FIELD, {0}};
static const struct field seek[] = {
    POSITION_FIELD,
    NUMBER_FIELD("by_ms", by, -PROTOCOL_POSITION_MAX_MS, PROTOCOL_POSITION_MAX_MS),
    {0}};
static const struct field add[] = {
    TEXT_FIELD(track_id, false), TEXT_FIELD(name, false), TEXT_FIELD(filename, true), {0}};
static const struct field item[] = {TEXT_FIELD(item_id, true), {0}};
static const struct field move[] = {TEXT_FIELD(item_id, true), PLACE_FIELD(true), {0}};
static const struct field request[] = {
    {"type", TEXT, offsetof(struct control_cmd, type_word),
     sizeof((struct control_cmd *)0)->type_word, true, 0, 0},
    TEXT_FIELD(item_id, false),
    PLACE_FIELD(false),
    TEXT_FIELD(track_id, false),
    TEXT_FIELD(name, false),
    TEXT_FIELD(media_path, false),
    TEXT_FIELD(media_type, false),
    NUMBER_FIELD("duration_s", duration_s, 0, PROTOCOL_POSITION_MAX_MS / 1000),
    {0}};
static const struct field approve[] = {TEXT_FIELD(request_id, true), {0}};
static const struct field deny[] = {TEXT_FIELD(request_id, true), TEXT_FIELD(reason, false), {0}};
static const struct field pairing[] = {
    TEXT_FIELD(sign, false),
    {"allow", FLAG, offsetof(struct control_cmd, on), 0, false, 0, 0},
    {0}};
static const struct field join[] = {TEXT_FIELD(code, true), {0}};
static const struct field volume[] = {NUMBER_FIELD("percent", percent, 0, VOLUME_MAX),
                                      NUMBER_FIELD("by", by, -VOLUME_MAX, VOLUME_MAX),
                                      {0}};
static const struct field on_or_off[] = {FLAG_FIELD(on), {0}};
static const struct field latency[] = {
    NUMBER_FIELD("ms", ms, -PROTOCOL_LATENCY_MAX_MS, PROTOCOL_LATENCY_MAX_MS), {0}};
static const struct field settings[] = {FLAG_FIELD(advance),    TEXT_FIELD(repeat, false),
                                        FLAG_FIELD(shuffle),    TEXT_FIELD(control, false),
                                        TEXT_FIELD(add, false), {0}};
static const struct field name_speaker[] = {
    TEXT_FIELD(device_id, true), TEXT_FIELD(name, false), {0}};
static const struct field command_speakers[] = {
    TEXT_FIELD(speakers, true),
    NUMBER_FIELD("volume", percent, 0, VOLUME_MAX),
    NUMBER_FIELD("volume_by", by, -VOLUME_MAX, VOLUME_MAX),
    {"muted", FLAG, offsetof(struct control_cmd, on), 0, false, 0, 0},
    NUMBER_FIELD("latency_ms", ms, -PROTOCOL_LATENCY_MAX_MS, PROTOCOL_LATENCY_MAX_MS),
    FLAG_FIELD(identify),
    FLAG_FIELD(clicks),
    {0}};
static const struct field search[] = {
    TEXT_FIELD(words, false),
    TEXT_FIELD(album, false),
    {"after", WHOLE, offsetof(struct control_cmd, after), 0, false, 0, CONTROL_AFTER_MAX},
    {"limit", WHOLE, offsetof(struct control_cmd, limit), 0, false, 1, CONTROL_LIMIT_MAX},
    {0}};
static const struct field list[] = {TEXT_FIELD(name, true), {0}};
static const struct field add_tracks[] = {TEXT_FIELD(tracks, true), {0}};
static const struct field log_level[] = {TEXT_FIELD(level, false), {0}};

/* Who may: anybody, the session's host, or its guests; and what it is called when they may not. */
enum who {
    ANYBODY,
    HOST,
    CONTROLLER,  /* also everybody, where the host lets them */
    HOST_OR_ASK, /* a guest may make a request instead */
    GUEST,
};

static const struct command {
    const char *name;
    enum control_verb verb;
    const struct field *fields;
    enum who who;
    const char *act;
} commands[] = {
    {"hello", CONTROL_HELLO, none, ANYBODY, NULL},
    {"status", CONTROL_STATUS, none, ANYBODY, NULL},
    {"playlist", CONTROL_PLAYLIST, none, ANYBODY, NULL},
    {"requests", CONTROL_REQUESTS, none, ANYBODY, NULL},
    {"subscribe", CONTROL_SUBSCRIBE, none, ANYBODY, NULL},
    {"session", CONTROL_SESSION, none, ANYBODY, NULL},
    {"devices", CONTROL_DEVICES, none, ANYBODY, NULL},
    {"play", CONTROL_PLAY, play, CONTROLLER, "play"},
    {"pause", CONTROL_PAUSE, none, CONTROLLER, "pause"},
    {"toggle", CONTROL_TOGGLE, none, CONTROLLER, "play and pause"},
    {"seek", CONTROL_SEEK, seek, CONTROLLER, "seek"},
    {"next", CONTROL_NEXT, none, CONTROLLER, "skip"},
    {"prev", CONTROL_PREV, none, CONTROLLER, "skip"},
    {"add", CONTROL_ADD, add, ANYBODY, NULL},
    {"remove", CONTROL_REMOVE, item, HOST_OR_ASK, "remove tracks"},
    {"move", CONTROL_MOVE, move, HOST_OR_ASK, "move tracks"},
    {"request", CONTROL_REQUEST, request, GUEST, "request changes: the host makes them"},
    {"approve", CONTROL_APPROVE, approve, HOST, "approve requests"},
    {"deny", CONTROL_DENY, deny, HOST, "deny requests"},
    {"pairing", CONTROL_PAIRING, pairing, HOST, "let speakers in"},
    {"join", CONTROL_JOIN, join, GUEST, "join: the host has a session of its own"},
    {"leave", CONTROL_LEAVE, none, GUEST, "leave: without its host a session is lost"},
    {"volume", CONTROL_VOLUME, volume, ANYBODY, NULL},
    {"mute", CONTROL_MUTE, on_or_off, ANYBODY, NULL},
    {"latency", CONTROL_LATENCY, latency, ANYBODY, NULL},
    {"identify", CONTROL_IDENTIFY, none, ANYBODY, NULL},
    {"clicks", CONTROL_CLICKS, on_or_off, ANYBODY, NULL},
    {"log-level", CONTROL_LOG_LEVEL, log_level, ANYBODY, NULL},
    {"speakers", CONTROL_SPEAKERS, none, ANYBODY, NULL},
    {"name-speaker", CONTROL_NAME_SPEAKER, name_speaker, CONTROLLER, "name speakers"},
    {"command-speakers", CONTROL_COMMAND_SPEAKERS, command_speakers, CONTROLLER,
     "change other speakers"},
    {"search", CONTROL_SEARCH, search, ANYBODY, NULL},
    {"add-tracks", CONTROL_ADD_TRACKS, add_tracks, ANYBODY, NULL}, /* the hub knows who may */
    {"lists", CONTROL_LISTS, none, ANYBODY, NULL},
    {"save", CONTROL_SAVE, list, HOST, "save the playlist"},
    {"load", CONTROL_LOAD, list, HOST, "load a playlist"},
    {"forget", CONTROL_FORGET, list, HOST, "forget a saved playlist"},
    {"clear", CONTROL_CLEAR, none, HOST, "clear the playlist"},
    {"settings", CONTROL_SETTINGS, settings, ANYBODY,
     NULL}, /* to see; the hub knows who may more */
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static bool take_text(const struct field *field, const cJSON *member, char *to, char *error)
{
    /* The backend drops a client whose text is not UTF-8. */
    if (cJSON_IsString(member) && strlen(member->valuestring) < field->size &&
        utf8_is_valid(member->valuestring, strlen(member->valuestring))) {
        strcpy(to, member->valuestring);
        return true;
    }
    snprintf(error, CONTROL_ERROR_MAX, "%s: a text of less than %zu bytes of UTF-8 is wanted",
             field->name, field->size);
    return false;
}

static bool take_number(const struct field *field, const cJSON *member, double *ret, char *error)
{
    double number = cJSON_IsNumber(member) ? member->valuedouble : NAN;
    bool whole = field->kind == WHOLE;
    if (number >= field->low && number <= field->high && (!whole || number == floor(number))) {
        *ret = number;
        return true;
    }
    snprintf(error, CONTROL_ERROR_MAX, "%s: a %snumber from %.0f to %.0f is wanted", field->name,
             whole ? "whole " : "", field->low, field->high);
    return false;
}

static bool take_field(const struct field *field, const cJSON *member, struct control_cmd *cmd,
                       char *error)
{
    void *to = (char *)cmd + field->at;
    double number;
    switch (field->kind) {
    case TEXT:
        return take_text(field, member, to, error);
    case NUMBER:
        return take_number(field, member, to, error);
    case WHOLE:
        if (!take_number(field, member, &number, error))
            return false;
        *(int *)to = (int)number;
        return true;
    case FLAG:
        break;
    }
    if (!cJSON_IsBool(member)) {
        snprintf(error, CONTROL_ERROR_MAX, "%s: true or false is wanted", field->name);
        return false;
    }
    *(int *)to = cJSON_IsTrue(member);
    return true;
}

static bool take_fields(const struct field *field, const cJSON *root, struct control_cmd *cmd,
                        char *error)
{
    for (; field->name; field++) {
        const cJSON *member = cJSON_GetObjectItemCaseSensitive(root, field->name);
        bool there = member && !cJSON_IsNull(member);
        if (there && !take_field(field, member, cmd, error))
            return false;
        bool empty = field->kind == TEXT && ((char *)cmd)[field->at] == '\0';
        if (field->required && (!there || empty)) {
            snprintf(error, CONTROL_ERROR_MAX, "%s is missing", field->name);
            return false;
        }
    }
    return true;
}

/* What a request must name depends on its type. */
static const char *wrong_request(const struct control_cmd *cmd)
{
    switch (cmd->type) {
    case REQUEST_ADD:
        return cmd->item_id[0] || (cmd->track_id[0] && cmd->media_path[0] && cmd->media_type[0])
                   ? NULL
                   : "an add request takes the item_id of a track in the playlist, or track_id, "
                     "media_path and media_type";
    case REQUEST_REORDER:
        return cmd->item_id[0] && cmd->new_position >= 0
                   ? NULL
                   : "a reorder request takes item_id and new_position";
    case REQUEST_REMOVE:
        return cmd->item_id[0] ? NULL : "a remove request takes item_id";
    case REQUEST_OTHER:
        break;
    }
    return "type: add, reorder or remove is wanted";
}

static const char *wrong_whole(const struct control_cmd *cmd)
{
    if (cmd->verb == CONTROL_REQUEST)
        return wrong_request(cmd);
    if (cmd->verb == CONTROL_SEEK && isnan(cmd->position_ms) && isnan(cmd->by))
        return "seek takes position_ms, or by_ms from here";
    return NULL;
}

static bool refuse(char *error, const char *what)
{
    snprintf(error, CONTROL_ERROR_MAX, "%s", what);
    return false;
}

static bool parse(const cJSON *root, struct control_cmd *cmd, char *error)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(root, "cmd");
    if (!json_number(root, "id", &cmd->id))
        cmd->id = 0;
    if (!cJSON_IsString(name))
        return refuse(error, "not a command: a JSON object with \"cmd\" is wanted");
    const struct command *command = find_command(name->valuestring);
    if (!command)
        return refuse(error, "there is no such command");
    cmd->verb = command->verb;
    if (!take_fields(command->fields, root, cmd, error))
        return false;
    cmd->type = request_type_parse(cmd->type_word);
    const char *wrong = wrong_whole(cmd);
    return !wrong || refuse(error, wrong);
}

bool control_cmd_parse(const char *line, struct control_cmd *ret_cmd, char error[CONTROL_ERROR_MAX])
{
    cJSON *root = json_parse(line, strlen(line));
    *ret_cmd = (struct control_cmd){.position_ms = NAN,
                                    .by = NAN,
                                    .percent = NAN,
                                    .ms = NAN,
                                    .duration_s = NAN,
                                    .new_position = -1,
                                    .after = -1,
                                    .limit = -1,
                                    .advance = -1,
                                    .shuffle = -1,
                                    .on = -1,
                                    .identify = -1,
                                    .clicks = -1};
    bool good = parse(root, ret_cmd, error);
    cJSON_Delete(root);
    return good;
}

static const struct command *command_of(enum control_verb verb)
{
    size_t i = 0;
    while (commands[i].verb != verb)
        i++;
    return &commands[i];
}

/* What a guest may do instead. */
static const char *way_out(enum who who, const struct control_rights *rights)
{
    if (who == HOST_OR_ASK)
        return ": ask with tuttictl request";
    if (who == CONTROLLER && rights->has_settings)
        return ": ask there, or have everybody allowed to, there: tuttictl session control "
               "everyone";
    return "";
}

bool control_cmd_allowed(enum control_verb verb, const struct control_rights *rights,
                         char error[CONTROL_ERROR_MAX])
{
    const struct command *command = command_of(verb);
    enum who who = command->who;
    bool free = who == ANYBODY || (who == CONTROLLER && rights->everyone_may);
    if (free || (who == GUEST) == !rights->is_host)
        return true;
    if (who == GUEST)
        snprintf(error, CONTROL_ERROR_MAX, "only a guest may %s; this speaker is the host",
                 command->act);
    else
        snprintf(error, CONTROL_ERROR_MAX,
                 "only the session's host may %s; this speaker is a guest%s", command->act,
                 way_out(who, rights));
    return false;
}
