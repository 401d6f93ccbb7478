/*
 * decoder.c: libmpg123 over a file that may still be growing.
 *
 * mpg123 reads through a buffered reader that knows how many bytes are there. It is never let
 * near the end of what has arrived while more is to come, because it takes a short read for the
 * end of the file; should it get there all the same, the reader says so (starved) and the
 * decoder is set up again at its place once more bytes are there.
 *
 * Seeking exactly means walking from the last known frame, header by header; that is done in
 * strides, so that no call takes long. Some frames before the target are decoded and thrown
 * away (PREFRAMES), which fills the bit reservoir and the filter bank: what follows is bit for bit
 * what reading from the start gives.
 */
#include "tutti/audio/decoder.h"

#include <errno.h>
#include <mpg123.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BUFFER_BYTES 32768
/* Bytes that must be there beyond what was read before mpg123 is asked for another frame: the
 * largest frame (2881 bytes) and the next header, with room for a stretch of garbage. */
#define GUARD_BYTES 16384
/* Garbage tolerated before the first frame; what has none by then is no mp3. */
#define RESYNC_LIMIT_BYTES 65536
/* The bit reservoir reaches 511 bytes back, ten frames at the lowest rates. */
#define PREFRAMES 12
/* Unknown territory is walked through in strides of this many seconds, one per call. */
#define STRIDE_S 30
#define DAMAGED_IN_A_ROW_MAX 1000

struct reader {
    int fd;
    int64_t at;
    int64_t available;
    bool complete;
    bool starved;
    int64_t buffer_at;
    size_t buffer_bytes;
    unsigned char buffer[READ_BUFFER_BYTES];
};

struct decoder {
    mpg123_handle *mpg;
    struct reader reader;
    int64_t total_bytes;
    unsigned rate_hz;
    int64_t walked_frames; /* everything before is in mpg123's index */
    int64_t next_frame;    /* what the next read delivers */
    bool lost;             /* starved: seek to next_frame before reading on */
    bool wants_time;
    bool tagged; /* the length is told by a tag */
    bool ended;  /* the end was reached once: the length is exact */
    uint64_t damaged;
    char error[DECODER_ERROR_MAX];
};

static bool fill_buffer(struct reader *reader)
{
    int64_t left = reader->available - reader->at;
    size_t want = left < READ_BUFFER_BYTES ? (size_t)left : READ_BUFFER_BYTES;
    ssize_t got;
    do
        got = pread(reader->fd, reader->buffer, want, reader->at);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return false;
    reader->buffer_at = reader->at;
    reader->buffer_bytes = (size_t)got;
    return true;
}

static ssize_t read_bytes(void *user, void *to, size_t count)
{
    struct reader *reader = user;
    if (reader->at >= reader->available) {
        reader->starved = !reader->complete;
        return reader->complete ? 0 : -1;
    }
    int64_t offset = reader->at - reader->buffer_at;
    if (offset < 0 || offset >= (int64_t)reader->buffer_bytes) {
        if (!fill_buffer(reader))
            return -1;
        offset = 0;
    }
    size_t here = reader->buffer_bytes - (size_t)offset;
    if (count > here)
        count = here;
    memcpy(to, reader->buffer + offset, count);
    reader->at += (int64_t)count;
    return (ssize_t)count;
}

static off_t seek_bytes(void *user, off_t offset, int whence)
{
    struct reader *reader = user;
    int64_t end = reader->available;
    int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? reader->at : end;
    if (base + offset < 0)
        return -1;
    reader->at = base + offset;
    return (off_t)reader->at;
}

static const char *mpg_error(mpg123_handle *mpg)
{
    return mpg ? mpg123_strerror(mpg) : "out of memory";
}

