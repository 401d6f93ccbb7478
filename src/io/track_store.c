/*
 * track_store.c: tracks in, tracks out.
 *
 *   HASH.track  the data;  HASH.json       its sidecar
 *   HASH.part   a beginning;  HASH.part.json  its sidecar
 *   HASH.PID-N.tmp  being downloaded, locked by whoever does it
 *
 * The index in memory is for eviction and for what is not on disk (yet); the disk itself decides
 * whether a track is there.
 */
#include "disk.h"
#include "track_store_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/background.h"
#include "tutti/io/mono_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK_AGAIN_NS (300 * NS_PER_S)
#define MEMORY_SHARE 4
/* The last one to close a track that has no name gives its memory back: of so much, in a fraction
 * of a millisecond. */
#define CLOSE_AT_ONCE_BYTES 1048576

/* --- names --- */

static void hash_url(const char *url, char hash[TRACK_HASH_TEXT])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    unsigned bytes = 0;
    EVP_Digest(url, strlen(url), digest, &bytes, EVP_sha256(), NULL);
    for (size_t i = 0; i < 32; i++)
        snprintf(hash + 2 * i, 3, "%02x", digest[i]);
}

void track_store_path(const char *directory, const char *hash, const char *suffix,
                      char path[TRACK_PATH_MAX])
{
    if (snprintf(path, TRACK_PATH_MAX, "%s/%s.%s", directory, hash, suffix) >= TRACK_PATH_MAX)
        path[0] = '\0';
}

/* --- the disk's health --- */

bool track_store_uses_disk(struct track_store *store)
{
    if (!store->directory)
        return false;
    if (store->disk_failed && mono_sub(mono_clock_now(), store->disk_failed_at) > DISK_AGAIN_NS)
        store->disk_failed = false;
    return !store->disk_failed;
}

void track_store_disk_failed(struct track_store *store, int error)
{
    if (!store->disk_failed)
        log_warn("cache %s: %s; tracks are kept in memory for now", store->directory,
                 strerror(error));
    store->disk_failed = true;
    store->disk_failed_at = mono_clock_now();
}

static void free_store(struct track_store *store)
{
    while (store->count > 0)
        track_index_forget(store, &store->entries[0]);
    free(store->entries);
    free(store->directory);
    free(store);
}

void track_store_job_ended(struct track_store *store)
{
    store->jobs--;
    if (store->destroyed && store->jobs == 0)
        free_store(store);
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
    track_store_job_ended(store);
}

void track_store_close_fd(struct track_store *store, int fd, int64_t bytes)
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
    track_store_job_ended(store);
}

void track_store_unlink(struct track_store *store, const char *path)
{
    struct unlinking *unlinking = path[0] ? malloc(sizeof *unlinking) : NULL;
    if (!unlinking)
        return; /* the next start finds it */
    unlinking->store = store;
    snprintf(unlinking->path, sizeof unlinking->path, "%s", path);
    store->jobs++;
    background_run(store->background, unlinking_work, unlinking_done, unlinking);
}

/* --- keeping --- */

