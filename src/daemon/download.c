/*
 * download.c: resumed where the server offers it and the file is the same, started over where not.
 *
 * A part is never taken for the whole: the file is whole when it is as long as the server has said,
 * and what is missing after an answer with less is asked for at once (RFC 9110, 15.3.7).
 */
#include "download.h"

#include "tutti/core/web_url.h"
#include "tutti/io/http.h"
#include "tutti/io/track_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Smaller parts than this are asked for at the pace of retries. */
#define PART_MIN_BYTES 65536

struct download {
    const struct download_config *config;
    char url[PROTOCOL_URL_MAX];
    struct track_file *file;
    struct http_call *call;
    int64_t total_bytes; /* -1: unknown */
    int64_t began_bytes; /* what there was when the call began */
    bool in_parts;       /* the server sends them, and so far they fit together */
    bool too_large;
    bool no_room;
    bool unchecked;
    bool checking;   /* the call is a check, which has not led to another file so far */
    const char *why; /* it was broken off on this side; NULL */
};

struct download *download_create(const struct download_config *config, const char *url)
{
    struct download *download = strlen(url) < PROTOCOL_URL_MAX ? calloc(1, sizeof *download) : NULL;
    if (!download)
        return NULL;
    download->config = config;
    download->total_bytes = -1;
    strcpy(download->url, url);
    return download;
}

void download_destroy(struct download *download)
{
    if (!download)
        return;
    http_cancel(download->call);
    track_file_close(download->file);
    free(download);
}

const char *download_url(const struct download *download)
{
    return download->url;
}

struct track_file *download_file(struct download *download)
{
    if (download->file)
        return download->file;
    download->file = track_store_open(download->config->store, download->url);
    download->unchecked = download->file && (track_file_etag(download->file)[0] ||
                                             track_file_last_modified(download->file)[0]);
    return download->file;
}

int64_t download_total_bytes(const struct download *download)
{
    return download->total_bytes;
}

bool download_is_complete(struct download *download)
{
    return download_file(download) && track_file_complete(download->file);
}

bool download_is_unchecked(struct download *download)
{
    return download_is_complete(download) && download->unchecked;
}

/* Of two that are given, both; the server may leave out either. */
static bool is_same(const struct download *download, const struct http_response *response)
{
    const char *etag = track_file_etag(download->file);
    const char *modified = track_file_last_modified(download->file);
    if (etag[0] && response->etag[0])
        return strcmp(etag, response->etag) == 0;
    return !modified[0] || !response->last_modified[0] ||
           strcmp(modified, response->last_modified) == 0;
}

/* A full disk: it goes on in memory as soon as what there is has been brought there. */
static void moved(void *user)
{
    struct download *download = user;
    download->config->handlers.on_growth(download->config->user, download);
    if (download->call)
        http_go_on(download->call);
}

static struct track_file *begin_file(struct download *download)
{
    struct track_file *file = track_store_begin(download->config->store, download->url);
    if (file)
        track_file_when_moved(file, moved, download);
    return file;
}

static void wait_while_it_moves(struct download *download)
{
    if (track_file_is_moving(download->file))
        http_wait(download->call);
}

static bool break_off(struct download *download, const char *why)
{
    download->why = why;
    return false;
}

static bool no_room(struct download *download, int error)
{
    download->no_room = error == -ENOSPC;
    return break_off(download, download->no_room ? "no disk takes it, and it does not fit into "
                                                   "what tracks may take of the memory"
                                                 : strerror(-error));
}

/* Another file under the same address. A page without validators is none: some network's portal,
 * or a proxy's apology. */
static bool take_other(struct download *download, const struct http_response *response)
{
    bool vouched = response->etag[0] || response->last_modified[0];
    if (response->status != 200 || !vouched || is_same(download, response))
        return false;
    struct track_file *file = begin_file(download);
    if (!file)
        return false;
    download->config->handlers.on_replaced(download->config->user, download);
    track_file_close(download->file);
    track_file_truncate(file);
    download->file = file;
    download->checking = download->unchecked = false;
    return true;
}

/* What begins where the file ends, of the same file, whose length is known. */
static bool continues(const struct download *download, const struct http_response *response)
{
    int64_t known = download->total_bytes;
    return response->has_range && response->range_start == track_file_bytes(download->file) &&
           response->range_total > 0 && (known < 0 || known == response->range_total) &&
           (response->content_length < 0 || response->content_length == response->range_bytes) &&
           (response->range_start == 0 || is_same(download, response));
}

static void start_over(struct download *download)
{
    track_file_truncate(download->file);
    download->total_bytes = -1;
    download->in_parts = false;
}

/* What a chunked answer leaves out, one before it may have told of the same file. */
static int64_t length_of_whole(const struct download *download,
                               const struct http_response *response)
{
    bool vouched = response->etag[0] || response->last_modified[0];
    if (response->content_length >= 0 || !vouched || !is_same(download, response))
        return response->content_length;
    return download->total_bytes;
}

static void take_length(struct download *download, const struct http_response *response)
{
    if (response->status == 206) {
        download->total_bytes = response->range_total;
        download->in_parts = true;
        return;
    }
    int64_t total_bytes = length_of_whole(download, response);
    start_over(download); /* where there was something, it does not resume */
    download->total_bytes = total_bytes;
}

