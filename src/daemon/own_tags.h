/*
 * own_tags.h: what tracks say of themselves, where the backend tells nothing of them: read from their
 * files, beside the loop, and kept for the last few.
 */
#ifndef TUTTI_DAEMON_OWN_TAGS_H
#define TUTTI_DAEMON_OWN_TAGS_H

#include "tutti/core/protocol.h"

struct loop;
struct own_tags;

/* known: more is known of a track than before. NULL: out of memory. */
struct own_tags *own_tags_create(struct loop *loop, void (*known)(void *user), void *user);
/* Waits for a file that is being read for a moment only. NULL is fine. */
void own_tags_destroy(struct own_tags *own);

/* fd: the whole file of this item (NULL: none); it may be closed afterwards. Of no effect where the backend
 * tells something, where it was read before, and while some are. */
void own_tags_read(struct own_tags *own, const struct playlist_item *item, int fd);

/* What the backend says of it, else what its file says; NULL: nothing is known, or there is no item. Good
 * until the next call of anything here, or until the playlist changes. */
const struct track_tags *own_tags_of(const struct own_tags *own, const struct playlist_item *item);

#endif
