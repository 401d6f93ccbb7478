/*
 * http_peer.c: one HTTP transaction: collect the body, wait until its track is on the disk, call
 * the route, send the answer. Media files are sent by http_media.c.
 */
#include "http_exchange.h"
#include "hub_clock.h"
#include "page.h"
#include "routes.h"
#include "tutti/base/log.h"
#include "tutti/core/utf8.h"
#include "tutti/io/hub_proof.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* How often it is looked at how fast a body comes, or an answer goes. */
#define PACE_S 10
/* Of a call, which nobody counts: logins and commands are served however full the memory is. */
#define SMALL_BYTES 8192
/* Of long answers made for one address, at once or within a minute. */
#define TOLD_KB_PER_MINUTE 16384
/* Who has so large a part of what may wait, unread, is told nothing long. */
#define UNREAD_PART 16

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

static bool has_body(struct lws *wsi)
{
    char text[24];
    return lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0 &&
           strtoull(text, NULL, 10) > 0;
}

static bool content_type_is(struct lws *wsi, const char *type)
{
    char text[256];
    return lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_TYPE) > 0 &&
           strncasecmp(text, type, strlen(type)) == 0;
}

/* --- what a call keeps in memory ----------------------------------------------------------- */

/* Bodies that come slowly and answers that nobody reads have half of what may wait for sockets. */
bool http_hold(struct exchange *exchange, size_t bytes)
{
    struct server *server = exchange->server;
    size_t all = exchange->in_memory + bytes;
    size_t counted = all > SMALL_BYTES ? all - SMALL_BYTES - exchange->held : 0;
    if (counted > 0 && !share_take_many(&server->held, exchange->address, (int64_t)counted,
                                        (int64_t)server->config.waiting_bytes / 2,
                                        server->service->limits.share_percent))
        return false;
    exchange->in_memory = all;
    exchange->held += counted;
    return true;
}

static bool hold(void *user, size_t bytes)
{
    return http_hold(user, bytes);
}

static void let_go(struct exchange *exchange)
{
    if (exchange->held > 0)
        share_give_many(&exchange->server->held, exchange->address, (int64_t)exchange->held);
    exchange->held = exchange->in_memory = 0;
}

/* Before a long answer is made, which costs more than to refuse it. */
static bool may_be_told_much(struct exchange *exchange)
{
    struct server *server = exchange->server;
    int64_t unread = share_held(&server->held, exchange->address);
    bool reads = server->service->limits.share_percent >= 100 ||
                 unread <= (int64_t)server->config.waiting_bytes / 2 / UNREAD_PART;
    return reads && rate_table_allows(&server->told, exchange->address, TOLD_KB_PER_MINUTE,
                                      hub_clock_steady_ns());
}

static void count_told(struct exchange *exchange, size_t bytes)
{
    if (bytes > SMALL_BYTES)
        rate_table_count(&exchange->server->told, exchange->address, (double)bytes / 1024,
                         TOLD_KB_PER_MINUTE, hub_clock_steady_ns());
}

/* --- answers ------------------------------------------------------------------------------- */

/* What cannot be kept until it is read is answered shortly. */
static char *text_of_reply(struct exchange *exchange, struct reply *reply)
{
    char *text = cJSON_PrintUnformatted(reply->body);
    cJSON_Delete(reply->body);
    if (!text)
        return NULL;
    count_told(exchange, strlen(text));
    if (http_hold(exchange, strlen(text)))
        return text;
    free(text);
    *reply = reply_error(503, "The hub, or this address, has too many calls at once; try again");
    text = cJSON_PrintUnformatted(reply->body);
    cJSON_Delete(reply->body);
    return text;
}

static int answer_now(struct exchange *exchange, struct reply reply)
{
    struct http_answer headers;
    char *text = text_of_reply(exchange, &reply);
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
    exchange->answer_sent = strcmp(exchange->method, "HEAD") == 0 ? bytes : 0;
    http_answer_begin(&headers, exchange->wsi, reply.status);
    http_answer_header(&headers, "content-type:", "application/json");
    if (http_send_headers(&headers, (int64_t)bytes))
        return -1;
    exchange->counted = 0;
    lws_set_timer_usecs(exchange->wsi, PACE_S * LWS_USEC_PER_SEC);
    lws_callback_on_writable(exchange->wsi);
    return 0;
}

