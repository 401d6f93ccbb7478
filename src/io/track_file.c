/*
 * track_file.c: one track while it is open: it grows, it may move into memory, it is kept or not.
 *
 * A file that is being downloaded has a name of its own and is locked, so that another speaker with
 * the same cache directory does not take it for what a crash has left behind.
 */
#include "track_store_internal.h"
#include "tutti/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES 65536
/* Tracks that may be removed for one piece of another, before memory serves. */
#define ROOM_TRIES 4
/* Names that a speaker with the same process id, in another container, may have taken. */
#define NAME_TRIES 8

static bool name_temporary(struct track_file *file)
{
    char suffix[48];
    snprintf(suffix, sizeof suffix, "%d-%u.tmp", (int)getpid(), file->store->next_temporary++);
    track_store_path(file->store->directory, file->hash, suffix, file->temporary);
    return file->temporary[0] != '\0';
}

static int open_disk(struct track_file *file, int flags)
{
    int fd = open(file->temporary, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0644);
    if (fd >= 0)
        flock(fd, LOCK_EX | LOCK_NB);
    return fd;
}

/* What an interrupted download has left, as far as its sidecar vouches for it. */
static bool take_over_partial(struct track_file *file)
{
    char part[TRACK_PATH_MAX], json[TRACK_PATH_MAX];
    struct track_sidecar sidecar;
    struct stat status;
    track_store_path(file->store->directory, file->hash, "part", part);
    track_store_path(file->store->directory, file->hash, "part.json", json);
    if (!track_sidecar_read(json, file->url, &sidecar) || rename(part, file->temporary) < 0)
        return false;
    unlink(json);
    file->fd = open_disk(file, 0);
    if (file->fd < 0 || fstat(file->fd, &status) < 0 || status.st_size < sidecar.bytes ||
        ftruncate(file->fd, sidecar.bytes) < 0) {
        if (file->fd >= 0)
            close(file->fd);
        file->fd = -1;
        unlink(file->temporary);
        return false;
    }
    file->bytes = sidecar.bytes;
    memcpy(file->etag, sidecar.etag, sizeof file->etag);
    memcpy(file->last_modified, sidecar.last_modified, sizeof file->last_modified);
    return true;
}

static void begin_on_disk(struct track_file *file)
{
    struct track_store *store = file->store;
    if (!track_store_uses_disk(store) || !name_temporary(file))
        return;
    if (take_over_partial(file))
        return;
    file->fd = open_disk(file, O_CREAT | O_EXCL);
    for (int i = 0; i < NAME_TRIES && file->fd < 0 && errno == EEXIST && name_temporary(file); i++)
        file->fd = open_disk(file, O_CREAT | O_EXCL);
    if (file->fd < 0 && errno == ENOENT && mkdir(store->directory, 0755) == 0)
        file->fd = open_disk(file, O_CREAT | O_EXCL); /* somebody has removed the directory */
    if (file->fd < 0) {
        track_store_disk_failed(store, errno);
        file->temporary[0] = '\0';
    }
}

static int open_memory(void)
{
    return memfd_create("tutti-track", MFD_CLOEXEC);
}

struct track_file *track_file_create(struct track_store *store, const char *url)
{
    struct track_file *file = calloc(1, sizeof *file);
    if (!file)
        return NULL;
    file->store = store;
    file->fd = -1;
    file->url = strdup(url);
    if (file->url)
        return file;
    free(file);
    return NULL;
}

bool track_file_begin(struct track_file *file)
{
    begin_on_disk(file);
    if (file->fd < 0)
        file->fd = open_memory();
    return file->fd >= 0;
}

static int write_at(int fd, const char *data, int64_t bytes, int64_t offset)
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

static int copy_bytes(int from, int to, int64_t bytes)
{
    char buffer[COPY_BYTES];
    for (int64_t at = 0; at < bytes;) {
        int64_t left = bytes - at;
        ssize_t got = pread(from, buffer, left < COPY_BYTES ? (size_t)left : COPY_BYTES, at);
        if (got <= 0)
            return -EIO;
        int result = write_at(to, buffer, got, at);
        if (result < 0)
            return result;
        at += got;
    }
    return 0;
}

/* The descriptor keeps its number, so that whoever reads it need not know. */
static int move_to_memory(struct track_file *file)
{
    int memory = open_memory();
    int result = memory < 0 ? -errno : copy_bytes(file->fd, memory, file->bytes);
    if (result == 0 && dup3(memory, file->fd, O_CLOEXEC) < 0)
        result = -errno;
    if (memory >= 0)
        close(memory);
    unlink(file->temporary);
    file->temporary[0] = '\0';
    return result;
}

void track_file_expect(struct track_file *file, int64_t total_bytes)
{
    struct track_store *store = file->store;
    int64_t missing = total_bytes - file->bytes;
    if (!file->temporary[0] || missing <= track_index_free_bytes(store))
        return;
    for (int i = 0; i < ROOM_TRIES && missing <= store->max_bytes; i++) {
        if (!track_store_make_room(store))
            break;
        if (missing <= track_index_free_bytes(store))
            return;
    }
    track_store_disk_failed(store, ENOSPC);
    move_to_memory(file);
}

int track_file_append(struct track_file *file, const void *data, int64_t bytes)
{
    int result = write_at(file->fd, data, bytes, file->bytes);
    for (int i = 0; i < ROOM_TRIES && result == -ENOSPC && file->temporary[0]; i++) {
        if (!track_store_make_room(file->store))
            break;
        result = write_at(file->fd, data, bytes, file->bytes);
    }
    if (result < 0 && file->temporary[0]) {
        track_store_disk_failed(file->store, -result);
        result = move_to_memory(file);
        if (result == 0)
            result = write_at(file->fd, data, bytes, file->bytes);
    }
    if (result == 0)
        file->bytes += bytes;
    return result;
}

void track_file_truncate(struct track_file *file)
{
    file->etag[0] = file->last_modified[0] = '\0';
    if (ftruncate(file->fd, 0) == 0)
        file->bytes = 0;
}

void track_file_set_validators(struct track_file *file, const char *etag, const char *last_modified)
{
    snprintf(file->etag, sizeof file->etag, "%s", etag);
    snprintf(file->last_modified, sizeof file->last_modified, "%s", last_modified);
}

void track_file_commit(struct track_file *file)
{
    if (file->complete || file->bytes == 0)
        return;
    file->complete = true;
    track_store_keep(file->store, file);
    file->temporary[0] = '\0';
}

int track_file_fd(const struct track_file *file)
{
    return file->fd;
}

int64_t track_file_bytes(const struct track_file *file)
{
    return file->bytes;
}

bool track_file_complete(const struct track_file *file)
{
    return file->complete;
}

const char *track_file_etag(const struct track_file *file)
{
    return file->etag;
}

const char *track_file_last_modified(const struct track_file *file)
{
    return file->last_modified;
}

void track_file_close(struct track_file *file)
{
    if (!file)
        return;
    bool resumable = file->bytes > 0 && (file->etag[0] || file->last_modified[0]);
    if (!file->complete && file->temporary[0]) {
        if (resumable)
            track_store_keep(file->store, file);
        else
            unlink(file->temporary);
    }
    if (file->fd >= 0)
        close(file->fd);
    free(file->url);
    free(file);
}
