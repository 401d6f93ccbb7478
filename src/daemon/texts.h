/*
 * texts.h: the backend's long texts, read beside the loop: a playlist of 20,000 items takes a
 * second to be parsed on a small board, and its memory some milliseconds to be given back.
 */
#ifndef TUTTI_DAEMON_TEXTS_H
#define TUTTI_DAEMON_TEXTS_H

#include "tutti/core/protocol.h"
#include "tutti/daemon/link.h"

struct background;
struct text;

/* What is no longer is parsed in the loop, within a fraction of a millisecond. */
#define TEXTS_AT_ONCE_BYTES 16384u

enum text_kind {
    TEXT_MESSAGE,  /* a frame of the socket */
    TEXT_PLAYLIST, /* GET /sessions/{id}/playlist */
    TEXT_SNAPSHOT, /* GET /sessions/{id} */
    TEXT_ANSWER,   /* to what was asked of a hub: read by the source's reader */
    TEXT_JOINED,   /* POST /sessions/{code}/join: the full backend puts the playlist into it */
};

/* What it says; of the members those of its kind. */
struct parsed {
    enum text_kind kind;
    bool good;
    char reason[PROTOCOL_REASON_MAX]; /* why not */
    size_t bytes;
    struct mono_time received;       /* as told by whoever asked */
    struct protocol_message message; /* of one that is not good: its type only */
    struct playback_state playback;
    struct playlist_message playlist;
    struct session_answer session;
    struct link_said said;
};

/* From malloc(), to be freed by whoever is given it. */
struct text_source {
    enum text_kind kind;
    char *text;
    size_t bytes;
    struct mono_time received;
    link_read *read; /* of an answer */
    char key[32];    /* for it */
};

/* Calls done later, in the order of the calls, unless it is cancelled. What done does not take out
 * of parsed is freed. NULL: no memory or thread for it; the text is freed, done is not called. */
struct text *texts_parse(struct background *reader, const struct text_source *source,
                         void (*done)(void *user, struct text *text, struct parsed *parsed),
                         void *user);
void texts_cancel(struct text *text); /* NULL is fine; not after done */

/* Frees a playlist beside the loop, if nobody else has it. */
void texts_forget_playlist(struct background *reader, struct playlist_message *playlist);
/* Frees what comes from malloc() there. */
void texts_forget(struct background *reader, void *memory);

#endif