/* Nothing is read meanwhile: lws 4.1 would go round what comes early without taking it. */
void http_wait(struct exchange *exchange)
{
    lws_set_timeout(exchange->wsi, NO_PENDING_TIMEOUT, 0);
    lws_rx_flow_control(exchange->wsi, 0);
}

/* lws tells of no connection that it does not read from that it can be written to. */
void http_go_on(struct exchange *exchange)
{
    lws_rx_flow_control(exchange->wsi, 1);
    lws_callback_on_writable(exchange->wsi);
}

int http_answer_reply(struct exchange *exchange, struct reply reply)
{
    struct share_table *delayed = &exchange->server->service->delayed;
    if (reply.delay_ms <= 0 || !share_take(delayed, exchange->address, INT64_MAX, 100))
        return answer_now(exchange, reply);
    exchange->delayed = reply;
    http_wait(exchange);
    lws_set_timer_usecs(exchange->wsi, reply.delay_ms * LWS_US_PER_MS);
    return 0;
}

static void forget_delay(struct exchange *exchange)
{
    if (exchange->delayed.status)
        share_give(&exchange->server->service->delayed, exchange->address);
    exchange->delayed = (struct reply){0};
}

/* --- the transaction ----------------------------------------------------------------------- */

/* Where we were called. NULL: not over a network. */
static const char *place_of(const struct exchange *exchange, char to[HUB_PROOF_PLACE_MAX])
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;
    char address[INET6_ADDRSTRLEN], port[8];
    if (getsockname(lws_get_socket_fd(exchange->wsi), (struct sockaddr *)&name, &size) < 0 ||
        getnameinfo((struct sockaddr *)&name, size, address, sizeof address, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0 ||
        !hub_proof_place(address, atoi(port), to))
        return NULL;
    return to;
}

static int call_route(struct exchange *exchange, const cJSON *json, struct media_upload *upload)
{
    char place[HUB_PROOF_PLACE_MAX];
    const struct routes_request request = {
        .method = exchange->method,
        .path = exchange->path,
        .caller = {exchange->token, exchange->address, place_of(exchange, place)},
        .body = json,
        .upload = upload,
    };
    return http_answer_reply(exchange, routes_call(exchange->server->service, &request));
}

/* What JSON says of a track, for one that came without: whoever takes it need not know how it came.
 */
static void describe_track(cJSON *json, const char *content_type)
{
    cJSON *media = cJSON_AddObjectToObject(json, "media");
    cJSON_AddStringToObject(media, "content_type", content_type);
    cJSON_AddStringToObject(media, "data", "");
}

/* What describes it stands in the query. */
static cJSON *describe_put(struct lws *wsi)
{
    static const char *const names[] = {"track_id", "name", "filename"};
    cJSON *json = cJSON_CreateObject();
    char type[256] = "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char equals[16], value[STORE_NAME_MAX + 16];
        snprintf(equals, sizeof equals, "%s=", names[i]);
        const char *text = lws_get_urlarg_by_name(wsi, equals, value, sizeof value);
        if (text && utf8_is_valid(text, strlen(text)))
            cJSON_AddStringToObject(json, names[i], text);
    }
    lws_hdr_copy(wsi, type, sizeof type, WSI_TOKEN_HTTP_CONTENT_TYPE);
    describe_track(json, utf8_is_valid(type, strlen(type)) ? type : "");
    return json;
}

static struct media_upload *open_upload(void *user, int *ret_status, const char **ret_reason)
{
    struct exchange *exchange = user;
    return service_open_upload(exchange->server->service, &exchange->slot, ret_status, ret_reason);
}

static enum body_kind kind_of_track(struct lws *wsi, const struct exchange *exchange)
{
    return strcmp(exchange->method, "PUT") == 0          ? BODY_TRACK
           : content_type_is(wsi, "multipart/form-data") ? BODY_FORM
                                                         : BODY_JSON;
}

/* Whether a body is taken. If not, it is read to its end all the same, and refused then: clients
 * read no answer before. */
static bool is_welcome(struct exchange *exchange, struct lws *wsi, bool takes_track)
{
    struct caller caller = {exchange->token, exchange->address, NULL};
    if (!server_is_called_rightly(exchange->server, wsi, &exchange->refusal))
        return false;
    if (!takes_track)
        return true;
    exchange->refusal =
        routes_begin_upload(exchange->server->service, exchange->path, &caller, &exchange->slot);
    if (exchange->refusal.status != 200)
        return false;
    exchange->refusal.status = 0;
    return true;
}

