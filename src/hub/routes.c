/*
 * routes.c: the REST calls of the contract, as patterns whose * is one path segment.
 */
#include "routes.h"

#include <stdio.h>
#include <string.h>

#define SEGMENT_MAX 128
#define SEGMENTS 2

struct call {
    struct service *service;
    const char *token;
    char segments[SEGMENTS][SEGMENT_MAX];
    const cJSON *body;
};

static struct reply login(const struct call *call)
{
    return service_login(call->service, call->body);
}

static struct reply create_session(const struct call *call)
{
    return service_create_session(call->service, call->token, call->body);
}

static struct reply join(const struct call *call)
{
    return service_join(call->service, call->segments[0], call->body);
}

static struct reply session(const struct call *call)
{
    return service_session(call->service, call->token, call->segments[0]);
}

static struct reply playlist(const struct call *call)
{
    return service_playlist(call->service, call->token, call->segments[0]);
}

static struct reply add_item(const struct call *call)
{
    return service_add_item(call->service, call->token, call->segments[0], call->body);
}

static struct reply move_item(const struct call *call)
{
    return service_move_item(call->service, call->token, call->segments[0], call->segments[1],
                             call->body);
}

static struct reply remove_item(const struct call *call)
{
    return service_remove_item(call->service, call->token, call->segments[0], call->segments[1]);
}

static struct reply request(const struct call *call)
{
    return service_request(call->service, call->token, call->segments[0], call->body);
}

static struct reply playback(const struct call *call)
{
    return service_playback(call->service, call->token, call->segments[0], call->body);
}

static struct reply approve(const struct call *call)
{
    return service_decide(call->service, call->token, call->segments[0], true, call->body);
}

static struct reply deny(const struct call *call)
{
    return service_decide(call->service, call->token, call->segments[0], false, call->body);
}

static const struct route {
    const char *method;
    const char *pattern;
    struct reply (*handle)(const struct call *call);
} routes[] = {
    {"POST", "/auth/login", login},
    {"POST", "/sessions", create_session},
    {"POST", "/sessions/*/join", join},
    {"GET", "/sessions/*", session},
    {"GET", "/sessions/*/playlist", playlist},
    {"POST", "/sessions/*/playlist", add_item},
    {"PATCH", "/sessions/*/playlist/*", move_item},
    {"DELETE", "/sessions/*/playlist/*", remove_item},
    {"POST", "/sessions/*/requests", request},
    {"POST", "/sessions/*/playback", playback},
    {"POST", "/requests/*/approve", approve},
    {"POST", "/requests/*/deny", deny},
};

static bool match(const char *pattern, const char *path, struct call *call)
{
    int segment = 0;
    while (*pattern) {
        if (*pattern != '*') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t length = strcspn(path, "/");
        if (length == 0 || length >= SEGMENT_MAX)
            return false;
        snprintf(call->segments[segment++], SEGMENT_MAX, "%.*s", (int)length, path);
        path += length;
        pattern++;
    }
    return *path == '\0';
}

struct reply routes_call(struct service *service, const char *method, const char *path,
                         const char *token, const char *text)
{
    struct call call = {.service = service, .token = token};
    bool path_exists = false;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!match(routes[i].pattern, path, &call))
            continue;
        path_exists = true;
        if (strcmp(routes[i].method, method) != 0)
            continue;
        cJSON *body = cJSON_Parse(text);
        if (strcmp(method, "POST") == 0 && !cJSON_IsObject(body)) {
            cJSON_Delete(body);
            return reply_error(422, "The body must be a JSON object");
        }
        call.body = body;
        struct reply reply = routes[i].handle(&call);
        cJSON_Delete(body);
        return reply;
    }
    return path_exists ? reply_error(405, "Method Not Allowed") : reply_error(404, "Not Found");
}
