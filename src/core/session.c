/*
 * session.c: see session.h.
 */
#include "tutti/core/session.h"

#include <string.h>

bool session_init(struct session *session)
{
    *session = (struct session){0};
    return requests_init(&session->requests);
}

void session_finish(struct session *session)
{
    playlist_message_finish(&session->playlist);
    requests_finish(&session->requests);
    *session = (struct session){0};
}

bool session_has_track(const struct session *session)
{
    return session->has_playback && session->playback.has_track;
}

const struct playlist_item *session_current_item(const struct session *session)
{
    return place_item(&session->place, &session->playlist);
}

const char *session_item_problem(const struct session *session)
{
    const struct playlist_item *item = session_current_item(session);
    if (!session_has_track(session))
        return "";
    if (!item)
        return "the playlist has no such track";
    return item->media_url[0] ? "" : "the playlist has no address for it";
}

const struct playlist_item *session_next_item(const struct session *session)
{
    const struct playlist_item *current = session_current_item(session);
    if (session->has_next)
        return playlist_find(&session->playlist, session->next.item_id);
    return current ? playlist_step(&session->playlist, current, 1) : NULL;
}

/* --- what is told -------------------------------------------------------------------------- */

static bool same_playback(const struct playback_state *a, const struct playback_state *b)
{
    return a->has_track == b->has_track && strcmp(a->track_id, b->track_id) == 0 &&
           strcmp(a->item_id, b->item_id) == 0 && a->position_ms == b->position_ms &&
           a->playing == b->playing && a->updated_at.ns == b->updated_at.ns;
}

/* What was to follow another state does not follow this one. */
static void take_playback(struct session *session, const struct playback_state *playback,
                          double length_s, struct mono_time now)
{
    if (!same_playback(playback, &session->playback))
        session->has_next = false;
    place_heard(&session->place, &session->playlist, playback, length_s, now);
    session->playback = *playback;
    session->told_at = now;
    session->has_playback = true;
}

/* The one that it replaces. */
static struct playlist_message take_playlist(struct session *session,
                                             struct playlist_message *playlist)
{
    struct playlist_message dropped = session->playlist;
    session->playlist = *playlist;
    *playlist = (struct playlist_message){0};
    place_follow(&session->place, &session->playlist);
    return dropped;
}

static bool is_doubtful(const struct session *session)
{
    if (!session->has_playback)
        return false;
    return session->playback.has_track ? !session_current_item(session)
                                       : session->playlist.count > 0;
}

struct session_change session_apply(struct session *session, struct protocol_message *message,
                                    double length_s, struct mono_time now)
{
    struct session_change change = {0};
    switch (message->type) {
    case MESSAGE_PLAYBACK_STATE:
        take_playback(session, &message->playback, length_s, now);
        change.news = SESSION_PLAYBACK;
        break;
    case MESSAGE_NEXT_STATE:
        session->has_next = session->has_playback && message->playback.has_track;
        session->next = message->playback;
        change.news = SESSION_NEXT;
        break;
    case MESSAGE_PLAYLIST:
        change.dropped = take_playlist(session, &message->playlist);
        change.news = SESSION_PLAYLIST;
        change.doubtful = is_doubtful(session);
        break;
    case MESSAGE_REQUEST:
        requests_put(&session->requests, &message->request, &session->playlist);
        change.news = SESSION_REQUESTS;
        break;
    case MESSAGE_SETTINGS:
        session->settings = message->settings;
        session->has_settings = true;
        change.news = SESSION_SETTINGS;
        break;
    case MESSAGE_COMMAND:
    case MESSAGE_ECHO:
    case MESSAGE_ERROR:
    case MESSAGE_UNKNOWN:
        break;
    }
    return change;
}

struct session_change session_apply_late(struct session *session, struct protocol_message *message,
                                         double length_s, struct mono_time now)
{
    bool newer = message->type == MESSAGE_PLAYBACK_STATE &&
                 server_sub(message->playback.updated_at, session->playback.updated_at) > 0;
    if (!newer && message->type != MESSAGE_REQUEST)
        return (struct session_change){0};
    struct session_change change = session_apply(session, message, length_s, now);
    change.doubtful = newer && is_doubtful(session);
    return change;
}

