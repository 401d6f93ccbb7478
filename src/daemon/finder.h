/*
 * finder.h: where the backend is, when nobody has said; and telling the network that this speaker
 * is there.
 */
#ifndef TUTTI_DAEMON_FINDER_H
#define TUTTI_DAEMON_FINDER_H

#include "tutti/base/units.h"

#include <stdbool.h>

struct daemon;
struct finder;

/*
 * Before there is a link. With [backend] url = auto, settings->backend.url becomes that of the hub
 * that the speaker is a member of, if it is; later that of whichever is found, of which the link is
 * told. NULL: nothing is to be found or announced.
 */
struct finder *finder_create(struct daemon *daemon);
void finder_destroy(struct finder *finder); /* NULL is fine, as everywhere */

/* The link's state or membership is another. */
void finder_follow(struct finder *finder, struct mono_time now);

/* Whether a url is that of none yet. */
bool finder_is_auto(const char *url);

#endif
