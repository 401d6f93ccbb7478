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

/* So long a speaker has to answer. */
#define SPEAKERS_ANSWER_NS (INT64_C(300) * 1000 * 1000)
/* And with a sound, for which its device may have to be opened. */
#define SPEAKERS_SOUND_ANSWER_NS (INT64_C(2000) * 1000 * 1000)
#define SPEAKERS_COMMAND_ID_MAX 33
#define SPEAKERS_REASON_MAX 256

enum speaker_command_status {
    SPEAKER_COMMAND_NONE,
    SPEAKER_COMMAND_PENDING,
    SPEAKER_COMMAND_DONE,
    SPEAKER_COMMAND_REFUSED, /* by the speaker: reason */
    SPEAKER_COMMAND_FAILED,  /* it did not answer, or cannot: reason */
};

/* The last that it was told to do. */
struct speaker_command {
    char id[SPEAKERS_COMMAND_ID_MAX];
    enum speaker_command_status status;
    char reason[SPEAKERS_REASON_MAX];
    double volume;     /* that it is to have; NAN: whichever */
    int64_t answer_ns; /* that it has for its answer */
    int64_t until_ns;  /* to be answered, steady */
};

/* What is to change; at least one of them. */
struct speaker_wish {
    double volume;     /* 0 to 100; NAN: as it is */
    double volume_by;  /* of the loudest, the others in proportion; NAN: not asked for */
    double latency_ms; /* NAN: as it is */
    int muted;         /* < 0: as it is */
    int clicks;        /* for a while, or no more; < 0: as it is */
    bool identify;     /* a chime */
};

struct speaker {
    char session_id[STORE_ID_MAX];
    char device_id[STORE_DEVICE_ID_MAX];
    cJSON *report;   /* as it is told on */
    int64_t seen_ns; /* when it said that, UTC */
    bool untold;     /* there is news of it */
    bool hurried;    /* and it is to be told at once: how a command has ended */
    struct speaker_command command;
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

/* --- commands (speakers_command.c) --- */

/* NULL, or what is wrong with it. */
const char *speakers_read_wish(const cJSON *body, struct speaker_wish *ret);
/* Does it say whether it lets others change anything? One of an older version does not. */
bool speakers_tells_remote(const struct speaker *speaker);
/* Does it know of chimes and clicks, as far as they are wished for? */
bool speakers_can_sound(const struct speaker *speaker, const struct speaker_wish *wish);
/* Does it say that it lets others change this? What it says decides, not the hub. */
bool speakers_may_change(const struct speaker *speaker, const struct speaker_wish *wish);
/* How loud it is to be among those that are to change with it; NAN: as it is, or it is not known. */
double speakers_wanted_volume(const struct speaker *speaker, const struct speaker_wish *wish,
                              double loudest);
/* As it is, or is going to be; NAN: it is not known. */
double speakers_volume(const struct speaker *speaker);
/* It is told so, now. */
void speakers_begin_command(struct speaker *speaker, const char *id,
                            const struct speaker_wish *wish, double volume, int64_t now_ns);
/* It cannot be told. */
void speakers_fail_command(struct speaker *speaker, const char *reason);
/* What it says of a command, in what it says of itself. */
void speakers_take_answer(struct speaker *speaker, const cJSON *said);
/* Ends what was not answered in time. *ret_next_ns is made earlier where one is to end before. */
void speakers_end_late_commands(struct speakers *speakers, int64_t now_ns, int64_t *ret_next_ns);
/* As it is told on; null: none. */
cJSON *speakers_command_json(const struct speaker *speaker);

/* There is news of this one. */
void speakers_note(struct speaker *speaker);
/* One that is to be told now, and counts as told; NULL: none. *ret_next_ns: when the next is. */
struct speaker *speakers_next_to_tell(struct speakers *speakers, int64_t now_ns,
                                      int64_t *ret_next_ns);

#endif
