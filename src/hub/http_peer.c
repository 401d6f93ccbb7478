/*
 * http_peer.c: one HTTP transaction: collect the body, call the route, send the answer; or send a
 * media file, whole or a range of it.
 */
#include "hub_clock.h"
#include "routes.h"
#include "server_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEADERS_MAX 2048
#define CHUNK_BYTES 32768

static const struct {
    int token;
    const char *name;
} methods[] = {
    {WSI_TOKEN_GET_URI, "GET"},     {WSI_TOKEN_HEAD_URI, "HEAD"},     {WSI_TOKEN_POST_URI, "POST"},
    {WSI_TOKEN_PATCH_URI, "PATCH"}, {WSI_TOKEN_DELETE_URI, "DELETE"}, {WSI_TOKEN_PUT_URI, "PUT"},
};

static void take_method(struct lws *wsi, struct exchange *exchange)
{
    strcpy(exchange->method, "?");
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (lws_hdr_total_length(wsi, (enum lws_token_indexes)methods[i].token) > 0)
            strcpy(exchange->method, methods[i].name);
}

static void take_token(struct lws *wsi, struct exchange *exchange)
{
    static const char name[] = "x-user-token:";
    int length = lws_hdr_custom_length(wsi, name, (int)strlen(name));
    if (length <= 0 || length >= (int)sizeof exchange->token ||
        lws_hdr_custom_copy(wsi, exchange->token, (int)sizeof exchange->token, name,
                            (int)strlen(name)) < 0)
        exchange->token[0] = '\0';
}

static size_t content_length(struct lws *wsi)
{
    char text[24];
    if (lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
        return 0;
    return (size_t)strtoull(text, NULL, 10);
}

/* --- headers ------------------------------------------------------------------------------- */

struct headers {
    unsigned char buffer[LWS_PRE + HEADERS_MAX];
    unsigned char *at;
    unsigned char *end;
    struct lws *wsi;
    bool good;
};

static void headers_begin(struct headers *headers, struct lws *wsi, int status)
{
    headers->wsi = wsi;
    headers->at = headers->buffer + LWS_PRE;
    headers->end = headers->buffer + sizeof headers->buffer - 1;
    headers->good =
        lws_add_http_header_status(wsi, (unsigned)status, &headers->at, headers->end) == 0;
}

static void headers_add(struct headers *headers, const char *name, const char *value)
{
    headers->good = headers->good &&
                    lws_add_http_header_by_name(headers->wsi, (const unsigned char *)name,
                                                (const unsigned char *)value, (int)strlen(value),
                                                &headers->at, headers->end) == 0;
}

/* Fresh in every answer: speakers read the time from it. */
static void headers_add_date(struct headers *headers)
{
    char text[64];
    struct tm utc;
    time_t now = (time_t)(hub_clock_now().ns / NS_PER_S);
    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    headers_add(headers, "date:", text);
}

static int headers_send(struct headers *headers, int64_t length)
{
    headers_add_date(headers);
    if (!headers->good || lws_add_http_header_content_length(headers->wsi, (lws_filepos_t)length,
                                                             &headers->at, headers->end) != 0)
        return -1;
    return lws_finalize_write_http_header(headers->wsi, headers->buffer + LWS_PRE, &headers->at,
                                          headers->end);
}

/* --- answers ------------------------------------------------------------------------------- */

static int done(struct lws *wsi)
{
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int answer(struct lws *wsi, struct exchange *exchange, struct reply reply)
{
    struct headers headers;
    char *text = cJSON_PrintUnformatted(reply.body);
    cJSON_Delete(reply.body);
    if (!text)
        return -1;
    size_t bytes = strlen(text);
    exchange->answer = malloc(LWS_PRE + bytes);
    if (exchange->answer)
        memcpy(exchange->answer + LWS_PRE, text, bytes);
    free(text);
    if (!exchange->answer)
        return -1;
    exchange->answer_bytes = bytes;
    exchange->answer_sent = 0;
    headers_begin(&headers, wsi, reply.status);
    headers_add(&headers, "content-type:", "application/json");
    if (headers_send(&headers, (int64_t)bytes))
        return -1;
    lws_callback_on_writable(wsi);
    return 0;
}

/* "bytes=N-" or "bytes=N-M": false for what we do not serve in part. */
static bool take_range(struct lws *wsi, int64_t total, int64_t *ret_from, int64_t *ret_end)
{
    char text[64], *end;
    if (lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_RANGE) <= 0 ||
        strncmp(text, "bytes=", 6) != 0)
        return false;
    long long from = strtoll(text + 6, &end, 10);
    if (end == text + 6 || *end != '-' || from < 0)
        return false;
    long long last = total - 1;
    if (end[1]) {
        last = strtoll(end + 1, &end, 10);
        if (*end || last < from)
            return false;
    }
    *ret_from = from;
    *ret_end = last >= total ? total : last + 1;
    return true;
}

static bool header_is(struct lws *wsi, enum lws_token_indexes token, const char *value)
{
    char text[128];
    return lws_hdr_copy(wsi, text, sizeof text, token) > 0 && strcmp(text, value) == 0;
}

static int send_not_modified(struct lws *wsi, const char *etag)
{
    struct headers headers;
    headers_begin(&headers, wsi, 304);
    headers_add(&headers, "etag:", etag);
    return headers_send(&headers, 0) ? -1 : done(wsi);
}

static int send_file(struct server *server, struct lws *wsi, struct exchange *exchange,
                     const char *path)
{
    struct headers headers;
    int64_t total, from = 0, end;
    char etag[MEDIA_PATH_MAX + 32], range[96];
    exchange->file = media_open(server->service->media, path, &total);
    if (exchange->file < 0)
        return answer(wsi, exchange, reply_error(404, "Not Found"));
    /* A stored file never changes: its name is as good as a hash. */
    snprintf(etag, sizeof etag, "\"%s-%lld\"", path + strlen("uploads/"), (long long)total);
    if (header_is(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, etag))
        return send_not_modified(wsi, etag);
    end = total;
    bool guarded = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_IF_RANGE) > 0 &&
                   !header_is(wsi, WSI_TOKEN_HTTP_IF_RANGE, etag);
    bool part = !guarded && take_range(wsi, total, &from, &end);
    if (part && from >= total) {
        headers_begin(&headers, wsi, 416);
        snprintf(range, sizeof range, "bytes */%lld", (long long)total);
        headers_add(&headers, "content-range:", range);
        return headers_send(&headers, 0) ? -1 : done(wsi);
    }
    headers_begin(&headers, wsi, part ? 206 : 200);
    headers_add(&headers, "content-type:", "audio/mpeg");
    headers_add(&headers, "accept-ranges:", "bytes");
    headers_add(&headers, "etag:", etag);
    snprintf(range, sizeof range, "bytes %lld-%lld/%lld", (long long)from, (long long)end - 1,
             (long long)total);
    if (part)
        headers_add(&headers, "content-range:", range);
    if (headers_send(&headers, end - from))
        return -1;
    exchange->file_at = from;
    exchange->file_end = strcmp(exchange->method, "HEAD") == 0 ? from : end;
    lws_callback_on_writable(wsi);
    return 0;
}

