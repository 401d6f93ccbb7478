/*
 * library.c: which track is fetched when: one call at a time, in the order of what is wanted;
 * retried with backoff. What the server refuses is asked for again when it becomes the current
 * track, and slowly while it is.
 */
#include "tutti/daemon/library.h"

#include "download.h"
#include "tutti/base/log.h"
#include "tutti/core/backoff.h"
#include "tutti/core/notices.h"
#include "tutti/io/loop.h"
#include "tutti/io/mono_clock.h"
#include "tutti/io/track_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t RETRY_MIN_NS = 500 * NS_PER_MS;
static const int64_t RETRY_MAX_NS = 30 * NS_PER_S;
/* A file may be put back, and a proxy's 403 pass: the current track is asked for so often. */
static const int64_t REFUSED_AGAIN_NS = 30 * NS_PER_S;

/* One of the wanted tracks. Those that are not wanted any more are dropped. */
struct wanted {
    struct download *download; /* NULL: none */
    bool told;                 /* the player was given the file */
    bool refused;              /* it is left alone for now, whatever else is asked for */
    bool waits;                /* for another try */
    int64_t most_bytes;        /* it ever had: more is a progress */
};

struct library {
    struct loop *loop;
    struct library_config config;
    struct library_handlers handlers;
    void *user;
    struct track_store *store;
    struct download_config downloads_config;
    struct wanted wanted[LIBRARY_WANTED]; /* by priority, the current track first */
    struct download *active;
    struct download *primed; /* what on_next told of; NULL: nothing */
    bool repeats;            /* the next track is the current one once more */
    struct backoff backoff;
    struct loop_timer *retry;
    struct loop_timer *refused_retry; /* of the current track */
    uint64_t downloads, failures;
    char error[PROTOCOL_REASON_MAX];
    struct notices said;
};

static void plan(struct library *library);
static void on_growth(void *user, struct download *download);
static void on_replaced(void *user, struct download *download);
static void on_end(void *user, struct download *download, enum download_end how,
                   const char *reason);

static void stop_waiting(struct library *library)
{
    for (int i = 0; i < LIBRARY_WANTED; i++)
        library->wanted[i].waits = false;
}

static void retry_fired(void *user, struct mono_time now)
{
    struct library *library = user;
    (void)now;
    stop_waiting(library);
    plan(library);
}

static void refused_retry_fired(void *user, struct mono_time now)
{
    struct library *library = user;
    (void)now;
    library->wanted[0].refused = library->wanted[0].waits = false;
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
    library->config = *config;
    library->handlers = *handlers;
    library->user = user;
    library->store =
        track_store_create(config->background, config->cache_dir, config->cache_max_bytes);
    library->downloads_config =
        (struct download_config){.http = http,
                                 .store = library->store,
                                 .max_bytes = config->track_max_bytes,
                                 .handlers = {on_growth, on_replaced, on_end},
                                 .user = library};
    library->retry = loop_timer_create(loop, retry_fired, library);
    library->refused_retry = loop_timer_create(loop, refused_retry_fired, library);
    backoff_init(&library->backoff, RETRY_MIN_NS, RETRY_MAX_NS, (uint64_t)mono_clock_now().ns);
    if (!library->store || !library->retry || !library->refused_retry) {
        library_destroy(library);
        return NULL;
    }
    return library;
}

static void drop(struct library *library, struct download *download)
{
    if (library->active == download)
        library->active = NULL;
    download_destroy(download);
}

void library_destroy(struct library *library)
{
    if (!library)
        return;
    for (int i = 0; i < LIBRARY_WANTED; i++)
        drop(library, library->wanted[i].download);
    loop_timer_destroy(library->retry);
    loop_timer_destroy(library->refused_retry);
    track_store_destroy(library->store);
    free(library);
}

const char *library_error(const struct library *library)
{
    return library->error;
}

bool library_is_refused(const struct library *library)
{
    return library->error[0] && library->wanted[0].refused;
}

struct library_usage library_get_usage(const struct library *library)
{
    struct track_store_usage store = track_store_usage(library->store);
    return (struct library_usage){library->downloads, library->failures, store.tracks, store.bytes};
}

/* --- the player --- */

static bool is_current(const struct library *library, const struct download *download)
{
    return library->wanted[0].download == download;
}

