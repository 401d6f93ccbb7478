/*
 * body.h: the body of a call, as it comes: JSON, a form, or a track and nothing else.
 *
 * Whatever its size, little of it is ever in memory: a track goes to the disk piece by piece, also
 * from within JSON, where it is the one string that is longer than all others.
 */
#ifndef TUTTI_HUB_BODY_H
#define TUTTI_HUB_BODY_H

#include "media.h"
#include "service.h"

#include <cjson/cJSON.h>
#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>

/* JSON without the track. */
#define BODY_JSON_MAX 262144
/* A longer string is taken for a track where tracks are taken. */
#define BODY_STRING_MAX 4096

struct body;

enum body_kind {
    BODY_JSON,
    BODY_FORM,  /* multipart/form-data: track_id, name, and a file */
    BODY_TRACK, /* all of it is the track */
};

/* open(): where tracks go, media_upload_begin() for whoever may; NULL where none is taken. hold():
 * may so much more be kept in memory? */
struct body_door {
    struct media_upload *(*open)(void *user, int *ret_status, const char **ret_reason);
    bool (*hold)(void *user, size_t bytes);
    void *user;
};

/* wsi: for forms, whose boundary its headers tell. door: copied. */
struct body *body_create(enum body_kind kind, struct lws *wsi, const struct body_door *door);
void body_destroy(struct body *body);

void body_feed(struct body *body, const char *bytes, size_t count);

/* How deep JSON is nested, if that is what it is. */
int body_nesting(const char *text, size_t bytes);

/*
 * After the last byte. Status 200: *ret_json is what was said, NULL if it was nothing (the caller
 * deletes it), *ret_upload the track, or NULL (it stays the body's); beside a track, only what
 * describes it was said. Another status: a refusal.
 */
struct reply body_finish(struct body *body, cJSON **ret_json, struct media_upload **ret_upload);

#endif
