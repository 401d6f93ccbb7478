/*
 * http_library.c: GET /library: the search is made beside the loop, and answered when it is done.
 */
#include "http_exchange.h"
#include "tutti/core/utf8.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT 50

/* A member of the query, decoded. False: it is no text. */
static bool take_text(struct lws *wsi, const char *name, char to[LIBRARY_TEXT_MAX])
{
    char value[4 * LIBRARY_TEXT_MAX];
    const char *text = lws_get_urlarg_by_name(wsi, name, value, sizeof value);
    to[0] = '\0';
    if (!text)
        return true;
    if (strlen(text) >= LIBRARY_TEXT_MAX || !utf8_is_valid(text, strlen(text)))
        return false;
    strcpy(to, text);
    return true;
}

/* A whole number from low to high. False: it is none. */
static bool take_number(struct lws *wsi, const char *name, int64_t fallback, int64_t low,
                        int64_t high, int64_t *ret)
{
    char text[LIBRARY_TEXT_MAX], *end;
    *ret = fallback;
    if (!take_text(wsi, name, text))
        return false;
    if (!text[0])
        return true;
    *ret = strtoll(text, &end, 10);
    return *end == '\0' && *ret >= low && *ret <= high;
}

static bool take_query(struct lws *wsi, struct library_query *ret)
{
    return take_text(wsi, "q=", ret->words) && take_text(wsi, "album=", ret->album) &&
           take_number(wsi, "after=", 0, 0, INT32_MAX, &ret->after) &&
           take_number(wsi, "limit=", LIMIT, 1, LIBRARY_LIMIT_MAX, &ret->limit);
}

static void found(void *user, cJSON *answer)
{
    struct exchange *exchange = user;
    exchange->search = NULL;
    exchange->found = answer ? (struct reply){.status = 200, .body = answer}
                             : reply_error(503, "The library cannot be read now");
    http_go_on(exchange);
}

int http_search_library(struct exchange *exchange)
{
    struct service *service = exchange->server->service;
    const struct caller caller = {exchange->token, exchange->address, NULL};
    struct library_query query;
    struct reply reply = service_may_search(service, &caller);
    if (reply.status != 200)
        return http_answer_reply(exchange, reply);
    if (!take_query(exchange->wsi, &query))
        return http_answer_reply(exchange, reply_error(422, "q, album: texts of up to 255 bytes, "
                                                            "after, limit (1 to 200): whole "
                                                            "numbers are wanted"));
    exchange->search = library_search(service->library, &query, found, exchange);
    if (!exchange->search)
        return http_answer_reply(exchange, reply_error(503, "The library cannot be read now"));
    http_wait(exchange);
    return 0;
}