static mpg123_handle *create_handle(struct reader *reader)
{
    int result;
    if (mpg123_init() != MPG123_OK) /* needed by 1.26 only; harmless later */
        return NULL;
    mpg123_handle *mpg = mpg123_new(NULL, &result);
    if (!mpg)
        return NULL;
    const long *rates;
    size_t rate_count;
    mpg123_rates(&rates, &rate_count);
    bool good = mpg123_param(mpg, MPG123_ADD_FLAGS,
                             MPG123_QUIET | MPG123_GAPLESS | MPG123_SKIP_ID3V2 |
                                 MPG123_FORCE_FLOAT | MPG123_FORCE_STEREO,
                             0) == MPG123_OK &&
                mpg123_param(mpg, MPG123_RESYNC_LIMIT, RESYNC_LIMIT_BYTES, 0) == MPG123_OK &&
                mpg123_param(mpg, MPG123_PREFRAMES, PREFRAMES, 0) == MPG123_OK &&
                mpg123_format_none(mpg) == MPG123_OK;
    for (size_t i = 0; good && i < rate_count; i++)
        good = mpg123_format(mpg, rates[i], MPG123_STEREO, MPG123_ENC_FLOAT_32) == MPG123_OK;
    good = good && mpg123_replace_reader_handle(mpg, read_bytes, seek_bytes, NULL) == MPG123_OK &&
           mpg123_open_handle(mpg, reader) == MPG123_OK;
    if (!good) {
        mpg123_delete(mpg);
        return NULL;
    }
    return mpg;
}

/* Does the file say of itself what it is, if it is no mp3? */
static const char *describe_other(struct reader *reader)
{
    unsigned char head[12] = {0};
    ssize_t got = pread(reader->fd, head, sizeof head, 0);
    if (got <= 0)
        return "it is empty";
    if (memcmp(head + 4, "ftyp", 4) == 0)
        return "it is an mp4 file; only mp3 can be played";
    if (head[0] == '<')
        return "it is a web page, no mp3";
    if (memcmp(head, "RIFF", 4) == 0 || memcmp(head, "OggS", 4) == 0 ||
        memcmp(head, "fLaC", 4) == 0)
        return "it is no mp3 but another audio format";
    return "no mp3 frames were found in it";
}

static bool has_length_tag(struct decoder *decoder)
{
    long frames = 0;
    mpg123_getstate(decoder->mpg, MPG123_ENC_DELAY, &frames, NULL);
    return frames >= 0;
}

static enum decoder_result open_stream(struct decoder *decoder, char *error)
{
    long rate = 0;
    int channels, encoding;
    decoder->mpg = create_handle(&decoder->reader);
    if (!decoder->mpg) {
        snprintf(error, DECODER_ERROR_MAX, "the decoder cannot be set up (out of memory?)");
        return DECODER_ERROR;
    }
    if (decoder->total_bytes > 0)
        mpg123_set_filesize(decoder->mpg, (off_t)decoder->total_bytes);
    if (mpg123_getformat(decoder->mpg, &rate, &channels, &encoding) != MPG123_OK) {
        if (decoder->reader.starved)
            return DECODER_AGAIN;
        snprintf(error, DECODER_ERROR_MAX, "%s", describe_other(&decoder->reader));
        return DECODER_ERROR;
    }
    decoder->rate_hz = (unsigned)rate;
    decoder->tagged = has_length_tag(decoder);
    return DECODER_OK;
}

enum decoder_result decoder_open(int fd, int64_t available_bytes, int64_t total_bytes,
                                 struct decoder **ret_decoder, char *error)
{
    bool complete = total_bytes >= 0 && available_bytes >= total_bytes;
    if (!complete && available_bytes < GUARD_BYTES)
        return DECODER_AGAIN;
    struct decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) {
        snprintf(error, DECODER_ERROR_MAX, "out of memory");
        return DECODER_ERROR;
    }
    decoder->reader = (struct reader){.fd = fd, .available = available_bytes, .complete = complete};
    decoder->total_bytes = total_bytes;
    enum decoder_result result = open_stream(decoder, error);
    if (result != DECODER_OK) {
        decoder_destroy(decoder);
        return result;
    }
    *ret_decoder = decoder;
    return DECODER_OK;
}

void decoder_destroy(struct decoder *decoder)
{
    if (!decoder)
        return;
    mpg123_delete(decoder->mpg);
    free(decoder);
}

void decoder_set_available(struct decoder *decoder, int64_t available_bytes, bool complete)
{
    decoder->reader.available = available_bytes;
    decoder->reader.complete = complete;
    if (complete && decoder->total_bytes != available_bytes) {
        decoder->total_bytes = available_bytes;
        mpg123_set_filesize(decoder->mpg, (off_t)available_bytes);
    }
}

unsigned decoder_rate_hz(const struct decoder *decoder)
{
    return decoder->rate_hz;
}

int64_t decoder_length_frames(const struct decoder *decoder)
{
    if (!decoder->tagged && !decoder->ended)
        return -1;
    off_t length = mpg123_length(decoder->mpg);
    return length < 0 ? -1 : (int64_t)length;
}

