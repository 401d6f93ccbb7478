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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t RETRY_MIN_NS = 500 * NS_PER_MS;
static const int64_t RETRY_MAX_NS = 30 * NS_PER_S;

/* One of the wanted tracks. Those that are not wanted any more are dropped. */
struct download {
    char url[PROTOCOL_URL_MAX];
    struct track_file *file;
    struct http_call *call;
    int64_t total_bytes; /* -1: unknown */
    bool told;           /* the player was given the file */
    bool failed;         /* for good: too large, 404 ... */
    bool waits;          /* for another try */
};

struct library {
    struct loop *loop;
    struct http *http;
    struct library_config config;
    struct library_handlers handlers;
    void *user;
    struct track_store *store;
    struct download *wanted[LIBRARY_WANTED]; /* by priority, the current track first; NULL: none */
    struct download *active;
    struct download *primed; /* what on_next told of; NULL: nothing */
    struct backoff backoff;
    struct loop_timer *retry;
    uint64_t downloads, failures;
    char error[PROTOCOL_REASON_MAX];
};

static void plan(struct library *library);

static void stop_waiting(struct library *library)
{
    for (int i = 0; i < LIBRARY_WANTED; i++) {
        if (library->wanted[i])
            library->wanted[i]->waits = false;
    }
}

static void retry_fired(void *user, struct mono_time now)
{
    struct library *library = user;
    (void)now;
    stop_waiting(library);
    plan(library);
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
    if (!download)
        return;
    if (library->active == download)
        library->active = NULL;
    http_cancel(download->call);
    track_file_close(download->file);
    free(download);
}

void library_destroy(struct library *library)
{
    if (!library)
        return;
    for (int i = 0; i < LIBRARY_WANTED; i++)
        drop(library, library->wanted[i]);
    loop_timer_destroy(library->retry);
    track_store_destroy(library->store);
    free(library);
}

const char *library_error(const struct library *library)
{
    return library->error;
}

struct library_usage library_get_usage(const struct library *library)
{
    struct track_store_usage store = track_store_usage(library->store);
    return (struct library_usage){library->downloads, library->failures, store.tracks, store.bytes};
}

static struct download *current_of(const struct library *library)
{
    return library->wanted[0];
}

/* The player reads the file from its first bytes on. */
static void tell_player(struct library *library)
{
    struct download *current = current_of(library);
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
    if (download == current_of(library))
        tell_player(library);
    return true;
}

static void complete(struct library *library, struct download *download)
{
    track_file_commit(download->file);
    library->downloads++;
    backoff_reset(&library->backoff);
    if (download != current_of(library))
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
    library->failures++;
    download->failed = is_final(response);
    download->waits = true;
    if (download == current_of(library)) {
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
    } else {
        complete(library, download);
    }
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
    if (!download->call && errno == ENOMEM) {
        library->active = NULL;
        fail(library, download, &(struct http_response){.error = "no memory for the call"});
    } else if (!download->call) {
        library->active = NULL;
        download->failed = true;
        if (download == current_of(library))
            snprintf(library->error, sizeof library->error,
                     "it is not at an http or https address");
    }
}

/* True when there is nothing to do for it, at least now. */
static bool is_settled(struct library *library, struct download *download)
{
    if (!download || download->failed || download->waits)
        return true;
    if (!download->file) {
        download->file = track_store_open(library->store, download->url);
        if (download->file && download == current_of(library))
            tell_player(library);
    }
    return download->file && track_file_complete(download->file);
}

/* What has arrived stays, to be resumed. */
static void pause_active(struct library *library)
{
    http_cancel(library->active->call);
    library->active->call = NULL;
    library->active = NULL;
}

/* The next one, when it is all there. */
static void prime(struct library *library)
{
    struct download *next = library->wanted[1];
    if (!next || next == library->primed || !next->file || !track_file_complete(next->file))
        return;
    library->primed = next;
    library->handlers.on_next(library->user, track_file_fd(next->file),
                              track_file_bytes(next->file));
}

