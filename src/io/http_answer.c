/*
 * http_answer.c: see http_answer.h.
 */
#include "tutti/io/http_answer.h"

#include <string.h>

void http_answer_begin(struct http_answer *answer, struct lws *wsi, int status)
{
    answer->wsi = wsi;
    answer->at = answer->buffer + LWS_PRE;
    answer->end = answer->buffer + sizeof answer->buffer - 1;
    answer->good = lws_add_http_header_status(wsi, (unsigned)status, &answer->at, answer->end) == 0;
}

void http_answer_header(struct http_answer *answer, const char *name, const char *value)
{
    answer->good = answer->good &&
                   lws_add_http_header_by_name(answer->wsi, (const unsigned char *)name,
                                               (const unsigned char *)value, (int)strlen(value),
                                               &answer->at, answer->end) == 0;
}

int http_answer_send_headers(struct http_answer *answer, int64_t body_bytes)
{
    http_answer_header(answer, "connection:", "close");
    if (!answer->good || lws_add_http_header_content_length(answer->wsi, (lws_filepos_t)body_bytes,
                                                            &answer->at, answer->end) != 0)
        return HTTP_ANSWER_HANG_UP;
    return lws_finalize_write_http_header(answer->wsi, answer->buffer + LWS_PRE, &answer->at,
                                          answer->end) == 0
               ? 0
               : HTTP_ANSWER_HANG_UP;
}

int http_answer_write(struct lws *wsi, unsigned char *body, size_t bytes, size_t *sent)
{
    size_t left = bytes - *sent;
    size_t count = left < HTTP_ANSWER_CHUNK_BYTES ? left : HTTP_ANSWER_CHUNK_BYTES;
    bool last = count == left;
    if (lws_write(wsi, body + LWS_PRE + *sent, count,
                  last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)count)
        return HTTP_ANSWER_HANG_UP;
    *sent += count;
    if (last)
        return HTTP_ANSWER_HANG_UP;
    lws_callback_on_writable(wsi);
    return 0;
}
