/*
 * store.h: what the hub remembers. Every function that changes something has done so durably when
 * it returns true: a killed hub comes back with it.
 */
#ifndef TUTTI_HUB_STORE_H
#define TUTTI_HUB_STORE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_ID_MAX 64
#define STORE_TOKEN_MAX 64
#define STORE_NAME_MAX 256

struct store;

/* directory: made if missing. NULL after one line in the log. */
struct store *store_open(const char *directory);
/* For who must not wait for the disk: from now on a thread does what takes long. */
void store_stay_swift(struct store *store);
void store_close(struct store *store);

/* id and token are filled with new ones. host: may create sessions. */
bool store_add_user(struct store *store, const char *name, bool host, char id[STORE_ID_MAX],
                    char token[STORE_TOKEN_MAX]);

struct store_user {
    char id[STORE_ID_MAX];
    char name[STORE_NAME_MAX];
    bool host;
};
/* Whose token this is; only its hash is kept. */
bool store_find_user(struct store *store, const char *token, struct store_user *ret_user);

bool store_add_session(struct store *store, const char *host_id, int64_t max_duration_s,
                       char id[STORE_ID_MAX], char code[16]);
bool store_find_session_by_code(struct store *store, const char *code, char id[STORE_ID_MAX]);
bool store_session_exists(struct store *store, const char *session_id);
bool store_session_code(struct store *store, const char *session_id, char code[16]);
bool store_is_host(struct store *store, const char *session_id, const char *user_id);
bool store_is_member(struct store *store, const char *session_id, const char *user_id);
bool store_add_member(struct store *store, const char *session_id, const char *user_id);
/* -1: no limit. */
int64_t store_max_duration(struct store *store, const char *session_id);

int64_t store_session_count(struct store *store);
int64_t store_member_count(struct store *store, const char *session_id);
/* Forgets users who are in no session, but for the `keep` newest of them. */
bool store_forget_users(struct store *store, int64_t keep);
bool store_delete_session(struct store *store, const char *session_id);

/* Has another process changed the database since this was last asked? */
bool store_was_changed(struct store *store);
/* One consistent copy, into a file that must not exist yet. */
bool store_copy(struct store *store, const char *path);

struct store_playback {
    bool has_track;
    char track_id[STORE_NAME_MAX];
    int64_t position_ms;
    bool playing;
    char updated_at[48];
};
bool store_get_playback(struct store *store, const char *session_id,
                        struct store_playback *ret_playback);
bool store_set_playback(struct store *store, const char *session_id,
                        const struct store_playback *playback);

/* The playlist as the contract's array. The caller deletes it. */
cJSON *store_playlist(struct store *store, const char *session_id);
int64_t store_playlist_length(struct store *store, const char *session_id);
bool store_track_exists(struct store *store, const char *session_id, const char *track_id);

struct store_item {
    char id[STORE_ID_MAX]; /* filled */
    const char *track_id;
    const char *name;
    const char *media_path; /* "uploads/x.mp3", or NULL */
    const char *media_url;  /* elsewhere, or NULL */
    const char *media_type;
    double duration_s; /* < 0: not known */
};
bool store_add_item(struct store *store, const char *session_id, struct store_item *item);
cJSON *store_item(struct store *store, const char *session_id, const char *item_id);
bool store_item_exists(struct store *store, const char *session_id, const char *item_id);
/* new_position within the playlist. */
bool store_move_item(struct store *store, const char *session_id, const char *item_id,
                     int64_t new_position);
bool store_remove_item(struct store *store, const char *session_id, const char *item_id);
/* track_id of the item at a position; false past the end. And the position of a track, -1: none. */
bool store_track_at(struct store *store, const char *session_id, int64_t position,
                    char track_id[STORE_NAME_MAX]);
int64_t store_position_of(struct store *store, const char *session_id, const char *track_id);
bool store_item_track(struct store *store, const char *session_id, const char *item_id,
                      char track_id[STORE_NAME_MAX]);

/* Tracks that were uploaded: their measured length. Negative when there is no such track. */
bool store_add_media(struct store *store, const char *path, double duration_s);
double store_media_duration(struct store *store, const char *path);
bool store_forget_media(struct store *store, const char *path);
/* Does an item or a pending request name it? */
bool store_media_is_used(struct store *store, const char *path);
/* The item's file: false if it has none. */
bool store_item_media(struct store *store, const char *session_id, const char *item_id, char *path,
                      size_t size);

int64_t store_pending_requests(struct store *store, const char *session_id);
/* Forgets decided requests of the session, but for the `keep` newest. */
bool store_forget_requests(struct store *store, const char *session_id, int64_t keep);

/* A pending request; the object as the contract has it, or NULL. */
cJSON *store_add_request(struct store *store, const char *session_id, const struct store_user *user,
                         const char *type, const cJSON *payload);
struct store_request {
    char session_id[STORE_ID_MAX];
    char type[32];
    char status[16];
    cJSON *payload; /* the caller deletes it */
};
bool store_get_request(struct store *store, const char *request_id,
                       struct store_request *ret_request);
bool store_decide_request(struct store *store, const char *request_id, const char *status,
                          const char *reason);
cJSON *store_request(struct store *store, const char *request_id);

/* Several changes as one. */
bool store_begin(struct store *store);
bool store_end(struct store *store, bool good);
/* Whether the last failure was for want of room. */
bool store_is_full(const struct store *store);

#endif
