/*
 * av_file.c: see av_file.h.
 */
#include "av_file.h"

#include <errno.h>
#include <unistd.h>

#define BUFFER_BYTES (32 * 1024)

static int read_bytes(void *user, uint8_t *to, int count)
{
    struct av_file *file = user;
    ssize_t got;
    do
        got = pread(file->fd, to, (size_t)count, (off_t)file->at);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return AVERROR(errno);
    file->at += got;
    return got == 0 ? AVERROR_EOF : (int)got;
}

static int64_t seek_bytes(void *user, int64_t offset, int whence)
{
    struct av_file *file = user;
    if ((whence & ~AVSEEK_FORCE) == AVSEEK_SIZE)
        return file->bytes;
    int64_t base = whence == SEEK_CUR ? file->at : whence == SEEK_END ? file->bytes : 0;
    if (offset < -base || offset > INT64_MAX - base)
        return AVERROR(EINVAL);
    file->at = base + offset;
    return file->at;
}

bool av_file_open(struct av_file *file, int fd, int64_t bytes)
{
    unsigned char *buffer = av_malloc(BUFFER_BYTES);
    *file = (struct av_file){.fd = fd, .bytes = bytes};
    if (buffer)
        file->io = avio_alloc_context(buffer, BUFFER_BYTES, 0, file, read_bytes, NULL, seek_bytes);
    if (!file->io)
        av_free(buffer);
    return file->io != NULL;
}

void av_file_close(struct av_file *file)
{
    if (file->io)
        av_freep(&file->io->buffer);
    avio_context_free(&file->io);
}
