/*
 * library.h: gets the current track, and those that may come after it, into the store.
 *
 * One track is current: its file is handed to the player while it grows. When it is complete, the
 * next in the playlist is fetched ahead, then the one before. One download at a time: what is
 * wanted more interrupts what is wanted less.
 */
#ifndef TUTTI_DAEMON_LIBRARY_H
#define TUTTI_DAEMON_LIBRARY_H

#include <stdbool.h>
#include <stdint.h>

struct http;
struct library;
struct loop;

struct background;
struct library_config {
    struct background *background;
    const char *cache_dir; /* NULL: memory only */
    int64_t cache_max_bytes;
    int64_t track_max_bytes;
};

struct library_handlers {
    /* The current track's file: fd -1 when it cannot be had (yet). total_bytes -1: unknown. */
    void (*on_file)(void *user, int fd, int64_t available_bytes, int64_t total_bytes);
    /* The next track's file, when it is complete: the player may open it. -1: no more, or another.
     * When it becomes the current one, on_file tells of the same descriptor. */
    void (*on_next)(void *user, int fd, int64_t bytes);
    void (*on_growth)(void *user, int64_t available_bytes, bool complete);
    /* library_error() says something else than before. */
    void (*on_problem)(void *user);
};

struct library *library_create(struct loop *loop, struct http *http,
                               const struct library_config *config,
                               const struct library_handlers *handlers, void *user);
void library_destroy(struct library *library);

/* Absolute URLs, "" for none: what plays, then what to have ready, by priority. None of them is
 * evicted. The same again changes nothing. */
#define LIBRARY_WANTED 3
void library_set_wanted(struct library *library, const char *const urls[LIBRARY_WANTED]);

struct library_usage {
    uint64_t downloads; /* tracks that arrived */
    uint64_t failures;
    int tracks; /* in the cache */
    int64_t bytes;
};
struct library_usage library_get_usage(const struct library *library);

/* Why the current track cannot be had; "" when nothing is wrong. */
const char *library_error(const struct library *library);
/* And it is not to be expected: the server refuses it, it is too large, its address is none. */
bool library_is_refused(const struct library *library);

#endif