/* The player reads the file from its first bytes on. */
static void tell_player(struct library *library)
{
    struct wanted *current = &library->wanted[0];
    struct track_file *file = download_file(current->download);
    bool complete = track_file_complete(file);
    int64_t bytes = track_file_bytes(file);
    if (current->told) {
        library->handlers.on_growth(library->user, bytes, complete);
        return;
    }
    current->told = true;
    library->handlers.on_file(library->user, track_file_fd(file), bytes,
                              complete ? bytes : download_total_bytes(current->download));
}

/* The next one, when it is all there. */
static void prime(struct library *library)
{
    struct download *next = library->wanted[library->repeats ? 0 : 1].download;
    if (!next || next == library->primed || !download_is_complete(next))
        return;
    library->primed = next;
    library->handlers.on_next(library->user, track_file_fd(download_file(next)),
                              track_file_bytes(download_file(next)));
}

/* Before its file is closed; if it is to be the current one, the player takes it as it is. */
static void unprime(struct library *library, const char *const urls[LIBRARY_WANTED])
{
    struct download *primed = library->primed;
    if (!primed || strcmp(download_url(primed), urls[1]) == 0)
        return;
    library->primed = NULL;
    if (is_current(library, primed) || strcmp(download_url(primed), urls[0]) != 0)
        library->handlers.on_next(library->user, -1, 0);
}

/* --- what comes of a call --- */

static void on_growth(void *user, struct download *download)
{
    struct library *library = user;
    if (is_current(library, download))
        tell_player(library);
}

static void on_replaced(void *user, struct download *download)
{
    struct library *library = user;
    log_info("track %s has changed on the server: fetched anew", download_url(download));
    if (is_current(library, download)) {
        library->wanted[0].told = false;
        library->handlers.on_file(library->user, -1, 0, -1);
    }
    if (library->primed == download) {
        library->primed = NULL;
        library->handlers.on_next(library->user, -1, 0);
    }
}

static void say_problem(struct library *library, const char *reason)
{
    unsigned withheld;
    char others[NOTICES_WITHHELD_MAX];
    if (!notices_pass(&library->said, loop_now(library->loop), &withheld))
        return;
    notices_print_withheld(withheld, others);
    log_warn("track %s: %s%s", download_url(library->wanted[0].download), reason, others);
}

/* Of the current track; "" when there is none. Said once for each track. */
static void set_problem(struct library *library, const char *reason)
{
    if (strcmp(library->error, reason) == 0)
        return;
    snprintf(library->error, sizeof library->error, "%s", reason);
    if (reason[0])
        say_problem(library, reason);
    library->handlers.on_problem(library->user);
}

static struct wanted *wanted_of(struct library *library, const struct download *download)
{
    struct wanted *wanted = library->wanted;
    while (wanted->download != download)
        wanted++;
    return wanted;
}

static void complete(struct library *library, struct download *download)
{
    library->downloads++;
    backoff_reset(&library->backoff);
    if (!is_current(library, download))
        return;
    set_problem(library, "");
    tell_player(library);
}

static void fail(struct library *library, struct download *download, enum download_end how,
                 const char *reason)
{
    struct wanted *wanted = wanted_of(library, download);
    struct track_file *file = download_file(download);
    int64_t bytes = file ? track_file_bytes(file) : 0;
    library->failures++;
    wanted->refused = how != DOWNLOAD_AGAIN;
    wanted->waits = true;
    if (bytes > wanted->most_bytes) {
        wanted->most_bytes = bytes;
        backoff_reset(&library->backoff);
    }
    if (is_current(library, download)) {
        set_problem(library, reason);
        if (how == DOWNLOAD_REFUSED)
            loop_timer_set_in(library->refused_retry, REFUSED_AGAIN_NS);
    }
    loop_timer_set_in(library->retry, backoff_next(&library->backoff));
}

static void on_end(void *user, struct download *download, enum download_end how, const char *reason)
{
    struct library *library = user;
    library->active = NULL;
    if (how == DOWNLOAD_COMPLETE)
        complete(library, download);
    else if (how != DOWNLOAD_UNCHANGED)
        fail(library, download, how, reason);
    plan(library);
}

/* --- what to do next --- */

