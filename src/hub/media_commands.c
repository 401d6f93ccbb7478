/*
 * media_commands.c: tutti-hub media list | restore | purge: tracks that were put aside.
 */
#include "commands_internal.h"
#include "media.h"
#include "media_internal.h"
#include "service_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MB (INT64_C(1024) * 1024)

static void print_aside(void *user, const struct media_aside *aside)
{
    char day[32];
    struct tm utc;
    time_t since = (time_t)aside->since_s;
    (void)user;
    gmtime_r(&since, &utc);
    strftime(day, sizeof day, "%Y-%m-%d %H:%M", &utc);
    printf("%s  %9.1f MB  ", day, (double)aside->bytes / 1e6);
    command_print(aside->name);
    putchar('\n');
}

static int list(struct media *media)
{
    printf("%-16s  %12s  %s\n", "SINCE (UTC)", "SIZE", "FILE");
    int result = media_each_aside(media, print_aside, NULL);
    return result < 0 ? command_failed("quarantine", strerror(-result)) : 0;
}

static void bring_back(void *user, const char *path)
{
    media_bring_back(user, path);
}

struct search {
    const char *name;
    struct media_aside found;
    bool is_found;
};

static void look(void *user, const struct media_aside *aside)
{
    struct search *search = user;
    if (strcmp(aside->name, search->name) != 0)
        return;
    search->found = *aside;
    search->is_found = true;
}

/* The same way in as every track's: checked, and on the disk before a row names it. */
static struct media_upload *read_file(struct media *media, const char *file, int *ret_status,
                                      const char **ret_reason)
{
    char full[MEDIA_FULL_PATH_MAX], bytes[65536];
    ssize_t got = -1;
    struct media_upload *upload = media_upload_begin(media, ret_status, ret_reason);
    if (!upload)
        return NULL;
    media_full_path(media, file, full);
    int fd = open(full, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (got = read(fd, bytes, sizeof bytes)) > 0)
        media_upload_feed(upload, bytes, (size_t)got);
    if (fd >= 0)
        close(fd);
    if (got == 0)
        return upload;
    *ret_reason = strerror(errno);
    media_upload_destroy(upload);
    return NULL;
}

/* A running hub looks by itself, some seconds later, who is to be told. */
static void tell_nobody(void *user, const char *session_id, const char *type, cJSON *payload)
{
    (void)user;
    (void)session_id;
    (void)type;
    cJSON_Delete(payload);
}

static struct reply add_track(struct service *service, const struct store_session *session,
                              struct store_item *item, int64_t bytes)
{
    int result = service_begin(service);
    if (result < 0)
        return service_store_error(result, "The database cannot be changed");
    struct store_media media = service_media_of(item, bytes);
    result = store_add_media(service->store, &media);
    return service_commit(service,
                          result < 0 ? service_store_error(result, "The track could not be stored")
                                     : service_insert(service, session->id, item));
}

/* At the end of a session's playlist, by the name of its file. */
static int restore_to(struct service *service, const char *name,
                      const struct store_session *session)
{
    struct search search = {.name = name};
    struct store_item item = {0};
    struct measurement track;
    char full[MEDIA_FULL_PATH_MAX];
    const char *reason = "";
    int status;
    int result = media_each_aside(service->media, look, &search);
    if (result < 0 || !search.is_found)
        return command_failed(name, result < 0 ? strerror(-result) : "was not put aside");
    struct media_upload *upload = read_file(service->media, search.found.file, &status, &reason);
    if (!upload || !media_upload_finish(upload, item.media_path, &track, &status, &reason)) {
        media_upload_destroy(upload);
        return command_failed(name, reason);
    }
    service_take_track(&item, &track);
    snprintf(item.track_id, sizeof item.track_id, "%s", name);
    snprintf(item.name, sizeof item.name, "%s", name);
    struct reply reply = add_track(service, session, &item, media_upload_bytes(upload));
    cJSON_Delete(reply.body);
    if (reply.status == 200)
        media_upload_keep(upload);
    media_upload_destroy(upload);
    if (reply.status != 200)
        return command_failed(name, "could not be added to the playlist");
    media_full_path(service->media, search.found.file, full);
    unlink(full);
    printf("restored, at the end of the playlist of %s\n", session->code);
    return 0;
}

static int restore(const struct command_call *call, struct service *service)
{
    struct store_session session;
    if (call->count == 1) {
        if (store_each_media(service->store, bring_back, service->media) < 0)
            return command_failed("the database", "it cannot be read");
        printf("what is named and was put aside is back\n");
        return 0;
    }
    if (!command_find_session(service->store, call->words[2], &session))
        return 1;
    return restore_to(service, call->words[1], &session);
}

static int purge(const struct command_call *call, struct media *media)
{
    if (!command_confirmed(call, "Remove for good all tracks that were put aside?"))
        return 1;
    int count = media_purge(media, 0);
    if (count < 0)
        return command_failed("quarantine", strerror(-count));
    printf("%d removed\n", count);
    return 0;
}

static int run(const struct command_call *call, struct service *service)
{
    const char *word = call->count > 0 ? call->words[0] : "";
    if (strcmp(word, "list") == 0 && call->count == 1)
        return list(service->media);
    if (strcmp(word, "restore") == 0 && (call->count == 1 || call->count == 3))
        return restore(call, service);
    if (strcmp(word, "purge") == 0 && call->count == 1)
        return purge(call, service->media);
    return command_usage("media takes list, restore [FILE CODE] or purge");
}

int command_media(const struct command_call *call)
{
    struct service service = {.announce = tell_nobody};
    int result = 1;
    const struct media_limits limits = {
        .track_bytes = call->settings->limits.track_mb * MB,
        .disk_bytes = INT64_MAX,
        .free_bytes = 0,
        .formats = formats_played(),
    };
    service.limits.playlist_items = call->settings->limits.playlist_items;
    service.store = command_open_store(call);
    if (service.store)
        service.media = media_open_beside(call->directory, &limits);
    if (service.media)
        result = run(call, &service);
    media_destroy(service.media);
    store_close(service.store);
    return result;
}
