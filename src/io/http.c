/*
 * http.c: calls and downloads, each an easy handle of curl's.
 *
 * Calls may be started and cancelled anywhere, callbacks included: inside curl's own, where handles
 * can neither be added nor removed, it happens right after.
 */
#include "http_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/loop.h"
#include "tutti/io/mono_clock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIMEOUT_NS (10 * NS_PER_S)
#define CONNECTIONS_MAX 4L
/* What one round may hand on, and when it ends early: a disk may make each piece wait. curl itself
 * reads on for up to a hundred of its buffers, as long as the sender keeps up. */
#define ROUND_BYTES 262144
#define SMALL_BODY_BYTES 131072
#define ROUND_NS (2 * NS_PER_MS)

static void served(void *user);
static void next_round_fired(void *user, struct mono_time now);

/* --- making and unmaking --- */

struct http *http_create(struct loop *loop, const struct http_config *config)
{
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        return NULL;
    http->loop = loop;
    http->connect_timeout_ns =
        config->connect_timeout_ns > 0 ? config->connect_timeout_ns : CONNECT_TIMEOUT_NS;
    http->ca_file = config->ca_file ? strdup(config->ca_file) : NULL;
    http->curl = curl_loop_create(loop, served, http);
    http->next_round = loop_timer_create(loop, next_round_fired, http);
    if (!http->curl || !http->next_round || (config->ca_file && !http->ca_file)) {
        http_destroy(http);
        return NULL;
    }
    CURLM *multi = curl_loop_multi(http->curl);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
    return http;
}

static void free_call(void *object)
{
    struct http_call *call = object;
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    free(call->body);
    free(call);
}

/* Not inside curl. */
static void detach(struct http_call *call)
{
    struct http_call **link = &call->http->calls;
    while (*link != call)
        link = &(*link)->next;
    *link = call->next;
    if (call->running)
        curl_multi_remove_handle(curl_loop_multi(call->http->curl), call->easy);
    call->running = false;
}

static void discard(struct http_call *call)
{
    detach(call);
    loop_defer_free(call->http->loop, free_call, call);
}

static void free_http(void *object)
{
    struct http *http = object;
    while (http->calls)
        discard(http->calls);
    curl_loop_destroy(http->curl);
    loop_timer_destroy(http->next_round);
    free(http->ca_file);
    free(http);
}

void http_destroy(struct http *http)
{
    if (!http || http->destroyed)
        return;
    http->destroyed = true;
    for (struct http_call *call = http->calls; call; call = call->next)
        call->cancelled = true;
    loop_defer_free(http->loop, free_http, http);
}

/* --- what comes in --- */

static void start_of_answer(struct http_call *call)
{
    call->response.received_at = mono_clock_now();
    call->response.has_range = false;
    call->response.range_start = 0;
    call->response.range_total = -1;
    call->etag[0] = call->last_modified[0] = call->date[0] = call->location[0] = '\0';
    call->server[0] = '\0';
}

static void keep_range(struct http_call *call, const char *line, size_t bytes)
{
    char value[HTTP_HEADER_MAX];
    struct http_range range;
    if (!http_header_take(line, bytes, "content-range:", value, sizeof value) ||
        !http_header_range(value, &range))
        return;
    call->response.has_range = true;
    call->response.range_start = range.first;
    call->response.range_bytes = range.last - range.first + 1;
    call->response.range_total = range.total_bytes;
}

static size_t take_header(char *line, size_t size, size_t count, void *user)
{
    struct http_call *call = user;
    size_t bytes = size * count;
    if (bytes > 5 && strncasecmp(line, "HTTP/", 5) ==
                         0) /* a redirect's answers come first; the last one counts */
        start_of_answer(call);
    http_header_take(line, bytes, "etag:", call->etag, sizeof call->etag);
    http_header_take(line, bytes, "last-modified:", call->last_modified,
                     sizeof call->last_modified);
    http_header_take(line, bytes, "date:", call->date, sizeof call->date);
    http_header_take(line, bytes, "server:", call->server, sizeof call->server);
    http_header_take(line, bytes, "location:", call->location, sizeof call->location);
    keep_range(call, line, bytes);
    return bytes;
}