static bool on_headers(void *user, const struct http_response *response)
{
    struct download *download = user;
    if (download->checking && !take_other(download, response))
        return response->status == 304; /* there is nothing to be read */
    if (response->status != 200 && response->status != 206)
        return response->status >= 300; /* on_done tells the failure */
    if (response->status == 206 && !continues(download, response)) {
        start_over(download);
        return break_off(download, "the server sends a part that does not fit; starting over");
    }
    take_length(download, response);
    download->too_large = download->total_bytes > download->config->max_bytes;
    if (download->too_large)
        return break_off(download, "the file is larger than track_max_mb allows");
    int room =
        download->total_bytes >= 0 ? track_file_expect(download->file, download->total_bytes) : 0;
    if (room < 0)
        return no_room(download, room);
    download->began_bytes = track_file_bytes(download->file);
    if (response->status == 200 || response->etag[0] || response->last_modified[0])
        track_file_set_validators(download->file, response->etag, response->last_modified);
    wait_while_it_moves(download);
    return true;
}

static bool on_data(void *user, const void *data, size_t bytes)
{
    struct download *download = user;
    int result = track_file_append(download->file, data, (int64_t)bytes);
    if (result < 0)
        return no_room(download, result);
    wait_while_it_moves(download);
    download->config->handlers.on_growth(download->config->user, download);
    return true;
}

static bool is_refusal(int status)
{
    return status >= 400 && status < 500 && status != 408 && status != 416 && status != 429;
}

static enum download_end how_it_failed(const struct download *download,
                                       const struct http_response *response)
{
    if (response->too_large)
        return DOWNLOAD_NEVER;
    if (download->no_room) /* where the length is not told, trying would fetch it all again */
        return download->total_bytes >= 0 ? DOWNLOAD_REFUSED : DOWNLOAD_NEVER;
    return is_refusal(response->status) ? DOWNLOAD_REFUSED : DOWNLOAD_AGAIN;
}

static void end(struct download *download, enum download_end how, const char *reason)
{
    download->config->handlers.on_end(download->config->user, download, how, reason);
}

static void fail(struct download *download, const struct http_response *response)
{
    char reason[PROTOCOL_REASON_MAX];
    if (response->status >= 300)
        snprintf(reason, sizeof reason, "the server answers HTTP %d", response->status);
    else if (response->status >= 200 && track_file_bytes(download->file) == 0)
        snprintf(reason, sizeof reason, "the server sends an empty file");
    else if (response->status >= 200)
        snprintf(reason, sizeof reason, "the server sends only a part of it");
    else
        snprintf(reason, sizeof reason, "%s", download->why ? download->why : response->error);
    end(download, how_it_failed(download, response), reason);
}

static void on_done(void *user, const struct http_response *response)
{
    struct download *download = user;
    download->call = NULL;
    track_file_call_ended(download->file);
    if (download->checking) {
        download->checking = download->unchecked = false;
        end(download, DOWNLOAD_UNCHANGED, "");
        return;
    }
    int64_t bytes = track_file_bytes(download->file);
    bool arrived = response->status == 200 || response->status == 206;
    bool whole = download->total_bytes < 0 || bytes == download->total_bytes;
    if (response->status == 416) /* there is nothing after what we have: it is another file */
        start_over(download);
    if (arrived && whole && bytes > 0) {
        track_file_commit(download->file);
        end(download, DOWNLOAD_COMPLETE, "");
    } else if (response->status == 206 && !whole &&
               bytes - download->began_bytes >= PART_MIN_BYTES) {
        download_start(download); /* with the rest */
    } else {
        fail(download, response);
    }
}

static const char *strong_validator(const struct download *download)
{
    /* A weak ETag says nothing about bytes. */
    const char *etag = track_file_etag(download->file);
    if (etag[0] && strncmp(etag, "W/", 2) != 0)
        return etag;
    const char *last_modified = track_file_last_modified(download->file);
    return last_modified[0] ? last_modified : NULL;
}

/* What is not in the store yet is fetched, from where it ends. */
static bool prepare_fetch(struct download *download, struct http_request *request)
{
    if (!download->file) {
        download->file = begin_file(download);
        download->total_bytes = -1;
    }
    if (!download->file)
        return false;
    const char *validator = strong_validator(download);
    if (track_file_bytes(download->file) > 0 && (validator || download->in_parts)) {
        request->range_start = track_file_bytes(download->file);
        request->if_range = validator;
    } else {
        start_over(download);
    }
    return true;
}

static void prepare_check(const struct download *download, struct http_request *request)
{
    if (track_file_etag(download->file)[0])
        request->if_none_match = track_file_etag(download->file);
    else
        request->if_modified_since = track_file_last_modified(download->file);
}

static const char *what_is_wrong_with(const char *url)
{
    char resolved[PROTOCOL_URL_MAX];
    const char *problem;
    bool good = web_url_resolve("", url, resolved, sizeof resolved, &problem);
    return good ? "its address has a host that cannot be" : problem;
}

void download_start(struct download *download)
{
    struct http_request request = {
        .method = "GET",
        .url = download->url,
        .max_bytes = download->config->max_bytes,
        .on_headers = on_headers,
        .on_data = on_data,
        .on_done = on_done,
        .user = download,
    };
    download->why = NULL;
    download->too_large = download->no_room = false;
    download->checking = download_is_unchecked(download);
    if (download->checking)
        prepare_check(download, &request);
    else if (!prepare_fetch(download, &request)) {
        end(download, DOWNLOAD_AGAIN, "no memory for the track");
        return;
    }
    download->call = http_start(download->config->http, &request);
    if (!download->call && errno == ENOMEM)
        end(download, DOWNLOAD_AGAIN, "no memory for the call");
    else if (!download->call)
        end(download, DOWNLOAD_NEVER, what_is_wrong_with(download->url));
}

void download_pause(struct download *download)
{
    http_cancel(download->call);
    download->call = NULL;
    /* By the time it goes on, only a validator tells whether they fit. */
    download->in_parts = false;
    if (download->file)
        track_file_call_ended(download->file);
}