static bool begin_body(struct exchange *exchange, struct lws *wsi)
{
    bool takes_track = routes_take_track(exchange->method, exchange->path);
    const struct body_door door = {takes_track ? open_upload : NULL, hold, exchange};
    enum body_kind kind = takes_track ? kind_of_track(wsi, exchange) : BODY_JSON;
    exchange->receiving = true;
    lws_set_timer_usecs(wsi, PACE_S * LWS_USEC_PER_SEC);
    if (!is_welcome(exchange, wsi, takes_track))
        return true;
    if (kind == BODY_TRACK)
        exchange->described = describe_put(wsi);
    exchange->body = body_create(kind, wsi, &door);
    return exchange->body != NULL;
}

/* curl asks before it sends much. */
static int invite_body(struct lws *wsi)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    unsigned char buffer[LWS_PRE + sizeof line];
    char text[32];
    if (lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_EXPECT) <= 0 ||
        strcasecmp(text, "100-continue") != 0)
        return 0;
    memcpy(buffer + LWS_PRE, line, sizeof line - 1);
    return lws_write(wsi, buffer + LWS_PRE, sizeof line - 1, LWS_WRITE_HTTP_HEADERS) < 0 ? -1 : 0;
}

static int begin_without_body(struct exchange *exchange, struct lws *wsi, const char *path)
{
    struct reply refusal;
    bool reads = strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0;
    if (!server_is_called_rightly(exchange->server, wsi, &refusal))
        return http_answer_reply(exchange, refusal);
    const struct page_file *file = reads ? page_find(exchange->server->page, path) : NULL;
    if (file)
        return http_send_page(exchange, file);
    if (reads && strncmp(path, "/static/" LIBRARY_FOLDER, 8 + strlen(LIBRARY_FOLDER)) == 0)
        return http_send_file(exchange, path + 8);
    if (reads && strncmp(path, "/static/" COVERS_FOLDER, 8 + strlen(COVERS_FOLDER)) == 0)
        return http_send_cover(exchange, path + 8 + strlen(COVERS_FOLDER));
    if (reads && strncmp(path, "/static/", 8) == 0)
        return http_send_media(exchange, path + 8);
    if (reads && !may_be_told_much(exchange))
        return http_answer_reply(exchange, reply_error(429, "This address reads too much at once; "
                                                            "wait a minute"));
    if (reads && strcmp(path, "/library") == 0)
        return http_search_library(exchange);
    return call_route(exchange, NULL, NULL);
}