/* True when there is nothing to do for it, at least now. */
static bool is_settled(struct library *library, struct wanted *wanted)
{
    if (!wanted->download || wanted->refused || wanted->waits)
        return true;
    if (!download_is_complete(wanted->download))
        return false;
    if (wanted == library->wanted && !wanted->told)
        tell_player(library);
    return !download_is_unchecked(wanted->download);
}

/* The first that is not settled is what is downloaded; nothing else meanwhile. */
static void plan(struct library *library)
{
    for (int i = 0; i < LIBRARY_WANTED; i++) {
        struct wanted *wanted = &library->wanted[i];
        if (is_settled(library, wanted))
            continue;
        if (library->active == wanted->download)
            break;
        if (library->active) /* what has arrived stays, to be resumed */
            download_pause(library->active);
        library->active = wanted->download;
        download_start(wanted->download); /* if that fails, this is called from there */
        return;
    }
    prime(library);
}

/* Takes what is there of that URL out of a list. */
static struct wanted take_out(struct wanted *from, const char *url)
{
    for (int i = 0; i < LIBRARY_WANTED; i++) {
        struct wanted found = from[i];
        if (found.download && strcmp(download_url(found.download), url) == 0) {
            from[i].download = NULL;
            return found;
        }
    }
    return (struct wanted){0};
}

static const char *url_at(const struct library *library, int i)
{
    return library->wanted[i].download ? download_url(library->wanted[i].download) : "";
}

static bool is_wanted(const struct library *library, const char *url, int before)
{
    for (int i = 0; i < before; i++) {
        if (strcmp(url_at(library, i), url) == 0)
            return true;
    }
    return false;
}

/* What is already there, or on its way, moves to its new place; the rest is left in before. */
static void rearrange(struct library *library, const char *const urls[LIBRARY_WANTED],
                      struct wanted before[LIBRARY_WANTED])
{
    memcpy(before, library->wanted, sizeof library->wanted);
    memset(library->wanted, 0, sizeof library->wanted);
    for (int i = 0; i < LIBRARY_WANTED; i++) {
        if (!urls[i][0] || is_wanted(library, urls[i], i))
            continue;
        library->wanted[i] = take_out(before, urls[i]);
        if (!library->wanted[i].download)
            library->wanted[i].download = download_create(&library->downloads_config, urls[i]);
    }
    library->repeats = urls[0][0] && strcmp(urls[0], urls[1]) == 0;
}

static void pin_wanted(struct library *library)
{
    const char *urls[LIBRARY_WANTED + 1];
    int count = 0;
    for (int i = 0; i < LIBRARY_WANTED; i++) {
        if (library->wanted[i].download)
            urls[count++] = url_at(library, i);
    }
    urls[count] = NULL;
    track_store_set_pinned(library->store, urls);
}

/* The player lets go of one file, and is given the other at once if any of it is there. What was
 * refused while it was only to come is asked for now. */
static void change_current(struct library *library)
{
    struct download *current = library->wanted[0].download;
    struct track_file *file = current ? download_file(current) : NULL;
    for (int i = 0; i < LIBRARY_WANTED; i++)
        library->wanted[i].told = false;
    library->wanted[0].refused = false;
    loop_timer_cancel(library->refused_retry);
    set_problem(library, "");
    if (file && track_file_bytes(file) > 0)
        tell_player(library);
    else
        library->handlers.on_file(library->user, -1, 0, -1);
}

void library_set_wanted(struct library *library, const char *const urls[LIBRARY_WANTED])
{
    bool same = library->repeats == (urls[0][0] && strcmp(urls[0], urls[1]) == 0);
    for (int i = 0; i < LIBRARY_WANTED; i++)
        same = same && (strcmp(urls[i], url_at(library, i)) == 0 ||
                        (!library->wanted[i].download && is_wanted(library, urls[i], i)));
    if (same)
        return;
    struct wanted before[LIBRARY_WANTED];
    bool changed = strcmp(urls[0], url_at(library, 0)) != 0;
    unprime(library, urls);
    rearrange(library, urls, before);
    if (changed) /* before the file is closed that the player has */
        change_current(library);
    for (int i = 0; i < LIBRARY_WANTED; i++)
        drop(library, before[i].download);
    pin_wanted(library);
    backoff_reset(&library->backoff);
    stop_waiting(library);
    plan(library);
}
