/*
 * mp3_stream.c: opening and reading for mpg123.
 *
 * mpg123 takes a short read for the end of the file, so it is never let near the end of what has
 * arrived while more is to come. Should it get there all the same, over a long stretch of garbage,
 * the reader notes it (starved) and the caller sets the handle up again at its place later on.
 */
#include "mp3_stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Garbage tolerated before the first frame; what has none by then is no mp3. Later on it is what
 * is searched through in one call. */
#define RESYNC_LIMIT_BYTES 65536
/* Frames that mpg123 remembers the offset of; beyond that every second, every fourth ... */
#define INDEX_FRAMES 4096

static bool fill_buffer(struct mp3_stream *stream)
{
    int64_t left = stream->available_bytes - stream->at;
    size_t want = left < MP3_READ_BUFFER_BYTES ? (size_t)left : MP3_READ_BUFFER_BYTES;
    ssize_t got;
    do
        got = pread(stream->fd, stream->buffer, want, (off_t)stream->at);
    while (got < 0 && errno == EINTR);
    stream->buffer_at = stream->at;
    stream->buffer_bytes = got > 0 ? (size_t)got : 0;
    /* A download that had to begin again has emptied the file under us: wait for it. */
    stream->starved = got == 0 && !stream->complete;
    stream->failed = got <= 0 && !stream->starved;
    return got > 0;
}

static ssize_t read_bytes(void *user, void *to, size_t count)
{
    struct mp3_stream *stream = user;
    if (stream->at >= stream->available_bytes) {
        stream->starved = !stream->complete;
        return stream->complete ? 0 : -1;
    }
    int64_t offset = stream->at - stream->buffer_at;
    if (offset < 0 || offset >= (int64_t)stream->buffer_bytes) {
        if (!fill_buffer(stream))
            return -1;
        offset = 0;
    }
    size_t here = stream->buffer_bytes - (size_t)offset;
    if (count > here)
        count = here;
    memcpy(to, stream->buffer + offset, count);
    stream->at += (int64_t)count;
    return (ssize_t)count;
}

static off_t seek_bytes(void *user, off_t offset, int whence)
{
    struct mp3_stream *stream = user;
    int64_t base = whence == SEEK_SET   ? 0
                   : whence == SEEK_CUR ? stream->at
                                        : stream->available_bytes;
    if (base + offset < 0)
        return -1;
    stream->at = base + offset;
    return (off_t)stream->at;
}

/* The end of the file is not looked at, because it is not there yet; NO_PEEK_END also keeps the
 * number of frames from being guessed by the number of bytes. */
static bool set_params(mpg123_handle *mpg)
{
    long flags = MPG123_QUIET | MPG123_SKIP_ID3V2 | MPG123_FORCE_FLOAT | MPG123_FORCE_STEREO |
                 MPG123_NO_PEEK_END | MPG123_FORCE_SEEKABLE;
    const long *rates;
    size_t rate_count;
    mpg123_rates(&rates, &rate_count);
    bool good = mpg123_param(mpg, MPG123_REMOVE_FLAGS, MPG123_GAPLESS, 0) == MPG123_OK &&
                mpg123_param(mpg, MPG123_ADD_FLAGS, flags, 0) == MPG123_OK &&
                mpg123_param(mpg, MPG123_RESYNC_LIMIT, RESYNC_LIMIT_BYTES, 0) == MPG123_OK &&
                mpg123_param(mpg, MPG123_INDEX_SIZE, INDEX_FRAMES, 0) == MPG123_OK &&
                mpg123_format_none(mpg) == MPG123_OK;
    for (size_t i = 0; good && i < rate_count; i++)
        good = mpg123_format(mpg, rates[i], MPG123_STEREO, MPG123_ENC_FLOAT_32) == MPG123_OK;
    return good;
}

static bool create_handle(struct mp3_stream *stream)
{
    if (mpg123_init() != MPG123_OK) /* needed before 1.27 only; does nothing later */
        return false;
    mpg123_handle *mpg = mpg123_new(NULL, NULL);
    if (!mpg)
        return false;
    if (!set_params(mpg) ||
        mpg123_replace_reader_handle(mpg, read_bytes, seek_bytes, NULL) != MPG123_OK) {
        mpg123_delete(mpg);
        return false;
    }
    stream->mpg = mpg;
    return true;
}

/* Files that are surely something else; in some of them mpg123 would find what looks like frames.
 * NULL for what may be mp3. */
static const char *recognise_other(const unsigned char head[12], size_t bytes)
{
    if (bytes == 0)
        return "it is empty";
    if (memcmp(head + 4, "ftyp", 4) == 0)
        return "it is an mp4 file; only mp3 can be played";
    if (head[0] == '<')
        return "it is a web page, no mp3";
    if (head[0] == '{')
        return "it is text (JSON), no mp3";
    if (memcmp(head, "OggS", 4) == 0 || memcmp(head, "fLaC", 4) == 0)
        return "it is Ogg or FLAC; only mp3 can be played";
    return NULL;
}

static enum decoder_result check_kind(struct mp3_stream *stream, char *error)
{
    unsigned char head[12] = {0};
    ssize_t got = pread(stream->fd, head, sizeof head, 0);
    if (got < 0) {
        snprintf(error, DECODER_ERROR_MAX, "it cannot be read: %s", strerror(errno));
        return DECODER_ERROR;
    }
    const char *other = recognise_other(head, (size_t)got);
    if (!other)
        return DECODER_OK;
    snprintf(error, DECODER_ERROR_MAX, "%s", other);
    return DECODER_ERROR;
}

enum decoder_result mp3_stream_open(struct mp3_stream *stream, char *error)
{
    if (!mp3_stream_may_read(stream))
        return DECODER_AGAIN;
    if (check_kind(stream, error) != DECODER_OK)
        return DECODER_ERROR;
    if (!create_handle(stream)) {
        snprintf(error, DECODER_ERROR_MAX, "the decoder cannot be set up (out of memory?)");
        return DECODER_NO_MEMORY;
    }
    if (mp3_stream_reopen(stream))
        return DECODER_OK;
    enum decoder_result result = stream->starved ? DECODER_AGAIN : DECODER_ERROR;
    snprintf(error, DECODER_ERROR_MAX, "no mp3 frames were found in it");
    mp3_stream_close(stream);
    return result;
}

bool mp3_stream_reopen(struct mp3_stream *stream)
{
    long rate;
    int channels, encoding;
    stream->at = 0;
    stream->starved = false;
    return mpg123_open_handle(stream->mpg, stream) == MPG123_OK &&
           mpg123_getformat(stream->mpg, &rate, &channels, &encoding) == MPG123_OK;
}

void mp3_stream_close(struct mp3_stream *stream)
{
    mpg123_delete(stream->mpg);
    stream->mpg = NULL;
    stream->at = 0;
    stream->starved = false;
}

void mp3_stream_grow(struct mp3_stream *stream, int64_t available_bytes, bool complete)
{
    stream->available_bytes = available_bytes;
    stream->complete = complete;
}

bool mp3_stream_may_read(const struct mp3_stream *stream)
{
    return stream->complete || stream->available_bytes - stream->at >= MP3_GUARD_BYTES;
}
