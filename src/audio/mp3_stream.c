/*
 * mp3_stream.c: opening and reading for mpg123.
 *
 * mpg123 takes a short read for the end of the file, so it is never let near the end of what has
 * been walked while more is to come. Should it get there all the same, because the file has been
 * emptied, the reader notes it (starved) and the caller sets the handle up again at its place later
 * on.
 */
#include "mp3_stream.h"

#include <stdio.h>
#include <string.h>

/* Between two frames there are never more bytes that are none. */
#define RESYNC_LIMIT_BYTES 4096

static ssize_t read_bytes(void *user, void *to, size_t count)
{
    struct mp3_stream *stream = user;
    const unsigned char *bytes;
    int64_t together;
    if (stream->at >= stream->walker->stream_bytes) {
        stream->starved = !stream->walker->done;
        return stream->walker->done ? 0 : -1;
    }
    int64_t at = mp3_walker_locate(stream->walker, stream->at, &together);
    if ((int64_t)count > together)
        count = (size_t)together;
    if (at < 0) {
        memset(to, 0, count);
    } else {
        stream->file.fd = stream->walker->file.fd;
        stream->file.available_bytes = stream->walker->file.available_bytes;
        stream->file.complete = stream->walker->file.complete;
        count = mp3_file_look(&stream->file, at, count, &bytes);
        if (count == 0) {
            stream->starved = !stream->file.complete;
            stream->file.failed = stream->file.complete;
            return -1;
        }
        memcpy(to, bytes, count);
    }
    stream->at += (int64_t)count;
    return (ssize_t)count;
}

static off_t seek_bytes(void *user, off_t offset, int whence)
{
    struct mp3_stream *stream = user;
    int64_t base = whence == SEEK_SET   ? 0
                   : whence == SEEK_CUR ? stream->at
                                        : stream->walker->stream_bytes;
    if (base + offset < 0)
        return -1;
    stream->at = base + offset;
    return (off_t)stream->at;
}

/* The end of the file is not looked at, because it is not there yet; NO_PEEK_END also keeps the
 * number of frames from being guessed by the number of bytes. Tags have been read already. */
static bool set_params(mpg123_handle *mpg)
{
    long flags = MPG123_QUIET | MPG123_SKIP_ID3V2 | MPG123_FORCE_FLOAT | MPG123_FORCE_STEREO |
                 MPG123_NO_PEEK_END | MPG123_FORCE_SEEKABLE | MPG123_IGNORE_INFOFRAME;
    const long *rates;
    size_t rate_count;
    mpg123_rates(&rates, &rate_count);
    bool good = mpg123_param(mpg, MPG123_REMOVE_FLAGS, MPG123_GAPLESS, 0) == MPG123_OK &&
                mpg123_param(mpg, MPG123_ADD_FLAGS, flags, 0) == MPG123_OK &&
                mpg123_param(mpg, MPG123_RESYNC_LIMIT, RESYNC_LIMIT_BYTES, 0) == MPG123_OK &&
                mpg123_param(mpg, MPG123_INDEX_SIZE, MP3_INDEX_FRAMES, 0) == MPG123_OK &&
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

enum decoder_result mp3_stream_open(struct mp3_stream *stream, char *error)
{
    if (!mp3_stream_may_read(stream))
        return DECODER_AGAIN;
    if (!create_handle(stream)) {
        snprintf(error, DECODER_ERROR_MAX, "the decoder cannot be set up (out of memory?)");
        return DECODER_NO_MEMORY;
    }
    if (mp3_stream_reopen(stream))
        return DECODER_OK;
    enum decoder_result result = stream->starved ? DECODER_AGAIN : DECODER_ERROR;
    snprintf(error, DECODER_ERROR_MAX, "its first frames cannot be decoded");
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

bool mp3_stream_may_read(const struct mp3_stream *stream)
{
    return stream->walker->done || stream->walker->stream_bytes - stream->at >= MP3_GUARD_BYTES;
}
