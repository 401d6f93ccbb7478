/*
 * track_move.c: a track is being downloaded onto a disk that is full or broken: others go, and if
 * that does not help, it goes on in memory.
 *
 * To remove a large file takes long on an SD card, and hundreds of megabytes may have to be copied:
 * that is done beside the loop, a piece a job, so that what else waits for the disk's thread has
 * its turn. Until then the descriptor is the disk's and what has been appended last is held.
 */
#include "track_store_internal.h"
#include "tutti/io/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tracks that may be removed for one piece of another, before memory serves. */
#define ROOM_TRIES 4
#define COPY_BYTES 65536
/* So little is copied at once, in the loop: less than a millisecond's work. */
#define AT_ONCE_BYTES 1048576
#define PIECE_BYTES (INT64_C(4) * 1024 * 1024)
/* Whoever downloads stops when he is told that it moves; some may be on its way to us. */
#define HELD_MAX_BYTES 1048576

struct track_move {
    struct track_store *store;
    struct track_file *file; /* NULL: it has been stopped */
    bool into_memory;        /* not yet: room is made for it */
    int64_t wanted_bytes, free_bytes;
    int from, to; /* its own */
    int64_t at, bytes;
    int result;
};

static int copy_bytes(int from, int to, int64_t at, int64_t end)
{
    char buffer[COPY_BYTES];
    while (at < end) {
        int64_t left = end - at;
        ssize_t got = pread(from, buffer, left < COPY_BYTES ? (size_t)left : COPY_BYTES, at);
        if (got <= 0)
            return -EIO;
        int result = track_disk_write_at(to, buffer, got, at);
        if (result < 0)
            return result;
        at += got;
    }
    return 0;
}

static int take_place(struct track_file *file, int memory)
{
    int result = dup3(memory, file->fd, O_CLOEXEC) < 0 ? -errno : 0;
    track_disk_unlink(file->store, file->temporary);
    file->temporary[0] = '\0';
    return result;
}

static void end(struct track_move *move)
{
    struct track_store *store = move->store;
    free(move);
    track_disk_job_ended(store);
}

/* --- room ---------------------------------------------------------------------------------- */

static void look(void *job)
{
    struct track_move *move = job;
    move->free_bytes = track_index_free_bytes(move->store);
}

static void room_made(void *job)
{
    struct track_move *move = job;
    struct track_file *file = move->file;
    if (file) {
        file->move = NULL;
        if (move->free_bytes < move->wanted_bytes &&
            !track_move_make_room(file, move->wanted_bytes)) {
            track_disk_failed(file->store, ENOSPC);
            file->error = track_move_start(file);
        }
        file->settle(file);
    }
    end(move);
}

static bool let_others_go(struct track_file *file, int64_t missing_bytes)
{
    int before = file->room_tries;
    for (int64_t bytes = 0; missing_bytes > 0 && file->room_tries < ROOM_TRIES;
         missing_bytes -= bytes) {
        bytes = track_index_make_room(file->store);
        if (bytes < 0)
            break;
        file->room_tries++;
    }
    return file->room_tries > before;
}

bool track_move_make_room(struct track_file *file, int64_t wanted_bytes)
{
    int64_t free_bytes = track_index_free_bytes(file->store);
    int64_t missing_bytes = wanted_bytes > free_bytes ? wanted_bytes - free_bytes : 1;
    struct track_move *move = calloc(1, sizeof *move);
    if (!move || !let_others_go(file, missing_bytes)) {
        free(move);
        return false;
    }
    *move = (struct track_move){file->store, file, .wanted_bytes = wanted_bytes};
    file->move = move;
    file->store->jobs++;
    if (background_try(file->store->background, look, room_made, move))
        return true;
    file->move = NULL;
    end(move);
    return false;
}

/* --- into memory --------------------------------------------------------------------------- */

static void copy_piece(void *job)
{
    struct track_move *move = job;
    int64_t left = move->bytes - move->at;
    int64_t end = move->at + (left < PIECE_BYTES ? left : PIECE_BYTES);
    move->result = copy_bytes(move->from, move->to, move->at, end);
    move->at = end;
}

static void arrive(struct track_file *file, const struct track_move *move)
{
    file->move = NULL;
    file->error = move->result < 0 ? move->result : take_place(file, move->to);
    file->settle(file);
}

static void piece_copied(void *job)
{
    struct track_move *move = job;
    struct track_store *store = move->store;
    if (move->file && move->result == 0 && move->at < move->bytes) {
        background_run(store->background, copy_piece, piece_copied, move);
        return;
    }
    if (move->file)
        arrive(move->file, move);
    track_disk_close_fd(store, move->from, move->bytes);
    track_disk_close_fd(store, move->to, move->bytes);
    end(move);
}

static int move_now(struct track_file *file)
{
    int memory = track_disk_open_memory();
    int result = memory < 0 ? -errno : copy_bytes(file->fd, memory, 0, file->bytes);
    if (result == 0)
        result = take_place(file, memory);
    if (memory >= 0)
        close(memory);
    return result;
}

static bool open_both(struct track_move *move)
{
    move->from = fcntl(move->file->fd, F_DUPFD_CLOEXEC, 0);
    move->to = move->from >= 0 ? track_disk_open_memory() : -1;
    if (move->to < 0 && move->from >= 0)
        close(move->from);
    return move->to >= 0;
}

static int move_beside(struct track_file *file)
{
    struct track_move *move = calloc(1, sizeof *move);
    if (!move)
        return -ENOMEM;
    *move = (struct track_move){file->store, file, .into_memory = true, .bytes = file->bytes};
    if (!open_both(move)) {
        int result = -errno;
        free(move);
        return result;
    }
    file->move = move;
    file->store->jobs++;
    if (background_try(file->store->background, copy_piece, piece_copied, move))
        return 0;
    file->move = NULL;
    close(move->from);
    close(move->to);
    end(move);
    return -EAGAIN;
}

int track_move_start(struct track_file *file)
{
    int64_t wanted = file->bytes > file->expected_bytes ? file->bytes : file->expected_bytes;
    int granted = track_index_grant_memory(file, wanted);
    if (granted < 0)
        return granted;
    return file->bytes <= AT_ONCE_BYTES ? move_now(file) : move_beside(file);
}

bool track_move_stop(struct track_file *file)
{
    bool into_memory = file->move && file->move->into_memory;
    if (file->move)
        file->move->file = NULL;
    file->move = NULL;
    free(file->held);
    file->held = NULL;
    file->held_bytes = 0;
    return into_memory;
}

int track_move_hold(struct track_file *file, const void *data, int64_t bytes)
{
    int64_t wanted = file->held_bytes + bytes;
    char *grown = wanted <= HELD_MAX_BYTES ? realloc(file->held, (size_t)wanted) : NULL;
    if (!grown)
        return -ENOBUFS;
    memcpy(grown + file->held_bytes, data, (size_t)bytes);
    file->held = grown;
    file->held_bytes = wanted;
    return 0;
}
