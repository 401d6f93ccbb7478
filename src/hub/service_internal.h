/*
 * service_internal.h: shared by service.c (users, sessions), service_playlist.c,
 * service_upload.c, service_requests.c and service_playback.c.
 */
#ifndef TUTTI_HUB_SERVICE_INTERNAL_H
#define TUTTI_HUB_SERVICE_INTERNAL_H

#include "service.h"

enum service_role {
    ROLE_MEMBER,
    ROLE_HOST,
};

/* The user of this token, if it may act in the session in this role; else the refusal. */
bool service_admit(struct service *service, const char *token, const char *session_id,
                   enum service_role role, struct store_user *ret_user, struct reply *ret_refusal);

/* A string member of usable length; NULL if there is none. */
const char *service_text(const cJSON *body, const char *name);
/* A whole number from 0 to high; fallback when absent or null; -1 when it is anything else. */
int64_t service_whole(const cJSON *body, const char *name, int64_t fallback, int64_t high);

/*
 * Everything between these two is one transaction: kept when the reply is a 200, undone otherwise;
 * nobody is told of it before it is kept. They do not nest.
 */
bool service_begin(struct service *service);
struct reply service_commit(struct service *service, struct reply reply);
/* What did not go into the database: 507 when the disk is full, else 500. */
struct reply service_store_error(struct service *service, const char *detail);

/* Tells the session's sockets, at the end of the change if there is one. */
void service_announce(struct service *service, const char *session_id, const char *type,
                      cJSON *payload);
void service_announce_playlist(struct service *service, const char *session_id);
/* Stamps the playback with the time of now, keeps it and tells everybody. */
bool service_set_playback(struct service *service, const char *session_id,
                          struct store_playback *playback);
/* The current track is gone, or there is a first one: point at something that exists. */
bool service_mend_current(struct service *service, const char *session_id, int64_t position);

/* Within a change. item->id is filled. */
struct reply service_insert(struct service *service, const char *session_id,
                            struct store_item *item);
/* The file goes with the last that names it. "" is fine. */
void service_drop_media(struct service *service, const char *path);
struct reply service_upload(struct service *service, const char *session_id,
                            const struct store_user *user, const cJSON *body,
                            struct media_upload *upload);
struct reply service_add_request(struct service *service, const char *session_id,
                                 const struct store_user *user, const char *type,
                                 const cJSON *payload);

/* Adds, moves or removes without asking who, within a change: for approved requests. */
struct reply service_apply(struct service *service, const char *session_id, const char *type,
                           const cJSON *payload);

#endif
