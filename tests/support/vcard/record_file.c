/*
 * record_file.c: the writer of record_file.h. Records gather in a buffer that is written whole, so
 * that a killed process leaves no half record behind. A write that fails ends the recording with
 * one line on stderr: a test must not go on with a silent hole.
 */
#include "record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES (1U << 16)
#define FLUSH_NS INT64_C(20000000)

struct record_file {
    int fd;
    size_t used;
    int64_t flushed_ns;
    unsigned char buffer[BUFFER_BYTES];
};

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void flush(struct record_file *file)
{
    size_t done = 0;

    while (file->fd >= 0 && done < file->used) {
        ssize_t n = write(file->fd, file->buffer + done, file->used - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fprintf(stderr, "vcard: recording stopped: %s\n", strerror(errno));
            abort();
        }
        done += (size_t)n;
    }
    file->used = 0;
}

static void put(struct record_file *file, const void *data, size_t bytes)
{
    memcpy(file->buffer + file->used, data, bytes);
    file->used += bytes;
}

/* Makes room for a whole record first, then writes its head. */
static void put_head(struct record_file *file, const char *tag, size_t payload_bytes)
{
    uint32_t bytes = (uint32_t)payload_bytes;

    if (file->used + payload_bytes + 8 > BUFFER_BYTES)
        flush(file);
    put(file, tag, 4);
    put(file, &bytes, sizeof(bytes));
}

static void put_opened(struct record_file *file, const char *name)
{
    uint32_t version = 1, pid = (uint32_t)getpid();
    int64_t monotonic = clock_ns(CLOCK_MONOTONIC), realtime = clock_ns(CLOCK_REALTIME);
    size_t length = strnlen(name, 200);

    put_head(file, "VCRD", 24 + length);
    put(file, &version, sizeof(version));
    put(file, &pid, sizeof(pid));
    put(file, &monotonic, sizeof(monotonic));
    put(file, &realtime, sizeof(realtime));
    put(file, name, length);
    flush(file);
}

int record_file_open(const char *path, const char *name, struct record_file **ret_file)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    struct record_file *file;
    int err;

    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        err = errno == EWOULDBLOCK ? -EBUSY : -errno;
        close(fd);
        return err;
    }
    file = malloc(sizeof(*file));
    if (!file) {
        close(fd);
        return -ENOMEM;
    }
    file->fd = fd;
    file->used = 0;
    file->flushed_ns = 0;
    put_opened(file, name);
    *ret_file = file;
    return 0;
}

void record_file_close(struct record_file *file)
{
    if (!file)
        return;
    flush(file);
    close(file->fd);
    free(file);
}

void record_file_conf(struct record_file *file, const struct record_conf *conf)
{
    put_head(file, "CONF", sizeof(*conf));
    put(file, conf, sizeof(*conf));
    flush(file);
}

void record_file_mark(struct record_file *file, int64_t ns, uint64_t frame, const char *kind)
{
    char padded[8] = {0};

    memcpy(padded, kind, strnlen(kind, sizeof(padded)));
    put_head(file, "MARK", sizeof(ns) + sizeof(frame) + sizeof(padded));
    put(file, &ns, sizeof(ns));
    put(file, &frame, sizeof(frame));
    put(file, padded, sizeof(padded));
    flush(file);
}

void record_file_run(struct record_file *file, int64_t ns, uint64_t frame, double rate_hz,
                     const void *frames, size_t bytes)
{
    put_head(file, "RUN ", sizeof(ns) + sizeof(frame) + sizeof(rate_hz) + bytes);
    put(file, &ns, sizeof(ns));
    put(file, &frame, sizeof(frame));
    put(file, &rate_hz, sizeof(rate_hz));
    put(file, frames, bytes);
}

void record_file_flush_old(struct record_file *file, int64_t now_ns)
{
    if (now_ns - file->flushed_ns < FLUSH_NS)
        return;
    flush(file);
    file->flushed_ns = now_ns;
}
