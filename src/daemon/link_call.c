/*
 * link_call.c: calls over REST, and what an answer says where it says no.
 */
#include "link_internal.h"

#include <stdio.h>
#include <string.h>

bool link_has_address(const struct link *link)
{
    return strcmp(link->config.settings->backend.url, "auto") != 0;
}

/* A fresh connection: on one that was kept, curl would try again by itself what met its end. */
struct http_call *link_call(struct link *link, const struct http_request *request)
{
    struct http_request call = *request;
    call.fresh_connection = true;
    if (!call.on_body)
        call.timeout_ns = LINK_REST_TIMEOUT_NS;
    if (!call.max_bytes)
        call.max_bytes = LINK_ANSWER_MAX_BYTES;
    return http_start(link->http, &call);
}

void link_error_detail(const struct http_response *response, char detail[PROTOCOL_REASON_MAX])
{
    static const char *const ours[] = {"/sessions", "/auth/login", "/requests", "?"};
    bool redirect = response->status >= 300 && response->status < 400;
    size_t length = strlen(response->location);
    if (!redirect || length == 0) {
        protocol_error_detail(response->body, response->body_bytes, detail);
        return;
    }
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        const char *path = strstr(response->location, ours[i]);
        if (path && (size_t)(path - response->location) < length)
            length = (size_t)(path - response->location);
    }
    snprintf(detail, PROTOCOL_REASON_MAX, "a redirect to %.*s: put that address into url",
             length < 150 ? (int)length : 150, response->location);
}