/* --- a socket that is being opened --------------------------------------------------------- */

struct session_change session_apply_opening(struct session *session,
                                            struct session_opening *opening,
                                            struct protocol_message *message)
{
    struct session_change change = {0};
    if (message->type == MESSAGE_PLAYBACK_STATE) {
        opening->playback = message->playback;
        opening->has_playback = true;
        opening->has_odd = false;
    } else if (message->type == MESSAGE_PLAYLIST) {
        change.dropped = opening->playlist;
        opening->playlist = message->playlist;
        message->playlist = (struct playlist_message){0};
        opening->has_playlist = true;
    } else if (message->type == MESSAGE_REQUEST) {
        requests_put(&session->requests, &message->request, &session->playlist);
        change.news = SESSION_REQUESTS;
    }
    return change;
}

bool session_note_odd(struct session *session, struct session_opening *opening,
                      enum message_type type, const char *reason, struct mono_time now,
                      unsigned *ret_withheld)
{
    if (opening && type == MESSAGE_PLAYBACK_STATE && !opening->has_playback)
        opening->has_playback = opening->has_odd = true;
    return notices_take(&session->odd, reason, now, ret_withheld);
}

bool session_opening_is_complete(const struct session_opening *opening)
{
    return opening->has_playback && opening->has_playlist;
}

static bool is_overtaken(const struct session *session, const struct session_opening *opening)
{
    return session->has_playback && mono_sub(session->told_at, opening->since) > 0 &&
           server_sub(session->playback.updated_at, opening->playback.updated_at) > 0;
}

struct session_change session_adopt(struct session *session, struct session_opening *opening,
                                    double length_s, struct mono_time now)
{
    bool overtaken = is_overtaken(session, opening);
    struct session_change change = {
        .news = SESSION_PLAYBACK | SESSION_PLAYLIST,
        .dropped = take_playlist(session, &opening->playlist),
    };
    struct playback_state playback =
        opening->has_odd || overtaken ? session->playback : opening->playback;
    take_playback(session, &playback, length_s, now);
    change.doubtful = overtaken && is_doubtful(session);
    /* Told next, by whoever tells them at all. */
    session->has_settings = false;
    return change;
}

/* --- what was told before ------------------------------------------------------------------ */

struct session_change session_turn(struct session *session, struct server_time server_now,
                                   double length_s, struct mono_time now)
{
    struct mono_time told_at = session->told_at;
    if (!session->has_next || server_sub(server_now, session->next.updated_at) < SESSION_TURN_NS)
        return (struct session_change){0};
    take_playback(session, &session->next, length_s, now);
    session->told_at = told_at; /* nobody has told it yet */
    return (struct session_change){.news = SESSION_PLAYBACK};
}

/* --- comparison ---------------------------------------------------------------------------- */

unsigned session_differs(const struct session *session, const struct playback_state *playback,
                         const struct playlist_message *playlist)
{
    bool other_state =
        playback && (!session->has_playback || !same_playback(playback, &session->playback));
    bool other_list = !playlist_equal(&session->playlist, playlist);
    return (other_state ? SESSION_PLAYBACK : 0) | (other_list ? SESSION_PLAYLIST : 0);
}

/* --- this speaker's part ------------------------------------------------------------------- */

void session_expect(struct session *session, const struct playlist_item *item, struct mono_time now)
{
    place_expect(&session->place, item, now);
}

void session_mark_mine(struct session *session, const char *request_id)
{
    requests_mark_mine(&session->requests, request_id);
}

struct session_change session_clear(struct session *session)
{
    struct session_change change = {
        .news = SESSION_PLAYBACK | SESSION_PLAYLIST | SESSION_REQUESTS,
        .dropped = session->playlist,
    };
    session->playlist = (struct playlist_message){0};
    session->playback = (struct playback_state){0};
    session->has_playback = session->has_next = session->has_settings = false;
    session->place = (struct place){0};
    requests_clear(&session->requests);
    return change;
}
