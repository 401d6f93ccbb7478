/*
 * service.h: the hub's rules: who may do what, what is valid, and what everybody is told.
 *
 * Functions answer with an HTTP status and JSON; WebSocket commands use the same ones. What must be
 * broadcast is handed to the announcer. What the store does not know, because it cannot be read,
 * is a 500 or 503: it allows nothing, refuses nothing for good and deletes nothing.
 */
#ifndef TUTTI_HUB_SERVICE_H
#define TUTTI_HUB_SERVICE_H

#include "library.h"
#include "media.h"
#include "rate.h"
#include "share.h"
#include "speakers.h"
#include "store.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* What one change has to tell at most: the playlist, the current track, what follows each of them,
 * the request. */
#define SERVICE_NEWS_MAX 6

struct service_news {
    char session_id[STORE_ID_MAX];
    const char *type;
    cJSON *payload;
};

struct service_limits {
    int64_t sessions;
    int64_t members; /* of a session */
    int64_t playlist_items;
    int64_t pending_requests;    /* of a session */
    int64_t requests_per_minute; /* of a guest; four times as many from an address */
    int64_t failures_per_minute; /* wrong codes and passwords, of an address */
    int64_t joins_per_minute;    /* also logins and new sessions, of an address */
    int64_t share_percent;       /* of what is free of all of these, for one member or address */
    int64_t waiting_bytes;       /* of tracks that wait for a decision */
};

/* Kept, so that people can look back: decided requests of a session, and users without a session.
 */
#define SERVICE_REQUEST_LOG 1000
#define SERVICE_LOGINS_KEPT 1000
#define SERVICE_REQUEST_BYTES_MAX 8192
/* Of what comes in as JSON. */
#define SERVICE_NESTING_MAX 32
/* Answers that wait, while many guess codes. */
#define SERVICE_DELAYED_MAX 64

struct service {
    struct store *store;
    struct media *media;
    struct covers *covers;   /* NULL: there are none */
    struct library *library; /* NULL: there is none */
    struct service_limits limits;
    bool advance;               /* sessions of which nobody said otherwise go on by themselves */
    const char *house_password; /* for login as host; "": none is asked for */
    struct rate_table requests; /* by user */
    struct rate_table asking;   /* the same, by address */
    struct rate_table failures; /* by address */
    struct rate_table joins;    /* by address */
    struct rate_table proofs;   /* asked for, by address */
    bool pairing;               /* speakers may ask to be let in */
    struct pairing_table *pairings; /* NULL: nobody has asked yet */
    struct rate_bucket all_failures;
    struct share_table delayed;   /* answers that wait, by address */
    struct share_table uploads;   /* at the moment, by address */
    struct share_table uploaders; /* the same, by user */
    unsigned logins;
    /* To every socket of the session. The payload becomes the callee's. */
    void (*announce)(void *user, const char *session_id, const char *type, cJSON *payload);
    /* Has this speaker a socket? NULL: nobody has one. */
    bool (*is_connected)(void *user, const char *session_id, const char *device_id);
    /* To this speaker's socket, if it has one. The payload becomes the callee's. */
    void (*tell_speaker)(void *user, const char *session_id, const char *device_id,
                         const char *type, cJSON *payload);
    /* There is something to be told of speakers. NULL: to nobody. */
    void (*speaker_news)(void *user);
    void *user;
    struct background *describing; /* for what may take its time; NULL: nothing is described */
    bool is_describing;
    int64_t described_told_ns; /* steady */
    struct speakers speakers;
    /* Of the change that is being made: told when it is kept, forgotten when it is not. */
    bool changing;
    struct service_news news[SERVICE_NEWS_MAX];
    unsigned news_count;
    /* The turns up to this one, in their order, have been told to those who can be told before. */
    int64_t told_turn_ns;
    char told_turn_id[STORE_ID_MAX];
};

/* Who calls. address: whose failures and shares are counted; of IPv6 the network (address.h). */
struct caller {
    const char *token; /* "": none */
    const char *address;
    const char *place; /* of ours, that was called: as hub_proof_place(); NULL: not known */
};

