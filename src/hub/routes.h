/*
 * routes.h: from a method and a path to the service's function.
 */
#ifndef TUTTI_HUB_ROUTES_H
#define TUTTI_HUB_ROUTES_H

#include "service.h"

struct routes_request {
    const char *method;
    const char *path;
    const char *token;           /* "" if none */
    const char *address;         /* of the client */
    const cJSON *body;           /* NULL if none */
    struct media_upload *upload; /* NULL if none */
};

struct reply routes_call(struct service *service, const struct routes_request *request);

/* Where a track may come with the body. Status 200 and no body: go on; a refusal otherwise. */
bool routes_take_track(const char *method, const char *path);
struct reply routes_may_upload(struct service *service, const char *path, const char *token);

#endif
