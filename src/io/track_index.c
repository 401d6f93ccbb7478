/*
 * track_index.c: which tracks there are, and which go when there are too many.
 *
 * The time of last use is the data file's access time, which we set, and never to less than that of
 * the one before: a board without a clock may live in 1970.
 */
#include "track_store_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/background.h"
#include "tutti/io/mono_clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Left to the rest of the system, on a disk that the cache shares with it. */
#define DISK_RESERVE_BYTES (INT64_C(64) * 1024 * 1024)
/* To find one that may go takes a look at all of them: so many at a time, the next when these have
 * been removed. */
#define EVICT_AT_ONCE 4

struct track_entry *track_index_find(struct track_store *store, const char *hash, bool partial)
{
    for (size_t i = 0; i < store->count; i++) {
        struct track_entry *entry = &store->entries[i];
        if (entry->partial == partial && strcmp(entry->hash, hash) == 0)
            return entry;
    }
    return NULL;
}

void track_index_forget(struct track_store *store, struct track_entry *entry)
{
    if (entry->fd >= 0)
        track_disk_close_fd(store, entry->fd, entry->bytes);
    *entry = store->entries[--store->count];
}

void track_index_forget_of(struct track_store *store, const char *hash, bool partial)
{
    struct track_entry *entry = track_index_find(store, hash, partial);
    if (entry)
        track_index_forget(store, entry);
}

