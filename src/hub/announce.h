/*
 * announce.h: the hub on the network's list of services.
 */
#ifndef TUTTI_HUB_ANNOUNCE_H
#define TUTTI_HUB_ANNOUNCE_H

#include "hub_settings.h"

struct avahi;

/* address and port: where it listens. NULL: it is not to be announced, or cannot be. */
struct avahi *announce_hub(const struct hub_settings *settings, const char *address, int port);

#endif
