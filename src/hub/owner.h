/*
 * owner.h: root at the hub's data becomes their owner, so that what it makes there is the hub's.
 */
#ifndef TUTTI_HUB_OWNER_H
#define TUTTI_HUB_OWNER_H

#include <stdbool.h>

/* Root acts as the directory's owner from now on, but still reaches it where only root may pass
 * (/var/lib/private). For others, and where there is no directory, nothing changes. 0, or -errno.
 */
int owner_enter(const char *directory);
/* Root is root again: for a file that is somebody else's. Then owner_enter() again. */
void owner_leave(void);

/* The directory's lock, which a running hub holds: a descriptor, to be closed; -EWOULDBLOCK when a
 * hub runs there; another -errno. */
int owner_lock(const char *directory);

/* Does a hub run there, or a command that wants to be alone? Changes nothing. */
bool owner_is_locked(const char *directory);

#endif
