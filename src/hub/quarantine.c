/*
 * quarantine.c: files that nothing names are put aside as quarantine/SECONDS-NAME: since when, in
 * seconds since 1970, and the name that they had.
 */
#include "hub_clock.h"
#include "media_internal.h"
#include "tutti/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t now_s(void)
{
    return hub_clock_now().ns / NS_PER_S;
}

static int move(struct media *media, const char *from, const char *to)
{
    char full_from[MEDIA_FULL_PATH_MAX], full_to[MEDIA_FULL_PATH_MAX];
    media_full_path(media, from, full_from);
    media_full_path(media, to, full_to);
    return rename(full_from, full_to) < 0 ? -errno : 0;
}

int media_put_aside(struct media *media, const char *path)
{
    char to[MEDIA_PATH_MAX + 32];
    snprintf(to, sizeof to, MEDIA_QUARANTINE "%lld-%s", (long long)now_s(),
             path + strlen(MEDIA_UPLOADS));
    return move(media, path, to);
}

struct sweep {
    int (*is_used)(void *user, const char *path);
    void *user;
    int put_aside;
};

static int sweep_one(struct media *media, const char *name, void *user)
{
    struct sweep *sweep = user;
    char path[MEDIA_PATH_MAX + 16];
    snprintf(path, sizeof path, MEDIA_UPLOADS "%s", name);
    if (!media_is_ours(path) || media_is_coming(media, path))
        return 0;
    int used = sweep->is_used(sweep->user, path);
    if (used != 0)
        return used < 0 ? used : 0;
    int result = media_put_aside(media, path);
    if (result == 0)
        sweep->put_aside++;
    return result;
}

int media_sweep(struct media *media, int (*is_used)(void *user, const char *path), void *user)
{
    struct sweep sweep = {.is_used = is_used, .user = user};
    int result = media_each_file(media, MEDIA_UPLOADS, sweep_one, &sweep);
    return result < 0 ? result : sweep.put_aside;
}

/* --- what was put aside -------------------------------------------------------------------- */

static bool parse(struct media *media, const char *file, struct media_aside *ret)
{
    char *end;
    ret->since_s = strtoll(file, &end, 10);
    if (end == file || *end != '-' || ret->since_s < 0)
        return false;
    snprintf(ret->name, sizeof ret->name, "%s", end + 1);
    snprintf(ret->file, sizeof ret->file, MEDIA_QUARANTINE "%.100s", file);
    int64_t bytes = media_size(media, ret->file);
    ret->bytes = bytes > 0 ? bytes : 0;
    return true;
}

struct each {
    void (*visit)(void *user, const struct media_aside *aside);
    void *user;
};

static int visit_one(struct media *media, const char *file, void *user)
{
    const struct each *each = user;
    struct media_aside aside;
    if (parse(media, file, &aside))
        each->visit(each->user, &aside);
    return 0;
}

int media_each_aside(struct media *media,
                     void (*visit)(void *user, const struct media_aside *aside), void *user)
{
    struct each each = {visit, user};
    return media_each_file(media, MEDIA_QUARANTINE, visit_one, &each);
}

struct wanted {
    const char *name;
    struct media_aside found;
};

static int is_wanted(struct media *media, const char *file, void *user)
{
    struct wanted *wanted = user;
    return parse(media, file, &wanted->found) && strcmp(wanted->found.name, wanted->name) == 0;
}

void media_bring_back(struct media *media, const char *path)
{
    struct wanted wanted = {0};
    char full[MEDIA_FULL_PATH_MAX];
    if (!media_is_ours(path))
        return;
    wanted.name = path + strlen(MEDIA_UPLOADS);
    media_full_path(media, path, full);
    if (access(full, F_OK) == 0 || errno != ENOENT ||
        media_each_file(media, MEDIA_QUARANTINE, is_wanted, &wanted) != 1)
        return;
    int result = move(media, wanted.found.file, path);
    if (result == 0)
        log_warn("%s was put aside, is named again and is back", path);
    else
        log_error("%s was put aside and cannot be brought back: %s", path, strerror(-result));
}

struct purge {
    int64_t before_s;
    int count;
    int error; /* of the last that could not be removed */
};

static int purge_one(struct media *media, const char *file, void *user)
{
    struct purge *purge = user;
    struct media_aside aside;
    char full[MEDIA_FULL_PATH_MAX];
    if (!parse(media, file, &aside) || aside.since_s > purge->before_s)
        return 0;
    media_full_path(media, aside.file, full);
    if (unlink(full) == 0) {
        media->used_bytes -= aside.bytes;
        purge->count++;
    } else if (errno != ENOENT) { /* one that cannot be removed keeps no other */
        purge->error = -errno;
        log_error("%s cannot be removed: %s", aside.file, strerror(errno));
    }
    return 0;
}

int media_purge(struct media *media, int64_t older_than_s)
{
    struct purge purge = {.before_s = now_s() - older_than_s};
    int result = media_each_file(media, MEDIA_QUARANTINE, purge_one, &purge);
    if (result == 0)
        result = purge.error;
    return result < 0 ? result : purge.count;
}
