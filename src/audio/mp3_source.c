/*
 * mp3_source.c: decoding with mpg123, bridging changes of rate.
 */
#include "mp3_source.h"

#include <stdio.h>

/* What one read delivers at most: a few mp3 frames. */
#define READ_FRAMES_MAX 2304
/* What is decoded at a time for the bridge. */
#define ODD_FRAMES 1152
/* Each of them is 64 kB of garbage or an undecodable frame. */
#define ERRORS_IN_A_ROW_MAX 256

enum decoder_result mp3_source_open(struct mp3_source *source, char *error)
{
    int channels, encoding;
    enum decoder_result result = mp3_stream_open(&source->stream, error);
    if (result != DECODER_OK)
        return result;
    mpg123_getformat(source->stream.mpg, &source->current_hz, &channels, &encoding);
    source->rate_hz = (unsigned)source->current_hz;
    source->frame_samples = mpg123_spf(source->stream.mpg);
    source->next = 0;
    source->placed = true;
    return DECODER_OK;
}

static void drop_bridge(struct mp3_source *source)
{
    rate_bridge_destroy(source->bridge);
    source->bridge = NULL;
    source->bridge_finished = false;
}

void mp3_source_close(struct mp3_source *source)
{
    drop_bridge(source);
    mp3_stream_close(&source->stream);
}

static enum decoder_result again(struct mp3_source *source, bool wants_time)
{
    source->wants_time = wants_time;
    return DECODER_AGAIN;
}

static enum decoder_result fail(struct mp3_source *source, const char *error)
{
    source->error = error;
    return DECODER_ERROR;
}

/* mpg123 gave nothing: because bytes are wanting, because the file cannot be read, or because of
 * what it read. */
static enum decoder_result stumble(struct mp3_source *source)
{
    if (source->stream.file.failed)
        return fail(source, "its file cannot be read any more");
    if (source->stream.starved) {
        source->placed = false;
        return again(source, false);
    }
    if (++source->errors_in_a_row > ERRORS_IN_A_ROW_MAX)
        return fail(source, "too much of it is damaged");
    return again(source, true);
}

/* The stream ends before what mpg123 may need: for now, or because the file behind it is broken. */
static enum decoder_result cannot_go_on(struct mp3_source *source)
{
    const struct mp3_walker *walker = source->stream.walker;
    if (walker->file.failed)
        return fail(source, "its file cannot be read any more");
    return again(source, mp3_walker_may_step(walker));
}

/*
 * How many frames to decode, and throw away, before a frame that is wanted: the bit reservoir
 * reaches 511 bytes back, which is ten frames at the lowest rates. And a multiple of eight frames
 * from the beginning, after which the synthesis window is at the same place in its ring again: so
 * what follows is, to the last bit, what a decoding from the beginning gives.
 */
#define PREFRAMES_MIN 12
#define WINDOW_ROUND_FRAMES 8

static long preframes(const struct mp3_source *source, int64_t position)
{
    int64_t frame = position / source->frame_samples;
    int64_t first = (frame - PREFRAMES_MIN) / WINDOW_ROUND_FRAMES * WINDOW_ROUND_FRAMES;
    return (long)(first > 0 ? frame - first : frame);
}

/* The handle is opened afresh, because some of its state outlives a seek: what it takes for the
 * end, the length of frame that it reckons with, the place in its synthesis buffer. */
enum decoder_result mp3_source_seek(struct mp3_source *source, int64_t position)
{
    mpg123_handle *mpg = source->stream.mpg;
    struct mp3_walker *walker = source->stream.walker;
    drop_bridge(source);
    source->placed = false;
    if (!mp3_stream_reopen(&source->stream))
        return stumble(source);
    source->current_hz = (long)source->rate_hz;
    if (walker->index_count > 0)
        mpg123_set_index(mpg, walker->index, walker->index_step, walker->index_count);
    mpg123_param(mpg, MPG123_PREFRAMES, preframes(source, position), 0);
    off_t reached = mpg123_seek(mpg, (off_t)position, SEEK_SET);
    if (source->stream.starved || source->stream.file.failed || reached != position)
        return stumble(source);
    source->next = position;
    source->placed = true;
    return DECODER_OK;
}

