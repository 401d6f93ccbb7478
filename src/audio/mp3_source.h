/*
 * mp3_source.h: all samples of an mp3 stream, nothing trimmed, at the rate it begins with.
 *
 * A stretch at another rate is converted to the first. Positions are samples per channel.
 */
#ifndef TUTTI_AUDIO_MP3_SOURCE_H
#define TUTTI_AUDIO_MP3_SOURCE_H

#include "mp3_stream.h"
#include "rate_bridge.h"
#include "sanity.h"

struct mp3_source {
    struct mp3_stream stream;
    unsigned rate_hz;
    int frame_samples; /* per mp3 frame, at the beginning */
    bool placed;       /* the next read delivers the sample at `next`; else seek first */
    int64_t next;
    bool wants_time;   /* with DECODER_AGAIN: go on, it is not bytes that are wanting */
    const char *error; /* with DECODER_ERROR */
    long current_hz;   /* what mpg123 delivers now */
    int errors_in_a_row;
    struct sanity sanity;
    struct rate_bridge *bridge; /* NULL outside of a stretch at another rate */
    bool bridge_finished;
};

/* stream.walker is set; the rest is zero. As mp3_stream_open(). */
enum decoder_result mp3_source_open(struct mp3_source *source, char *error);
void mp3_source_close(struct mp3_source *source);

/* To a position before the first stretch at another rate, which the walker has passed. */
enum decoder_result mp3_source_seek(struct mp3_source *source, int64_t position);

enum decoder_result mp3_source_read(struct mp3_source *source, float *frames, size_t count,
                                    size_t *ret_count);

#endif
