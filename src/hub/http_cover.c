/*
 * http_cover.c: the pictures of tracks. Somebody from outside made them: so they are of a type that draws
 * and nothing else, whatever they are taken for, and wherever they are opened.
 */
#include "http_exchange.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As a document, which a browser makes of it when it is opened by itself: nothing at all but the picture. */
#define POLICY "default-src 'none'; img-src 'self'; sandbox; frame-ancestors 'none'"

static void add_headers(struct http_answer *headers, const char *etag)
{
    http_answer_header(headers, "etag:", etag);
    /* What is in it is its name. */
    http_answer_header(headers, "cache-control:", "public, max-age=31536000, immutable");
    http_answer_header(headers, "content-security-policy:", POLICY);
    http_answer_header(headers, "cross-origin-resource-policy:", "same-origin");
    http_answer_header(headers, "x-content-type-options:", "nosniff");
}

static int send_head(struct exchange *exchange, const char *etag, const struct cover_file *file,
                     bool known)
{
    struct http_answer headers;
    char disposition[64];
    http_answer_begin(&headers, exchange->wsi, known ? 304 : 200);
    add_headers(&headers, etag);
    snprintf(disposition, sizeof disposition, "inline; filename=\"cover.%s\"",
             picture_ending(file->kind));
    http_answer_header(&headers, "content-disposition:", disposition);
    if (!known)
        http_answer_header(&headers, "content-type:", picture_media_type(file->kind));
    return http_send_headers(&headers, known ? 0 : file->bytes);
}

int http_send_cover(struct exchange *exchange, const char *name)
{
    struct http_wanted wanted;
    struct cover_file file;
    char etag[COVER_NAME_MAX + 2];
    int fd = covers_open(exchange->server->service->covers, name, &file);
    if (fd < 0)
        return http_answer_reply(
            exchange, fd == -ENOENT ? reply_error(404, "Not Found")
                                    : reply_error(503, "The picture cannot be read now"));
    http_take_wanted(exchange->wsi, &wanted);
    snprintf(etag, sizeof etag, "\"%s\"", name);
    bool known = strstr(wanted.none_match, etag) != NULL;
    bool empty = known || strcmp(exchange->method, "HEAD") == 0;
    if (send_head(exchange, etag, &file, known) || empty) {
        close(fd);
        return HTTP_ANSWER_HANG_UP;
    }
    exchange->file = fd;
    exchange->file_at = 0;
    exchange->file_end = file.bytes;
    lws_callback_on_writable(exchange->wsi);
    return 0;
}
