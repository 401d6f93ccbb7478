/*
 * http_exchange.h: shared by http_peer.c (calls), http_media.c (tracks) and http_page.c (the page).
 */
#ifndef TUTTI_HUB_HTTP_EXCHANGE_H
#define TUTTI_HUB_HTTP_EXCHANGE_H

#include "server_internal.h"
#include "tutti/io/http_answer.h"

/* Each returns what lws's callback is to return. */

/* Sends the reply, or will when it is time; its body becomes the callee's. */
int http_answer_reply(struct exchange *exchange, struct reply reply);

int http_send_headers(struct http_answer *headers, int64_t length);
/* path: "uploads/x.mp3". */
int http_send_media(struct exchange *exchange, const char *path);
int http_write_media(struct exchange *exchange);

struct page_file;
int http_send_page(struct exchange *exchange, const struct page_file *file);
int http_write_page(struct exchange *exchange);

#endif
