/*
 * http_peer.c: one HTTP transaction: collect the body, call the route, send the answer; or send a
 * media file, whole or a range of it.
 */
#include "hub_clock.h"
#include "routes.h"
#include "server_internal.h"
#include "tutti/core/utf8.h"
#include "tutti/io/http_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

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

/* IPv4 as it is written, also where the socket takes both. */
static void take_address(struct lws *wsi, char address[EXCHANGE_ADDRESS_MAX])
{
    static const char mapped[] = "::ffff:";
    char text[EXCHANGE_ADDRESS_MAX] = "";
    lws_get_peer_simple(wsi, text, sizeof text);
    bool is_mapped = strncmp(text, mapped, strlen(mapped)) == 0 && strchr(text, '.');
    snprintf(address, EXCHANGE_ADDRESS_MAX, "%s", text + (is_mapped ? strlen(mapped) : 0));
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

/* --- headers ------------------------------------------------------------------------------- */

static void add_time(struct http_answer *headers, const char *name, int64_t seconds)
{
    char text[64];
    struct tm utc;
    time_t time = (time_t)seconds;
    gmtime_r(&time, &utc);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    http_answer_header(headers, name, text);
}

static int send_headers(struct http_answer *headers, int64_t length)
{
    /* Fresh in every answer: speakers read the time from it. */
    add_time(headers, "date:", hub_clock_now().ns / NS_PER_S);
    return http_answer_send_headers(headers, length);
}

/* --- answers ------------------------------------------------------------------------------- */

static int answer(struct lws *wsi, struct exchange *exchange, struct reply reply)
{
    struct http_answer headers;
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
    exchange->answer_sent = strcmp(exchange->method, "HEAD") == 0 ? bytes : 0;
    http_answer_begin(&headers, wsi, reply.status);
    http_answer_header(&headers, "content-type:", "application/json");
    if (send_headers(&headers, (int64_t)bytes))
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
    struct http_answer headers;
    http_answer_begin(&headers, wsi, 304);
    http_answer_header(&headers, "etag:", etag);
    send_headers(&headers, 0);
    return HTTP_ANSWER_HANG_UP;
}

static int send_file(struct server *server, struct lws *wsi, struct exchange *exchange,
                     const char *path)
{
    struct http_answer headers;
    struct media_file file;
    int64_t from = 0, end;
    char etag[MEDIA_PATH_MAX + 32], range[96];
    exchange->file = media_open(server->service->media, path, &file);
    if (exchange->file < 0)
        return answer(wsi, exchange, reply_error(404, "Not Found"));
    /* A stored file never changes: its name is as good as a hash. */
    snprintf(etag, sizeof etag, "\"%s-%lld\"", path + strlen("uploads/"), (long long)file.bytes);
    if (header_is(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, etag))
        return send_not_modified(wsi, etag);
    end = file.bytes;
    bool guarded = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_IF_RANGE) > 0 &&
                   !header_is(wsi, WSI_TOKEN_HTTP_IF_RANGE, etag);
    bool part = !guarded && take_range(wsi, file.bytes, &from, &end);
    if (part && from >= file.bytes) {
        http_answer_begin(&headers, wsi, 416);
        snprintf(range, sizeof range, "bytes */%lld", (long long)file.bytes);
        http_answer_header(&headers, "content-range:", range);
        send_headers(&headers, 0);
        return HTTP_ANSWER_HANG_UP;
    }
    http_answer_begin(&headers, wsi, part ? 206 : 200);
    http_answer_header(&headers, "content-type:", "audio/mpeg");
    http_answer_header(&headers, "accept-ranges:", "bytes");
    http_answer_header(&headers, "etag:", etag);
    add_time(&headers, "last-modified:", file.stored_s);
    snprintf(range, sizeof range, "bytes %lld-%lld/%lld", (long long)from, (long long)end - 1,
             (long long)file.bytes);
    if (part)
        http_answer_header(&headers, "content-range:", range);
    if (send_headers(&headers, end - from))
        return -1;
    exchange->file_at = from;
    exchange->file_end = strcmp(exchange->method, "HEAD") == 0 ? from : end;
    lws_callback_on_writable(wsi);
    return 0;
}

/* --- the transaction ----------------------------------------------------------------------- */

static int call_route(struct server *server, struct lws *wsi, struct exchange *exchange,
                      const cJSON *json, struct media_upload *upload)
{
    return answer(wsi, exchange,
                  routes_call(server->service, &(struct routes_request){
                                                   .method = exchange->method,
                                                   .path = exchange->path,
                                                   .token = exchange->token,
                                                   .address = exchange->address,
                                                   .body = json,
                                                   .upload = upload,
                                               }));
}

/* What JSON says of a track, for one that came without: whoever takes it need not know how it came.
 */
