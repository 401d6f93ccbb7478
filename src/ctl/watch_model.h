/*
 * watch_model.h: what `tuttictl watch` knows: the speakers, as their daemons tell of themselves,
 * and what the person at the keys is about. Pure: lines and keys in, requests out.
 */
#ifndef TUTTI_CTL_WATCH_MODEL_H
#define TUTTI_CTL_WATCH_MODEL_H

#include "invocation.h"
#include "trace.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

#define WATCH_ASKED_MAX 8
#define WATCH_TEXT_MAX 512
#define WATCH_TYPED_MAX 200

struct watch_asked {
    int id; /* 0: free */
    const char *cmd;
};

struct watch_speaker {
    const char *path; /* of its socket */
    bool live;
    cJSON *status, *playlist, *requests; /* the newest; NULL: not told yet */
    struct trace drift;
    struct watch_asked asked[WATCH_ASKED_MAX];
};

struct watch_model {
    struct watch_speaker speakers[INVOCATION_SPEAKERS_MAX];
    int speaker_count;
    int chosen_speaker;           /* whose session is shown, and whom the keys command */
    char chosen_request[128];     /* id; "": the first that is pending */
    int scrolled;                 /* rows of the playlist, from where it would stand */
    char message[WATCH_TEXT_MAX]; /* "": none */
    bool message_is_error;
    int64_t message_until_ms;
    bool asking_reason; /* a denial's reason is being typed */
    bool searching;     /* or what a name on the playlist is to have */
    int found;          /* the item's place, 0-based; -1: none */
    wchar_t typed[WATCH_TYPED_MAX];
    int typed_length;
};

enum watch_key_kind {
    WATCH_KEY_CHARACTER,
    WATCH_KEY_LEFT,
    WATCH_KEY_RIGHT,
    WATCH_KEY_UP,
    WATCH_KEY_DOWN,
    WATCH_KEY_PAGE_UP,
    WATCH_KEY_PAGE_DOWN,
    WATCH_KEY_ENTER,
    WATCH_KEY_ESCAPE,
    WATCH_KEY_BACKSPACE,
    WATCH_KEY_TAB,
};

struct watch_key {
    enum watch_key_kind kind;
    wchar_t character;
};

enum watch_outcome {
    WATCH_STAY,
    WATCH_SEND, /* a request to the chosen speaker's daemon */
    WATCH_QUIT,
};

/* paths: kept by the caller, one for each speaker. */
void watch_model_init(struct watch_model *model, int count, char paths[][INVOCATION_PATH_MAX]);
void watch_model_finish(struct watch_model *model);

/* A line of that speaker's daemon, which becomes the model's. */
void watch_model_take(struct watch_model *model, int speaker, cJSON *line, int64_t now_ms);
/* The connection has gone: what was asked is not known to have happened. */
void watch_model_lost(struct watch_model *model, int speaker, int64_t now_ms);
/* *ret_request, with "cmd" set, becomes the caller's with WATCH_SEND. */
enum watch_outcome watch_model_key(struct watch_model *model, struct watch_key key, int64_t now_ms,
                                   cJSON **ret_request);
/* The request was sent under this id. */
void watch_model_sent(struct watch_model *model, int speaker, int id, const cJSON *request);
/* Forgets what has been shown long enough. The time of the next such moment, or -1. */
int64_t watch_model_tick(struct watch_model *model, int64_t now_ms);

const struct watch_speaker *watch_model_chosen(const struct watch_model *model);
bool watch_speaker_is_host(const struct watch_speaker *speaker);
/* What is played: as host, or because everybody may. */
bool watch_speaker_may_control(const struct watch_speaker *speaker);

/* Of a speaker's requests, those that are pending first, then the others, the newest before.
 * Returns how many there are in order[]. */
int watch_speaker_requests(const struct watch_speaker *speaker, const cJSON *order[], int max);
/* The pending request that the keys are for; NULL: none. */
const cJSON *watch_model_chosen_request(const struct watch_model *model);

#endif
