/*
 * store.h: what the hub remembers. What was changed is kept when a function returns 0: a killed hub
 * comes back with it.
 *
 * Every question has three answers, and the compiler sees to it that none is overlooked: 1, it is
 * so (and what was asked for is filled in); 0, it is not; -errno, it is not known (db.h lists
 * them). Changes return 0 or -errno. Whoever gets -errno decides nothing and deletes nothing.
 */
#ifndef TUTTI_HUB_STORE_H
#define TUTTI_HUB_STORE_H

#include "covers.h"
#include "turn.h"
#include "tutti/core/track_tags.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_ID_MAX 64
#define STORE_TOKEN_MAX 64
#define STORE_NAME_MAX 256
#define STORE_CODE_MAX 16
#define STORE_PATH_MAX 128
#define STORE_ADDRESS_MAX 64
#define STORE_DEVICE_ID_MAX 17

#define STORE_CHECKED __attribute__((warn_unused_result))

struct store;

/*
 * directory: made if missing. NULL after one line in the log, also when the disk cannot be read. A
 * damaged database is said loudly, and only read: every change is then refused with -EROFS.
 */
struct store *store_open(const char *directory);
bool store_is_damaged(const struct store *store);
/* Was the database made just now? */
bool store_is_new(const struct store *store);
/* For who must not wait for the disk: from now on a thread does what takes long. */
void store_stay_swift(struct store *store);
void store_close(struct store *store);

/* --- users --------------------------------------------------------------------------------- */

struct store_user {
    char id[STORE_ID_MAX];
    char name[STORE_NAME_MAX];
    bool host;    /* may create sessions */
    bool trusted; /* knew the password of the house */
};
/* user->id and token are filled with new ones. */
STORE_CHECKED int store_add_user(struct store *store, struct store_user *user,
                                 char token[STORE_TOKEN_MAX]);
/* Another token of a user that there is; of many, the oldest are forgotten. */
STORE_CHECKED int store_add_token(struct store *store, const char *user_id,
                                  char token[STORE_TOKEN_MAX]);
/* Whose token this is; only its hash is kept. */
STORE_CHECKED int store_find_user(struct store *store, const char *token,
                                  struct store_user *ret_user);
/* Forgets users who are in no session, but for the `keep` newest of them. */
STORE_CHECKED int store_forget_users(struct store *store, int64_t keep);

/* --- sessions ------------------------------------------------------------------------------ */

struct store_session {
    char id[STORE_ID_MAX];
    char code[STORE_CODE_MAX];
    char host_id[STORE_ID_MAX];
    int64_t max_duration_s; /* -1: no limit */
};
/* id and code are filled with new ones; host_id becomes its first member. name: NULL or "": none.
 */
STORE_CHECKED int store_add_session(struct store *store, struct store_session *session,
                                    const char *name, const char *address);
STORE_CHECKED int store_session(struct store *store, const char *session_id,
                                struct store_session *ret_session);
STORE_CHECKED int store_find_session_by_code(struct store *store, const char *code,
                                             struct store_session *ret_session);
STORE_CHECKED int store_find_session_by_name(struct store *store, const char *name,
                                             struct store_session *ret_session);
/* Calls visit for each, in no order. 0, or -errno: then it was not all of them. */
STORE_CHECKED int store_each_session_id(struct store *store,
                                        void (*visit)(void *user, const char *session_id),
                                        void *user);
/* user_id, who may be no member yet, is the host from now on. */
STORE_CHECKED int store_set_host(struct store *store, const char *session_id, const char *user_id);
/* address: those from there; NULL: all. */
STORE_CHECKED int store_session_count(struct store *store, const char *address, int64_t *ret);
struct store_summary {
    struct store_session session;
    char name[STORE_NAME_MAX]; /* "": none */
    char host_name[STORE_NAME_MAX];
    bool playing;
    int64_t items;
};
/* Calls visit for each, those that changed last first. 0, or -errno: then it was not all. */
STORE_CHECKED int store_each_session(struct store *store, int64_t limit,
                                     void (*visit)(void *user, const struct store_summary *summary),
                                     void *user);
STORE_CHECKED int store_delete_session(struct store *store, const char *session_id);
/* The oldest session that is that old and has nothing in it: nobody but its host, who was never
 * seen, and no track. */
STORE_CHECKED int store_abandoned_session(struct store *store, int64_t older_than_s,
                                          char id[STORE_ID_MAX]);

/* --- members ------------------------------------------------------------------------------- */

