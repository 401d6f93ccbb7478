/*
 * library_watch.c: see library_watch.h. Watches are numbered upwards, so their list stays in order.
 */
#include "library_watch.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#define EVENTS                                                                                     \
    (IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |            \
     IN_MOVE_SELF | IN_ONLYDIR)
#define READ_BYTES 16384

struct folder {
    int wd;
    bool changed;
    const char *root;
    char *path;
};

struct library_watch {
    int fd;
    size_t most;
    struct folder *folders;
    size_t count;
    size_t room;
};

struct library_watch *library_watch_create(size_t most)
{
    struct library_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    watch->most = most;
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd >= 0)
        return watch;
    free(watch);
    return NULL;
}

void library_watch_destroy(struct library_watch *watch)
{
    if (!watch)
        return;
    for (size_t i = 0; i < watch->count; i++)
        free(watch->folders[i].path);
    free(watch->folders);
    close(watch->fd);
    free(watch);
}

int library_watch_fd(const struct library_watch *watch)
{
    return watch->fd;
}

/* Where a watch is in the list, or would be. */
static size_t place_of(const struct library_watch *watch, int wd)
{
    size_t low = 0, high = watch->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (watch->folders[middle].wd < wd)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct folder *find(struct library_watch *watch, int wd)
{
    size_t place = place_of(watch, wd);
    return place < watch->count && watch->folders[place].wd == wd ? &watch->folders[place] : NULL;
}

static bool make_room(struct library_watch *watch)
{
    if (watch->count < watch->room)
        return true;
    size_t room = watch->room ? 2 * watch->room : 64;
    struct folder *folders = realloc(watch->folders, room * sizeof *folders);
    if (!folders)
        return false;
    watch->folders = folders;
    watch->room = room;
    return true;
}

/* Other machines change what is on these, and nobody tells us. */
static bool is_shared(int fd)
{
    static const uint32_t kinds[] = {0x6969 /* NFS */,      0x517b /* SMB */,
                                     0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */,
                                     0x65735546 /* FUSE */, 0x01021997 /* 9P */};
    struct statfs status;
    if (fstatfs(fd, &status) < 0)
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if ((uint32_t)status.f_type == kinds[i])
            return true;
    return false;
}

static bool remember(struct library_watch *watch, int wd, const char *root, const char *path)
{
    struct folder *folder = find(watch, wd);
    char *copy = strdup(path);
    if (!copy || (!folder && !make_room(watch))) {
        free(copy);
        return false;
    }
    if (folder) {
        free(folder->path);
        folder->root = root;
        folder->path = copy;
        return true;
    }
    size_t place = place_of(watch, wd);
    memmove(watch->folders + place + 1, watch->folders + place,
            (watch->count - place) * sizeof *watch->folders);
    watch->folders[place] = (struct folder){.wd = wd, .root = root, .path = copy};
    watch->count++;
    return true;
}

bool library_watch_add(struct library_watch *watch, const char *root, const char *path, int fd)
{
    char name[64];
    if (is_shared(fd))
        return false;
    /* Of the very folder that is open, whatever its path leads to by now. */
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int wd = inotify_add_watch(watch->fd, name, EVENTS);
    if (wd < 0)
        return false;
    if ((watch->count < watch->most || find(watch, wd)) && remember(watch, wd, root, path))
        return true;
    if (!find(watch, wd))
        inotify_rm_watch(watch->fd, wd);
    return false;
}

static void forget(struct library_watch *watch, struct folder *folder)
{
    size_t place = (size_t)(folder - watch->folders);
    free(folder->path);
    memmove(folder, folder + 1, (watch->count - place - 1) * sizeof *folder);
    watch->count--;
}

/* False: the folder has gone from its path, and what is there by now was not watched. */
static bool take_event(struct library_watch *watch, const struct inotify_event *event)
{
    struct folder *folder = find(watch, event->wd);
    if (!folder)
        return true;
    if (event->mask & IN_IGNORED)
        forget(watch, folder);
    else
        folder->changed = true;
    return !(event->mask & (IN_IGNORED | IN_MOVE_SELF));
}

bool library_watch_read(struct library_watch *watch)
{
    _Alignas(struct inotify_event) char bytes[READ_BYTES];
    ssize_t got;
    bool all = true;
    while ((got = read(watch->fd, bytes, sizeof bytes)) > 0) {
        for (const char *at = bytes; at < bytes + got;) {
            const struct inotify_event *event = (const void *)at;
            all = take_event(watch, event) && all && !(event->mask & IN_Q_OVERFLOW);
            at += sizeof *event + event->len;
        }
    }
    return all;
}

bool library_watch_next(struct library_watch *watch, const char **ret_root, char *path, size_t size)
{
    for (size_t i = 0; i < watch->count; i++) {
        struct folder *folder = &watch->folders[i];
        if (!folder->changed)
            continue;
        folder->changed = false;
        *ret_root = folder->root;
        snprintf(path, size, "%s", folder->path);
        return true;
    }
    return false;
}
