/*
 * mp3_stream.h: an mpg123 handle over the frames that a walker has found so far.
 *
 * mpg123 never reads the file itself: it searches for headers on its own terms, and would find them
 * in anything.
 */
#ifndef TUTTI_AUDIO_MP3_STREAM_H
#define TUTTI_AUDIO_MP3_STREAM_H

#include "mp3_walker.h"
#include "tutti/audio/decoder.h"

#include <mpg123.h>

/* Bytes that must have been walked beyond what was read before mpg123 is asked for more: several
 * of the largest frames. */
#define MP3_GUARD_BYTES 8192

struct mp3_stream {
    mpg123_handle *mpg;
    struct mp3_walker *walker; /* not owned */
    int64_t at;
    bool starved; /* mpg123 met the end of what is there; it must be set up again at its place */
    struct mp3_file file;
};

/* walker is set; the rest is zero. DECODER_OK, DECODER_AGAIN (walk on first) or DECODER_ERROR with
 * a line in error[DECODER_ERROR_MAX]. Nothing is trimmed. */
enum decoder_result mp3_stream_open(struct mp3_stream *stream, char *error);
void mp3_stream_close(struct mp3_stream *stream);

/* Back to the beginning, nothing remembered. False: it starved or failed. */
bool mp3_stream_reopen(struct mp3_stream *stream);

/* False while so little has been walked that mpg123 might meet the end of it. */
bool mp3_stream_may_read(const struct mp3_stream *stream);

#endif