static void fill_response(struct http_call *call)
{
    struct http_response *response = &call->response;
    long status = 0, connects = 0;
    curl_off_t length = -1;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(call->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    response->status = (int)status;
    response->fresh_connection = connects > 0;
    response->content_length = (int64_t)length;
    response->etag = call->etag;
    response->last_modified = call->last_modified;
    response->location = call->location;
    response->server = call->server;
    response->error = "";
    response->date = (struct server_time){0};
    response->has_date = http_header_date(call->date, &response->date);
}

static bool keep_body(struct http_call *call, const char *bytes, size_t count)
{
    size_t wanted = call->body_bytes + count + 1;
    if (wanted > call->body_capacity) {
        /* Beyond that all that it may need, at once: growing step by step would copy megabytes. */
        size_t capacity = wanted <= SMALL_BODY_BYTES ? wanted * 2 : (size_t)call->max_bytes + 1;
        char *grown = realloc(call->body, capacity);
        if (!grown)
            return false;
        call->body = grown;
        call->body_capacity = capacity;
    }
    memcpy(call->body + call->body_bytes, bytes, count);
    call->body_bytes += count;
    call->body[call->body_bytes] = '\0';
    return true;
}

/* Nobody makes the page of a refusal to be short. */
static bool keep_answer(struct http_call *call, const char *bytes, size_t count)
{
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200)
        return keep_body(call, bytes, count);
    size_t room = HTTP_OTHER_MAX_BYTES - call->body_bytes;
    return keep_body(call, bytes, count < room ? count : room);
}

static bool is_download(const struct http_call *call)
{
    return call->request.on_data != NULL;
}

static bool tell_headers(struct http_call *call)
{
    if (!call->headers_told && !call->cancelled) {
        call->headers_told = true;
        fill_response(call);
        if (call->request.on_headers)
            call->broken_off = !call->request.on_headers(call->request.user, &call->response);
    }
    return !call->broken_off && !call->cancelled;
}

/* The page that explains a 404 is not the track. */
static bool hand_on(struct http_call *call, const char *bytes, size_t count)
{
    if (!tell_headers(call))
        return false;
    if (call->response.status < 200 || call->response.status > 299)
        return true;
    call->broken_off = !call->request.on_data(call->request.user, bytes, count);
    return !call->broken_off && !call->cancelled;
}

/* These bytes were taken; what else curl would read now may have to wait for the next round. */
static void bound_round(struct http_call *call, size_t bytes)
{
    struct http *http = call->http;
    int64_t took_ns = mono_sub(mono_clock_now(), loop_now(http->loop));
    http->round_bytes += bytes;
    bool enough = http->round_bytes >= ROUND_BYTES || took_ns >= ROUND_NS;
    if (call->paused || (!enough && !call->waits))
        return;
    call->paused = true;
    curl_easy_pause(call->easy, CURLPAUSE_RECV);
    if (!call->waits)
        loop_timer_set_in(http->next_round, 0);
}

static void next_round_fired(void *user, struct mono_time now)
{
    struct http *http = user;
    (void)now;
    for (struct http_call *call = http->calls; call; call = call->next) {
        bool go_on = call->paused && call->running && !call->cancelled && !call->waits;
        call->paused = call->paused && call->waits;
        if (go_on)
            curl_loop_unpause(http->curl, call->easy);
    }
}

static size_t take_data(char *bytes, size_t size, size_t count, void *user)
{
    struct http_call *call = user;
    count *= size;
    if (call->cancelled)
        return 0;
    call->came_bytes += count;
    int64_t total = call->response.range_start + (int64_t)call->came_bytes;
    if (call->max_bytes > 0 && total > call->max_bytes) {
        call->too_large = true;
        return 0;
    }
    bool taken = is_download(call) ? hand_on(call, bytes, count) : keep_answer(call, bytes, count);
    if (!taken)
        return 0;
    loop_note_work(call->http->loop, 0, count);
    bound_round(call, count);
    return count;
}

/* The connection is there, and the request goes out next. */
static int about_to_send(void *user, char *ip, char *local_ip, int port, int local_port)
{
    struct http_call *call = user;
    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    call->response.sent_at = mono_clock_now();
    return CURL_PREREQFUNC_OK;
}

/* --- what goes out --- */

static size_t give_body(char *to, size_t size, size_t count, void *user)
{
    struct http_call *call = user;
    if (call->cancelled)
        return CURL_READFUNC_ABORT;
    int64_t given = call->request.on_body(call->request.user, to, size * count);
    if (given == HTTP_BODY_WAIT)
        return CURL_READFUNC_PAUSE;
    if (given >= 0)
        return (size_t)given;
    call->body_failed = true;
    return CURL_READFUNC_ABORT;
}

char *http_take_body(const struct http_response *response)
{
    struct http_call *call =
        (struct http_call *)((uintptr_t)response - offsetof(struct http_call, response));
    char *body = call->body;
    call->body = NULL;
    call->body_capacity = 0;
    return body;
}

