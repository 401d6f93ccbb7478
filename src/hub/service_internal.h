/*
 * service_internal.h: what the files of the service share, from the ground up. Each uses those
 * above it here, and none below.
 */
#ifndef TUTTI_HUB_SERVICE_INTERNAL_H
#define TUTTI_HUB_SERVICE_INTERNAL_H

#include "service.h"

/* No playlist is longer: a place beyond is nonsense. */
#define SERVICE_POSITION_MAX 1000000

enum service_role {
    ROLE_MEMBER,
    ROLE_CONTROLLER, /* the host, or anybody where the host lets everybody control the session */
    ROLE_HOST,
};

/* Whose call it is, and where. */
struct admission {
    struct store_user user;
    struct store_session session;
    bool is_host;
    const char *address;
};

/* --- service_common.c --- */

/* The user of the caller's token, if it may act in the session in this role; else the refusal. */
bool service_admit(struct service *service, const struct caller *caller, const char *session_id,
                   enum service_role role, struct admission *ret, struct reply *ret_refusal);

/* A string member of usable length; NULL if there is none. */
const char *service_text(const cJSON *body, const char *name);
/* A whole number from 0 to high; fallback when absent or null; -1 when it is anything else. */
int64_t service_whole(const cJSON *body, const char *name, int64_t fallback, int64_t high);

/*
 * Everything between these two is one transaction: kept when the reply is a 200, undone otherwise;
 * nobody is told of it before it is kept. They do not nest. Begin: 0, or -errno.
 */
STORE_CHECKED int service_begin(struct service *service);
struct reply service_commit(struct service *service, struct reply reply);
/* What the store could not do: 507 when the disk is full, 503 when it may be better soon or after
 * somebody looked, else 500. */
struct reply service_store_error(int error, const char *detail);

/* Tells the session's sockets, at the end of the change if there is one. */
void service_announce(struct service *service, const char *session_id, const char *type,
                      cJSON *payload);

/* --- service.c --- */

/* Within a change: a new guest of the session, as joining answers. */
struct reply service_seat(struct service *service, const struct store_session *session,
                          const char *name, const char *address);

/* --- service_pairing.c --- */

void service_forget_pairings(struct service *service);

/* --- service_playback.c --- */

/* The current track is gone, or there is a first one: point at something that exists. */
STORE_CHECKED int service_mend_current(struct service *service, const char *session_id,
                                       int64_t position);

/* 1: what is played and its item; 0: there is none, or the playlist does not have it. */
STORE_CHECKED int service_get_current(struct service *service, const char *session_id,
                                      struct store_playback *ret_playback,
                                      struct store_item *ret_item);
/* To the beginning of an item; NULL: of none. */
void service_point_at(struct store_playback *playback, const struct store_item *item);
/* Keeps the playback as of that moment, with what follows from it, and tells everybody. */
STORE_CHECKED int service_set_playback(struct service *service, const char *session_id,
                                       struct store_playback *playback, struct server_time stamp);
/* When the current track is over, after anything else that decides it has changed. */
STORE_CHECKED int service_plan_turn(struct service *service, const char *session_id);

/* The current item may have been removed while another one has its track: that one is current. */
STORE_CHECKED int service_stand_elsewhere(struct service *service, const char *session_id);

/* --- service_settings.c --- */

bool service_advances(const struct service *service, const struct store_rules *rules);

/* --- service_turn.c --- */

/* 1: the item to go to from this one, forward (by: 1) or back (-1), by a person or at its end; 0:
 * there is none. */
STORE_CHECKED int service_find_turn(struct service *service, const char *session_id,
                                    const struct store_rules *rules, const struct store_item *from,
                                    int by, bool at_end, struct store_item *ret);
/* Tells what starts at the end of the current track, if that is near. */
STORE_CHECKED int service_tell_next(struct service *service, const char *session_id);
/* The same after what decides it has changed: that nothing is to be expected is told, too.
 * before_ns: when the track was to be over before that, if it was to be then. */
STORE_CHECKED int service_retell_next(struct service *service, const char *session_id,
                                      int64_t before_ns);

/* --- service_speakers.c --- */

/* As it is told. */
cJSON *service_speaker_json(struct service *service, const struct store_speaker *speaker);

/* --- service_library.c --- */

/* 1: the library has a track with this key: where it is, its media type and its length, and where
 * item has none its track_id and name; 0: it has none; or -errno. */
STORE_CHECKED int service_find_track(struct service *service, const char *key,
                                     struct store_item *item);
/* As the host, or as a guest who asks: what body's `library` names, one key or several. */
struct reply service_add_tracks(struct service *service, const struct admission *admission,
                                const cJSON *body);

/* --- service_edit.c: within a change, and without asking who --- */

STORE_CHECKED int service_announce_playlist(struct service *service, const char *session_id);

/* 200, or why this session takes no track of that length (-1: not known). */
struct reply service_fit_length(const struct store_session *session, double duration_s);
/* item->id is filled. */
struct reply service_insert(struct service *service, const char *session_id,
                            struct store_item *item);
/* All of them or none; answers with them. */
struct reply service_insert_all(struct service *service, const char *session_id,
                                struct store_item *items, int64_t count);
/* item_id: NULL is no item, which is refused. */
struct reply service_move(struct service *service, const char *session_id, const char *item_id,
                          int64_t to);
struct reply service_remove(struct service *service, const char *session_id, const char *item_id);
/* All items. */
struct reply service_clear(struct service *service, const char *session_id);
/* What a request asks for: an addition, a move or a removal. */
struct reply service_apply(struct service *service, const struct store_session *session,
                           const char *type, const cJSON *payload);
/* An item is gone, or a request: after the change. The file of an upload goes with the last that
 * names it, unless it is in the library. "" is fine. */
void service_drop_media(struct service *service, const char *path);

/* --- service_requests.c --- */

/* May this member add to the playlist, or ask for it? If not, the refusal. *ret_at_once: without
 * anybody's decision. */
bool service_may_add(struct service *service, const struct admission *admission, bool *ret_at_once,
                     struct reply *ret_refusal);
/* One request more, or one addition more that nobody decides about: of a guest not too often. If
 * not, the refusal. what: of which there were too many, a sentence without its end. */
bool service_may_ask(struct service *service, const struct admission *admission, const char *what,
                     struct reply *ret_refusal);
/* A request by whoever may make it; what needs no decision is done at once. */
struct reply service_ask(struct service *service, const struct admission *admission,
                         const char *type, const cJSON *payload);
struct reply service_add_request(struct service *service, const struct admission *admission,
                                 const char *type, const cJSON *payload);
/* By a guest: to have this track added. */
struct reply service_ask_for_track(struct service *service, const struct admission *admission,
                                   const struct store_item *item);

/* --- service_upload.c --- */

/* What its file is, whose path it has already. */
void service_take_track(struct store_item *item, const struct measurement *track);
/* What is kept of its file. */
struct store_media service_media_of(const struct store_item *item, int64_t bytes);

struct reply service_upload(struct service *service, const struct admission *admission,
                            const cJSON *body, struct media_upload *upload);

#endif