/* Of any session. */
STORE_CHECKED int store_is_member_somewhere(struct store *store, const char *user_id);
STORE_CHECKED int store_is_member(struct store *store, const char *session_id, const char *user_id);
STORE_CHECKED int store_add_member(struct store *store, const char *session_id, const char *user_id,
                                   const char *address);
STORE_CHECKED int store_remove_member(struct store *store, const char *session_id,
                                      const char *user_id);
STORE_CHECKED int store_member_count(struct store *store, const char *session_id,
                                     const char *address, int64_t *ret);
STORE_CHECKED int store_has_member_named(struct store *store, const char *session_id,
                                         const char *name);
/* Sockets that the member has opened (1) or closed (-1): he was seen. */
STORE_CHECKED int store_see_member(struct store *store, const char *session_id, const char *user_id,
                                   int sockets);
/* The member called without a socket: noted once a day, and of guests at the first time. (A session
 * whose host did no more than that is still one in which nobody ever was.) */
STORE_CHECKED int store_see_caller(struct store *store, const char *session_id,
                                   const char *user_id);
/* After a start nobody has a socket; whoever had one when the hub ended was seen until now. */
STORE_CHECKED int store_forget_sockets(struct store *store);
/* Who joined that long ago, was never seen and waits for nothing: the one who has waited
 * longest is forgotten. 1: somebody was. */
STORE_CHECKED int store_forget_stranger(struct store *store, const char *session_id,
                                        int64_t older_than_s);
/* Forgets members, but no hosts, who were not seen for so long. 1: somebody was. */
STORE_CHECKED int store_forget_unseen(struct store *store, int64_t older_than_s);

/* Has another process changed the database since this was last asked? */
STORE_CHECKED int store_was_changed(struct store *store);
/* One consistent copy, into a file that must not exist yet. */
STORE_CHECKED int store_copy(struct store *store, const char *path);

/* --- speakers ------------------------------------------------------------------------------ */

struct store_speaker {
    char session_id[STORE_ID_MAX];
    char device_id[STORE_DEVICE_ID_MAX];
    char user_id[STORE_ID_MAX];    /* the member that it is; "": none any more */
    char name[STORE_NAME_MAX];     /* that it was given here; "": its own */
    char own_name[STORE_NAME_MAX]; /* as it says */
    int64_t since_ns;              /* it is connected, or it is not, UTC */
    int64_t seen_ns;
    bool is_host;
};
STORE_CHECKED int store_speaker(struct store *store, const char *session_id, const char *device_id,
                                struct store_speaker *ret);
/* By their names. 0, or -errno: then it was not all of them. */
STORE_CHECKED int store_each_speaker(struct store *store, const char *session_id,
                                     void (*visit)(void *user, const struct store_speaker *speaker),
                                     void *user);
/* It is there: a new one, or the one that there was, whose given name stays. */
STORE_CHECKED int store_put_speaker(struct store *store, const struct store_speaker *speaker);
/* It has gone. */
STORE_CHECKED int store_see_speaker(struct store *store, const char *session_id,
                                    const char *device_id, int64_t now_ns);
STORE_CHECKED int store_name_speaker(struct store *store, const char *session_id,
                                     const char *device_id, const char *name);
STORE_CHECKED int store_forget_speaker(struct store *store, const char *session_id,
                                       const char *device_id);

/* --- playback ------------------------------------------------------------------------------ */

struct store_playback {
    bool has_track;
    char track_id[STORE_NAME_MAX];
    char item_id[STORE_ID_MAX]; /* the item that is current; "": none, or none has the track */
    int64_t position_ms;
    bool playing;
    char updated_at[48];
    int64_t turn_at_ns; /* when the current track is over, UTC; STORE_NEVER: it has no end */
};
#define STORE_NEVER INT64_MAX
STORE_CHECKED int store_get_playback(struct store *store, const char *session_id,
                                     struct store_playback *ret_playback);
STORE_CHECKED int store_set_playback(struct store *store, const char *session_id,
                                     const struct store_playback *playback);

/* How a session goes on. */
struct store_rules {
    int advance; /* 1: the hub goes on at the end of a track; 0: not; -1: as it is configured */
    enum session_repeat repeat;
    bool shuffle;
    int64_t shuffle_seed; /* of the order, while it is shuffled */
    enum session_who control;
    enum session_who add;
};
STORE_CHECKED int store_get_rules(struct store *store, const char *session_id,
                                  struct store_rules *ret_rules);
/* A list that is shuffled, or with another seed, is put into that order: the current item first. */
STORE_CHECKED int store_set_rules(struct store *store, const char *session_id,
                                  const struct store_rules *rules);
/* The session whose current track is over first, of those that are played to an end: 1, and when.
 */
