/*
 * track_keep.c: a file that is done with is taken into the store, and synced beside the loop.
 */
#include "disk.h"
#include "track_store_internal.h"
#include "tutti/io/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct keeping {
    struct track_store *store;
    char directory[TRACK_PATH_MAX];
    char hash[TRACK_HASH_TEXT];
    char temporary[TRACK_PATH_MAX];
    char *sidecar;
    bool partial;
    int64_t bytes;
    int fd; /* its own */
    unsigned id;
    int result;
};

static void keeping_work(void *job)
{
    struct keeping *keeping = job;
    char path[TRACK_PATH_MAX];
    track_disk_path(keeping->directory, keeping->hash, keeping->partial ? "part" : "track", path);
    keeping->result = keeping->sidecar ? 0 : -ENOMEM;
    /* What was taken over may have had more than was vouched for. */
    if (keeping->result == 0 && (ftruncate(keeping->fd, keeping->bytes) < 0 ||
                                 fsync(keeping->fd) < 0 || rename(keeping->temporary, path) < 0))
        keeping->result = -errno;
    track_disk_path(keeping->directory, keeping->hash, keeping->partial ? "part.json" : "json",
                    path);
    if (keeping->result == 0)
        keeping->result = disk_replace_file(path, keeping->sidecar, 0644);
    if (keeping->result == 0)
        disk_sync_directory(keeping->directory);
    else
        unlink(keeping->temporary);
    if (keeping->fd >= 0)
        close(keeping->fd);
}

/* Synced: from now on the disk has it. Not synced: the kernel's cache has it, until it is closed
 * here, and it will be downloaded again. */
static void keeping_done(void *job)
{
    struct keeping *keeping = job;
    struct track_store *store = keeping->store;
    struct track_entry *entry = track_index_find(store, keeping->hash, keeping->partial);
    bool ours = entry && entry->keeping == keeping->id; /* not yet replaced */
    if (keeping->result < 0 && !store->destroyed)
        track_disk_failed(store, -keeping->result);
    if (ours && keeping->result < 0) {
        track_index_forget(store, entry);
    } else if (ours) {
        track_disk_close_fd(store, entry->fd, entry->bytes);
        entry->fd = -1;
        entry->keeping = 0;
    }
    if (!store->destroyed)
        track_index_evict(store, true);
    free(keeping->sidecar);
    free(keeping);
    track_disk_job_ended(store);
}

static void keep_on_disk(struct track_store *store, struct track_file *file,
                         struct track_entry *entry)
{
    struct keeping *keeping = calloc(1, sizeof *keeping);
    if (!keeping)
        return; /* it stays in the index, by its descriptor, as if it were in memory */
    keeping->store = store;
    snprintf(keeping->directory, sizeof keeping->directory, "%s", store->directory);
    memcpy(keeping->hash, file->hash, sizeof keeping->hash);
    memcpy(keeping->temporary, file->temporary, sizeof keeping->temporary);
    keeping->sidecar = track_sidecar_print(file);
    keeping->partial = entry->partial;
    keeping->bytes = file->bytes;
    keeping->fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    keeping->id = entry->keeping = ++store->next_keeping;
    store->jobs++;
    background_run(store->background, keeping_work, keeping_done, keeping);
}

void track_keep(struct track_store *store, struct track_file *file)
{
    bool on_disk = file->temporary[0] != '\0';
    track_index_forget_of(store, file->hash, !file->complete);
    int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    struct track_entry *entry = fd >= 0 ? track_index_add(store, file->hash) : NULL;
    if (!entry) {
        if (fd >= 0)
            close(fd);
        if (on_disk)
            track_disk_unlink(store, file->temporary);
        return;
    }
    entry->partial = !file->complete;
    entry->on_disk = on_disk;
    entry->fd = fd;
    entry->bytes = file->bytes;
    track_index_mark_used(store, entry, fd);
    if (on_disk)
        keep_on_disk(store, file, entry);
    else
        track_index_evict(store, false);
}
