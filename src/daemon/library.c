/*
 * library.c: one download at a time, into the store; retried with backoff, resumed where the server
 * offers it and started over where it does not.
 */
#include "tutti/daemon/library.h"

#include "tutti/base/log.h"
#include "tutti/core/backoff.h"
#include "tutti/core/protocol.h"
#include "tutti/io/http.h"
#include "tutti/io/loop.h"
#include "tutti/io/mono_clock.h"
#include "tutti/io/track_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t RETRY_MIN_NS = 500 * NS_PER_MS;
static const int64_t RETRY_MAX_NS = 30 * NS_PER_S;

struct download {
    char url[PROTOCOL_URL_MAX]; /* "": none */
    struct track_file *file;
    struct http_call *call;
    int64_t total_bytes; /* -1: unknown */
    bool told;           /* the player was given the file */
    bool failed;         /* for good: too large, 404 ... */
};

struct library {
    struct loop *loop;
    struct http *http;
    struct library_config config;
    struct library_handlers handlers;
    void *user;
    struct track_store *store;
    struct download current;
    struct download next;
    struct download *active;
    struct backoff backoff;
    struct loop_timer *retry;
    char error[PROTOCOL_REASON_MAX];
};

static void plan(struct library *library);

static void retry_fired(void *user, struct mono_time now)
{
    (void)now;
    plan(user);
}

struct library *library_create(struct loop *loop, struct http *http,
                               const struct library_config *config,
                               const struct library_handlers *handlers, void *user)
{
    struct library *library = calloc(1, sizeof *library);
    if (!library)
        return NULL;
    library->loop = loop;
    library->http = http;
    library->config = *config;
    library->handlers = *handlers;
    library->user = user;
    library->store =
        track_store_create(config->background, config->cache_dir, config->cache_max_bytes);
    library->retry = loop_timer_create(loop, retry_fired, library);
    backoff_init(&library->backoff, RETRY_MIN_NS, RETRY_MAX_NS, (uint64_t)mono_clock_now().ns);
    if (!library->store || !library->retry) {
        library_destroy(library);
        return NULL;
    }
    return library;
}

static void drop(struct library *library, struct download *download)
{
    if (library->active == download)
        library->active = NULL;
    http_cancel(download->call);
    track_file_close(download->file);
    memset(download, 0, sizeof *download);
}

void library_destroy(struct library *library)
{
    if (!library)
        return;
    drop(library, &library->current);
    drop(library, &library->next);
    loop_timer_destroy(library->retry);
    track_store_destroy(library->store);
    free(library);
}

const char *library_error(const struct library *library)
{
    return library->error;
}

/* The player reads the file from its first bytes on. */
static void tell_player(struct library *library)
{
    struct download *current = &library->current;
    bool complete = track_file_complete(current->file);
    int64_t bytes = track_file_bytes(current->file);
    if (current->told) {
        library->handlers.on_growth(library->user, bytes, complete);
        return;
    }
    current->told = true;
    library->handlers.on_file(library->user, track_file_fd(current->file), bytes,
                              complete ? bytes : current->total_bytes);
}

static bool on_headers(void *user, const struct http_response *response)
{
    struct library *library = user;
    struct download *download = library->active;
    if (response->status != 200 && response->status != 206)
        return response->status >= 300; /* on_done tells the failure */
    int64_t have = track_file_bytes(download->file);
    if (response->status == 200 && have > 0)
        track_file_truncate(download->file); /* it does not resume: from the start again */
    else if (response->status == 206 && response->range_start != have)
        return false;
    if (response->content_length >= 0)
        download->total_bytes = track_file_bytes(download->file) + response->content_length;
    track_file_set_validators(download->file, response->etag, response->last_modified);
    return true;
}

static bool on_data(void *user, const void *data, size_t bytes)
{
    struct library *library = user;
    struct download *download = library->active;
    if (track_file_append(download->file, data, (int64_t)bytes) < 0)
        return false;
    if (download == &library->current)
        tell_player(library);
    return true;
}

static void complete(struct library *library, struct download *download)
{
    track_file_commit(download->file);
    backoff_reset(&library->backoff);
    if (download != &library->current)
        return;
    library->error[0] = '\0';
    tell_player(library);
}

/* What will not get better by asking again. */
static bool is_final(const struct http_response *response)
{
    return (response->status >= 400 && response->status < 500 && response->status != 408 &&
            response->status != 416 && response->status != 429) ||
           strstr(response->error, "larger than");
}

