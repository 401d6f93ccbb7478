/*
 * http_exchange.h: shared by http_peer.c (calls), http_media.c (tracks), http_library.c (searches),
 * http_file.c (tracks of directories)
 * and http_page.c (the page).
 */
#ifndef TUTTI_HUB_HTTP_EXCHANGE_H
#define TUTTI_HUB_HTTP_EXCHANGE_H

#include "server_internal.h"
#include "tutti/io/http_answer.h"

/* Each returns what lws's callback is to return. */

/* Sends the reply, or will when it is time; its body becomes the callee's. */
int http_answer_reply(struct exchange *exchange, struct reply reply);

/* Until http_go_on(): nothing is read and nothing times out; then it is written to. */
void http_wait(struct exchange *exchange);
void http_go_on(struct exchange *exchange);

/* GET /library, by whoever may. */
int http_search_library(struct exchange *exchange);

/* May so many bytes more be kept for this call? */
bool http_hold(struct exchange *exchange, size_t bytes);

int http_send_headers(struct http_answer *headers, int64_t length);
/* path: "uploads/x.mp3". */
int http_send_media(struct exchange *exchange, const char *path);
int http_write_media(struct exchange *exchange);

/* What of a file is wanted, as the call's headers say: lws forgets them. "": not said. */
struct http_wanted {
    char range[64];
    char none_match[128];
    char if_range[128];
};
void http_take_wanted(struct lws *wsi, struct http_wanted *ret);
/* error: -errno. */
int http_not_opened(struct exchange *exchange, const char *path, int error);
/* 0: file_at to file_end are to follow. */
int http_send_file_headers(struct exchange *exchange, const char *path,
                           const struct media_file *file, const struct http_wanted *wanted);

/* path: "library/…". */
int http_send_file(struct exchange *exchange, const char *path);
int http_write_file(struct exchange *exchange);
/* If there is one. */
void http_forget_file(struct exchange *exchange);

/* name: of covers.h, or whatever stands there. */
int http_send_cover(struct exchange *exchange, const char *name);

struct page_file;
int http_send_page(struct exchange *exchange, const struct page_file *file);
int http_write_page(struct exchange *exchange);

#endif