/* The first that is not settled is what is downloaded; nothing else meanwhile. */
static void plan(struct library *library)
{
    for (int i = 0; i < LIBRARY_WANTED; i++) {
        struct download *download = library->wanted[i];
        if (is_settled(library, download))
            continue;
        if (library->active == download)
            return;
        if (library->active)
            pause_active(library);
        start_download(library, download);
        if (library->active)
            return;
    }
    prime(library);
}

static struct download *create_download(const char *url)
{
    struct download *download = strlen(url) < PROTOCOL_URL_MAX ? calloc(1, sizeof *download) : NULL;
    if (download)
        strcpy(download->url, url);
    return download;
}

/* Takes the download of that URL out of a list; NULL. */
static struct download *take_out(struct download **from, const char *url)
{
    for (int i = 0; i < LIBRARY_WANTED; i++) {
        struct download *found = from[i];
        if (found && strcmp(found->url, url) == 0) {
            from[i] = NULL;
            return found;
        }
    }
    return NULL;
}

static bool is_wanted(const struct library *library, const char *url, int before)
{
    for (int i = 0; i < before; i++) {
        if (library->wanted[i] && strcmp(library->wanted[i]->url, url) == 0)
            return true;
    }
    return false;
}

static const char *url_at(const struct library *library, int i)
{
    return library->wanted[i] ? library->wanted[i]->url : "";
}

/* What is already there, or on its way, moves to its new place; the rest is dropped. */
static void rearrange(struct library *library, const char *const urls[LIBRARY_WANTED])
{
    struct download *before[LIBRARY_WANTED];
    memcpy(before, library->wanted, sizeof before);
    for (int i = 0; i < LIBRARY_WANTED; i++) {
        library->wanted[i] = NULL;
        if (!urls[i][0] || is_wanted(library, urls[i], i))
            continue;
        library->wanted[i] = take_out(before, urls[i]);
        if (!library->wanted[i])
            library->wanted[i] = create_download(urls[i]);
    }
    for (int i = 0; i < LIBRARY_WANTED; i++)
        drop(library, before[i]);
}

static void pin_wanted(struct library *library)
{
    const char *urls[LIBRARY_WANTED + 1];
    int count = 0;
    for (int i = 0; i < LIBRARY_WANTED; i++) {
        if (library->wanted[i])
            urls[count++] = library->wanted[i]->url;
    }
    urls[count] = NULL;
    track_store_set_pinned(library->store, urls);
}

/* Before its file is closed; if it is to be the current one, the player takes it as it is. */
static void unprime(struct library *library, const char *const urls[LIBRARY_WANTED])
{
    struct download *primed = library->primed;
    if (!primed || strcmp(primed->url, urls[1]) == 0)
        return;
    library->primed = NULL;
    if (strcmp(primed->url, urls[0]) != 0)
        library->handlers.on_next(library->user, -1, 0);
}

/* The player lets go of one file, and is given the other if any of it is there. */
static void change_current(struct library *library)
{
    struct download *current = current_of(library);
    for (int i = 0; i < LIBRARY_WANTED; i++) {
        if (library->wanted[i])
            library->wanted[i]->told = false;
    }
    library->error[0] = '\0';
    if (current && current->file && track_file_bytes(current->file) > 0)
        tell_player(library);
}

void library_set_wanted(struct library *library, const char *const urls[LIBRARY_WANTED])
{
    bool same = true;
    for (int i = 0; i < LIBRARY_WANTED; i++)
        same = same && (strcmp(urls[i], url_at(library, i)) == 0 ||
                        (!library->wanted[i] && is_wanted(library, urls[i], i)));
    if (same)
        return;
    bool changed = strcmp(urls[0], url_at(library, 0)) != 0;
    if (changed) /* before its file is closed */
        library->handlers.on_file(library->user, -1, 0, -1);
    unprime(library, urls);
    rearrange(library, urls);
    if (changed)
        change_current(library);
    pin_wanted(library);
    backoff_reset(&library->backoff);
    stop_waiting(library);
    plan(library);
}
