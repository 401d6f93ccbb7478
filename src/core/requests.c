/*
 * requests.c: see requests.h.
 */
#include "tutti/core/requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool requests_init(struct requests *requests)
{
    *requests = (struct requests){.entries = calloc(REQUESTS_MAX, sizeof *requests->entries)};
    return requests->entries != NULL;
}

void requests_finish(struct requests *requests)
{
    free(requests->entries);
    *requests = (struct requests){0};
}

void requests_clear(struct requests *requests)
{
    requests->count = 0;
}

static struct request_entry *find(const struct requests *requests, const char *request_id)
{
    for (size_t i = 0; i < requests->count; i++)
        if (strcmp(requests->entries[i].message.id, request_id) == 0)
            return &requests->entries[i];
    return NULL;
}

const struct request_entry *requests_find(const struct requests *requests, const char *request_id)
{
    return find(requests, request_id);
}

static bool is_decided(const struct request_message *message)
{
    return message->status != REQUEST_PENDING;
}

static void make_room(struct requests *requests)
{
    size_t at = 0;
    while (at < requests->count && !is_decided(&requests->entries[at].message))
        at++;
    if (at == requests->count)
        at = 0;
    requests->count--;
    memmove(requests->entries + at, requests->entries + at + 1,
            (requests->count - at) * sizeof *requests->entries);
}

static void name_item(struct request_message *message, const struct playlist_message *playlist)
{
    const struct playlist_item *item = playlist_find(playlist, message->item_id);
    if (item && strcmp(message->summary, message->item_id) == 0)
        snprintf(message->summary, sizeof message->summary, "%s", item->name);
}

void requests_put(struct requests *requests, const struct request_message *message,
                  const struct playlist_message *playlist)
{
    struct request_entry *entry = find(requests, message->id);
    if (entry && is_decided(&entry->message) && !is_decided(message))
        return;
    if (entry) { /* what it was called stays: by now the item may be gone */
        char summary[PROTOCOL_NAME_MAX];
        memcpy(summary, entry->message.summary, sizeof summary);
        entry->message = *message;
        memcpy(entry->message.summary, summary, sizeof summary);
        return;
    }
    if (requests->count == REQUESTS_MAX)
        make_room(requests);
    entry = &requests->entries[requests->count++];
    *entry = (struct request_entry){.message = *message};
    name_item(&entry->message, playlist);
}

void requests_mark_mine(struct requests *requests, const char *request_id)
{
    struct request_entry *entry = find(requests, request_id);
    if (entry)
        entry->mine = true;
}