/* body: owned by whoever gets the reply. On errors {"detail": ...}. */
struct reply {
    int status;
    cJSON *body;
    int64_t delay_ms; /* to be sent so much later */
};

/* Its tables; store and media are the owner's. */
void service_end(struct service *service);

struct reply reply_error(int status, const char *detail);
/* At a limit: which option of [limits] it is, and how much that allows. */
struct reply reply_limit(int status, const char *what, int64_t limit, const char *option);

/* What a kill or another process left behind: files that nothing names are put aside, and the like.
 * Nothing of it is done that rests on what could not be read. */
void service_sweep(struct service *service);
/* What time has made superfluous. Now and then. */
void service_tidy(struct service *service);

/* Uploaded tracks that have not been looked at are, beside the loop: what they say of themselves, and
 * how loud they are. */
void service_describe(struct service *service);

struct reply service_login(struct service *service, const struct caller *caller, const cJSON *body);
struct reply service_create_session(struct service *service, const struct caller *caller,
                                    const cJSON *body);
/* For who knows the password of the house: all sessions, and a token of a session's host. */
struct reply service_sessions(struct service *service, const struct caller *caller);
struct reply service_act_as_host(struct service *service, const struct caller *caller,
                                 const char *session_id);
struct reply service_join(struct service *service, const struct caller *caller, const char *code,
                          const cJSON *body);
struct reply service_session(struct service *service, const struct caller *caller,
                             const char *session_id);
struct reply service_playlist(struct service *service, const struct caller *caller,
                              const char *session_id);
struct reply service_add_item(struct service *service, const struct caller *caller,
                              const char *session_id, const cJSON *body,
                              struct media_upload *upload);
struct reply service_move_item(struct service *service, const struct caller *caller,
                               const char *session_id, const char *item_id, const cJSON *body);
struct reply service_remove_item(struct service *service, const struct caller *caller,
                                 const char *session_id, const char *item_id);
struct reply service_remove_items(struct service *service, const struct caller *caller,
                                  const char *session_id);
/* The pending ones. */
struct reply service_requests(struct service *service, const struct caller *caller,
                              const char *session_id);
struct reply service_request(struct service *service, const struct caller *caller,
                             const char *session_id, const cJSON *body);
struct reply service_decide(struct service *service, const struct caller *caller,
                            const char *request_id, bool approve, const cJSON *body);
struct reply service_settings(struct service *service, const struct caller *caller,
                              const char *session_id);
struct reply service_change_settings(struct service *service, const struct caller *caller,
                                     const char *session_id, const cJSON *body);
struct reply service_playback(struct service *service, const struct caller *caller,
                              const char *session_id, const cJSON *body);
/* playback_command's payload. */
struct reply service_command(struct service *service, const struct caller *caller,
                             const char *session_id, const cJSON *payload);

/* A speaker asks to be let in, and again until it is told; only who has its key is told. */
struct reply service_ask_pairing(struct service *service, const struct caller *caller,
                                 const cJSON *body);
/* The host's: who asks; and one of them into this session, or not. */
struct reply service_list_pairing(struct service *service, const struct caller *caller,
                                  const char *session_id);
struct reply service_decide_pairing(struct service *service, const struct caller *caller,
                                    const char *session_id, const char *id, const cJSON *body);

/* Shows whoever knows one of our sessions that it is ours. */
struct reply service_proof(struct service *service, const struct caller *caller, const cJSON *body);

/* Whose upload it is, which has its share from its opening to its end. */
struct upload_slot {
    bool taken;
    bool is_host;
    char user_id[STORE_ID_MAX];
    char address[STORE_ADDRESS_MAX];
};
/* Is this a member of the session, who may upload? A reply without a body if so. */
struct reply service_begin_upload(struct service *service, const struct caller *caller,
                                  const char *session_id, struct upload_slot *ret_slot);
/* As media_upload_begin(), for a slot that was begun. */
struct media_upload *service_open_upload(struct service *service, struct upload_slot *slot,
                                         int *ret_status, const char **ret_reason);
void service_end_upload(struct service *service, struct upload_slot *slot);

