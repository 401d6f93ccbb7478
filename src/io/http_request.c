/*
 * http_request.c: what a call asks curl for: the headers, the limits, whom to trust.
 *
 * Only downloads follow redirects. A call to the backend does not: curl would take the token along
 * to wherever it leads, or make a GET of a POST; and the WebSocket could not follow.
 */
#include "http_internal.h"

#include <stdio.h>
#include <string.h>

/* Beside the longest value, room for the name. */
#define LINE_MAX_BYTES 544
#define REDIRECTS_MAX 5L
/* One read from a socket, and one piece that is handed on. */
#define READ_BYTES 16384L
/* What one round may write. */
#define WRITE_BYTES 65536L
#define LOW_SPEED_BYTES_PER_S 200L

long http_low_speed_s = 15;

static bool add_header(struct http_call *call, const char *name, const char *value)
{
    char line[LINE_MAX_BYTES];
    int bytes = snprintf(line, sizeof line, "%s: %s", name, value);
    if (bytes < 0 || (size_t)bytes >= sizeof line || !http_header_is_value(line))
        return false;
    struct curl_slist *grown = curl_slist_append(call->headers, line);
    if (!grown)
        return false;
    call->headers = grown;
    return true;
}

static bool add_range(struct http_call *call, const struct http_request *request)
{
    char range[40];
    if (request->range_start <= 0)
        return true;
    snprintf(range, sizeof range, "bytes=%lld-", (long long)request->range_start);
    return add_header(call, "Range", range) &&
           (!request->if_range || add_header(call, "If-Range", request->if_range));
}

static bool add_headers(struct http_call *call, const struct http_request *request)
{
    /* Without waiting for leave to send a large body: whoever does not want it answers early. */
    return (!request->token || add_header(call, "X-User-Token", request->token)) &&
           (!request->on_body || add_header(call, "Expect", "")) &&
           (!(request->json || request->on_body) ||
            add_header(call, "Content-Type", "application/json")) &&
           (!request->if_none_match || add_header(call, "If-None-Match", request->if_none_match)) &&
           (!request->if_modified_since ||
            add_header(call, "If-Modified-Since", request->if_modified_since)) &&
           add_range(call, request);
}

bool http_request_is_http_url(const char *url)
{
    CURLU *parts = curl_url();
    char *scheme = NULL;
    CURLUcode result =
        parts ? curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) : CURLUE_OUT_OF_MEMORY;
    if (result == CURLUE_OK)
        result = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    bool good =
        result == CURLUE_OUT_OF_MEMORY || /* for whoever sets the call up to notice */
        (result == CURLUE_OK && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0));
    curl_free(scheme);
    curl_url_cleanup(parts);
    return good;
}

static void set_limits(struct http_call *call, const struct http_request *request)
{
    CURL *easy = call->easy;
    bool is_download = request->on_data != NULL;
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(call->http->connect_timeout_ns / NS_PER_MS));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(request->timeout_ns / NS_PER_MS));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES_PER_S);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, http_low_speed_s);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, READ_BYTES);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->max_bytes);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, is_download && !request->token ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
}

static void set_trust(struct http_call *call)
{
    if (!call->http->ca_file)
        return;
    curl_easy_setopt(call->easy, CURLOPT_CAINFO, call->http->ca_file);
    curl_easy_setopt(call->easy, CURLOPT_CAPATH, NULL);
}

static void set_request(struct http_call *call, const struct http_request *request)
{
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tutti/" TUTTI_VERSION);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh_connection ? 1L : 0L);
    if (request->json)
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->json);
    if (request->on_body) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
        curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, WRITE_BYTES);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
}

bool http_request_prepare(struct http_call *call, const struct http_request *request)
{
    if (!add_headers(call, request))
        return false;
    set_limits(call, request);
    set_trust(call);
    set_request(call, request);
    return true;
}
