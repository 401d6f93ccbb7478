/*
 * A model of `tuttictl watch` for tests: lines in, without a daemon.
 */
#ifndef TUTTI_TESTS_CTL_WATCH_H
#define TUTTI_TESTS_CTL_WATCH_H

#include "../../../../src/ctl/watch_model.h"

#define STATUS(changes)                                                                            \
    "{\"name\":\"Kitchen\",\"state\":\"playing\",\"track_id\":\"t1\",\"track_name\":\"Harbour\","  \
    "\"position_ms\":83000,\"length_ms\":225000,\"error_us\":12.4,\"volume\":60,\"muted\":false,"  \
    "\"track_error\":\"\",\"sink\":{\"error\":\"\"}," changes "}"
#define HOST                                                                                       \
    "\"session\":{\"role\":\"host\",\"link\":\"live\",\"code\":\"D5D6A6\",\"problem\":\"\"}"
#define GUEST "\"session\":{\"role\":\"guest\",\"link\":\"live\",\"problem\":\"\"}"
#define PLAYLIST                                                                                   \
    "[{\"id\":\"i1\",\"track_id\":\"t1\",\"name\":\"Harbour\",\"duration_s\":225,"                 \
    "\"current\":true},{\"id\":\"i2\",\"track_id\":\"t2\",\"name\":\"Meadow\",\"duration_s\":75}]"
#define REQUESTS                                                                                   \
    "[{\"id\":\"r1\",\"requester\":\"Dana\",\"type\":\"add\",\"summary\":\"Meadow\","              \
    "\"status\":\"denied\",\"reason\":\"Not tonight\"},"                                           \
    "{\"id\":\"r2\",\"requester\":\"Kim\",\"type\":\"remove\",\"summary\":\"Harbour\","            \
    "\"status\":\"pending\",\"reason\":\"\"},"                                                     \
    "{\"id\":\"r3\",\"requester\":\"Dana\",\"type\":\"add\",\"summary\":\"Pier\","                 \
    "\"status\":\"approved\",\"reason\":\"\"},"                                                    \
    "{\"id\":\"r4\",\"mine\":true,\"type\":\"reorder\",\"summary\":\"Meadow\","                    \
    "\"status\":\"pending\",\"reason\":\"\"}]"

#define SUBSCRIBED(status, playlist, requests)                                                     \
    "{\"id\":1,\"ok\":true,\"status\":" status ",\"playlist\":" playlist ",\"requests\":" requests \
    "}"

/* One speaker, or more, at sockets /1, /2, ... */
void watch_start(struct watch_model *model, int speakers);
void watch_line(struct watch_model *model, int speaker, const char *json, int64_t now_ms);

#endif
