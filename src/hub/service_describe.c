/*
 * service_describe.c: what uploaded tracks say of themselves, and how loud they are, found out one after
 * another in a thread of its own: nobody's upload waits for it. What is found is kept with the file,
 * and told to the sessions that have it on their lists.
 *
 * Each is looked at once; those of before as well, after an update. Without tutti-codecs it is left for
 * a later start.
 */
#include "hub_clock.h"
#include "measure.h"
#include "service_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/background.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* A list is told as a whole: not for each of thousands of tracks. */
#define TELL_EVERY_NS (10 * NS_PER_S)
/* It has time; what plays on this machine has not. */
#define NICENESS 10

struct description {
    struct service *service;
    char path[STORE_PATH_MAX];
    int fd;
    bool cover_only;
    struct measurement track;
    enum measure_result result;
    char why[HELPER_ERROR_MAX];
};

/* In the background, which touches nothing else meanwhile. On Linux a thread has a niceness of its own, and
 * its processes inherit it. */
static void describe(void *job)
{
    struct description *description = job;
    setpriority(PRIO_PROCESS, 0, NICENESS);
    description->result =
        measure_description(description->fd, description->service->covers, description->cover_only,
                            &description->track, description->why);
    close(description->fd);
}

/* Session after session, so that a file on many lists needs no more memory than on one. */
static void tell_sessions(struct service *service)
{
    char session_id[STORE_ID_MAX] = "";
    int result = 0;
    service->described_told_ns = hub_clock_steady_ns();
    while (result == 0 && store_next_session_described(service->store, session_id) == 1)
        result = service_announce_playlist(service, session_id);
    if (result < 0 || store_told_described(service->store) < 0)
        log_debug("what was found out of uploaded tracks is told later");
}

static void described(void *job)
{
    struct description *description = job;
    struct service *service = description->service;
    bool good = description->result == MEASURED;
    service->is_describing = false;
    if (description->result == MEASURE_NOT_KNOWN) { /* there is no decoder */
        log_info("titles and loudness of uploaded tracks are not known: %s", description->why);
        free(description);
        return;
    }
    if (!good)
        log_info("%s cannot be described: %s", description->path, description->why);
    int result =
        store_describe_media(service->store, description->path,
                             good && !description->cover_only ? &description->track.tags : NULL,
                             description->track.cover);
    free(description);
    library_uploads_changed(service->library);
    if (result == 0)
        service_describe(service);
}

static bool open_next(struct service *service, struct description *ret)
{
    struct media_file file;
    while (store_next_undescribed(service->store, ret->path, &ret->cover_only) == 1) {
        ret->fd = media_open(service->media, ret->path, &file);
        if (ret->fd >= 0)
            return true;
        if (ret->fd != -ENOENT || store_describe_media(service->store, ret->path, NULL, "") < 0)
            return false;
    }
    return false;
}

void service_describe(struct service *service)
{
    if (!service->describing || service->is_describing)
        return;
    struct description *description = calloc(1, sizeof *description);
    if (!description)
        return;
    description->service = service;
    bool more = open_next(service, description);
    if (!more || hub_clock_steady_ns() - service->described_told_ns > TELL_EVERY_NS)
        tell_sessions(service);
    if (!more) {
        free(description);
        return;
    }
    description->track.kind = formats_kind(description->path);
    service->is_describing = background_try(service->describing, describe, described, description);
    if (!service->is_describing) {
        close(description->fd);
        free(description);
    }
}
