/*
 * http.h: HTTP calls in the loop, by libcurl's multi interface.
 *
 * JSON calls answer with the whole body; downloads hand on chunks as they come. A call ends with
 * exactly one on_done, unless it was cancelled. A call that meets EOF on a reused connection is
 * tried again once on a fresh one. One round of the loop hands on about 256 KiB, or what the
 * receiver takes 2 ms for: neither a fast sender nor a slow disk keeps the loop.
 */
#ifndef TUTTI_IO_HTTP_H
#define TUTTI_IO_HTTP_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct http;
struct http_call;

/* Beyond this, the answer to a call without max_bytes fails. */
#define HTTP_JSON_MAX_BYTES 8388608 /* 8 MiB */
/* What is kept of an answer whose status is not 200. */
#define HTTP_OTHER_MAX_BYTES 16384

struct http_config {
    const char *ca_file;        /* PEM bundle instead of the system's; NULL: the system's */
    int64_t connect_timeout_ns; /* 0: 10 s */
};

struct http_response {
    int status;        /* 0: no answer, see error */
    const char *error; /* one line for people; "" when an answer came */
    bool tls_failed;   /* the certificate or the handshake was refused */
    bool too_large;    /* the answer, for max_bytes */
    const char *body;  /* JSON calls: NUL-terminated; see HTTP_OTHER_MAX_BYTES; downloads: NULL */
    size_t body_bytes;
    const char *etag;          /* "" when none, or none that a header may hold; as sent */
    const char *last_modified; /* the same */
    int64_t content_length;    /* of this answer's body; -1 unknown */
    bool has_range;            /* a 206 with a Content-Range that can be understood */
    int64_t range_start;       /* of it; 0 otherwise */
    int64_t range_bytes;
    int64_t range_total;  /* of the whole; -1: not told */
    const char *location; /* of a redirect that was not followed; "" when none */
    bool has_date;
    struct server_time date;      /* the Date header: whole seconds */
    const char *server;           /* the Server header; "" when none */
    bool fresh_connection;        /* Date may be stale on a kept-alive one */
    struct mono_time sent_at;     /* the request left us at this time or later */
    struct mono_time received_at; /* the headers were here by this time */
};

struct http_request {
    const char *method; /* "GET", "POST", "PATCH", "DELETE" */
    const char *url;    /* http or https only, also after redirects */
    const char *token;  /* X-User-Token, or NULL. Redirects are followed by downloads only */
    const char *json;   /* the body, or NULL */
    /* A JSON body too large to be held: so many bytes, put into `to` piece by piece as the network
     * takes them. Returns how many (at most room), HTTP_BODY_WAIT when there are none yet
     * (http_go_on() when there are), or HTTP_BODY_FAILED. Wants fresh_connection: it cannot be sent
     * again. */
    int64_t (*on_body)(void *user, char *to, size_t room);
    int64_t body_bytes;
    bool fresh_connection;         /* do not reuse a kept-alive one */
    int64_t timeout_ns;            /* of the whole call; 0: none, only the low-speed limit */
    int64_t max_bytes;             /* a larger answer fails, what a range leaves out included; 0:
                                    * HTTP_JSON_MAX_BYTES, downloads: no limit */
    int64_t range_start;           /* > 0: Range: bytes=N- */
    const char *if_range;          /* a strong validator, or NULL */
    const char *if_none_match;     /* or NULL */
    const char *if_modified_since; /* or NULL */
    /* Downloads: the headers, then chunks of at most 16 KiB of the body, if the status is one of
     * success; returning false ends the call with status 0. Both NULL: a JSON call. */
    bool (*on_headers)(void *user, const struct http_response *response);
    bool (*on_data)(void *user, const void *data, size_t bytes);
    void (*on_done)(void *user, const struct http_response *response);
    void *user;
};

#define HTTP_BODY_WAIT (-1)
#define HTTP_BODY_FAILED (-2)

/* Everything below may be called inside the callbacks. */
struct http *http_create(struct loop *loop, const struct http_config *config);
void http_destroy(struct http *http); /* cancels what is under way */

/* Copies what it needs. NULL, with errno EINVAL for what is no http or https URL, else ENOMEM, which
 * is logged: later, perhaps. */
struct http_call *http_start(struct http *http, const struct http_request *request);
/* In on_done of a JSON call: its body becomes the caller's, to be freed with free(); NULL: none.
 * One that is not taken counts as read there (loop_note_work()). */
char *http_take_body(const struct http_response *response);
/* In on_headers or on_data: nothing more of the answer is handed on until http_go_on(). */
void http_wait(struct http_call *call);
/* There is more of the body now, or room for more of the answer; not inside the callbacks. */
void http_go_on(struct http_call *call);
void http_cancel(struct http_call *call); /* no on_done will come; never after on_done */

#endif