/* Notes whether mpg123 delivers another rate from now on. */
static void look_at_format(struct mp3_source *source)
{
    long rate = source->current_hz;
    int channels, encoding;
    mpg123_getformat(source->stream.mpg, &rate, &channels, &encoding);
    if (rate == source->current_hz)
        return;
    source->current_hz = rate;
    source->bridge_finished = source->bridge != NULL;
    if (source->bridge)
        rate_bridge_finish(source->bridge);
}

/* A bridge from the rate that mpg123 delivers now, if it needs one; false: no memory. */
static bool arrange_bridge(struct mp3_source *source)
{
    if (source->bridge || source->current_hz == (long)source->rate_hz)
        return true;
    source->bridge = rate_bridge_create((double)source->current_hz, source->rate_hz);
    return source->bridge != NULL;
}

/* One read of mpg123: into frames, or into the bridge. DECODER_OK: go on, *ret_got may be 0. */
static enum decoder_result decode(struct mp3_source *source, float *frames, size_t count,
                                  size_t *ret_got)
{
    float odd[ODD_FRAMES * DECODER_CHANNELS];
    size_t bytes = 0;
    if (source->bridge && count > ODD_FRAMES)
        count = ODD_FRAMES;
    int result = mpg123_read(source->stream.mpg, source->bridge ? odd : frames,
                             count * DECODER_CHANNELS * sizeof *frames, &bytes);
    size_t got = bytes / (DECODER_CHANNELS * sizeof *frames);
    source->sanity.damaged = source->sanity.damaged || source->stream.walker->walk.damaged > 0;
    if (!sanity_check(&source->sanity, source->bridge ? odd : frames, got))
        return fail(source, "what is in it decodes to noise, not to music");
    *ret_got = source->bridge ? 0 : got;
    if (source->bridge && got > 0)
        rate_bridge_push(source->bridge, odd, got);
    if (result == MPG123_NEW_FORMAT)
        look_at_format(source);
    if (got > 0)
        source->errors_in_a_row = 0;
    if (got > 0 || result == MPG123_OK || result == MPG123_NEW_FORMAT)
        return DECODER_OK;
    if (result == MPG123_DONE && !source->stream.starved && !source->stream.file.failed)
        return DECODER_END;
    return stumble(source);
}

/* What the bridge has; 0 if it wants more, or is gone. */
static size_t take_from_bridge(struct mp3_source *source, float *frames, size_t count)
{
    if (!source->bridge)
        return 0;
    size_t got = rate_bridge_pull(source->bridge, frames, count);
    if (got == 0 && source->bridge_finished)
        drop_bridge(source);
    return got;
}

/* At the end of the file the tail of a bridge is still to come. */
static enum decoder_result end(struct mp3_source *source)
{
    if (!source->bridge)
        return DECODER_END;
    rate_bridge_finish(source->bridge);
    source->bridge_finished = true;
    source->current_hz = (long)source->rate_hz; /* no other bridge after it */
    return DECODER_OK;
}

enum decoder_result mp3_source_read(struct mp3_source *source, float *frames, size_t count,
                                    size_t *ret_count)
{
    size_t got = 0;
    if (count > READ_FRAMES_MAX)
        count = READ_FRAMES_MAX;
    while (got == 0) {
        got = take_from_bridge(source, frames, count);
        if (got > 0)
            break;
        if (!arrange_bridge(source))
            return fail(source, "out of memory");
        if (!mp3_stream_may_read(&source->stream))
            mp3_walker_step(source->stream.walker, MP3_WALK_FRAMES);
        if (!mp3_stream_may_read(&source->stream))
            return cannot_go_on(source);
        enum decoder_result result = decode(source, frames, count, &got);
        if (result == DECODER_END)
            result = end(source);
        if (result != DECODER_OK)
            return result;
    }
    source->next += (int64_t)got;
    if (source->stream.starved)
        source->placed = false;
    *ret_count = got;
    return DECODER_OK;
}
