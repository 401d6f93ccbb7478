/*
 * lookup.h: which item of the playlist, or which request, a person means.
 *
 * ITEM is its number as `tuttictl playlist` shows it, its id, its track's id, its name, or a part
 * of the name that no other item has. A request is named by the beginning of its id.
 */
#ifndef TUTTI_CTL_LOOKUP_H
#define TUTTI_CTL_LOOKUP_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define LOOKUP_ERROR_MAX 256

enum lookup_aim {
    LOOKUP_ITEM,  /* one item: two of the same track are ambiguous */
    LOOKUP_TRACK, /* its track matters: the first of several items will do */
};

/* NULL with a sentence that says why: nothing matches, or what does. */
const cJSON *lookup_item(const cJSON *playlist, const char *word, enum lookup_aim aim,
                         char error[LOOKUP_ERROR_MAX]);

/* The id to send; one that no known request begins with is sent as it is, for the daemon to judge.
 * NULL with a sentence when several do. */
const char *lookup_request(const cJSON *requests, const char *word, char error[LOOKUP_ERROR_MAX]);

/* By its name, or what that alone begins with; or by its device_id. NULL with a sentence. */
const cJSON *lookup_speaker(const cJSON *speakers, const char *word, char error[LOOKUP_ERROR_MAX]);

/* How many bytes of its id tell each request from all others: at least 4. */
size_t lookup_request_prefix(const cJSON *requests);

#endif
