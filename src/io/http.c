/*
 * http.c: libcurl's multi interface on the loop.
 *
 * curl tells which sockets it wants watched and when it wants to be called; both go to the loop.
 * Redirects are followed for downloads only: a call that carries the token goes nowhere but where
 * it was sent.
 */
#include "tutti/io/http.h"

#include "tutti/base/log.h"
#include "tutti/io/loop.h"
#include "tutti/io/mono_clock.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER_MAX 256
#define REDIRECTS_MAX 5
#define CHUNK_BYTES 65536L
/* A download that stays below this for this long is given up, and resumed or started over. */
#define LOW_SPEED_BYTES_PER_S 200L
#define LOW_SPEED_S 15L
#define CONNECTIONS_MAX 4L

struct http {
    struct loop *loop;
    struct http_config config;
    char *ca_file;
    CURLM *multi;
    struct loop_timer *timer;
    struct http_call *calls;
};

struct http_call {
    struct http *http;
    CURL *easy;
    struct curl_slist *headers;
    struct http_request request; /* the callbacks and user; its strings are not kept */
    bool download;
    int64_t max_bytes;
    struct http_response response;
    char *body;
    size_t body_bytes;
    char etag[HEADER_MAX];
    char last_modified[HEADER_MAX];
    char date[HEADER_MAX];
    char error[CURL_ERROR_SIZE + 64];
    bool headers_told;
    bool too_large;
    bool cancelled;
    struct mono_time started_at;
    struct http_call *next;
};

static void harvest(struct http *http);

static void socket_ready(void *user, unsigned events);

struct socket_watch {
    struct http *http;
    curl_socket_t socket;
    struct loop_fd *fd;
};

static void socket_ready(void *user, unsigned events)
{
    struct socket_watch *watch = user;
    struct http *http = watch->http;
    int mask = 0, running;
    if (events & LOOP_READ)
        mask |= CURL_CSELECT_IN;
    if (events & LOOP_WRITE)
        mask |= CURL_CSELECT_OUT;
    if (events & LOOP_HANGUP)
        mask |= CURL_CSELECT_ERR;
    curl_multi_socket_action(http->multi, watch->socket, mask, &running);
    harvest(http);
}

static int watch_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *data)
{
    struct http *http = user;
    struct socket_watch *watch = data;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            loop_fd_remove(watch->fd);
            loop_defer_free(http->loop, free, watch);
            curl_multi_assign(http->multi, socket, NULL);
        }
        return 0;
    }
    unsigned events =
        (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
    if (watch) {
        loop_fd_set_events(watch->fd, events);
        return 0;
    }
    watch = calloc(1, sizeof *watch);
    if (!watch)
        return -1;
    watch->http = http;
    watch->socket = socket;
    watch->fd = loop_fd_add(http->loop, socket, events, socket_ready, watch);
    if (!watch->fd) {
        free(watch);
        return -1;
    }
    curl_multi_assign(http->multi, socket, watch);
    return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct http *http = user;
    (void)multi;
    if (timeout_ms < 0)
        loop_timer_cancel(http->timer);
    else
        loop_timer_set_in(http->timer, timeout_ms * NS_PER_MS);
    return 0;
}

static void timer_fired(void *user, struct mono_time now)
{
    struct http *http = user;
    int running;
    (void)now;
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    harvest(http);
}

struct http *http_create(struct loop *loop, const struct http_config *config)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return NULL;
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        return NULL;
    http->loop = loop;
    http->config = *config;
    http->ca_file = config->ca_file ? strdup(config->ca_file) : NULL;
    http->multi = curl_multi_init();
    http->timer = loop_timer_create(loop, timer_fired, http);
    if (!http->multi || !http->timer || (config->ca_file && !http->ca_file)) {
        http_destroy(http);
        return NULL;
    }
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
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

static void detach(struct http_call *call)
{
    for (struct http_call **at = &call->http->calls; *at; at = &(*at)->next) {
        if (*at == call) {
            *at = call->next;
            break;
        }
    }
    curl_multi_remove_handle(call->http->multi, call->easy);
}

void http_destroy(struct http *http)
{
    if (!http)
        return;
    while (http->calls) {
        struct http_call *call = http->calls;
        detach(call);
        free_call(call);
    }
    curl_multi_cleanup(http->multi);
    loop_timer_destroy(http->timer);
    free(http->ca_file);
    free(http);
}

/* The first value wins; too long a one is as good as none. */
static void keep_header(const char *line, size_t bytes, const char *name, char *to)
{
    size_t name_bytes = strlen(name);
    if (bytes <= name_bytes || strncasecmp(line, name, name_bytes) != 0)
        return;
    const char *value = line + name_bytes;
    const char *end = line + bytes;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
        end--;
    if ((size_t)(end - value) < HEADER_MAX)
        snprintf(to, HEADER_MAX, "%.*s", (int)(end - value), value);
}

static size_t take_header(char *line, size_t size, size_t count, void *user)
{
    struct http_call *call = user;
    size_t bytes = size * count;
    if (bytes > 5 && strncmp(line, "HTTP/", 5) == 0) { /* of the last answer, after redirects */
        call->etag[0] = call->last_modified[0] = call->date[0] = '\0';
        call->response.range_start = 0;
        call->response.received_at = mono_clock_now();
    }
    char range[HEADER_MAX] = "";
    keep_header(line, bytes, "etag:", call->etag);
    keep_header(line, bytes, "last-modified:", call->last_modified);
    keep_header(line, bytes, "date:", call->date);
    keep_header(line, bytes, "content-range:", range);
    if (strncasecmp(range, "bytes ", 6) == 0)
        call->response.range_start = strtoll(range + 6, NULL, 10);
    return bytes;
}

