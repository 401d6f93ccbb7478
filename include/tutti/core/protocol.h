/*
 * protocol.h: the backend's JSON, as typed messages.
 *
 * Everything that arrives may be wrong: fields of the wrong type, odd values, huge or deeply nested
 * texts. Parsing never fails halfway: a message is whole and valid, or it is refused with a reason.
 * Strings longer than their arrays are refused, not cut. JSON texts that are built are owned by the
 * caller, who frees them with free().
 */
#ifndef TUTTI_CORE_PROTOCOL_H
#define TUTTI_CORE_PROTOCOL_H

#include "tutti/base/units.h"
#include "tutti/core/track_tags.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTOCOL_ID_MAX 128
#define PROTOCOL_NAME_MAX 512
#define PROTOCOL_URL_MAX 2048
#define PROTOCOL_TOKEN_MAX 256
#define PROTOCOL_CODE_MAX 32
#define PROTOCOL_REASON_MAX 256
#define PROTOCOL_PATH_MAX 512 /* media_path */
#define PROTOCOL_TYPE_MAX 64  /* media_type */
#define PROTOCOL_PLAYLIST_MAX 20000
#define PROTOCOL_POSITION_MAX_MS (366.0 * 24 * 3600 * 1000)

/*
 * The contract's words, each with one table (protocol_words.c). The parsers are false for a word
 * that is none of them.
 */
enum playback_action {
    PLAYBACK_PLAY,
    PLAYBACK_PAUSE,
    PLAYBACK_SEEK,
    PLAYBACK_SKIP_NEXT,
    PLAYBACK_SKIP_PREV,
};
const char *playback_action_name(enum playback_action action);
bool playback_action_parse(const char *word, enum playback_action *ret_action);

enum request_type {
    REQUEST_OTHER, /* what somebody made up; it has no name */
    REQUEST_ADD,
    REQUEST_REORDER,
    REQUEST_REMOVE,
};
const char *request_type_name(enum request_type type);
enum request_type request_type_parse(const char *word);

enum request_status {
    REQUEST_PENDING,
    REQUEST_APPROVED,
    REQUEST_DENIED,
};
const char *request_status_name(enum request_status status);
bool request_status_parse(const char *word, enum request_status *ret_status);

/* Who may do something in a session, beside its host. */
enum session_who {
    WHO_HOST,     /* nobody else */
    WHO_REQUESTS, /* guests ask the host: of adding */
    WHO_EVERYONE,
};
const char *session_who_name(enum session_who who);
bool session_who_parse(const char *word, enum session_who *ret_who);

/* "playing" or "paused": the state that is told, and that a command asks for. */
const char *playback_state_name(bool playing);
bool playback_state_parse(const char *word, bool *ret_playing);

/* What follows the last track, or each. */
enum session_repeat {
    REPEAT_OFF,
    REPEAT_ONE,
    REPEAT_ALL,
};
const char *session_repeat_name(enum session_repeat repeat);
bool session_repeat_parse(const char *word, enum session_repeat *ret_repeat);

struct playback_state {
    bool has_track;
    char track_id[PROTOCOL_ID_MAX];
    char item_id[PROTOCOL_ID_MAX]; /* which of the items with that track; "": not told */
    double position_ms;            /* >= 0; fractions are kept */
    bool playing;
    struct server_time updated_at;
};

struct playlist_item {
    char id[PROTOCOL_ID_MAX];
    char track_id[PROTOCOL_ID_MAX];
    char name[PROTOCOL_NAME_MAX];
    char media_url[PROTOCOL_URL_MAX]; /* as sent: relative or absolute; "" if none */
    char media_type[PROTOCOL_TYPE_MAX];
    double duration_s; /* < 0: not told */
    int position;
    struct track_tags tags; /* as far as the backend tells */
};

struct playlist_index;

/* In playlist order. What was parsed does not change any more, and may be shared (playlist.h). */
struct playlist_message {
    struct playlist_item *items;
    size_t count;
    struct playlist_index *index; /* NULL: a caller's own array, which is looked through */
};