static int call_route(struct server *server, struct lws *wsi, struct exchange *exchange)
{
    if (exchange->body_too_large)
        return answer(wsi, exchange, reply_error(413, "The body is too large"));
    struct reply reply = routes_call(server->service, exchange->method, exchange->path,
                                     exchange->token, exchange->body ? exchange->body : "");
    free(exchange->body);
    exchange->body = NULL;
    return answer(wsi, exchange, reply);
}

/* --- the transaction ----------------------------------------------------------------------- */

int http_begin(struct server *server, struct lws *wsi, struct exchange *exchange, const char *path)
{
    http_finish(exchange);
    take_method(wsi, exchange);
    take_token(wsi, exchange);
    snprintf(exchange->path, sizeof exchange->path, "%s", path);
    bool reads = strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0;
    if (reads && strncmp(path, "/static/", 8) == 0)
        return send_file(server, wsi, exchange, path + 8);
    exchange->body_expected = content_length(wsi);
    if (exchange->body_expected > server->body_max_bytes)
        exchange->body_too_large = true;
    if (reads || exchange->body_expected == 0)
        return call_route(server, wsi, exchange);
    return 0; /* the body follows */
}

int http_body(struct server *server, struct exchange *exchange, const char *bytes, size_t count)
{
    if (exchange->body_too_large || exchange->body_bytes + count > server->body_max_bytes) {
        exchange->body_too_large = true;
        return 0;
    }
    if (!exchange->body) {
        exchange->body = malloc(exchange->body_expected + 1);
        if (!exchange->body)
            return -1;
    }
    if (exchange->body_bytes + count > exchange->body_expected)
        return -1;
    memcpy(exchange->body + exchange->body_bytes, bytes, count);
    exchange->body_bytes += count;
    exchange->body[exchange->body_bytes] = '\0';
    return 0;
}

int http_body_complete(struct server *server, struct lws *wsi, struct exchange *exchange)
{
    return call_route(server, wsi, exchange);
}

static int write_answer(struct lws *wsi, struct exchange *exchange)
{
    size_t left = exchange->answer_bytes - exchange->answer_sent;
    size_t count = left < CHUNK_BYTES ? left : CHUNK_BYTES;
    bool last = count == left;
    unsigned char *from = (unsigned char *)exchange->answer + LWS_PRE + exchange->answer_sent;
    if (lws_write(wsi, from, count, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)count)
        return -1;
    exchange->answer_sent += count;
    if (!last) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    free(exchange->answer);
    exchange->answer = NULL;
    return done(wsi);
}

static int write_file(struct lws *wsi, struct exchange *exchange)
{
    unsigned char chunk[LWS_PRE + CHUNK_BYTES];
    int64_t left = exchange->file_end - exchange->file_at;
    size_t want = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
    ssize_t got = want ? pread(exchange->file, chunk + LWS_PRE, want, exchange->file_at) : 0;
    if (want && got <= 0)
        return -1;
    exchange->file_at += got;
    bool last = exchange->file_at >= exchange->file_end;
    if (lws_write(wsi, chunk + LWS_PRE, (size_t)got, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) <
        (int)got)
        return -1;
    if (!last) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    close(exchange->file);
    exchange->file = -1;
    return done(wsi);
}

int http_writable(struct lws *wsi, struct exchange *exchange)
{
    if (exchange->answer)
        return write_answer(wsi, exchange);
    if (exchange->file >= 0)
        return write_file(wsi, exchange);
    return 0;
}

void http_finish(struct exchange *exchange)
{
    free(exchange->body);
    free(exchange->answer);
    if (exchange->file > 0)
        close(exchange->file);
    memset(exchange, 0, sizeof *exchange);
    exchange->file = -1;
}