static void forget(struct track_store *store, const char *hash, bool partial)
{
    struct track_entry *entry = track_index_find(store, hash, partial);
    if (entry)
        track_index_forget(store, entry);
}

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
    track_store_path(keeping->directory, keeping->hash, keeping->partial ? "part" : "track", path);
    keeping->result = keeping->sidecar ? 0 : -ENOMEM;
    /* What was taken over may have had more than was vouched for. */
    if (keeping->result == 0 &&
        (ftruncate(keeping->fd, keeping->bytes) < 0 || fsync(keeping->fd) < 0 ||
         rename(keeping->temporary, path) < 0))
        keeping->result = -errno;
    track_store_path(keeping->directory, keeping->hash, keeping->partial ? "part.json" : "json",
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
        track_store_disk_failed(store, -keeping->result);
    if (ours && keeping->result < 0) {
        track_index_forget(store, entry);
    } else if (ours) {
        track_store_close_fd(store, entry->fd, entry->bytes);
        entry->fd = -1;
        entry->keeping = 0;
    }
    if (!store->destroyed)
        track_index_evict(store, true);
    free(keeping->sidecar);
    free(keeping);
    track_store_job_ended(store);
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

void track_store_keep(struct track_store *store, struct track_file *file)
{
    bool on_disk = file->temporary[0] != '\0';
    forget(store, file->hash, !file->complete);
    int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    struct track_entry *entry = fd >= 0 ? track_index_add(store, file->hash) : NULL;
    if (!entry) {
        if (fd >= 0)
            close(fd);
        if (on_disk)
            track_store_unlink(store, file->temporary);
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

/* --- finding --- */

/* In memory, or on its way to the disk. */
static int open_held(struct track_store *store, const char *hash, struct track_sidecar *sidecar)
{
    struct track_entry *entry = track_index_find(store, hash, false);
    if (!entry || entry->fd < 0)
        return -1;
    *sidecar = (struct track_sidecar){.bytes = entry->bytes};
    return fcntl(entry->fd, F_DUPFD_CLOEXEC, 0);
}

static int open_on_disk(struct track_store *store, const char *hash, const char *url,
                        struct track_sidecar *sidecar)
{
    char path[TRACK_PATH_MAX];
    struct stat status;
    if (!store->directory)
        return -1;
    track_store_path(store->directory, hash, "json", path);
    if (!track_sidecar_read(path, url, sidecar))
        return -1;
    track_store_path(store->directory, hash, "track", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size == sidecar->bytes)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

struct track_file *track_store_open(struct track_store *store, const char *url)
{
    struct track_sidecar sidecar = {0};
    struct track_file *file = track_file_create(store, url);
    if (!file)
        return NULL;
    hash_url(url, file->hash);
    file->fd = open_held(store, file->hash, &sidecar);
    if (file->fd < 0)
        file->fd = open_on_disk(store, file->hash, url, &sidecar);
    if (file->fd < 0) {
        track_file_close(file);
        return NULL;
    }
    track_index_mark_used(store, track_index_find(store, file->hash, false), file->fd);
    file->bytes = sidecar.bytes;
    file->complete = true;
    track_file_set_validators(file, sidecar.etag, sidecar.last_modified);
    return file;
}

bool track_store_touch(struct track_store *store, const char *url)
{
    struct track_file *file = track_store_open(store, url);
    track_file_close(file);
    return file != NULL;
}

struct track_file *track_store_begin(struct track_store *store, const char *url)
{
    struct track_file *file = track_file_create(store, url);
    if (!file)
        return NULL;
    hash_url(url, file->hash);
    if (!track_file_begin(file)) {
        track_file_close(file);
        return NULL;
    }
    if (file->bytes > 0)
        forget(store, file->hash, true);
    return file;
}

/* --- beginning and ending --- */

static int64_t memory_share(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / MEMORY_SHARE;
}

struct track_store *track_store_create(struct background *background, const char *directory,
                                       int64_t max_bytes)
{
    struct track_store *store = calloc(1, sizeof *store);
    if (!store)
        return NULL;
    store->background = background;
    store->max_bytes = max_bytes;
    store->max_memory_bytes = max_bytes < memory_share() ? max_bytes : memory_share();
    if (!directory)
        return store;
    store->directory = strdup(directory);
    if (!store->directory) {
        free(store);
        return NULL;
    }
    mkdir(directory, 0755); /* where it cannot be, track_index_scan() says so */
    track_index_scan(store);
    return store;
}

void track_store_destroy(struct track_store *store)
{
    if (!store)
        return;
    store->destroyed = true;
    if (store->jobs == 0)
        free_store(store);
}

void track_store_set_pinned(struct track_store *store, const char *const *urls)
{
    store->pinned_count = 0;
    for (; *urls && store->pinned_count < TRACK_STORE_PINNED_MAX; urls++)
        hash_url(*urls, store->pinned[store->pinned_count++]);
}

/* --- telling --- */

struct track_store_usage track_store_usage(struct track_store *store)
{
    struct track_store_usage usage = {.on_disk = track_store_uses_disk(store)};
    for (size_t i = 0; i < store->count; i++) {
        usage.bytes += store->entries[i].bytes;
        if (store->entries[i].partial)
            usage.partial++;
        else
            usage.tracks++;
    }
    return usage;
}

void track_store_list(struct track_store *store,
                      void (*each)(void *user, const char *url, int64_t bytes), void *user)
{
    for (size_t i = 0; i < store->count; i++) {
        const struct track_entry *entry = &store->entries[i];
        char path[TRACK_PATH_MAX];
        int64_t bytes;
        if (!entry->on_disk || entry->partial)
            continue;
        track_store_path(store->directory, entry->hash, "json", path);
        char *url = track_sidecar_read_url(path, &bytes);
        if (url)
            each(user, url, bytes);
        free(url);
    }
}