struct request_message {
    char id[PROTOCOL_ID_MAX];
    char requester[PROTOCOL_NAME_MAX];
    enum request_type type;
    char type_word[32];              /* as it was told */
    char summary[PROTOCOL_NAME_MAX]; /* of the payload, for people */
    enum request_status status;
    char reason[PROTOCOL_REASON_MAX];
    /* Of the payload, where it has them; "" and -1 where not. */
    char item_id[PROTOCOL_ID_MAX];
    char track_id[PROTOCOL_ID_MAX];
    int new_position;
};

/* How a session goes on, told by backends that play on by themselves. */
struct session_settings {
    bool advance; /* at the end of a track the backend goes on */
    enum session_repeat repeat;
    bool shuffle;
    enum session_who control; /* what is played, and the speakers */
    enum session_who add;     /* to the playlist */
};

/* What this speaker is to change, told by a hub because somebody in the session asks for it. */
#define PROTOCOL_COMMAND_ID_MAX 40
#define PROTOCOL_LATENCY_MAX_MS 2000
struct command_message {
    char id[PROTOCOL_COMMAND_ID_MAX];
    double volume;     /* 0 to 100; NAN: as it is */
    double latency_ms; /* NAN: as it is */
    int muted;         /* < 0: as it is */
    bool identify;     /* a chime, now */
    int clicks;        /* for a while, or no more; < 0: as it is */
};

struct echo_message {
    int64_t sequence; /* of our sync_ack */
    struct server_time server_received_at;
    struct server_time server_sent_at;
};

enum message_type {
    MESSAGE_PLAYBACK_STATE,
    MESSAGE_NEXT_STATE, /* playback: what starts, at its updated_at; without a track: nothing does */
    MESSAGE_PLAYLIST,
    MESSAGE_REQUEST,
    MESSAGE_SETTINGS,
    MESSAGE_COMMAND, /* to this speaker alone */
    MESSAGE_ECHO,
    MESSAGE_ERROR,   /* the backend refused something we sent: detail */
    MESSAGE_UNKNOWN, /* of a type that we do not know: ignored */
};

struct protocol_message {
    enum message_type type;
    union {
        struct playback_state playback;
        struct playlist_message playlist;
        struct request_message request;
        struct session_settings settings;
        struct command_message command;
        struct echo_message echo;
        char detail[PROTOCOL_REASON_MAX];
    };
};

/* One frame. False with a reason when it cannot be used: ret_message then has its type alone, as far
 * as that can be known. On true, protocol_message_finish(). */
bool protocol_parse(const char *text, size_t bytes, struct protocol_message *ret_message,
                    char reason[PROTOCOL_REASON_MAX]);
void protocol_message_finish(struct protocol_message *message);

/* The bare array of GET /sessions/{id}/playlist. */
bool protocol_parse_playlist(const char *text, size_t bytes, struct playlist_message *ret_playlist,
                             char reason[PROTOCOL_REASON_MAX]);
void playlist_message_finish(struct playlist_message *playlist);

/* POST /sessions/{id}/playback's answer. */
bool protocol_parse_playback(const char *text, size_t bytes, struct playback_state *ret_playback,
                             char reason[PROTOCOL_REASON_MAX]);

/* A request object: the answer to making or deciding one. */
bool protocol_parse_request(const char *text, size_t bytes, struct request_message *ret_request,
                            char reason[PROTOCOL_REASON_MAX]);

/* A playlist item: a host's answer to adding one. */
bool protocol_parse_item(const char *text, size_t bytes, struct playlist_item *ret_item);

/* The answer to GET /sessions/{id}: the whole state, where a backend tells it over REST. The
 * playlist's items become the caller's. */
bool protocol_parse_snapshot(const char *text, size_t bytes, struct playback_state *ret_playback,
                             struct playlist_message *ret_playlist,
                             char reason[PROTOCOL_REASON_MAX]);

struct login_answer {
    char token[PROTOCOL_TOKEN_MAX];
};
bool protocol_parse_login(const char *text, size_t bytes, struct login_answer *ret_answer);

/* Of POST /sessions, POST /sessions/{code}/join and GET /sessions/{id}. */
struct session_answer {
    char session_id[PROTOCOL_ID_MAX];
    char code[PROTOCOL_CODE_MAX];   /* "" where it is not told */
    char token[PROTOCOL_TOKEN_MAX]; /* guest_token or host_token; "" if none */
};
bool protocol_parse_session(const char *text, size_t bytes, struct session_answer *ret_answer);

