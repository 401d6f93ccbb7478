/*
 * http_exchange.h: shared by http_peer.c (calls), http_media.c (tracks), http_library.c (searches)
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

int http_send_headers(struct http_answer *headers, int64_t length);
/* path: "uploads/x.mp3", "library/…". */
int http_send_media(struct exchange *exchange, const char *path);
int http_write_media(struct exchange *exchange);

struct page_file;
int http_send_page(struct exchange *exchange, const struct page_file *file);
int http_write_page(struct exchange *exchange);

#endif