static void describe_track(cJSON *json, const char *content_type)
{
    cJSON *media = cJSON_AddObjectToObject(json, "media");
    cJSON_AddStringToObject(media, "content_type", content_type);
    cJSON_AddStringToObject(media, "data", "");
}

/* track_id and name stand in the query. */
static cJSON *describe_put(struct lws *wsi)
{
    static const char *const names[] = {"track_id", "name"};
    cJSON *json = cJSON_CreateObject();
    for (int i = 0; i < 2; i++) {
        char equals[16], value[STORE_NAME_MAX + 16];
        snprintf(equals, sizeof equals, "%s=", names[i]);
        const char *text = lws_get_urlarg_by_name(wsi, equals, value, sizeof value);
        if (text && utf8_is_valid(text, strlen(text)))
            cJSON_AddStringToObject(json, names[i], text);
    }
    describe_track(json,
                   content_type_is(wsi, "audio/") ? "audio/mpeg" : "application/octet-stream");
    return json;
}

/* What cannot be taken is read to its end, and refused then: clients read no answer before. */
static bool begin_body(struct server *server, struct lws *wsi, struct exchange *exchange)
{
    enum body_kind kind = BODY_JSON;
    struct media *media = NULL;
    if (routes_take_track(exchange->method, exchange->path)) {
        exchange->refusal = routes_may_upload(server->service, exchange->path, exchange->token);
        if (exchange->refusal.status != 200)
            return true;
        exchange->refusal.status = 0;
        media = server->service->media;
        kind = strcmp(exchange->method, "PUT") == 0          ? BODY_TRACK
               : content_type_is(wsi, "multipart/form-data") ? BODY_FORM
                                                             : BODY_JSON;
    }
    if (kind == BODY_TRACK)
        exchange->described = describe_put(wsi);
    exchange->body = body_create(kind, wsi, media);
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

int http_begin(struct server *server, struct lws *wsi, struct exchange *exchange, const char *path)
{
    http_finish(exchange);
    take_method(wsi, exchange);
    take_token(wsi, exchange);
    take_address(wsi, exchange->address);
    snprintf(exchange->path, sizeof exchange->path, "%s", path);
    bool reads = strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0;
    if (reads && strncmp(path, "/static/", 8) == 0)
        return send_file(server, wsi, exchange, path + 8);
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
        return answer(wsi, exchange, reply_error(411, "A body needs a Content-Length"));
    if (reads || !has_body(wsi))
        return call_route(server, wsi, exchange, NULL, NULL);
    return begin_body(server, wsi, exchange) ? invite_body(wsi) : -1;
}

int http_body(struct exchange *exchange, const char *bytes, size_t count)
{
    if (exchange->body)
        body_feed(exchange->body, bytes, count);
    return 0;
}

static int answer_body(struct server *server, struct lws *wsi, struct exchange *exchange,
                       struct body *body)
{
    cJSON *json = NULL;
    struct media_upload *upload = NULL;
    struct reply reply = body_finish(body, &json, &upload);
    if (reply.status != 200)
        return answer(wsi, exchange, reply);
    if (exchange->described) {
        json = exchange->described;
        exchange->described = NULL;
    } else if (upload && !cJSON_HasObjectItem(json, "media")) {
        describe_track(json, "audio/mpeg");
    }
    int result = call_route(server, wsi, exchange, json, upload);
    cJSON_Delete(json);
    return result;
}

/* Once: lws tells of the end twice when the body came at once with its headers, and bodies that
 * nobody wanted were answered already. */
int http_body_complete(struct server *server, struct lws *wsi, struct exchange *exchange)
{
    struct reply refusal = exchange->refusal;
    struct body *body = exchange->body;
    exchange->refusal = (struct reply){0};
    exchange->body = NULL;
    if (refusal.status != 0)
        return answer(wsi, exchange, refusal);
    if (!body)
        return 0;
    int result = answer_body(server, wsi, exchange, body);
    body_destroy(body);
    return result;
}

static int write_answer(struct lws *wsi, struct exchange *exchange)
{
    int result = http_answer_write(wsi, (unsigned char *)exchange->answer, exchange->answer_bytes,
                                   &exchange->answer_sent);
    if (result == HTTP_ANSWER_HANG_UP) {
        free(exchange->answer);
        exchange->answer = NULL;
    }
    return result;
}

static int write_file(struct lws *wsi, struct exchange *exchange)
{
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
    body_destroy(exchange->body);
    cJSON_Delete(exchange->described);
    cJSON_Delete(exchange->refusal.body);
    free(exchange->answer);
    if (exchange->file > 0)
        close(exchange->file);
    memset(exchange, 0, sizeof *exchange);
    exchange->file = -1;
}