STORE_CHECKED int store_next_turn(struct store *store, char session_id[STORE_ID_MAX],
                                  int64_t *ret_at_ns);
/* The same of those that come after that one, in this order. */
STORE_CHECKED int store_turn_after(struct store *store, char session_id[STORE_ID_MAX],
                                   int64_t *at_ns);
/* The next session after this one ("": the first) that plays and of which it is not known when its
 * track is over. */
STORE_CHECKED int store_next_playing(struct store *store, char session_id[STORE_ID_MAX]);
/* The next session after this one ("": the first) that plays. */
STORE_CHECKED int store_next_to_resume(struct store *store, char session_id[STORE_ID_MAX]);
/* When the hub was last seen to run, UTC: while something plays, and when it stops. Get: 0: it is
 * not known. */
STORE_CHECKED int store_get_alive(struct store *store, int64_t *ret_ns);
STORE_CHECKED int store_set_alive(struct store *store, int64_t ns);
STORE_CHECKED int store_is_playing(struct store *store);

/* --- the playlist -------------------------------------------------------------------------- */

struct store_item {
    char id[STORE_ID_MAX];
    char track_id[STORE_NAME_MAX];
    char name[STORE_NAME_MAX];
    char media_path[STORE_PATH_MAX]; /* "uploads/x.mp3", or "" */
    char media_url[STORE_NAME_MAX];  /* elsewhere, or "" */
    char media_type[STORE_NAME_MAX];
    double duration_s; /* < 0: not known */
    int64_t position;
    int64_t shuffle_key;        /* its place while the list is shuffled */
    struct track_tags tags;     /* of its file; not kept with the item */
    char cover[COVER_NAME_MAX]; /* likewise */
};
/* Calls visit for each item, in order. 0, or -errno: then it was not all of them. */
STORE_CHECKED int store_each_item(struct store *store, const char *session_id,
                                  void (*visit)(void *user, const struct store_item *item),
                                  void *user);
STORE_CHECKED int store_item(struct store *store, const char *session_id, const char *item_id,
                             struct store_item *ret_item);
STORE_CHECKED int store_playlist_length(struct store *store, const char *session_id, int64_t *ret);
/* At the end of the playlist; id and position are filled. */
STORE_CHECKED int store_add_item(struct store *store, const char *session_id,
                                 struct store_item *item);
/* new_position within the playlist. */
STORE_CHECKED int store_move_item(struct store *store, const char *session_id,
                                  const struct store_item *item, int64_t new_position);
STORE_CHECKED int store_remove_item(struct store *store, const char *session_id,
                                    const struct store_item *item);
STORE_CHECKED int store_remove_items(struct store *store, const char *session_id, int64_t now_ns);
STORE_CHECKED int store_item_at(struct store *store, const char *session_id, int64_t position,
                                struct store_item *ret_item);
/*
 * In the order in which the session is played, shuffled or not: the item beside this one (by: 1 or
 * -1), and the first (1) or last (-1) of all.
 */
STORE_CHECKED int store_item_beside(struct store *store, const char *session_id, bool shuffle,
                                    const struct store_item *item, int by,
                                    struct store_item *ret_item);
STORE_CHECKED int store_item_at_end(struct store *store, const char *session_id, bool shuffle,
                                    int by, struct store_item *ret_item);
/* The first item of a track. */
STORE_CHECKED int store_item_of(struct store *store, const char *session_id, const char *track_id,
                                struct store_item *ret_item);

/* --- tracks that were uploaded ------------------------------------------------------------- */

struct store_media {
    char path[STORE_PATH_MAX];
    double duration_s; /* < 0: not known */
    int64_t bytes;
    struct track_tags tags;
};
STORE_CHECKED int store_add_media(struct store *store, const struct store_media *media);
STORE_CHECKED int store_media(struct store *store, const char *path, struct store_media *ret);
/* It is called so for want of a name: once its title is known, that is its items' name. */
STORE_CHECKED int store_call_media(struct store *store, const char *path, const char *name);
/* 1: it was called so, and what it is called by its title. */
STORE_CHECKED int store_title_of_called(struct store *store, const char *path, const char *name,
                                        char title[STORE_NAME_MAX]);
/* 1: an uploaded file that has not been described. *ret_cover_only: it has, by a hub that knew no
 * covers. */
STORE_CHECKED int store_next_undescribed(struct store *store, char path[STORE_PATH_MAX],
                                         bool *ret_cover_only);
/* NULL: what was known of it stays; it has been looked at. cover: its name, or "": it has none. */
STORE_CHECKED int store_describe_media(struct store *store, const char *path,
                                       const struct track_tags *tags, const char *cover);
