/*
 * http_page.c: the files of the page for browsers.
 */
#include "http_exchange.h"
#include "page.h"

#include <stdlib.h>
#include <string.h>

/* Nothing but what the hub itself serves, no code within the page's text, and within no frame. */
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "           \
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

static bool takes_gzip(struct lws *wsi)
{
    char text[256];
    return lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_ACCEPT_ENCODING) > 0 &&
           strstr(text, "gzip") && !strstr(text, "gzip;q=0");
}

static bool is_known(struct lws *wsi, const char *etag)
{
    char text[256];
    return lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_IF_NONE_MATCH) > 0 &&
           strstr(text, etag);
}

static void add_headers(struct http_answer *headers, const struct page_file *file,
                        const struct page_body *body)
{
    http_answer_header(headers, "etag:", body->etag);
    http_answer_header(headers, "cache-control:", "no-cache");
    http_answer_header(headers, "vary:", "accept-encoding");
    http_answer_header(headers, "content-security-policy:", POLICY);
    http_answer_header(headers, "cross-origin-opener-policy:", "same-origin");
    http_answer_header(headers, "cross-origin-resource-policy:", "same-origin");
    http_answer_header(headers, "referrer-policy:", "no-referrer");
    http_answer_header(headers, "x-content-type-options:", "nosniff");
    http_answer_header(headers, "x-frame-options:", "DENY");
    http_answer_header(headers, "content-type:", file->type);
    if (body == &file->gzip)
        http_answer_header(headers, "content-encoding:", "gzip");
}

int http_send_page(struct exchange *exchange, const struct page_file *file)
{
    struct http_answer headers;
    bool compressed = file->gzip.bytes && takes_gzip(exchange->wsi);
    const struct page_body *body = compressed ? &file->gzip : &file->plain;
    bool known = is_known(exchange->wsi, body->etag);
    bool empty = known || body->count == 0 || strcmp(exchange->method, "HEAD") == 0;
    http_answer_begin(&headers, exchange->wsi, known ? 304 : 200);
    add_headers(&headers, file, body);
    if (http_send_headers(&headers, known ? 0 : (int64_t)body->count) || empty)
        return HTTP_ANSWER_HANG_UP;
    exchange->page_body = body;
    lws_callback_on_writable(exchange->wsi);
    return 0;
}

int http_write_page(struct exchange *exchange)
{
    return http_answer_write(exchange->wsi, exchange->page_body->bytes, exchange->page_body->count,
                             &exchange->answer_sent);
}
