/*
 * http_internal.h: a call, shared by http.c (its life and what comes in) and http_request.c (what
 * goes out).
 */
#ifndef TUTTI_IO_HTTP_INTERNAL_H
#define TUTTI_IO_HTTP_INTERNAL_H

#include "curl_loop.h"
#include "http_header.h"
#include "tutti/io/http.h"

#define HTTP_HEADER_MAX 256
#define HTTP_LOCATION_MAX 1024

struct http {
    struct loop *loop;
    int64_t connect_timeout_ns;
    char *ca_file;
    struct curl_loop *curl;
    struct loop_timer *next_round;
    size_t round_bytes; /* of bodies, handed on in this round */
    struct http_call *calls;
    bool destroyed;
};

struct http_call {
    struct http *http;
    struct http_call *next;
    CURL *easy;
    struct curl_slist *headers;
    struct http_request request; /* the callbacks and user; its strings are not kept */
    int64_t max_bytes;
    struct http_response response;
    size_t came_bytes; /* of the answer's body */
    char *body;        /* what is kept of it */
    size_t body_bytes;
    size_t body_capacity;
    char etag[HTTP_HEADER_MAX];
    char last_modified[HTTP_HEADER_MAX];
    char date[HTTP_HEADER_MAX];
    char server[HTTP_HEADER_MAX];
    char location[HTTP_LOCATION_MAX];
    char error[CURL_ERROR_SIZE + 64];
    bool running; /* curl has it */
    bool paused;  /* until the next round */
    bool waits;   /* until http_go_on() */
    bool headers_told;
    bool too_large;
    bool body_failed;
    bool broken_off; /* by the receiver of a download */
    bool cancelled;
};

/* A transfer that stays below 200 bytes/s for this long is given up; a test shortens it. */
extern long http_low_speed_s;

bool http_request_is_http_url(const char *url);
/* Everything that the request asks for, onto the easy handle. False: no memory, or a value that
 * does not fit into a header. */
bool http_request_prepare(struct http_call *call, const struct http_request *request);

#endif