int http_begin(struct server *server, struct lws *wsi, struct exchange *exchange, const char *path)
{
    struct caller_address address;
    http_finish(exchange);
    exchange->server = server;
    exchange->wsi = wsi;
    take_method(wsi, exchange);
    take_token(wsi, exchange);
    server_take_address(server, wsi, &address);
    snprintf(exchange->address, sizeof exchange->address, "%s", address.group);
    snprintf(exchange->path, sizeof exchange->path, "%s", path);
    bool reads = strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0;
    if (!reads && lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
        return http_answer_reply(exchange, reply_error(411, "A body needs a Content-Length"));
    if (reads || !has_body(wsi))
        return begin_without_body(exchange, wsi, path);
    return begin_body(exchange, wsi) ? invite_body(wsi) : -1;
}

int http_body(struct exchange *exchange, const char *bytes, size_t count)
{
    exchange->counted += (int64_t)count;
    if (exchange->body)
        body_feed(exchange->body, bytes, count);
    return 0;
}

/* --- the end of a body --------------------------------------------------------------------- */

static int answer_track(struct exchange *exchange)
{
    cJSON *json = exchange->json;
    exchange->json = NULL;
    exchange->settled = false;
    int result = call_route(exchange, json, exchange->upload);
    cJSON_Delete(json);
    body_destroy(exchange->body);
    exchange->body = NULL;
    service_end_upload(exchange->server->service, &exchange->slot);
    return result;
}

static void track_settled(void *user)
{
    struct exchange *exchange = user;
    exchange->settled = true;
    http_go_on(exchange);
}

static int take_body(struct exchange *exchange)
{
    cJSON *json = NULL;
    struct reply reply = body_finish(exchange->body, &json, &exchange->upload);
    if (reply.status != 200)
        return http_answer_reply(exchange, reply);
    if (exchange->described) {
        json = exchange->described;
        exchange->described = NULL;
    } else if (exchange->upload && !cJSON_HasObjectItem(json, "media")) {
        describe_track(json, "audio/mpeg");
    }
    exchange->json = json;
    if (!exchange->upload)
        return answer_track(exchange);
    http_wait(exchange);
    media_upload_settle(exchange->upload, track_settled, exchange);
    return 0;
}

/* Once: lws tells of the end twice when the body came at once with its headers, and bodies that
 * nobody wanted were answered already. */
int http_body_complete(struct exchange *exchange)
{
    struct reply refusal = exchange->refusal;
    if (!exchange->receiving)
        return 0;
    exchange->receiving = false;
    lws_set_timer_usecs(exchange->wsi, LWS_SET_TIMER_USEC_CANCEL);
    exchange->refusal = (struct reply){0};
    if (refusal.status != 0)
        return http_answer_reply(exchange, refusal);
    return exchange->body ? take_body(exchange) : 0;
}

/* --- what takes its time ------------------------------------------------------------------- */

/* What trickles keeps its place from others. */
static bool is_fast_enough(struct exchange *exchange)
{
    int64_t wanted = PACE_S * exchange->server->config.body_bytes_per_s;
    bool fast = exchange->counted >= wanted;
    exchange->counted = 0;
    return fast;
}

static int look_at_pace(struct exchange *exchange)
{
    bool is_our_turn = exchange->answer && !lws_send_pipe_choked(exchange->wsi);
    if (!is_fast_enough(exchange) && !is_our_turn) {
        log_info("%s %s too slowly", exchange->address,
                 exchange->receiving ? "sends a body" : "reads an answer");
        return -1;
    }
    lws_set_timer_usecs(exchange->wsi, PACE_S * LWS_USEC_PER_SEC);
    return 0;
}

int http_timer(struct exchange *exchange)
{
    if (exchange->receiving || exchange->answer)
        return look_at_pace(exchange);
    if (exchange->delayed.status) {
        exchange->is_due = true;
        http_go_on(exchange);
    }
    return 0;
}

static int write_answer(struct lws *wsi, struct exchange *exchange)
{
    size_t before = exchange->answer_sent;
    int result = http_answer_write(wsi, (unsigned char *)exchange->answer, exchange->answer_bytes,
                                   &exchange->answer_sent);
    exchange->counted += (int64_t)(exchange->answer_sent - before);
    if (result == HTTP_ANSWER_HANG_UP) {
        free(exchange->answer);
        exchange->answer = NULL;
    }
    return result;
}

int http_writable(struct exchange *exchange)
{
    struct reply reply = exchange->delayed;
    if (exchange->is_due) {
        exchange->is_due = false;
        forget_delay(exchange);
        return answer_now(exchange, reply);
    }
    if (exchange->found.status) {
        reply = exchange->found;
        exchange->found = (struct reply){0};
        return answer_now(exchange, reply);
    }
    if (exchange->settled)
        return answer_track(exchange);
    if (exchange->answer)
        return write_answer(exchange->wsi, exchange);
    if (exchange->page_body)
        return http_write_page(exchange);
    if (exchange->reading)
        return http_write_file(exchange);
    if (exchange->file >= 0)
        return http_write_media(exchange);
    return 0;
}

void http_finish(struct exchange *exchange)
{
    if (exchange->server) {
        service_end_upload(exchange->server->service, &exchange->slot);
        cJSON_Delete(exchange->delayed.body);
        forget_delay(exchange);
        let_go(exchange);
    }
    if (exchange->search)
        library_search_forget(exchange->search);
    http_forget_file(exchange);
    cJSON_Delete(exchange->found.body);
    body_destroy(exchange->body);
    cJSON_Delete(exchange->described);
    cJSON_Delete(exchange->json);
    cJSON_Delete(exchange->refusal.body);
    free(exchange->answer);
    if (exchange->file >= 0)
        close(exchange->file);
    memset(exchange, 0, sizeof *exchange);
    exchange->file = -1;
}
