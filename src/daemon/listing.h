/*
 * listing.h: answers and events that have the playlist or the requests in them: lines that are made
 * some items at a time, as the client takes them, from the lists as they are now.
 */
#ifndef TUTTI_DAEMON_LISTING_H
#define TUTTI_DAEMON_LISTING_H

#include "daemon_internal.h"

struct listing;

/* members: an object, of at least one; it becomes the callee's. NULL: out of memory. */
struct listing *listing_create(const struct daemon *daemon, cJSON *members);
/* One more member: items from .. to (not included) of the playlist, and all requests. NULL is
 * fine. */
void listing_add_items(struct listing *listing, const char *name, size_t from, size_t to);
void listing_add_requests(struct listing *listing, const struct requests *requests,
                          const char *name);

/* The line is the client's from here on; NULL is fine. */
void listing_send(struct listing *listing, struct control_client *client);

#endif