/* May this token open the session's socket? 1, 0, or -errno: it is not known. */
STORE_CHECKED int service_may_connect(struct service *service, const char *token,
                                      const char *session_id, struct store_user *ret_user);
/* 0, or -errno; *ret is the caller's to delete. */
STORE_CHECKED int service_playback_json(struct service *service, const char *session_id,
                                        cJSON **ret);
STORE_CHECKED int service_playlist_json(struct service *service, const char *session_id,
                                        cJSON **ret);
STORE_CHECKED int service_settings_json(struct service *service, const char *session_id,
                                        cJSON **ret);

/* --- saved playlists ----------------------------------------------------------------------- */

/* Their names. */
struct reply service_lists(struct service *service, const struct caller *caller,
                           const char *session_id);
/* The host's: body's `save`, `load` or `forget` is a name. */
struct reply service_change_lists(struct service *service, const struct caller *caller,
                                  const char *session_id, const cJSON *body);

/* --- the library --------------------------------------------------------------------------- */

/* May this caller search it? A reply without a body if so. */
struct reply service_may_search(struct service *service, const struct caller *caller);
/* An upload goes out of the library for good: a host's wish, where no playlist has it. */
struct reply service_remove_track(struct service *service, const struct caller *caller,
                                  const char *key);

/* --- speakers ------------------------------------------------------------------------------ */

struct reply service_speakers(struct service *service, const struct caller *caller,
                              const char *session_id);
struct reply service_name_speaker(struct service *service, const struct caller *caller,
                                  const char *session_id, const char *device_id, const cJSON *body);
/* One, several or all that are connected are told to change something. */
struct reply service_command_speakers(struct service *service, const struct caller *caller,
                                      const char *session_id, const cJSON *body);
/* Those whose last command this is, and how it goes. */
struct reply service_speakers_commanded(struct service *service, const struct caller *caller,
                                        const char *session_id, const char *command_id);
/* One that is not connected. */
struct reply service_forget_speaker(struct service *service, const struct caller *caller,
                                    const char *session_id, const char *device_id);
/* An array of them, the caller's to delete. 0, or -errno. */
STORE_CHECKED int service_speakers_json(struct service *service, const char *session_id,
                                        cJSON **ret);
/* A sync_ack of this member: what it says of the speaker, if anything, is kept: true, and device_id
 * tells who it is. "" before: it has just come; otherwise it stays the same one. */
bool service_take_report(struct service *service, const char *session_id, const char *user_id,
                         const cJSON *payload, char device_id[STORE_DEVICE_ID_MAX]);
/* Its last socket has closed. */
void service_speaker_left(struct service *service, const char *session_id, const char *device_id);
/* True: a speaker of which there is news to be told, of this session; the caller's to delete. Else
 * *ret_next_ns: when there will be (steady), SPEAKERS_NEVER: who knows. */
bool service_tell_speaker(struct service *service, int64_t *ret_next_ns,
                          char session_id[STORE_ID_MAX], cJSON **ret);

/* --- playing on ---------------------------------------------------------------------------- */

/* Sessions whose track is over go on, and of those whose track soon is it is told what starts then.
 * *ret_next_ns: when there is more to do (UTC), STORE_NEVER: never. May be past already: it was more
 * than one call takes. */
STORE_CHECKED int service_take_turns(struct service *service, int64_t *ret_next_ns);
/* 1: what is told of the turn that is near, the caller's to delete; 0: none is, or nothing follows. */
STORE_CHECKED int service_next_json(struct service *service, const char *session_id, cJSON **ret);
/* After a start, and when it was configured anew. */
STORE_CHECKED int service_plan_all(struct service *service);

enum service_resume {
    RESUME_AUTO, /* paused after more than a minute, else as it was */
    RESUME_PLAYING,
    RESUME_PAUSED,
};
/* After a start, before anything else is planned: what was playing when the hub stopped. */
STORE_CHECKED int service_resume(struct service *service, enum service_resume how);
/* Now and then while something plays, and at the end. */
STORE_CHECKED int service_stay_alive(struct service *service);

#endif
