/*
 * wire.h: what the store and the library keep, as JSON of the contract and its extensions. The
 * caller deletes what it gets; NULL: there is no memory for it.
 */
#ifndef TUTTI_HUB_WIRE_H
#define TUTTI_HUB_WIRE_H

#include "library_index.h"
#include "store.h"

#include <cjson/cJSON.h>

cJSON *wire_item(const struct store_item *item);
cJSON *wire_playback(const struct store_playback *playback);
/* advances: what rules->advance comes to. */
cJSON *wire_settings(const struct store_rules *rules, bool advances);
cJSON *wire_request(const struct store_request *request);
/* Of the library. */
cJSON *wire_track(const struct library_track *track);

#endif
