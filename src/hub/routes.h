/*
 * routes.h: from a method and a path to the service's function.
 */
#ifndef TUTTI_HUB_ROUTES_H
#define TUTTI_HUB_ROUTES_H

#include "service.h"

/* text: the body, NUL-terminated, "" if none. token: "" if none. */
struct reply routes_call(struct service *service, const char *method, const char *path,
                         const char *token, const char *text);

#endif
