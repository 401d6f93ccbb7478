/*
 * service.h: the hub's rules: who may do what, what is valid, and what everybody is told.
 *
 * Functions answer with an HTTP status and JSON; WebSocket commands use the same ones. What must be
 * broadcast is handed to the announcer.
 */
#ifndef TUTTI_HUB_SERVICE_H
#define TUTTI_HUB_SERVICE_H

#include "media.h"
#include "rate.h"
#include "store.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* What one change has to tell at most: the playlist, the current track, the request. */
#define SERVICE_NEWS_MAX 4

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
    int64_t requests_per_minute; /* of a guest */
    int64_t failures_per_minute; /* wrong codes and passwords, of an address */
};

/* Kept, so that people can look back: decided requests of a session, and users without a session.
 */
#define SERVICE_REQUEST_LOG 1000
#define SERVICE_LOGINS_KEPT 1000
#define SERVICE_REQUEST_BYTES_MAX 8192

struct service {
    struct store *store;
    struct media *media;
    struct service_limits limits;
    const char *house_password; /* for login as host; "": none is asked for */
    struct rate_table requests; /* by user */
    struct rate_table failures; /* by address */
    unsigned logins;
    /* To every socket of the session. The payload becomes the callee's. */
    void (*announce)(void *user, const char *session_id, const char *type, cJSON *payload);
    void *user;
    /* Of the change that is being made: told when it is kept, forgotten when it is not. */
    bool changing;
    struct service_news news[SERVICE_NEWS_MAX];
    unsigned news_count;
};

/* body: owned by whoever gets the reply. On errors {"detail": ...}. */
struct reply {
    int status;
    cJSON *body;
};

struct reply reply_error(int status, const char *detail);

/* What a kill or another process left behind: files that nothing names, and the like. */
void service_sweep(struct service *service);

/* address: whose failures are counted. */
struct reply service_login(struct service *service, const char *address, const cJSON *body);
struct reply service_create_session(struct service *service, const char *token, const cJSON *body);
struct reply service_join(struct service *service, const char *address, const char *code,
                          const cJSON *body);
struct reply service_session(struct service *service, const char *token, const char *session_id);
struct reply service_playlist(struct service *service, const char *token, const char *session_id);
/* Is this a member of the session, who may upload a track? A reply without a body if so. */
struct reply service_may_upload(struct service *service, const char *token, const char *session_id);
/* upload: the track, where it did not come within the body; NULL else. */
struct reply service_add_item(struct service *service, const char *token, const char *session_id,
                              const cJSON *body, struct media_upload *upload);
struct reply service_move_item(struct service *service, const char *token, const char *session_id,
                               const char *item_id, const cJSON *body);
struct reply service_remove_item(struct service *service, const char *token, const char *session_id,
                                 const char *item_id);
struct reply service_request(struct service *service, const char *token, const char *session_id,
                             const cJSON *body);
struct reply service_decide(struct service *service, const char *token, const char *request_id,
                            bool approve, const cJSON *body);
struct reply service_playback(struct service *service, const char *token, const char *session_id,
                              const cJSON *body);
/* playback_command's payload. */
struct reply service_command(struct service *service, const char *token, const char *session_id,
                             const cJSON *payload);

/* May this token open the session's socket? */
bool service_may_connect(struct service *service, const char *token, const char *session_id);
cJSON *service_playback_json(struct service *service, const char *session_id);
cJSON *service_playlist_json(struct service *service, const char *session_id);

#endif
