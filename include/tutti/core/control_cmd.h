/*
 * control_cmd.h: lines of the control socket as typed commands. docs/control.md lists them.
 *
 * What arrives is a person's or a script's, and may be wrong: a command is whole and valid, or it
 * is refused with one sentence that names the member and what is wanted.
 */
#ifndef TUTTI_CORE_CONTROL_CMD_H
#define TUTTI_CORE_CONTROL_CMD_H

#include "tutti/core/protocol.h"

#include <stdbool.h>

/* Changes only when a client of an older one would misunderstand. */
#define CONTROL_PROTOCOL_VERSION 1
#define CONTROL_ERROR_MAX 256
#define CONTROL_FILENAME_MAX 256
/* device_ids with blanks between: 64 of them, as many as a hub takes at once. */
#define CONTROL_SPEAKERS_MAX (64 * 17 + 1)
/* Ids of tracks of the library, or numbers of the last search, likewise. */
#define CONTROL_TRACKS_MAX (200 * 33 + 1)
/* What is searched for. */
#define CONTROL_WORDS_MAX 256
/* What a search may be asked to pass over, and to tell at once. */
#define CONTROL_AFTER_MAX 1000000
#define CONTROL_LIMIT_MAX 200

enum control_verb {
    CONTROL_HELLO,
    CONTROL_STATUS,
    CONTROL_PLAYLIST,
    CONTROL_REQUESTS,
    CONTROL_SUBSCRIBE,
    CONTROL_SESSION,
    CONTROL_DEVICES,
    CONTROL_PLAY,
    CONTROL_PAUSE,
    CONTROL_TOGGLE,
    CONTROL_SEEK,
    CONTROL_NEXT,
    CONTROL_PREV,
    CONTROL_ADD,
    CONTROL_REMOVE,
    CONTROL_MOVE,
    CONTROL_REQUEST,
    CONTROL_APPROVE,
    CONTROL_DENY,
    CONTROL_PAIRING,
    CONTROL_JOIN,
    CONTROL_LEAVE,
    CONTROL_VOLUME,
    CONTROL_MUTE,
    CONTROL_LATENCY,
    CONTROL_IDENTIFY,
    CONTROL_CLICKS,
    CONTROL_LOG_LEVEL,
    CONTROL_SETTINGS,
    CONTROL_SPEAKERS,
    CONTROL_NAME_SPEAKER,
    CONTROL_COMMAND_SPEAKERS,
    CONTROL_SEARCH,
    CONTROL_ADD_TRACKS,
    CONTROL_CLEAR,
    CONTROL_LISTS,
    CONTROL_SAVE,
    CONTROL_LOAD,
    CONTROL_FORGET,
};

/* A member that is absent: "" for texts, NAN for numbers, -1 for whole numbers and flags. */
struct control_cmd {
    double id; /* of the answer; 0 when the line has none */
    enum control_verb verb;
    char track_id[PROTOCOL_ID_MAX];
    char item_id[PROTOCOL_ID_MAX];
    char request_id[PROTOCOL_ID_MAX];
    enum request_type type; /* of a request */
    char type_word[16];     /* the same, as it was asked for */
    char name[PROTOCOL_NAME_MAX];
    char filename[CONTROL_FILENAME_MAX];
    char media_path[PROTOCOL_PATH_MAX];
    char media_type[PROTOCOL_TYPE_MAX];
    char reason[PROTOCOL_REASON_MAX];
    char code[PROTOCOL_CODE_MAX];
    char sign[8]; /* of a speaker that asks to be let in */
    char level[16];
    double position_ms;
    double by; /* milliseconds, or percent of volume */
    double percent;
    double ms; /* of latency */
    double duration_s;
    char repeat[8];
    char control[16], add[16];           /* who may */
    char device_id[32];                  /* of a speaker */
    char speakers[CONTROL_SPEAKERS_MAX]; /* device_ids, or "all" */
    char words[CONTROL_WORDS_MAX], album[CONTROL_WORDS_MAX];
    int after, limit;
    char tracks[CONTROL_TRACKS_MAX];
    int new_position; /* 0-based */
    int advance, shuffle;
    int on;
    int identify, clicks; /* of other speakers */
};

/* False with a sentence in error; ret_cmd->id is set all the same. */
bool control_cmd_parse(const char *line, struct control_cmd *ret_cmd,
                       char error[CONTROL_ERROR_MAX]);

/* What this speaker is in its session. */
struct control_rights {
    bool is_host;
    bool has_settings; /* of a hub, where the host may let everybody control the session */
    bool everyone_may; /* and does */
};
/* What it may not do is refused here, lest the backend closes the socket on it: false, with a
 * sentence that says who may. */
bool control_cmd_allowed(enum control_verb verb, const struct control_rights *rights,
                         char error[CONTROL_ERROR_MAX]);

#endif
