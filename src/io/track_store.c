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
#include "track_store_internal.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_SHARE 4

/* --- names --- */

static void hash_url(const char *url, char hash[TRACK_HASH_TEXT])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    unsigned bytes = 0;
    EVP_Digest(url, strlen(url), digest, &bytes, EVP_sha256(), NULL);
    for (size_t i = 0; i < 32; i++)
        snprintf(hash + 2 * i, 3, "%02x", digest[i]);
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
    track_disk_path(store->directory, hash, "json", path);
    if (!track_sidecar_read(path, url, sidecar))
        return -1;
    track_disk_path(store->directory, hash, "track", path);
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
        track_index_forget_of(store, file->hash, true);
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
        track_disk_free_store(store);
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
    struct track_store_usage usage = {.on_disk = track_disk_is_used(store)};
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
        track_disk_path(store->directory, entry->hash, "json", path);
        char *url = track_sidecar_read_url(path, &bytes);
        if (url)
            each(user, url, bytes);
        free(url);
    }
}
