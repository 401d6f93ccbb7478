/*
 * routes.h: from a method and a path to the service's function.
 */
#ifndef TUTTI_HUB_ROUTES_H
#define TUTTI_HUB_ROUTES_H

#include "service.h"

struct routes_request {
    const char *method;
    const char *path;
    struct caller caller;
    const cJSON *body;           /* NULL if none */
    struct media_upload *upload; /* NULL if none */
};

struct reply routes_call(struct service *service, const struct routes_request *request);

/* Where a track may come with the body. Status 200 and no body: go on; a refusal otherwise. */
bool routes_take_track(const char *method, const char *path);
struct reply routes_begin_upload(struct service *service, const char *path,
                                 const struct caller *caller, struct upload_slot *ret_slot);

#endif
