/*
 * requests.h: what guests asked for, and what became of it. The backend tells each request when it
 * is made and when it is decided, and has no list of them: this is the list of those that were
 * heard of.
 */
#ifndef TUTTI_CORE_REQUESTS_H
#define TUTTI_CORE_REQUESTS_H

#include "tutti/core/playlist.h"
#include "tutti/core/protocol.h"

#include <stdbool.h>
#include <stddef.h>

/* When there are more, the oldest decided one goes; if none is decided, the oldest. */
#define REQUESTS_MAX 200

struct request_entry {
    struct request_message message;
    bool mine; /* made by this speaker */
};

struct requests {
    struct request_entry *entries; /* REQUESTS_MAX, oldest first */
    size_t count;
};

bool requests_init(struct requests *requests); /* false: out of memory */
void requests_finish(struct requests *requests);
void requests_clear(struct requests *requests);

/* A new one, or what became of a known one. Where it names only an item, its summary is made the
 * item's name: the playlist still knows it. */
void requests_put(struct requests *requests, const struct request_message *message,
                  const struct playlist_message *playlist);
void requests_mark_mine(struct requests *requests, const char *request_id);
const struct request_entry *requests_find(const struct requests *requests, const char *request_id);

#endif