uint64_t decoder_damaged_frames(const struct decoder *decoder)
{
    return decoder->damaged;
}

const char *decoder_error(const struct decoder *decoder)
{
    return decoder->error;
}

bool decoder_wants_time(const struct decoder *decoder)
{
    return decoder->wants_time;
}

static bool may_read(const struct decoder *decoder)
{
    const struct reader *reader = &decoder->reader;
    return reader->complete || reader->available - reader->at >= GUARD_BYTES;
}

/* mpg123 met the end of what is there: whatever it holds now is not to be trusted. */
static enum decoder_result starve(struct decoder *decoder)
{
    decoder->reader.starved = false;
    decoder->lost = true;
    return DECODER_AGAIN;
}

static enum decoder_result fail(struct decoder *decoder)
{
    if (decoder->reader.starved)
        return starve(decoder);
    snprintf(decoder->error, sizeof decoder->error, "decoding failed: %s", mpg_error(decoder->mpg));
    return DECODER_ERROR;
}

static enum decoder_result seek_to(struct decoder *decoder, int64_t frame)
{
    off_t reached = mpg123_seek(decoder->mpg, (off_t)frame, SEEK_SET);
    if (reached < 0) {
        if (mpg123_errcode(decoder->mpg) == MPG123_DONE)
            return DECODER_END;
        return fail(decoder);
    }
    decoder->next_frame = (int64_t)reached;
    if (reached > decoder->walked_frames)
        decoder->walked_frames = (int64_t)reached;
    return DECODER_OK;
}

enum decoder_result decoder_seek(struct decoder *decoder, int64_t frame)
{
    decoder->wants_time = false;
    int64_t length = decoder_length_frames(decoder);
    if (length >= 0 && frame >= length) {
        decoder->next_frame = length;
        decoder->lost = true;
        return DECODER_END;
    }
    if (!may_read(decoder) && frame > decoder->walked_frames)
        return DECODER_AGAIN;
    int64_t stride = (int64_t)decoder->rate_hz * STRIDE_S;
    bool near = frame <= decoder->walked_frames + stride;
    enum decoder_result result = seek_to(decoder, near ? frame : decoder->walked_frames + stride);
    if (result != DECODER_OK)
        return result;
    decoder->lost = false;
    if (near)
        return DECODER_OK;
    decoder->wants_time = true;
    return DECODER_AGAIN;
}

/* The end of an untagged track is known once it was met. */
static enum decoder_result end(struct decoder *decoder)
{
    decoder->ended = true;
    return DECODER_END;
}

static bool rate_changed(struct decoder *decoder)
{
    long rate = 0;
    int channels, encoding;
    mpg123_getformat(decoder->mpg, &rate, &channels, &encoding);
    return (unsigned)rate != decoder->rate_hz;
}

enum decoder_result decoder_read(struct decoder *decoder, float *frames, size_t count,
                                 size_t *ret_count)
{
    int damaged_in_a_row = 0;
    decoder->wants_time = false;
    if (decoder->lost) {
        enum decoder_result result = decoder_seek(decoder, decoder->next_frame);
        if (result != DECODER_OK)
            return result;
    }
    while (may_read(decoder)) {
        size_t bytes = 0;
        int result =
            mpg123_read(decoder->mpg, frames, count * DECODER_CHANNELS * sizeof *frames, &bytes);
        size_t got = bytes / (DECODER_CHANNELS * sizeof *frames);
        if (got > 0) {
            decoder->next_frame += (int64_t)got;
            if (decoder->next_frame > decoder->walked_frames)
                decoder->walked_frames = decoder->next_frame;
            *ret_count = got;
            return DECODER_OK;
        }
        if (result == MPG123_DONE)
            return end(decoder);
        if (result == MPG123_NEW_FORMAT && rate_changed(decoder)) {
            snprintf(decoder->error, sizeof decoder->error,
                     "its sampling rate changes in the middle");
            return DECODER_ERROR;
        }
        if (result != MPG123_OK && result != MPG123_NEW_FORMAT) {
            if (decoder->reader.starved || ++damaged_in_a_row > DAMAGED_IN_A_ROW_MAX)
                return fail(decoder);
            decoder->damaged++;
        }
    }
    return DECODER_AGAIN;
}
