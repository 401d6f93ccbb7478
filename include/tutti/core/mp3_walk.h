/*
 * mp3_walk.h: from frame to frame through an mp3, from where audio_probe says that it begins.
 *
 * It decides what is a frame, and so how long the track is, for whoever counts (the hub) and
 * whoever decodes (a speaker). A frame counts when it is whole and its header stands where the
 * frame before it ends. Behind damage, and where the format changes, frames count again from the
 * first of a row of headers.
 */
#ifndef TUTTI_CORE_MP3_WALK_H
#define TUTTI_CORE_MP3_WALK_H

#include "tutti/core/mp3_frame.h"

/* A step with so many bytes always gets on. */
#define MP3_WALK_WINDOW_BYTES 8192

struct mp3_walk {
    int64_t offset; /* in the file: what the next step's bytes begin with */

    /* The latest frame: */
    int64_t frame_at;
    struct mp3_header frame;
    bool apart; /* it does not go on from the one before it: garbage between, or another format */

    int64_t frames;         /* so far */
    struct mp3_header like; /* the first of them */
    int64_t like_first;     /* how many before one with another version or rate; */
    bool mixed;             /* there is such a one */
    double odd_seconds;     /* length of all that follow it */
    uint64_t damaged;       /* stretches of garbage */
    int64_t searched_bytes; /* gone through in search of frames, which is the work in them */

    bool lost; /* no frame ends at offset */
    int64_t end_of_frame;
};

enum mp3_walk_result {
    MP3_WALK_FRAME, /* one frame further */
    MP3_WALK_MORE, /* offset may have moved; bytes from there on are wanted, more than there were */
    MP3_WALK_END,  /* at the end, after the last frame */
};

void mp3_walk_init(struct mp3_walk *walk, int64_t begin);

/* bytes[count] are the file's from walk->offset on; at_end: it has no more. */
enum mp3_walk_result mp3_walk_step(struct mp3_walk *walk, const unsigned char *bytes, size_t count,
                                   bool at_end);

/* Samples so far, nothing trimmed, at the first frame's rate. */
int64_t mp3_walk_samples(const struct mp3_walk *walk);

#endif
