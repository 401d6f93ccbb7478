/*
 * track_move.c: a track that was being downloaded goes on in memory, because its disk is full or
 * broken.
 *
 * Hundreds of megabytes may have to be copied: that is done beside the loop, a piece a job, so that
 * what else waits for the disk's thread has its turn. Until all of it is there, the descriptor is
 * the disk's and what has been appended last is held; then one takes the other's place.
 */
#include "track_store_internal.h"
#include "tutti/io/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPY_BYTES 65536
/* So little is copied at once, in the loop: less than a millisecond's work. */
#define AT_ONCE_BYTES 1048576
#define PIECE_BYTES (INT64_C(4) * 1024 * 1024)
/* Whoever downloads stops when he is told that it moves; some may be on its way to us. */
#define HELD_MAX_BYTES 1048576

struct track_move {
    struct track_store *store;
    struct track_file *file; /* NULL: it has been stopped */
    int from, to;            /* its own */
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
        int result = track_file_write_at(to, buffer, got, at);
        if (result < 0)
            return result;
        at += got;
    }
    return 0;
}

static int take_place(struct track_file *file, int memory)
{
    int result = dup3(memory, file->fd, O_CLOEXEC) < 0 ? -errno : 0;
    unlink(file->temporary);
    file->temporary[0] = '\0';
    return result;
}

/* --- beside the loop ----------------------------------------------------------------------- */

static void copy_piece(void *job)
{
    struct track_move *move = job;
    int64_t left = move->bytes - move->at;
    int64_t end = move->at + (left < PIECE_BYTES ? left : PIECE_BYTES);
    move->result = copy_bytes(move->from, move->to, move->at, end);
    move->at = end;
}

static void forget_held(struct track_file *file)
{
    free(file->held);
    file->held = NULL;
    file->held_bytes = 0;
}

static void arrive(struct track_file *file, struct track_move *move)
{
    file->move = NULL;
    file->error = move->result < 0 ? move->result : take_place(file, move->to);
    if (file->error == 0 && file->held_bytes > 0)
        file->error = track_file_append(file, file->held, file->held_bytes);
    forget_held(file);
    if (file->moved)
        file->moved(file->user);
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
    track_store_close_fd(store, move->from, move->bytes);
    track_store_close_fd(store, move->to, move->bytes);
    free(move);
    track_store_job_ended(store);
}

/* --- the file's side ----------------------------------------------------------------------- */

static int move_now(struct track_file *file)
{
    int memory = track_file_open_memory();
    int result = memory < 0 ? -errno : copy_bytes(file->fd, memory, 0, file->bytes);
    if (result == 0)
        result = take_place(file, memory);
    if (memory >= 0)
        close(memory);
    return result;
}

int track_move_start(struct track_file *file)
{
    int64_t wanted = file->bytes > file->expected_bytes ? file->bytes : file->expected_bytes;
    int granted = track_index_grant_memory(file, wanted);
    if (granted < 0)
        return granted;
    if (file->bytes <= AT_ONCE_BYTES)
        return move_now(file);
    struct track_move *move = calloc(1, sizeof *move);
    if (!move)
        return -ENOMEM;
    *move = (struct track_move){.store = file->store, .file = file, .bytes = file->bytes};
    move->from = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    move->to = track_file_open_memory();
    if (move->from < 0 || move->to < 0) {
        int result = -errno;
        if (move->from >= 0)
            close(move->from);
        if (move->to >= 0)
            close(move->to);
        free(move);
        return result;
    }
    file->move = move;
    file->store->jobs++;
    background_run(file->store->background, copy_piece, piece_copied, move);
    return 0;
}

void track_move_stop(struct track_file *file)
{
    if (file->move)
        file->move->file = NULL;
    file->move = NULL;
    forget_held(file);
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
