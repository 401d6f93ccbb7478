/*
 * http_file.c: files of the library's directories, opened and read beside the loop: a disk may have
 * to wake up, and a share may not answer at all.
 */
#include "http_exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file_reading {
    struct exchange *exchange; /* NULL: nobody waits any more */
    bool busy;                 /* the thread has it */
    bool sending;              /* its headers are sent */
    char path[MEDIA_PATH_MAX]; /* "library/…" */
    struct http_wanted wanted;
    struct library_track track;
    struct library_stamp stamp;
    int fd; /* or -errno */
    int64_t at;
    size_t want;
    ssize_t got; /* or -errno */
    unsigned char bytes[LWS_PRE + HTTP_ANSWER_CHUNK_BYTES];
};

static void release(struct file_reading *reading)
{
    if (reading->fd >= 0)
        close(reading->fd);
    free(reading);
}

/* --- in the thread ------------------------------------------------------------------------- */

static void open_file(void *job)
{
    struct file_reading *reading = job;
    reading->fd = library_open(&reading->track, &reading->stamp);
}

static void read_piece(void *job)
{
    struct file_reading *reading = job;
    reading->got = pread(reading->fd, reading->bytes + LWS_PRE, reading->want, reading->at);
}

/* --- in the loop --------------------------------------------------------------------------- */

static void done(void *job)
{
    struct file_reading *reading = job;
    reading->busy = false;
    if (reading->exchange)
        http_go_on(reading->exchange);
    else
        release(reading);
}

static int run(struct file_reading *reading, void (*work)(void *job))
{
    struct exchange *exchange = reading->exchange;
    reading->busy = true;
    if (library_read_beside(exchange->server->service->library, work, done, reading)) {
        http_wait(exchange);
        return 0;
    }
    reading->busy = false;
    return -1;
}

static int run_next(struct file_reading *reading)
{
    const struct exchange *exchange = reading->exchange;
    int64_t left = exchange->file_end - exchange->file_at;
    reading->at = exchange->file_at;
    reading->want = left < HTTP_ANSWER_CHUNK_BYTES ? (size_t)left : HTTP_ANSWER_CHUNK_BYTES;
    return run(reading, read_piece);
}

int http_send_file(struct exchange *exchange, const char *path)
{
    struct file_reading *reading = NULL;
    if (http_hold(exchange, sizeof *reading))
        reading = calloc(1, sizeof *reading);
    if (!reading)
        return http_answer_reply(exchange,
                                 reply_error(503, "Too many tracks are read at once; try again"));
    reading->exchange = exchange;
    reading->fd = -1;
    snprintf(reading->path, sizeof reading->path, "%s", path);
    http_take_wanted(exchange->wsi, &reading->wanted);
    exchange->reading = reading;
    int found = library_locate(exchange->server->service->library, path, &reading->track);
    if (found != 1)
        return http_not_opened(exchange, path, found < 0 ? found : -ENOENT);
    return run(reading, open_file);
}

static int opened(struct file_reading *reading)
{
    struct exchange *exchange = reading->exchange;
    const struct media_file file = {reading->stamp.bytes, reading->stamp.changed_ns / NS_PER_S};
    if (reading->fd < 0)
        return http_not_opened(exchange, reading->path, reading->fd);
    reading->sending = true;
    int result = http_send_file_headers(exchange, reading->path, &file, &reading->wanted);
    if (result != 0)
        return result;
    return exchange->file_at < exchange->file_end ? run_next(reading) : HTTP_ANSWER_HANG_UP;
}

/* A file that has become shorter meanwhile ends the connection: whoever reads knows that it was not
 * all. */
static int send_piece(struct file_reading *reading)
{
    struct exchange *exchange = reading->exchange;
    int got = (int)reading->got;
    if (got <= 0)
        return -1;
    exchange->file_at += got;
    bool last = exchange->file_at >= exchange->file_end;
    if (lws_write(exchange->wsi, reading->bytes + LWS_PRE, (size_t)got,
                  last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < got)
        return -1;
    return last ? HTTP_ANSWER_HANG_UP : run_next(reading);
}

int http_write_file(struct exchange *exchange)
{
    struct file_reading *reading = exchange->reading;
    if (reading->busy)
        return 0;
    return reading->sending ? send_piece(reading) : opened(reading);
}

void http_forget_file(struct exchange *exchange)
{
    struct file_reading *reading = exchange->reading;
    exchange->reading = NULL;
    if (!reading)
        return;
    reading->exchange = NULL;
    if (!reading->busy)
        release(reading);
}
