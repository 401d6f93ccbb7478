/*
 * watch_list.h: the playlist as `tuttictl watch` keeps it: told once, and then what changes in it.
 */
#ifndef TUTTI_CTL_WATCH_LIST_H
#define TUTTI_CTL_WATCH_LIST_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* An event of the daemon's: {"at": 3, "removed": 1, "items": [...]}, whose items are moved into the
 * list. What does not fit the list changes nothing. */
void watch_list_change(cJSON *list, cJSON *change);

/* By the status where it tells the current item, else by what the item said when it was told. */
bool watch_list_is_current(const cJSON *status, const cJSON *item);

#endif
