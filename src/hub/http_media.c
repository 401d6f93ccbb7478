/*
 * http_media.c: the headers of every answer, and media files, whole or a range of them.
 */
#include "http_exchange.h"
#include "hub_clock.h"
#include "tutti/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void add_time(struct http_answer *headers, const char *name, int64_t seconds)
{
    char text[64];
    struct tm utc;
    time_t time = (time_t)seconds;
    gmtime_r(&time, &utc);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    http_answer_header(headers, name, text);
}

int http_send_headers(struct http_answer *headers, int64_t length)
{
    /* Fresh in every answer: speakers read the time from it. */
    add_time(headers, "date:", hub_clock_now().ns / NS_PER_S);
    return http_answer_send_headers(headers, length);
}

/* "bytes=N-" or "bytes=N-M": false for what we do not serve in part. */
static bool take_range(const char *text, int64_t total, int64_t *ret_from, int64_t *ret_end)
{
    char *end;
    if (strncmp(text, "bytes=", 6) != 0)
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

static void take_header(struct lws *wsi, enum lws_token_indexes token, char *to, int size)
{
    if (lws_hdr_copy(wsi, to, size, token) <= 0)
        to[0] = '\0';
}

void http_take_wanted(struct lws *wsi, struct http_wanted *ret)
{
    take_header(wsi, WSI_TOKEN_HTTP_RANGE, ret->range, sizeof ret->range);
    take_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, ret->none_match, sizeof ret->none_match);
    take_header(wsi, WSI_TOKEN_HTTP_IF_RANGE, ret->if_range, sizeof ret->if_range);
    /* One that is too long to be kept is none of ours. */
    if (!ret->if_range[0] && lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_IF_RANGE) > 0)
        ret->if_range[0] = '?';
}

static int send_not_modified(struct lws *wsi, const char *etag)
{
    struct http_answer headers;
    http_answer_begin(&headers, wsi, 304);
    http_answer_header(&headers, "etag:", etag);
    http_send_headers(&headers, 0);
    return HTTP_ANSWER_HANG_UP;
}

static int send_out_of_range(struct lws *wsi, int64_t bytes)
{
    struct http_answer headers;
    char range[96];
    http_answer_begin(&headers, wsi, 416);
    snprintf(range, sizeof range, "bytes */%lld", (long long)bytes);
    http_answer_header(&headers, "content-range:", range);
    http_send_headers(&headers, 0);
    return HTTP_ANSWER_HANG_UP;
}

/* What cannot be read is not gone: a speaker would forget it. */
int http_not_opened(struct exchange *exchange, const char *path, int error)
{
    switch (-error) {
    case ENOENT:
        return http_answer_reply(exchange, reply_error(404, "Not Found"));
    case ESTALE:
        return http_answer_reply(exchange, reply_error(409, "The track's file is another one now: "
                                                            "it has to be added again"));
    case EAGAIN:
        return http_answer_reply(exchange, reply_error(503, "The library is still being looked "
                                                            "through; try again"));
    default:
        log_error("media file %s: %s", path, strerror(-error));
        return http_answer_reply(exchange, reply_error(503, "The track cannot be read now"));
    }
}

int http_send_file_headers(struct exchange *exchange, const char *path,
                           const struct media_file *file, const struct http_wanted *wanted)
{
    struct lws *wsi = exchange->wsi;
    struct http_answer headers;
    int64_t from = 0, end = file->bytes;
    char etag[MEDIA_PATH_MAX + 32], range[96];
    /* A stored file never changes, and of the library's the name tells which it is: it is as good
     * as a hash. */
    snprintf(etag, sizeof etag, "\"%s-%lld\"", strchr(path, '/') + 1, (long long)file->bytes);
    if (strcmp(wanted->none_match, etag) == 0)
        return send_not_modified(wsi, etag);
    bool guarded = wanted->if_range[0] && strcmp(wanted->if_range, etag) != 0;
    bool part = !guarded && take_range(wanted->range, file->bytes, &from, &end);
    if (part && from >= file->bytes)
        return send_out_of_range(wsi, file->bytes);
    http_answer_begin(&headers, wsi, part ? 206 : 200);
    http_answer_header(&headers, "content-type:", formats_media_type(path));
    http_answer_header(&headers, "accept-ranges:", "bytes");
    http_answer_header(&headers, "etag:", etag);
    add_time(&headers, "last-modified:", file->stored_s);
    snprintf(range, sizeof range, "bytes %lld-%lld/%lld", (long long)from, (long long)end - 1,
             (long long)file->bytes);
    if (part)
        http_answer_header(&headers, "content-range:", range);
    if (http_send_headers(&headers, end - from))
        return -1;
    exchange->file_at = from;
    exchange->file_end = strcmp(exchange->method, "HEAD") == 0 ? from : end;
    return 0;
}

int http_send_media(struct exchange *exchange, const char *path)
{
    struct http_wanted wanted;
    struct media_file file;
    int fd = media_open(exchange->server->service->media, path, &file);
    if (fd < 0)
        return http_not_opened(exchange, path, fd);
    exchange->file = fd;
    http_take_wanted(exchange->wsi, &wanted);
    int result = http_send_file_headers(exchange, path, &file, &wanted);
    if (result == 0)
        lws_callback_on_writable(exchange->wsi);
    return result;
}

int http_write_media(struct exchange *exchange)
{
    struct lws *wsi = exchange->wsi;
    unsigned char chunk[LWS_PRE + HTTP_ANSWER_CHUNK_BYTES];
    int64_t left = exchange->file_end - exchange->file_at;
    size_t want = left < HTTP_ANSWER_CHUNK_BYTES ? (size_t)left : HTTP_ANSWER_CHUNK_BYTES;
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
    return HTTP_ANSWER_HANG_UP;
}
