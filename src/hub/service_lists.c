/*
 * service_lists.c: playlists that are kept under a name: saved from one session, loaded into any.
 */
#include "service_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LISTS_MAX 200

static void add_list(void *user, const char *name, int64_t tracks)
{
    cJSON *list = cJSON_CreateObject();
    cJSON_AddStringToObject(list, "name", name);
    cJSON_AddNumberToObject(list, "tracks", (double)tracks);
    cJSON_AddItemToArray(user, list);
}

struct reply service_lists(struct service *service, const struct caller *caller,
                           const char *session_id)
{
    struct admission admission;
    struct reply refusal;
    if (!service_admit(service, caller, session_id, ROLE_MEMBER, &admission, &refusal))
        return refusal;
    cJSON *body = cJSON_CreateObject();
    int result = store_each_list(service->store, add_list, cJSON_AddArrayToObject(body, "lists"));
    if (result == 0)
        return (struct reply){.status = 200, .body = body};
    cJSON_Delete(body);
    return service_store_error(result, "The saved playlists cannot be read");
}

static struct reply count_reply(const char *name, int64_t count)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddNumberToObject(body, name, (double)count);
    return (struct reply){.status = 200, .body = body};
}

/* --- saving -------------------------------------------------------------------------------- */

static struct reply save(struct service *service, const char *session_id, const char *name)
{
    int64_t others = 0, length = 0;
    int result = store_count_other_lists(service->store, name, &others);
    if (result == 0)
        result = store_playlist_length(service->store, session_id, &length);
    if (result == 0 && length == 0)
        return reply_error(409, "The playlist is empty");
    if (result == 0 && others >= LISTS_MAX)
        return reply_error(507,
                           "This hub keeps 200 saved playlists: one has to be forgotten first");
    if (result == 0)
        result = store_save_list(service->store, name, session_id);
    return result < 0 ? service_store_error(result, "The playlist could not be saved")
                      : count_reply("saved", length);
}

static struct reply forget(struct service *service, const char *name)
{
    int known = store_forget_list(service->store, name);
    if (known == 1)
        return count_reply("forgotten", 1);
    return known < 0 ? service_store_error(known, "The playlist could not be forgotten")
                     : reply_error(404, "No playlist was saved under this name");
}

/* --- loading ------------------------------------------------------------------------------- */

struct loading {
    struct store_item *items;
    int64_t count;
    int64_t room;
};

static void take_item(void *user, const struct store_item *item)
{
    struct loading *loading = user;
    if (loading->count < loading->room)
        loading->items[loading->count++] = *item;
}

/* 1: it is there, as it is now; 0: it is gone; or -errno. */
static int renew(struct service *service, struct store_item *item)
{
    char key[LIBRARY_KEY_MAX];
    struct store_media media;
    if (!item->media_path[0])
        return 1;
    if (library_key_of(item->media_path, key))
        return service_find_track(service, key, item);
    int known = store_media(service->store, item->media_path, &media);
    if (known == 1)
        item->tags = media.tags;
    return known;
}

/* What is gone is left out. 0, or -errno. */
static int renew_all(struct service *service, struct loading *loading)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < loading->count; i++) {
        int known = renew(service, &loading->items[i]);
        if (known < 0)
            return known;
        if (known == 1 && kept != i)
            loading->items[kept] = loading->items[i];
        kept += known;
    }
    loading->count = kept;
    return 0;
}

static struct reply insert_loaded(struct service *service, const char *session_id,
                                  struct loading *loading, int64_t saved)
{
    if (saved == 0)
        return reply_error(404, "No playlist was saved under this name");
    if (loading->count == 0)
        return reply_error(410, "None of its tracks is there any more");
    struct reply reply = service_insert_all(service, session_id, loading->items, loading->count);
    if (reply.status != 200)
        return reply;
    cJSON_Delete(reply.body);
    reply = count_reply("loaded", loading->count);
    cJSON_AddNumberToObject(reply.body, "missing", (double)(saved - loading->count));
    return reply;
}

static struct reply load(struct service *service, const char *session_id, const char *name)
{
    struct loading loading = {.room = service->limits.playlist_items};
    loading.items = calloc((size_t)loading.room, sizeof *loading.items);
    if (!loading.items)
        return service_store_error(-ENOMEM, "There is no memory for the playlist");
    int result = store_each_saved(service->store, name, loading.room, take_item, &loading);
    int64_t saved = loading.count;
    if (result == 0)
        result = renew_all(service, &loading);
    struct reply reply =
        result == -EAGAIN ? reply_error(503, "The library is still being looked through; try again")
        : result < 0      ? service_store_error(result, "The saved playlist cannot be read")
                          : insert_loaded(service, session_id, &loading, saved);
    free(loading.items);
    return reply;
}

struct reply service_change_lists(struct service *service, const struct caller *caller,
                                  const char *session_id, const cJSON *body)
{
    struct admission admission;
    struct reply refusal;
    const char *to_save = service_text(body, "save"), *to_load = service_text(body, "load"),
               *to_forget = service_text(body, "forget");
    if (!service_admit(service, caller, session_id, ROLE_HOST, &admission, &refusal))
        return refusal;
    if (!to_save + !to_load + !to_forget != 2)
        return reply_error(422, "save, load or forget: a text of 1 to 255 bytes is wanted");
    int result = service_begin(service);
    if (result < 0)
        return service_store_error(result, "The playlist could not be stored");
    return service_commit(service, to_save   ? save(service, session_id, to_save)
                                   : to_load ? load(service, session_id, to_load)
                                             : forget(service, to_forget));
}
