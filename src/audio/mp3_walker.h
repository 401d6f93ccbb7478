/*
 * mp3_walker.h: walks through an mp3 from header to header, ahead of the decoder.
 *
 * It learns where frames begin, so that a seek costs no search, how many there are, so that the
 * length of an untagged track is known, where the format changes, and how much damage there is.
 */
#ifndef TUTTI_AUDIO_MP3_WALKER_H
#define TUTTI_AUDIO_MP3_WALKER_H

#include "mp3_stream.h"

/* mp3 frames that may be walked in one go without taking long: a quarter of a megabyte at most. */
#define MP3_WALK_FRAMES 256

struct mp3_walker {
    struct mp3_stream stream;
    int64_t frames;       /* mp3 frames seen, the tag's not counted */
    bool done;            /* that is all of them */
    int64_t like_first;   /* how many of them before the first with another rate or length; */
    bool mixed;           /* there is such a one */
    double odd_seconds;   /* the rest's length */
    uint64_t damaged;     /* stretches of garbage */
    int64_t end_of_frame; /* file offset after the last one */
    int64_t retry_at_bytes;
    long rate_hz;
    int frame_samples;
};

/* stream is set up as mp3_stream_open() wants it, and opened here. */
enum decoder_result mp3_walker_open(struct mp3_walker *walker, char *error);
void mp3_walker_close(struct mp3_walker *walker);

/* Up to count frames further. */
void mp3_walker_step(struct mp3_walker *walker, int count);

/* Could a step get further now? */
bool mp3_walker_may_step(const struct mp3_walker *walker);

#endif