static void fill_response(struct http_call *call)
{
    struct http_response *response = &call->response;
    long status = 0, connects = 0;
    curl_off_t length = -1, pretransfer_us = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(call->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer_us);
    response->status = (int)status;
    response->fresh_connection = connects > 0;
    response->content_length = (int64_t)length;
    response->sent_at = mono_add(call->started_at, (int64_t)pretransfer_us * NS_PER_US);
    response->etag = call->etag;
    response->last_modified = call->last_modified;
    time_t date = call->date[0] ? curl_getdate(call->date, NULL) : -1;
    response->has_date = date > 0;
    response->date = (struct server_time){(int64_t)date * NS_PER_S};
}

static bool keep_body(struct http_call *call, const char *bytes, size_t count)
{
    char *grown = realloc(call->body, call->body_bytes + count + 1);
    if (!grown)
        return false;
    call->body = grown;
    memcpy(call->body + call->body_bytes, bytes, count);
    call->body_bytes += count;
    call->body[call->body_bytes] = '\0';
    return true;
}

static bool tell_headers(struct http_call *call)
{
    if (call->headers_told)
        return true;
    call->headers_told = true;
    fill_response(call);
    call->response.error = "";
    return call->request.on_headers(call->request.user, &call->response);
}

static size_t take_data(char *bytes, size_t size, size_t count, void *user)
{
    struct http_call *call = user;
    count *= size;
    if (call->max_bytes > 0 && (int64_t)(call->body_bytes + count) > call->max_bytes) {
        call->too_large = true;
        return 0;
    }
    if (!call->download)
        return keep_body(call, bytes, count) ? count : 0;
    if (!tell_headers(call) || call->cancelled)
        return 0;
    call->body_bytes += count;
    return call->request.on_data(call->request.user, bytes, count) && !call->cancelled ? count : 0;
}

static bool add_header(struct http_call *call, const char *name, const char *value)
{
    char line[HEADER_MAX + 64];
    snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *grown = curl_slist_append(call->headers, line);
    if (!grown)
        return false;
    call->headers = grown;
    return true;
}

static bool add_headers(struct http_call *call, const struct http_request *request)
{
    bool good = true;
    if (request->token)
        good = add_header(call, "X-User-Token", request->token);
    if (good && request->json)
        good = add_header(call, "Content-Type", "application/json");
    if (good && request->if_none_match)
        good = add_header(call, "If-None-Match", request->if_none_match);
    if (good && request->range_start > 0) {
        char range[40];
        snprintf(range, sizeof range, "bytes=%lld-", (long long)request->range_start);
        good = add_header(call, "Range", range);
        if (good && request->if_range)
            good = add_header(call, "If-Range", request->if_range);
    }
    return good;
}

static void set_options(struct http_call *call, const struct http_request *request)
{
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request->token ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tutti/" TUTTI_VERSION);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, CHUNK_BYTES);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(call->http->config.connect_timeout_ns / NS_PER_MS));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(request->timeout_ns / NS_PER_MS));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES_PER_S);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh_connection ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    if (call->http->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, call->http->ca_file);
    if (request->json)
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->json);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
}

struct http_call *http_start(struct http *http, const struct http_request *request)
{
    struct http_call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    call->http = http;
    call->request = *request;
    call->download = request->on_data != NULL;
    call->max_bytes = request->max_bytes;
    call->easy = curl_easy_init();
    if (!call->easy || !add_headers(call, request)) {
        free_call(call);
        return NULL;
    }
    set_options(call, request);
    call->started_at = mono_clock_now();
    if (curl_multi_add_handle(http->multi, call->easy) != CURLM_OK) {
        free_call(call);
        return NULL;
    }
    call->next = http->calls;
    http->calls = call;
    return call;
}

void http_cancel(struct http_call *call)
{
    if (!call || call->cancelled)
        return;
    call->cancelled = true;
    /* curl does not let go of a handle inside its own callback: a timer's turn does it. */
    loop_timer_set_in(call->http->timer, 0);
}

static bool is_tls_failure(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM;
}

static void fail_response(struct http_call *call, CURLcode code)
{
    call->response.status = 0;
    call->response.tls_failed = is_tls_failure(code);
    if (call->too_large)
        snprintf(call->error, sizeof call->error, "the answer is larger than %lld bytes",
                 (long long)call->max_bytes);
    else if (!call->error[0])
        snprintf(call->error, sizeof call->error, "%s", curl_easy_strerror(code));
    call->response.error = call->error;
}

static void finish(struct http_call *call, CURLcode code)
{
    fill_response(call);
    detach(call);
    call->response.error = "";
    if (code != CURLE_OK)
        fail_response(call, code);
    if (!call->download) {
        call->response.body = call->body ? call->body : "";
        call->response.body_bytes = call->body_bytes;
    }
    if (code == CURLE_OK && call->download && !call->headers_told && !call->cancelled)
        tell_headers(call);
    if (!call->cancelled)
        call->request.on_done(call->request.user, &call->response);
    loop_defer_free(call->http->loop, free_call, call);
}

static void drop_cancelled(struct http *http)
{
    struct http_call *next;
    for (struct http_call *call = http->calls; call; call = next) {
        next = call->next;
        if (call->cancelled) {
            detach(call);
            loop_defer_free(http->loop, free_call, call);
        }
    }
}

static void harvest(struct http *http)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(http->multi, &left))) {
        struct http_call *call = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        finish(call, code);
    }
    drop_cancelled(http);
}