static void fail(struct library *library, struct download *download,
                 const struct http_response *response)
{
    char reason[PROTOCOL_REASON_MAX];
    if (response->status >= 300)
        snprintf(reason, sizeof reason, "the server answers HTTP %d", response->status);
    else
        snprintf(reason, sizeof reason, "%s", response->error);
    download->failed = is_final(response);
    if (download == &library->current) {
        if (strcmp(library->error, reason) != 0)
            log_warn("track %s: %s", download->url, reason);
        snprintf(library->error, sizeof library->error, "%s", reason);
    }
    loop_timer_set_in(library->retry, backoff_next(&library->backoff));
}

static void on_done(void *user, const struct http_response *response)
{
    struct library *library = user;
    struct download *download = library->active;
    download->call = NULL;
    library->active = NULL;
    bool arrived = response->status == 200 || response->status == 206;
    bool whole =
        download->total_bytes < 0 || track_file_bytes(download->file) == download->total_bytes;
    if (response->status == 416) /* there is nothing after what we have: it is another file */
        track_file_truncate(download->file);
    if (!arrived || !whole || track_file_bytes(download->file) == 0) {
        fail(library, download, response);
        return;
    }
    complete(library, download);
    plan(library);
}

static const char *validator(const struct download *download)
{
    /* A weak ETag says nothing about bytes. */
    const char *etag = track_file_etag(download->file);
    if (etag[0] && strncmp(etag, "W/", 2) != 0)
        return etag;
    const char *last_modified = track_file_last_modified(download->file);
    return last_modified[0] ? last_modified : NULL;
}

static void start_download(struct library *library, struct download *download)
{
    if (!download->file) {
        download->file = track_store_begin(library->store, download->url);
        download->total_bytes = -1;
    }
    if (!download->file)
        return;
    bool resumes = track_file_bytes(download->file) > 0 && validator(download);
    if (!resumes)
        track_file_truncate(download->file);
    struct http_request request = {
        .method = "GET",
        .url = download->url,
        .max_bytes = library->config.track_max_bytes,
        .range_start = resumes ? track_file_bytes(download->file) : 0,
        .if_range = resumes ? validator(download) : NULL,
        .on_headers = on_headers,
        .on_data = on_data,
        .on_done = on_done,
        .user = library,
    };
    library->active = download;
    download->call = http_start(library->http, &request);
    if (!download->call) {
        library->active = NULL;
        download->failed = true;
    }
}

/* True when there is nothing left to do for it. */
static bool is_had(struct library *library, struct download *download)
{
    if (!download->url[0] || download->failed)
        return true;
    if (!download->file) {
        download->file = track_store_open(library->store, download->url);
        if (download->file && download == &library->current)
            tell_player(library);
    }
    return download->file && track_file_complete(download->file);
}

static void pause_active(struct library *library)
{
    http_cancel(library->active->call);
    library->active->call = NULL;
    library->active = NULL;
}

static void plan(struct library *library)
{
    if (!is_had(library, &library->current)) {
        if (library->active && library->active != &library->current)
            pause_active(library);
        if (!library->active)
            start_download(library, &library->current);
        return;
    }
    if (!is_had(library, &library->next) && !library->active)
        start_download(library, &library->next);
}

static void set_download(struct library *library, struct download *download, const char *url)
{
    if (strcmp(download->url, url) == 0)
        return;
    drop(library, download);
    if (strlen(url) < sizeof download->url)
        strcpy(download->url, url);
}

void library_set_wanted(struct library *library, const char *current_url, const char *next_url)
{
    bool changed = strcmp(library->current.url, current_url) != 0;
    if (!changed && strcmp(library->next.url, next_url) == 0)
        return;
    if (changed) {
        library->error[0] = '\0';
        library->handlers.on_file(library->user, -1, 0, -1);
        /* What was fetched ahead becomes current without being touched. */
        if (strcmp(library->next.url, current_url) == 0 && current_url[0]) {
            drop(library, &library->current);
            library->current = library->next;
            if (library->active == &library->next)
                library->active = &library->current;
            memset(&library->next, 0, sizeof library->next);
            if (library->current.file && track_file_bytes(library->current.file) > 0)
                tell_player(library);
        } else {
            set_download(library, &library->current, current_url);
        }
    }
    set_download(library, &library->next,
                 strcmp(next_url, library->current.url) == 0 ? "" : next_url);
    const char *const pinned[] = {library->current.url, library->next.url, NULL};
    track_store_set_pinned(library->store, pinned);
    backoff_reset(&library->backoff);
    plan(library);
}
