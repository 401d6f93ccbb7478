/*
 * http_answer.h: how our libwebsockets servers (the hub, the metrics port) answer over HTTP.
 *
 * A connection serves one request, and what was sent after it is never looked at: lws 4.1 would
 * take the headers of a request that came too early for a body, and go round there for good. So
 * every answer says "connection: close", and whoever has sent its end returns HTTP_ANSWER_HANG_UP
 * to lws, which sends what is left and shuts our side.
 */
#ifndef TUTTI_IO_HTTP_ANSWER_H
#define TUTTI_IO_HTTP_ANSWER_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_ANSWER_HEADERS_MAX 2048
/* Of a body, in one callback. */
#define HTTP_ANSWER_CHUNK_BYTES 32768

/* To lws, from its callback: the answer is sent, or cannot be. */
enum { HTTP_ANSWER_HANG_UP = -1 };

struct http_answer {
    unsigned char buffer[LWS_PRE + HTTP_ANSWER_HEADERS_MAX];
    unsigned char *at;
    unsigned char *end;
    struct lws *wsi;
    bool good;
};

void http_answer_begin(struct http_answer *answer, struct lws *wsi, int status);
/* name: lower case, with its colon. */
void http_answer_header(struct http_answer *answer, const char *name, const char *value);
/* 0, or HTTP_ANSWER_HANG_UP when they do not fit or cannot be sent. */
int http_answer_send_headers(struct http_answer *answer, int64_t body_bytes);

/*
 * The body's next piece, when lws says that the connection is writable. body: LWS_PRE bytes of
 * room, then the text; *sent grows. 0: there is more, and lws has been asked to say so;
 * HTTP_ANSWER_HANG_UP: that was all, or it cannot be sent.
 */
int http_answer_write(struct lws *wsi, unsigned char *body, size_t bytes, size_t *sent);

#endif