/* Has a track that is named here this one? */
STORE_CHECKED int store_has_cover(struct store *store, const char *cover);
/* The next session after this one ("": the first) with a file that was described, and told to nobody
 * yet; all of them are told. */
STORE_CHECKED int store_next_session_described(struct store *store, char session_id[STORE_ID_MAX]);
STORE_CHECKED int store_told_described(struct store *store);
STORE_CHECKED int store_forget_media(struct store *store, const char *path);
/* A track that is not ours: its tags are kept as long as items or pending requests name it. */
STORE_CHECKED int store_note_track(struct store *store, const struct store_item *item);
/* Forgets the tags of those that nothing names any more. */
STORE_CHECKED int store_forget_tracks(struct store *store);
/* From now on it is in the library, as this. */
STORE_CHECKED int store_keep_media(struct store *store, const char *path, const char *name);
/* Is it in the library, or does a pending request name it? */
STORE_CHECKED int store_media_is_used(struct store *store, const char *path);
/* Does an item, or a pending request? */
STORE_CHECKED int store_media_is_listed(struct store *store, const char *path);
/* No item has it any more. */
STORE_CHECKED int store_leave_media(struct store *store, const char *path, int64_t now_ns);
/* Of what is in the library and on no playlist, what was left first. */
STORE_CHECKED int store_left_media(struct store *store, char path[STORE_PATH_MAX],
                                   int64_t *ret_bytes);
/* Every file of which store_media_is_used() says so, once. */
STORE_CHECKED int store_each_media(struct store *store, void (*visit)(void *user, const char *path),
                                   void *user);
/* Bytes of tracks that wait for a host's decision: from an address, or NULL: all. */
STORE_CHECKED int store_waiting_bytes(struct store *store, const char *address, int64_t *ret);

/* --- playlists that were kept under a name -------------------------------------------------- */

/* The session's playlist, instead of what had this name. */
STORE_CHECKED int store_save_list(struct store *store, const char *name, const char *session_id);
/* 1: there was one. */
STORE_CHECKED int store_forget_list(struct store *store, const char *name);
STORE_CHECKED int store_count_other_lists(struct store *store, const char *name, int64_t *ret);
/* By their names. 0, or -errno: then it was not all of them. */
STORE_CHECKED int store_each_list(struct store *store,
                                  void (*visit)(void *user, const char *name, int64_t tracks),
                                  void *user);
/* In order; without ids, and tags. 0, or -errno, likewise. */
STORE_CHECKED int store_each_saved(struct store *store, const char *name, int64_t limit,
                                   void (*visit)(void *user, const struct store_item *item),
                                   void *user);

/* --- requests ------------------------------------------------------------------------------ */

struct store_request {
    char id[STORE_ID_MAX];
    char session_id[STORE_ID_MAX];
    char requester_id[STORE_ID_MAX];
    char requester[STORE_NAME_MAX];
    char address[STORE_ADDRESS_MAX];
    char type[32];
    char *payload; /* JSON; whoever got the request frees it by store_request_end() */
    char media_path[STORE_PATH_MAX]; /* of the payload, or "" */
    char status[16];
    bool has_reason;
    char reason[STORE_NAME_MAX];
};
void store_request_end(struct store_request *request);
/* A pending one. id is filled; status and reason are not looked at. */
STORE_CHECKED int store_add_request(struct store *store, struct store_request *request);
STORE_CHECKED int store_request(struct store *store, const char *request_id,
                                struct store_request *ret_request);
/* The session's pending request that follows a place among all (0: its first), oldest first. The
 * place becomes its own. */
STORE_CHECKED int store_next_pending(struct store *store, const char *session_id, int64_t *place,
                                     struct store_request *ret_request);
/* reason: NULL: none. */
STORE_CHECKED int store_decide_request(struct store *store, const char *request_id,
                                       const char *status, const char *reason);
/* Of the session; also those by one member, and those from one address. */
struct store_pending {
    int64_t all;
    int64_t of_member;
    int64_t of_address;
};
STORE_CHECKED int store_pending_requests(struct store *store, const char *session_id,
                                         const char *user_id, const char *address,
                                         struct store_pending *ret);
/* Forgets decided requests of the session, but for the `keep` newest. */
STORE_CHECKED int store_forget_requests(struct store *store, const char *session_id, int64_t keep);

/* Several changes as one: undone unless result is 0, which is then what store_end() returns. */
STORE_CHECKED int store_begin(struct store *store);
STORE_CHECKED int store_end(struct store *store, int result);

#endif
