/*
 * track_disk.c: what all parts of the store do with the disk and with descriptors: names, writing,
 * and what is given to the background, with a pointer to the store.
 */
#include "track_store_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/background.h"
#include "tutti/io/mono_clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DISK_AGAIN_NS (300 * NS_PER_S)
/* The last one to close a track that has no name gives its memory back: of so much, in a fraction
 * of a millisecond. */
#define CLOSE_AT_ONCE_BYTES 1048576

void track_disk_path(const char *directory, const char *hash, const char *suffix,
                     char path[TRACK_PATH_MAX])
{
    if (snprintf(path, TRACK_PATH_MAX, "%s/%s.%s", directory, hash, suffix) >= TRACK_PATH_MAX)
        path[0] = '\0';
}

int track_disk_open_memory(void)
{
    return memfd_create("tutti-track", MFD_CLOEXEC);
}

int track_disk_write_at(int fd, const char *data, int64_t bytes, int64_t offset)
{
    while (bytes > 0) {
        ssize_t written = pwrite(fd, data, (size_t)bytes, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        data += written;
        offset += written;
        bytes -= written;
    }
    return 0;
}

/* --- its health --- */

bool track_disk_is_used(struct track_store *store)
{
    if (!store->directory)
        return false;
    if (store->disk_failed && mono_sub(mono_clock_now(), store->disk_failed_at) > DISK_AGAIN_NS)
        store->disk_failed = false;
    return !store->disk_failed;
}

void track_disk_failed(struct track_store *store, int error)
{
    if (!store->disk_failed)
        log_warn("cache %s: %s; tracks are kept in memory for now", store->directory,
                 strerror(error));
    store->disk_failed = true;
    store->disk_failed_at = mono_clock_now();
}

void track_disk_free_store(struct track_store *store)
{
    for (size_t i = 0; i < store->count; i++)
        if (store->entries[i].fd >= 0)
            close(store->entries[i].fd);
    free(store->entries);
    free(store->directory);
    free(store);
}

void track_disk_job_ended(struct track_store *store)
{
    store->jobs--;
    if (store->destroyed && store->jobs == 0)
        track_disk_free_store(store);
}

/* --- closing --- */

struct closing {
    struct track_store *store;
    int fd;
};

static void closing_work(void *job)
{
    close(((struct closing *)job)->fd);
}

static void closing_done(void *job)
{
    struct track_store *store = ((struct closing *)job)->store;
    free(job);
    track_disk_job_ended(store);
}

void track_disk_close_fd(struct track_store *store, int fd, int64_t bytes)
{
    bool later = bytes > CLOSE_AT_ONCE_BYTES && !store->destroyed;
    struct closing *closing = later ? malloc(sizeof *closing) : NULL;
    if (!closing) {
        close(fd);
        return;
    }
    *closing = (struct closing){store, fd};
    store->jobs++;
    background_run(store->background, closing_work, closing_done, closing);
}

/* --- removing --- */

struct unlinking {
    struct track_store *store;
    char path[TRACK_PATH_MAX];
};

static void unlinking_work(void *job)
{
    unlink(((struct unlinking *)job)->path);
}

static void unlinking_done(void *job)
{
    struct track_store *store = ((struct unlinking *)job)->store;
    free(job);
    track_disk_job_ended(store);
}

void track_disk_unlink(struct track_store *store, const char *path)
{
    struct unlinking *unlinking = path[0] ? malloc(sizeof *unlinking) : NULL;
    if (!unlinking)
        return; /* the next start finds it */
    unlinking->store = store;
    snprintf(unlinking->path, sizeof unlinking->path, "%s", path);
    store->jobs++;
    background_run(store->background, unlinking_work, unlinking_done, unlinking);
}
