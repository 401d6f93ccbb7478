/*
 * session.h: the session as this speaker knows it: what is played, the playlist and where it stands
 * in it, and what guests asked for.
 *
 * The backend has the session; this is the one replica of it here. It changes only by what the
 * backend says, told message by message by the one who owns it; everybody else reads it. What
 * changed is told as SESSION_* bits, so that what follows from it follows once.
 *
 * What the live socket says is news. A socket that is being opened tells the whole state first; its
 * frames are gathered in a session_opening and count from the moment when it is adopted. A list or
 * a state that was asked for over REST changes nothing: it may be older than the news. It is
 * compared, and where it differs, only a fresh socket says what is true.
 *
 * The backend changes the current track without a word when its item is removed, and when the first
 * item is added. So a playlist that does not go with the state that was told leaves it in doubt.
 */
#ifndef TUTTI_CORE_SESSION_H
#define TUTTI_CORE_SESSION_H

#include "tutti/core/notices.h"
#include "tutti/core/place.h"
#include "tutti/core/protocol.h"
#include "tutti/core/requests.h"

/* Of what there is news, or of what it is that two differ; ored. */
#define SESSION_PLAYBACK 1u
#define SESSION_PLAYLIST 2u
#define SESSION_REQUESTS 4u
#define SESSION_SETTINGS 8u
#define SESSION_NEXT 16u

struct session {
    bool has_playback;              /* it was told since session_clear() */
    struct playback_state playback; /* the last good one */
    struct mono_time told_at;       /* when it was told */
    bool has_next;                  /* it was told what starts at the end of the current track */
    struct playback_state next;     /* from its updated_at on */
    struct playlist_message playlist;
    struct place place; /* of the current item in it */
    struct requests requests;
    bool has_settings; /* the live socket told them: the backend plays on, and knows items */
    struct session_settings settings;
    struct notices odd; /* messages that could not be used */
};

/* What a socket that is being opened has told. Zeroed but for since: nothing. */
struct session_opening {
    struct mono_time since;
    bool has_playback, has_playlist;
    bool has_odd; /* for a state: the one that is known stays */
    struct playback_state playback;
    struct playlist_message playlist;
};

struct session_change {
    unsigned news; /* SESSION_* */
    bool doubtful; /* the whole state is to be told afresh */
    /* A playlist that has been replaced: the caller finishes it, where that may take its time. */
    struct playlist_message dropped;
};

bool session_init(struct session *session); /* false: out of memory */
void session_finish(struct session *session);

/*
 * One good message, of the live socket or in the answer to a call; a playlist is taken out of it.
 * length_s: how long the track is that was current until now, as this speaker knows it; < 0: not
 * known.
 */
struct session_change session_apply(struct session *session, struct protocol_message *message,
                                    double length_s, struct mono_time now);
/*
 * The same of a socket that another has replaced: it may be older than what that one has told, or
 * the only one to tell it. So a playback counts where it is newer, and a request as requests.h puts
 * it; a playlist says nothing of its age, and is left to the next check, or to a fresh socket where
 * the playback does not go with the list that is known.
 */
struct session_change session_apply_late(struct session *session, struct protocol_message *message,
                                         double length_s, struct mono_time now);
/* One good message of a socket that is being opened. A request counts at once: the live socket may
 * have missed it. */
struct session_change session_apply_opening(struct session *session,
                                            struct session_opening *opening,
                                            struct protocol_message *message);
/* A message that cannot be used, of any socket (opening: NULL: the live one); type: as far as it is
 * known. Returns whether reason is worth a line now (notices.h). As a state of an opening it stands
 * for "nothing new". */
bool session_note_odd(struct session *session, struct session_opening *opening,
                      enum message_type type, const char *reason, struct mono_time now,
                      unsigned *ret_withheld);

bool session_opening_is_complete(const struct session_opening *opening);
/*
 * The socket has told the whole state, and is the live one from here on. What it was told may have
 * been read before a change of which only the old socket was told: a playback that came since the
 * opening began counts where it is newer.
 */
struct session_change session_adopt(struct session *session, struct session_opening *opening,
                                    double length_s, struct mono_time now);

/*
 * The moment of what was told before has come, and nobody has said otherwise: it is what is played.
 * Whoever told it says it now as an ordinary state; he is waited for so long, for he may have said
 * something else just before.
 */
#define SESSION_TURN_NS (150 * NS_PER_MS)
struct session_change session_turn(struct session *session, struct server_time server_now,
                                   double length_s, struct mono_time now);

/* In what it differs, SESSION_*, from what was asked for; playback NULL: only the playlist was. */
unsigned session_differs(const struct session *session, const struct playback_state *playback,
                         const struct playlist_message *playlist);

/* An order from here leads to this item: its track, when it is told, means this one. */
void session_expect(struct session *session, const struct playlist_item *item,
                    struct mono_time now);
/* A request was made by this speaker. */
void session_mark_mine(struct session *session, const char *request_id);

/* This speaker is in that session no more: nothing is known. */
struct session_change session_clear(struct session *session);

/* NULL: nothing is current, or the playlist does not have it. */
const struct playlist_item *session_current_item(const struct session *session);
/* What comes after it: as it was told, or as the playlist has it. NULL: nothing, or it is not known. */
const struct playlist_item *session_next_item(const struct session *session);
/* A track is current, whether the playlist has it or not. */
bool session_has_track(const struct session *session);
/* Why the playlist gives nothing to play for the current track; "" where it does, or none is. */
const char *session_item_problem(const struct session *session);

#endif
