/*
 * track_file.c: one track while it is open: it grows, it may have to move (track_move.c), it is
 * kept or not.
 *
 * A file that is being downloaded has a name of its own and is locked, so that another speaker with
 * the same cache directory does not take it for what a crash has left behind.
 */
#include "track_store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names that a speaker with the same process id, in another container, may have taken. */
#define NAME_TRIES 8

static bool name_temporary(struct track_file *file)
{
    char suffix[48];
    snprintf(suffix, sizeof suffix, "%d-%u.tmp", (int)getpid(), file->store->next_temporary++);
    track_disk_path(file->store->directory, file->hash, suffix, file->temporary);
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
    track_disk_path(file->store->directory, file->hash, "part", part);
    track_disk_path(file->store->directory, file->hash, "part.json", json);
    if (!track_sidecar_read(json, file->url, &sidecar) || rename(part, file->temporary) < 0)
        return false;
    track_disk_unlink(file->store, json);
    file->fd = open_disk(file, 0);
    if (file->fd < 0 || fstat(file->fd, &status) < 0 || status.st_size < sidecar.bytes) {
        track_disk_unlink(file->store, file->temporary);
        if (file->fd >= 0)
            track_disk_close_fd(file->store, file->fd, sidecar.bytes);
        file->fd = -1;
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
    if (!track_disk_is_used(store) || !name_temporary(file))
        return;
    if (take_over_partial(file))
        return;
    file->fd = open_disk(file, O_CREAT | O_EXCL);
    for (int i = 0; i < NAME_TRIES && file->fd < 0 && errno == EEXIST && name_temporary(file); i++)
        file->fd = open_disk(file, O_CREAT | O_EXCL);
    if (file->fd < 0 && errno == ENOENT && mkdir(store->directory, 0755) == 0)
        file->fd = open_disk(file, O_CREAT | O_EXCL); /* somebody has removed the directory */
    if (file->fd < 0) {
        track_disk_failed(store, errno);
        file->temporary[0] = '\0';
    }
}

/* The move is over: what came meanwhile is appended, which may find the disk full again. */
static void settle(struct track_file *file)
{
    if (file->move)
        return;
    char *held = file->held;
    int64_t bytes = file->held_bytes;
    file->held = NULL;
    file->held_bytes = 0;
    if (file->error == 0 && bytes > 0)
        file->error = track_file_append(file, held, bytes);
    free(held);
    if (!file->move && file->moved)
        file->moved(file->user);
}

struct track_file *track_file_create(struct track_store *store, const char *url)
{
    struct track_file *file = calloc(1, sizeof *file);
    if (!file)
        return NULL;
    file->store = store;
    file->fd = -1;
    file->settle = settle;
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
        file->fd = track_disk_open_memory();
    return file->fd >= 0;
}

int track_file_expect(struct track_file *file, int64_t total_bytes)
{
    struct track_store *store = file->store;
    int64_t missing = total_bytes - file->bytes;
    file->expected_bytes = total_bytes;
    if (!file->temporary[0])
        return track_index_grant_memory(file, total_bytes);
    if (file->move || missing <= track_index_free_bytes(store))
        return 0;
    file->room_tries = 0;
    if (missing <= store->max_bytes && track_move_make_room(file, missing))
        return 0;
    track_disk_failed(store, ENOSPC);
    file->error = track_move_start(file);
    return file->error;
}

/* It will not get better. What could not move is where it was, and may be resumed from there. */
static int move_and_append(struct track_file *file, const void *data, int64_t bytes)
{
    int result = track_move_start(file);
    if (result == 0 && file->move)
        return track_move_hold(file, data, bytes);
    return result < 0 ? result : track_file_append(file, data, bytes);
}

int track_file_append(struct track_file *file, const void *data, int64_t bytes)
{
    if (file->move)
        return track_move_hold(file, data, bytes);
    if (file->error < 0)
        return file->error;
    int result = file->temporary[0] ? 0 : track_index_grant_memory(file, file->bytes + bytes);
    if (result < 0)
        return result;
    result = track_disk_write_at(file->fd, data, bytes, file->bytes);
    if (result == 0) {
        file->bytes += bytes;
        file->room_tries = 0;
    }
    if (result == 0 || !file->temporary[0])
        return result;
    if (result == -ENOSPC && track_move_make_room(file, bytes))
        return track_move_hold(file, data, bytes);
    track_disk_failed(file->store, -result);
    return move_and_append(file, data, bytes);
}

bool track_file_is_moving(const struct track_file *file)
{
    return file->move != NULL;
}

void track_file_when_moved(struct track_file *file, void (*moved)(void *user), void *user)
{
    file->moved = moved;
    file->user = user;
}

void track_file_call_ended(struct track_file *file)
{
    file->held_bytes = 0;
    file->expected_bytes = 0;
    if (!file->move)
        file->error = 0; /* by the next call there may be room */
}

/* To give back what a large file has may take long: another file takes its place, and number. */
static int empty(struct track_file *file)
{
    struct track_file fresh = *file;
    int old = file->bytes > 0 ? fcntl(file->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (old < 0)
        return ftruncate(file->fd, 0);
    fresh.fd = -1;
    if (!file->temporary[0])
        fresh.fd = track_disk_open_memory();
    else if (name_temporary(&fresh))
        fresh.fd = open_disk(&fresh, O_CREAT | O_EXCL);
    bool replaced = fresh.fd >= 0 && dup3(fresh.fd, file->fd, O_CLOEXEC) >= 0;
    if (replaced && file->temporary[0]) {
        track_disk_unlink(file->store, file->temporary);
        memcpy(file->temporary, fresh.temporary, sizeof file->temporary);
    }
    if (fresh.fd >= 0 && !replaced)
        track_disk_unlink(file->store, fresh.temporary);
    if (fresh.fd >= 0)
        close(fresh.fd);
    int result = replaced ? 0 : ftruncate(file->fd, 0);
    track_disk_close_fd(file->store, old, file->bytes);
    return result;
}

void track_file_truncate(struct track_file *file)
{
    file->etag[0] = file->last_modified[0] = '\0';
    file->expected_bytes = 0;
    track_index_return_memory(file);
    if (track_move_stop(file)) {
        file->bytes = 0;
        file->error = track_move_start(file);
    } else if (empty(file) == 0) {
        file->bytes = 0;
    }
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
    track_move_stop(file); /* it is all on the disk */
    file->complete = true;
    track_index_return_memory(file);
    track_keep(file->store, file);
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
    track_move_stop(file);
    track_index_return_memory(file);
    bool resumable = file->bytes > 0 && (file->etag[0] || file->last_modified[0]);
    if (!file->complete && file->temporary[0]) {
        if (resumable)
            track_keep(file->store, file);
        else
            track_disk_unlink(file->store, file->temporary);
    }
    if (file->fd >= 0)
        track_disk_close_fd(file->store, file->fd, file->bytes);
    free(file->url);
    free(file);
}
