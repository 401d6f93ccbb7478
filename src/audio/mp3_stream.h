/*
 * mp3_stream.h: an mpg123 handle over a file that may still be growing.
 *
 * The decoder has two of them on one file: one to decode, one that walks ahead (mp3_walker.h).
 */
#ifndef TUTTI_AUDIO_MP3_STREAM_H
#define TUTTI_AUDIO_MP3_STREAM_H

#include "tutti/audio/decoder.h"

#include <mpg123.h>

#define MP3_READ_BUFFER_BYTES 16384
/* Bytes that must be there beyond what was read before mpg123 is asked for more: several of the
 * largest frames (2881 bytes), with room for a short stretch of garbage. */
#define MP3_GUARD_BYTES 16384

struct mp3_stream {
    mpg123_handle *mpg;
    int fd;
    int64_t at;
    int64_t available_bytes;
    bool complete;
    bool starved; /* mpg123 met the end of what is there; it must be set up again at its place */
    bool failed;  /* the file could not be read */
    int64_t buffer_at;
    size_t buffer_bytes;
    unsigned char buffer[MP3_READ_BUFFER_BYTES];
};

/*
 * fd, available_bytes and complete are set; the rest is zero. DECODER_OK, DECODER_AGAIN (bytes are
 * wanting) or DECODER_ERROR with a line in error[DECODER_ERROR_MAX]. Nothing is trimmed.
 */
enum decoder_result mp3_stream_open(struct mp3_stream *stream, char *error);
void mp3_stream_close(struct mp3_stream *stream);

/* Back to the beginning, nothing remembered. False: it starved or failed. */
bool mp3_stream_reopen(struct mp3_stream *stream);

/* More bytes have arrived. */
void mp3_stream_grow(struct mp3_stream *stream, int64_t available_bytes, bool complete);

/* False while so few bytes are there that mpg123 might meet the end of them. */
bool mp3_stream_may_read(const struct mp3_stream *stream);

#endif