/* What a hub answers to whoever asks to be let in. */
enum pairing_answer_status {
    PAIRING_IS_WAITING,
    PAIRING_IS_ALLOWED,
    PAIRING_IS_DENIED,
};
struct pairing_answer {
    enum pairing_answer_status status;
    char sign[8];                     /* waiting: four digits */
    char session_id[PROTOCOL_ID_MAX]; /* allowed */
    char token[PROTOCOL_TOKEN_MAX];
};
bool protocol_parse_pairing(const char *text, size_t bytes, struct pairing_answer *ret_answer);

/* The `detail` of an error answer as one line; falls back to the text's beginning. */
void protocol_error_detail(const char *text, size_t bytes, char detail[PROTOCOL_REASON_MAX]);

/* ISO 8601 UTC; without a zone it is UTC. False when it is not a time. */
bool protocol_parse_time(const char *text, struct server_time *ret_time);
#define PROTOCOL_TIME_MAX 48
/* "2026-01-31T12:34:56.123456Z" from nanoseconds since the epoch of any UTC clock. */
void protocol_format_time(int64_t utc_ns, char text[PROTOCOL_TIME_MAX]);

/* Of the speaker itself, for a hub that keeps its speakers. */
struct speaker_report {
    char device_key[40];
    char name[PROTOCOL_NAME_MAX];
    const char *version;
    double volume; /* percent; NAN: nobody sets it */
    double latency_ms;
    bool muted;
    bool clicks;     /* are sounded just now */
    char device[16]; /* what the sound is at: transport_name() */
    char device_error[PROTOCOL_REASON_MAX];
    const char *remote; /* what it lets others change: all, volume or none */
    /* The last command that it was told: */
    char command_id[PROTOCOL_COMMAND_ID_MAX];  /* "": none yet */
    char command_refusal[PROTOCOL_REASON_MAX]; /* "": it is done */
};

struct sync_ack {
    struct wall_time client_time;
    const char *track_id; /* NULL: none */
    double position_ms;
    bool playing;
    bool drift_known;
    double drift_ms; /* heard - wanted: positive, ahead */
    double rate_ppm;
    double clock_offset_ms;
    double clock_uncertainty_ms;
    double latency_ms;
    int64_t sequence;
    const struct speaker_report *speaker; /* NULL: not told */
};
char *protocol_build_sync_ack(const struct sync_ack *ack);

/* What is NULL, and a negative position, is not sent. item_id: for backends that know items: of what
 * is to be played, or from which a skip is meant; then it stands for the track. */
struct playback_wish {
    enum playback_action action;
    const char *track_id;
    const char *item_id;
    double position_ms;
};
char *protocol_build_playback_command(const struct playback_wish *wish);
/* The same as the body of a call, for backends that know items. */
char *protocol_build_playback_action(const struct playback_wish *wish);
/* The body of POST /sessions/{id}/playback. state: playback_state_name(); NULL: stays as it is. */
char *protocol_build_playback(const char *track_id, double position_ms, const char *state);

/* What a guest asks for; what is "" or negative is left out. */
struct request_wish {
    enum request_type type;
    const char *item_id;                                   /* reorder, remove */
    int new_position;                                      /* reorder */
    const char *track_id, *name, *media_path, *media_type; /* add */
    double duration_s;                                     /* add */
};
char *protocol_build_request(const struct request_wish *wish);
/* Bodies of POST /requests/{id}/deny (and approve: no reason) and of PATCH on a playlist item. */
char *protocol_build_decision(const char *reason);
char *protocol_build_move(int new_position);
/* password: of the house, for a hub that asks for one; "": none. */
char *protocol_build_login(const char *name, const char *role, const char *password);
char *protocol_build_create(const char *host_name);
char *protocol_build_join(const char *guest_name);
char *protocol_build_pairing(const char *device_id, const char *name, const char *key);

/*
 * URLs. base: "http(s)://host[:port][/path]", without a trailing slash being needed. False when the
 * result does not fit or the base is no server_address.
 */
bool protocol_url(char *to, size_t size, const char *base, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A text as one segment of a URL's path; false when it does not fit. */
bool protocol_encode(char *to, size_t size, const char *from);
/* ws(s) URL of a session's socket, the token percent-encoded. */
bool protocol_ws_url(char *to, size_t size, const char *base, const char *session_id,
                     const char *token);

#endif