struct track_entry *track_index_add(struct track_store *store, const char *hash)
{
    if (store->count == store->capacity) {
        size_t capacity = store->capacity ? store->capacity * 2 : 64;
        struct track_entry *grown = realloc(store->entries, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        store->entries = grown;
        store->capacity = capacity;
    }
    struct track_entry *entry = &store->entries[store->count++];
    *entry = (struct track_entry){.fd = -1, .on_disk = true};
    snprintf(entry->hash, sizeof entry->hash, "%s", hash);
    return entry;
}

static int64_t use_now(struct track_store *store)
{
    int64_t now = wall_clock_now().ns;
    store->last_used = now > store->last_used ? now : store->last_used + NS_PER_MS;
    return store->last_used;
}

void track_index_mark_used(struct track_store *store, struct track_entry *entry, int fd)
{
    int64_t used = use_now(store);
    const struct timespec times[2] = {
        {.tv_sec = (time_t)(used / NS_PER_S), .tv_nsec = (long)(used % NS_PER_S)},
        {.tv_nsec = UTIME_OMIT},
    };
    if (entry)
        entry->used = used;
    if (fd >= 0)
        futimens(fd, times); /* on a read-only disk it does not matter */
}

/* --- eviction --- */

static void remove_from_disk(const char *directory, const char *hash, bool partial)
{
    char path[TRACK_PATH_MAX];
    track_disk_path(directory, hash, partial ? "part.json" : "json", path);
    unlink(path); /* first: data without it are not a track */
    track_disk_path(directory, hash, partial ? "part" : "track", path);
    unlink(path);
}

struct removal {
    struct track_store *store;
    char directory[TRACK_PATH_MAX];
    char hash[TRACK_HASH_TEXT];
    bool partial;
};

static void removal_work(void *job)
{
    struct removal *removal = job;
    remove_from_disk(removal->directory, removal->hash, removal->partial);
}

static void removal_done(void *job)
{
    struct removal *removal = job;
    struct track_store *store = removal->store;
    free(removal);
    store->removals--;
    if (store->evicting && !store->destroyed)
        track_index_evict(store, true);
    track_disk_job_ended(store);
}

static void remove_later(struct track_store *store, const struct track_entry *entry)
{
    struct removal *removal = calloc(1, sizeof *removal);
    if (!removal)
        return; /* it is found again at the next start */
    removal->store = store;
    snprintf(removal->directory, sizeof removal->directory, "%s", store->directory);
    memcpy(removal->hash, entry->hash, sizeof removal->hash);
    removal->partial = entry->partial;
    store->removals++;
    store->jobs++;
    background_run(store->background, removal_work, removal_done, removal);
}

static bool is_pinned(const struct track_store *store, const char *hash)
{
    for (int i = 0; i < store->pinned_count; i++) {
        if (strcmp(store->pinned[i], hash) == 0)
            return true;
    }
    return false;
}

/* The least used one that may go, on disk or in memory; not what is being synced. */
static struct track_entry *find_victim(struct track_store *store, bool on_disk)
{
    struct track_entry *victim = NULL;
    for (size_t i = 0; i < store->count; i++) {
        struct track_entry *entry = &store->entries[i];
        bool busy = entry->keeping != 0;
        if (entry->on_disk != on_disk || busy || is_pinned(store, entry->hash))
            continue;
        if (!victim || entry->used < victim->used)
            victim = entry;
    }
    return victim;
}

static int64_t total_bytes(const struct track_store *store, bool on_disk)
{
    int64_t total = 0;
    for (size_t i = 0; i < store->count; i++) {
        if (store->entries[i].on_disk == on_disk)
            total += store->entries[i].bytes;
    }
    return total;
}

int64_t track_index_free_bytes(const struct track_store *store)
{
    struct statvfs disk;
    if (statvfs(store->directory, &disk) < 0)
        return INT64_MAX / 2;
    return (int64_t)(disk.f_bavail * disk.f_frsize);
}

/* As much as was allowed, unless the disk itself has less. */
static int64_t disk_limit(const struct track_store *store, int64_t total)
{
    int64_t limit = total + track_index_free_bytes(store) - DISK_RESERVE_BYTES;
    return limit < store->max_bytes ? limit : store->max_bytes;
}

/* Until the rest fits, or so many are gone. False: more should go. */
static bool evict(struct track_store *store, bool on_disk, size_t at_once)
{
    int64_t total = total_bytes(store, on_disk);
    int64_t limit = on_disk ? disk_limit(store, total) : store->max_memory_bytes;
    while (total > limit || store->count > TRACK_STORE_ENTRIES_MAX) {
        struct track_entry *victim = find_victim(store, on_disk);
        if (!victim)
            return true;
        if (at_once-- == 0)
            return false;
        total -= victim->bytes;
        if (on_disk)
            remove_later(store, victim);
        track_index_forget(store, victim);
    }
    return true;
}

/* What the disk has left is known when those on their way out have gone. */
void track_index_evict(struct track_store *store, bool on_disk)
{
    if (on_disk)
        store->evicting = store->removals > 0 || !evict(store, true, EVICT_AT_ONCE);
    else
        evict(store, false, SIZE_MAX);
}

/* So that not every piece has to look at all entries. */
#define GRANT_STEP_BYTES (INT64_C(1) * 1024 * 1024)

int track_index_grant_memory(struct track_file *file, int64_t bytes)
{
    struct track_store *store = file->store;
    struct track_entry *victim;
    int64_t limit = store->max_memory_bytes;
    if (bytes <= file->granted_bytes)
        return 0;
    if (bytes > limit)
        return -ENOSPC;
    int64_t others = total_bytes(store, false) + store->growing_bytes - file->granted_bytes;
    while (others + bytes > limit && (victim = find_victim(store, false))) {
        others -= victim->bytes;
        track_index_forget(store, victim);
    }
    bool first = store->pinned_count > 0 && strcmp(store->pinned[0], file->hash) == 0;
    if (others + bytes > limit && !first)
        return -ENOSPC;
    int64_t more = limit - others - bytes;
    int64_t step = more < GRANT_STEP_BYTES ? more : GRANT_STEP_BYTES;
    int64_t granted = bytes + (step > 0 ? step : 0);
    store->growing_bytes += granted - file->granted_bytes;
    file->granted_bytes = granted;
    return 0;
}

void track_index_return_memory(struct track_file *file)
{
    file->store->growing_bytes -= file->granted_bytes;
    file->granted_bytes = 0;
}

int64_t track_index_make_room(struct track_store *store)
{
    struct track_entry *victim = find_victim(store, true);
    if (!victim)
        return -1;
    int64_t bytes = victim->bytes;
    remove_later(store, victim);
    track_index_forget(store, victim);
    return bytes;
}

/* --- what is there at the start --- */

/* What a crash has left: nobody holds its lock. */
static void remove_leftover(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlink(path);
    close(fd);
}

/* A time that no clock can mean, as a damaged or foreign disk has them, is long ago. */
static int64_t last_use(const struct stat *status)
{
    struct server_time at;
    bool good = server_time_from_s(status->st_atim.tv_sec, &at);
    return good ? at.ns + status->st_atim.tv_nsec : 0;
}

static void take_in(struct track_store *store, const char *name)
{
    char hash[TRACK_HASH_TEXT], path[TRACK_PATH_MAX];
    struct stat status;
    if (strlen(name) < TRACK_HASH_TEXT || strspn(name, "0123456789abcdef") != TRACK_HASH_TEXT - 1)
        return;
    const char *suffix = name + TRACK_HASH_TEXT - 1;
    size_t suffix_length = strlen(suffix);
    snprintf(hash, sizeof hash, "%.64s", name);
    snprintf(path, sizeof path, "%s/%s", store->directory, name);
    if (suffix_length > 4 && strcmp(suffix + suffix_length - 4, ".tmp") == 0)
        remove_leftover(path);
    bool partial = strcmp(suffix, ".part") == 0;
    if ((!partial && strcmp(suffix, ".track") != 0) || stat(path, &status) < 0)
        return;
    struct track_entry *entry = track_index_add(store, hash);
    if (!entry)
        return;
    entry->partial = partial;
    entry->bytes = status.st_size;
    entry->used = last_use(&status);
    if (entry->used > store->last_used)
        store->last_used = entry->used;
}

void track_index_scan(struct track_store *store)
{
    const struct dirent *item;
    DIR *directory = opendir(store->directory);
    if (!directory) {
        track_disk_failed(store, errno);
        return;
    }
    while ((item = readdir(directory)))
        take_in(store, item->d_name);
    closedir(directory);
    track_index_evict(store, true);
}
