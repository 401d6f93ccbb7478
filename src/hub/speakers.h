/*
 * speakers.h: what the speakers of all sessions said of themselves last, and what they were told to
 * do. In memory: a speaker says it again when it connects. Pure: `now` is a parameter (steady ns).
 *
 * A speaker is known by a key that it shares with the hub alone; everybody else knows the device id
 * that is made of it, so that nobody can pass himself off as a speaker of the house.
 */
#ifndef TUTTI_HUB_SPEAKERS_H
#define TUTTI_HUB_SPEAKERS_H

#include "store.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* What one speaker says is told on once in so long. */
#define SPEAKERS_TELL_NS (INT64_C(1000) * 1000 * 1000)
#define SPEAKERS_NEVER INT64_MAX

struct speaker {
    char session_id[STORE_ID_MAX];
    char device_id[STORE_DEVICE_ID_MAX];
    cJSON *report; /* as it is told on */
    int64_t seen_ns; /* when it said that, UTC */
    bool untold;     /* there is news of it */
    int64_t told_at_ns;
    struct speaker *next;
};

/* Zeroed: none. */
struct speakers {
    struct speaker *first;
};

void speakers_end(struct speakers *speakers);
struct speaker *speakers_find(const struct speakers *speakers, const char *session_id,
                              const char *device_id);
/* It is made if there is none yet. NULL: no memory. */
struct speaker *speakers_get(struct speakers *speakers, const char *session_id,
                             const char *device_id);
void speakers_forget(struct speakers *speakers, const char *session_id, const char *device_id);

/* 16 hex digits; false when the key is none: 32 hex digits. */
bool speakers_device_id(const char *key, char device_id[STORE_DEVICE_ID_MAX]);

/* Of a sync_ack's payload: what may be told on of it, each member of its type and bounded, else
 * null. NULL: it says nothing of a speaker. */
cJSON *speakers_read(const cJSON *payload);

/* There is news of this one. */
void speakers_note(struct speaker *speaker);
/* One that is to be told now, and counts as told; NULL: none. *ret_next_ns: when the next is. */
struct speaker *speakers_next_to_tell(struct speakers *speakers, int64_t now_ns,
                                      int64_t *ret_next_ns);

#endif
