/*
 * routes.c: the REST calls of the contract, as patterns whose * is one path segment.
 */
#include "routes.h"

#include <stdio.h>
#include <string.h>

#define SEGMENT_MAX 128
#define SEGMENTS 2
#define PLAYLIST "/sessions/*/playlist"
#define SETTINGS "/sessions/*/settings"
#define SPEAKER "/sessions/*/speakers/*"

struct call {
    struct service *service;
    struct caller caller;
    char segments[SEGMENTS][SEGMENT_MAX];
    const cJSON *body;
    struct media_upload *upload;
};

static struct reply login(const struct call *call)
{
    return service_login(call->service, &call->caller, call->body);
}

static struct reply proof(const struct call *call)
{
    return service_proof(call->service, &call->caller, call->body);
}

static struct reply ask_pairing(const struct call *call)
{
    return service_ask_pairing(call->service, &call->caller, call->body);
}

static struct reply list_pairing(const struct call *call)
{
    return service_list_pairing(call->service, &call->caller, call->segments[0]);
}

static struct reply decide_pairing(const struct call *call)
{
    return service_decide_pairing(call->service, &call->caller, call->segments[0],
                                  call->segments[1], call->body);
}

static struct reply create_session(const struct call *call)
{
    return service_create_session(call->service, &call->caller, call->body);
}

static struct reply sessions(const struct call *call)
{
    return service_sessions(call->service, &call->caller);
}

static struct reply act_as_host(const struct call *call)
{
    return service_act_as_host(call->service, &call->caller, call->segments[0]);
}

static struct reply join(const struct call *call)
{
    return service_join(call->service, &call->caller, call->segments[0], call->body);
}

static struct reply session(const struct call *call)
{
    return service_session(call->service, &call->caller, call->segments[0]);
}

static struct reply playlist(const struct call *call)
{
    return service_playlist(call->service, &call->caller, call->segments[0]);
}

static struct reply add_item(const struct call *call)
{
    return service_add_item(call->service, &call->caller, call->segments[0], call->body,
                            call->upload);
}

static struct reply move_item(const struct call *call)
{
    return service_move_item(call->service, &call->caller, call->segments[0], call->segments[1],
                             call->body);
}

static struct reply remove_item(const struct call *call)
{
    return service_remove_item(call->service, &call->caller, call->segments[0], call->segments[1]);
}

static struct reply remove_items(const struct call *call)
{
    return service_remove_items(call->service, &call->caller, call->segments[0]);
}

static struct reply requests(const struct call *call)
{
    return service_requests(call->service, &call->caller, call->segments[0]);
}

static struct reply request(const struct call *call)
{
    return service_request(call->service, &call->caller, call->segments[0], call->body);
}

static struct reply playback(const struct call *call)
{
    return service_playback(call->service, &call->caller, call->segments[0], call->body);
}

static struct reply settings(const struct call *call)
{
    return service_settings(call->service, &call->caller, call->segments[0]);
}

static struct reply change_settings(const struct call *call)
{
    return service_change_settings(call->service, &call->caller, call->segments[0], call->body);
}

static struct reply speakers(const struct call *call)
{
    return service_speakers(call->service, &call->caller, call->segments[0]);
}

static struct reply name_speaker(const struct call *call)
{
    return service_name_speaker(call->service, &call->caller, call->segments[0], call->segments[1],
                                call->body);
}

static struct reply command_speakers(const struct call *call)
{
    return service_command_speakers(call->service, &call->caller, call->segments[0], call->body);
}

static struct reply speakers_commanded(const struct call *call)
{
    return service_speakers_commanded(call->service, &call->caller, call->segments[0],
                                      call->segments[1]);
}

static struct reply forget_speaker(const struct call *call)
{
    return service_forget_speaker(call->service, &call->caller, call->segments[0],
                                  call->segments[1]);
}

static struct reply lists(const struct call *call)
{
    return service_lists(call->service, &call->caller, call->segments[0]);
}

static struct reply change_lists(const struct call *call)
{
    return service_change_lists(call->service, &call->caller, call->segments[0], call->body);
}

static struct reply remove_track(const struct call *call)
{
    return service_remove_track(call->service, &call->caller, call->segments[0]);
}

static struct reply approve(const struct call *call)
{
    return service_decide(call->service, &call->caller, call->segments[0], true, call->body);
}

static struct reply deny(const struct call *call)
{
    return service_decide(call->service, &call->caller, call->segments[0], false, call->body);
}

static const struct route {
    const char *method;
    const char *pattern;
    struct reply (*handle)(const struct call *call);
} routes[] = {
    {"POST", "/auth/login", login},
    {"POST", "/proof", proof},
    {"POST", "/pairing", ask_pairing},
    {"GET", "/sessions/*/pairing", list_pairing},
    {"POST", "/sessions/*/pairing/*", decide_pairing},
    {"POST", "/sessions", create_session},
    {"GET", "/sessions", sessions},
    {"POST", "/sessions/*/host", act_as_host},
    {"POST", "/sessions/*/join", join},
    {"GET", "/sessions/*", session},
    {"GET", PLAYLIST, playlist},
    {"POST", PLAYLIST, add_item},
    {"PUT", PLAYLIST, add_item},
    {"DELETE", PLAYLIST, remove_items},
    {"PATCH", "/sessions/*/playlist/*", move_item},
    {"DELETE", "/sessions/*/playlist/*", remove_item},
    {"GET", "/sessions/*/requests", requests},
    {"POST", "/sessions/*/requests", request},
    {"POST", "/sessions/*/playback", playback},
    {"GET", SETTINGS, settings},
    {"PATCH", SETTINGS, change_settings},
    {"GET", "/sessions/*/speakers", speakers},
    {"POST", "/sessions/*/speakers/command", command_speakers},
    {"GET", "/sessions/*/speakers/command/*", speakers_commanded},
    {"PATCH", SPEAKER, name_speaker},
    {"DELETE", SPEAKER, forget_speaker},
    {"GET", "/sessions/*/lists", lists},
    {"POST", "/sessions/*/lists", change_lists},
    {"DELETE", "/library/*", remove_track},
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

struct reply routes_call(struct service *service, const struct routes_request *request)
{
    struct call call = {.service = service,
                        .caller = request->caller,
                        .body = request->body,
                        .upload = request->upload};
    bool path_exists = false;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!match(routes[i].pattern, request->path, &call))
            continue;
        path_exists = true;
        if (strcmp(routes[i].method, request->method) != 0)
            continue;
        if (request->method[0] == 'P' && !cJSON_IsObject(request->body))
            return reply_error(422, "The body must be a JSON object");
        return routes[i].handle(&call);
    }
    return path_exists ? reply_error(405, "Method Not Allowed") : reply_error(404, "Not Found");
}

bool routes_take_track(const char *method, const char *path)
{
    struct call call;
    return (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) &&
           match(PLAYLIST, path, &call);
}

struct reply routes_begin_upload(struct service *service, const char *path,
                                 const struct caller *caller, struct upload_slot *ret_slot)
{
    struct call call;
    if (!match(PLAYLIST, path, &call))
        return reply_error(404, "Not Found");
    return service_begin_upload(service, caller, call.segments[0], ret_slot);
}
