/*
 * service_sweep.c: what is left over: files that nothing names, members who never came back.
 *
 * Files that nothing names are put aside, not removed: perhaps it is the database that is not the
 * right one. Files that are named and were put aside come back. Both only when it was read what is
 * named, all of it.
 */
#include "service_internal.h"
#include "tutti/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S INT64_C(86400)
#define MEMBER_UNSEEN_S (30 * DAY_S)
#define ABANDONED_S DAY_S

static int used_or_not(void *user, const char *path)
{
    const struct service *service = user;
    return store_media_is_used(service->store, path);
}

static void bring_back(void *user, const char *path)
{
    struct service *service = user;
    media_bring_back(service->media, path);
}

void service_sweep(struct service *service)
{
    if (store_is_damaged(service->store)) {
        log_warn("tracks are not looked through: what is in a damaged database decides nothing");
        return;
    }
    if (store_each_media(service->store, bring_back, service) < 0) {
        log_warn("tracks are not looked through: the database cannot be read");
        return;
    }
    int put_aside = media_sweep(service->media, used_or_not, service);
    if (put_aside > 0)
        log_warn("%d tracks that nothing names any more were put aside, for 30 days; see: "
                 "tutti-hub media list",
                 put_aside);
}

static void drop_abandoned(struct service *service)
{
    char id[STORE_ID_MAX];
    int found;
    while ((found = store_abandoned_session(service->store, ABANDONED_S, id)) == 1) {
        if (store_delete_session(service->store, id) < 0)
            return;
        log_info("session %.8s, in which nobody has ever been, is forgotten", id);
    }
}

/* Fails where the library has not been gone through yet: nothing is removed then. */
static int has_cover(void *user, const char *name)
{
    const struct service *service = user;
    int result = store_has_cover(service->store, name);
    return result == 0 ? library_has_cover(service->library, name) : result;
}

void service_tidy(struct service *service)
{
    if (store_is_damaged(service->store))
        return;
    if (store_forget_unseen(service->store, MEMBER_UNSEEN_S) == 1)
        log_info("members who were not seen for 30 days are forgotten");
    drop_abandoned(service);
    if (store_forget_tracks(service->store) < 0)
        log_debug("tags that nothing needs could not be forgotten; next time");
    if (covers_sweep(service->covers, has_cover, service) < 0)
        log_debug("it is not known which pictures no track has; next time");
    if (media_purge(service->media, MEDIA_QUARANTINE_S) < 0)
        log_warn("not all tracks that were put aside 30 days ago could be removed");
}