void http_wait(struct http_call *call)
{
    call->waits = true;
}

void http_go_on(struct http_call *call)
{
    call->waits = call->paused = false;
    if (call->running && !call->cancelled)
        curl_loop_unpause(call->http->curl, call->easy);
}

/* --- starting and cancelling --- */

static void set_callbacks(struct http_call *call)
{
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    if (call->request.on_body) {
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(easy, CURLOPT_READDATA, call);
    }
}

static struct http_call *make_call(struct http *http, const struct http_request *request)
{
    struct http_call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    call->http = http;
    call->request = *request;
    call->max_bytes = request->max_bytes;
    if (call->max_bytes <= 0 && !is_download(call))
        call->max_bytes = HTTP_JSON_MAX_BYTES;
    call->easy = curl_easy_init();
    if (!call->easy || !http_request_prepare(call, request)) {
        free_call(call);
        return NULL;
    }
    set_callbacks(call);
    return call;
}

static void run(struct http_call *call)
{
    call->running =
        curl_multi_add_handle(curl_loop_multi(call->http->curl), call->easy) == CURLM_OK;
    if (!call->running) { /* no memory: it ends as a call that failed */
        snprintf(call->error, sizeof call->error, "the call could not be started");
        curl_loop_kick(call->http->curl);
    }
}

struct http_call *http_start(struct http *http, const struct http_request *request)
{
    if (http->destroyed)
        return NULL;
    if (!http_request_is_http_url(request->url)) {
        errno = EINVAL;
        return NULL;
    }
    struct http_call *call = make_call(http, request);
    if (!call) {
        log_error("a request cannot be made: no memory, or a token or validator with characters "
                  "that do not fit into a header");
        errno = ENOMEM;
        return NULL;
    }
    call->next = http->calls;
    http->calls = call;
    if (curl_loop_is_inside(http->curl))
        curl_loop_kick(http->curl);
    else
        run(call);
    return call;
}

void http_cancel(struct http_call *call)
{
    if (!call || call->cancelled)
        return;
    call->cancelled = true;
    if (curl_loop_is_inside(call->http->curl))
        curl_loop_kick(call->http->curl);
    else
        discard(call);
}

/* --- the end of a call --- */

static bool is_tls_failure(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CIPHER;
}

static void fail_response(struct http_call *call, CURLcode code)
{
    call->response.status = 0;
    call->response.tls_failed = is_tls_failure(code);
    call->response.too_large = call->too_large || code == CURLE_FILESIZE_EXCEEDED;
    if (call->response.too_large)
        snprintf(call->error, sizeof call->error, "the answer is larger than %lld bytes",
                 (long long)call->max_bytes);
    else if (call->body_failed)
        snprintf(call->error, sizeof call->error, "what is to be sent cannot be read");
    else if (call->broken_off)
        snprintf(call->error, sizeof call->error, "the download was broken off on this side");
    else if (!call->error[0])
        snprintf(call->error, sizeof call->error, "%s", curl_easy_strerror(code));
    log_redact(call->error);
    call->response.error = call->error;
}

static void finish(struct http_call *call, CURLcode code)
{
    if (code == CURLE_OK && is_download(call) && !tell_headers(call)) /* an empty body */
        code = CURLE_WRITE_ERROR;
    if (call->cancelled) {
        discard(call);
        return;
    }
    fill_response(call);
    if (code != CURLE_OK)
        fail_response(call, code);
    if (!is_download(call)) {
        call->response.body = call->body ? call->body : "";
        call->response.body_bytes = call->body_bytes;
    }
    discard(call);
    call->request.on_done(call->request.user, &call->response);
    if (call->body)
        loop_note_work(call->http->loop, 0, call->body_bytes);
}

static bool finish_next(struct http *http)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(curl_loop_multi(http->curl), &left))) {
        struct http_call *call = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        finish(call, code);
        return true;
    }
    return false;
}

/* What was asked for inside curl, where it could not be done. */
static bool catch_up_next(struct http *http)
{
    for (struct http_call *call = http->calls; call; call = call->next) {
        if (call->cancelled)
            discard(call);
        else if (!call->running && call->error[0])
            finish(call, CURLE_OUT_OF_MEMORY);
        else if (!call->running)
            run(call);
        else
            continue;
        return true;
    }
    return false;
}

static void served(void *user)
{
    struct http *http = user;
    http->round_bytes = 0;
    while (!http->destroyed && finish_next(http)) {
    }
    while (!http->destroyed && catch_up_next(http)) {
    }
}
