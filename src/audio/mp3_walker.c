/*
 * mp3_walker.c: counting frames with mpg123's own parser, so that it counts as the decoder does.
 */
#include "mp3_walker.h"

/* After having starved in garbage, start over with so many more bytes only. */
static const int64_t RETRY_BYTES = 65536;

static void begin(struct mp3_walker *walker)
{
    int channels, encoding;
    mpg123_getformat(walker->stream.mpg, &walker->rate_hz, &channels, &encoding);
    walker->frame_samples = mpg123_spf(walker->stream.mpg);
    walker->frames = walker->like_first = 1; /* opening has read the first */
    walker->end_of_frame = walker->stream.at;
}

enum decoder_result mp3_walker_open(struct mp3_walker *walker, char *error)
{
    enum decoder_result result = mp3_stream_open(&walker->stream, error);
    if (result == DECODER_OK)
        begin(walker);
    return result;
}

void mp3_walker_close(struct mp3_walker *walker)
{
    mp3_stream_close(&walker->stream);
}

/* Met the end of what is there, in garbage or because the file has been emptied. */
static void start_over(struct mp3_walker *walker)
{
    struct mp3_stream stream = {.fd = walker->stream.fd,
                                .available_bytes = walker->stream.available_bytes,
                                .complete = walker->stream.complete};
    mp3_stream_close(&walker->stream);
    *walker = (struct mp3_walker){.stream = stream};
    walker->retry_at_bytes = stream.available_bytes + RETRY_BYTES;
}

static bool reopen(struct mp3_walker *walker)
{
    char error[DECODER_ERROR_MAX];
    if (mp3_walker_open(walker, error) == DECODER_OK)
        return true;
    walker->stream.failed = walker->stream.complete;
    walker->retry_at_bytes = walker->stream.available_bytes + RETRY_BYTES;
    return false;
}

static void count_frame(struct mp3_walker *walker)
{
    mpg123_handle *mpg = walker->stream.mpg;
    struct mpg123_frameinfo info;
    walker->frames++;
    if ((int64_t)mpg123_framepos(mpg) != walker->end_of_frame)
        walker->damaged++;
    walker->end_of_frame = walker->stream.at;
    if (mpg123_info(mpg, &info) != MPG123_OK)
        return;
    int samples = mpg123_spf(mpg);
    if (info.rate != walker->rate_hz || samples != walker->frame_samples)
        walker->mixed = true;
    if (walker->mixed)
        walker->odd_seconds += (double)samples / (double)info.rate;
    else
        walker->like_first++;
}

bool mp3_walker_may_step(const struct mp3_walker *walker)
{
    const struct mp3_stream *stream = &walker->stream;
    return !walker->done && !stream->failed && mp3_stream_may_read(stream) &&
           (stream->complete || stream->available_bytes >= walker->retry_at_bytes);
}

void mp3_walker_step(struct mp3_walker *walker, int count)
{
    if (!walker->stream.mpg && (!mp3_walker_may_step(walker) || !reopen(walker)))
        return;
    while (count-- > 0 && mp3_walker_may_step(walker)) {
        int result = mpg123_framebyframe_next(walker->stream.mpg);
        if (walker->stream.starved) {
            start_over(walker);
            return;
        }
        if (result == MPG123_DONE) {
            walker->done = !walker->stream.failed;
            return;
        }
        if (result != MPG123_OK && result != MPG123_NEW_FORMAT)
            return; /* a long stretch of garbage: go on next time */
        count_frame(walker);
    }
}
