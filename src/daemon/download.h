/*
 * download.h: one wanted track on its way into the store, by HTTP.
 *
 * A call fetches what is missing: the rest of what an earlier one has left, where the server
 * vouches for its being the same file, else the whole. Or it checks a stored track: only if the
 * server has another file under its address is that fetched in its place.
 */
#ifndef TUTTI_DAEMON_DOWNLOAD_H
#define TUTTI_DAEMON_DOWNLOAD_H

#include "tutti/core/protocol.h"

#include <stdbool.h>
#include <stdint.h>

struct download;
struct http;
struct track_file;
struct track_store;

enum download_end {
    DOWNLOAD_COMPLETE,  /* in the store */
    DOWNLOAD_UNCHANGED, /* a check: what is stored is right, or nothing better is to be had */
    DOWNLOAD_AGAIN,     /* failed; later it may go better */
    DOWNLOAD_REFUSED,   /* the server says no: 404, 403 ... It may change its mind, but not soon */
    DOWNLOAD_NEVER,     /* however often it is asked for: too large, no address */
};

struct download_handlers {
    /* There is more of the file. */
    void (*on_growth)(void *user, struct download *download);
    /* A stored file is about to be closed, for another one that comes in its place. */
    void (*on_replaced)(void *user, struct download *download);
    /* The call's end; reason: one line for people, "" unless it failed. */
    void (*on_end)(void *user, struct download *download, enum download_end end,
                   const char *reason);
};

struct download_config {
    struct http *http;
    struct track_store *store;
    int64_t max_bytes;
    struct download_handlers handlers;
    void *user;
};

/* config: the caller's; outlives it. NULL: the URL is too long, or out of memory. */
struct download *download_create(const struct download_config *config, const char *url);
/* What has arrived stays in the store. NULL is fine. */
void download_destroy(struct download *download);

const char *download_url(const struct download *download);
/* NULL: nothing of it is there. The stored one is looked for by this call. */
struct track_file *download_file(struct download *download);
/* -1: not known. */
int64_t download_total_bytes(const struct download *download);
bool download_is_complete(struct download *download);
/* Stored before, and not compared with the server's yet. */
bool download_is_unchecked(struct download *download);

/* Starts a call. It ends with on_end, also if it cannot be started: then within this one. */
void download_start(struct download *download);
/* Breaks it off, silently; what has arrived is resumed by the next start. */
void download_pause(struct download *download);

#endif
