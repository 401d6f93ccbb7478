/*
 * mp3_walker.h: walks through an mp3's file from header to header, ahead of the decoder, and shows
 * it the frames as one stream: what was not recognised as a frame is not in it.
 *
 * It learns where frames begin, so that a seek costs no search, how many there are, so that the
 * length of an untagged track is known, where the format changes, and how much damage there is.
 */
#ifndef TUTTI_AUDIO_MP3_WALKER_H
#define TUTTI_AUDIO_MP3_WALKER_H

#include "tutti/core/audio_probe.h"
#include "tutti/core/mp3_walk.h"

#include <stddef.h>
#include <sys/types.h>

/* What may be walked in one go without taking long: so many frames, and so many bytes. */
#define MP3_WALK_FRAMES 1024
#define MP3_WALK_BYTES 262144
/* What may be searched through for them in one go; each byte of it takes longer. */
#define MP3_WALK_SEARCH_BYTES 32768
#define MP3_READ_BUFFER_BYTES AUDIO_PROBE_WINDOW_BYTES
/* Frames whose place is remembered; beyond that of every second, every fourth ... */
#define MP3_INDEX_FRAMES 4096

/* A file that may be growing, and what was read of it last. */
struct mp3_file {
    int fd;
    int64_t available_bytes;
    bool complete;
    bool starved; /* it ended before available_bytes: a download has begun again */
    bool failed;  /* it cannot be read */
    int64_t buffer_at;
    size_t buffer_bytes;
    unsigned char buffer[MP3_READ_BUFFER_BYTES];
};

/* Bytes from at on, in the file's buffer: as many as there are, up to `wanted`. */
size_t mp3_file_look(struct mp3_file *file, int64_t at, size_t wanted, const unsigned char **ret);

/* Frames that follow each other in the file, and where they are in the stream. */
struct mp3_stretch {
    int64_t stream_at, file_at;
};

struct mp3_walker {
    struct mp3_file file;
    int64_t begin; /* the file's offset of the first frame */
    struct mp3_walk walk;
    bool done;            /* that is all of it */
    int64_t stream_bytes; /* walked so far */
    struct mp3_stretch *stretches;
    size_t stretch_count, stretch_room;
    bool full; /* more damage than can be kept count of: the rest is not played */
    /* Of every index_step-th frame, where it begins in the stream. */
    off_t index[MP3_INDEX_FRAMES];
    size_t index_count;
    off_t index_step;
};

/* file.fd, file.available_bytes and file.complete are set; the rest is zero. */
void mp3_walker_open(struct mp3_walker *walker, int64_t begin);
void mp3_walker_close(struct mp3_walker *walker);

/* More of the file has arrived; complete: nothing will follow. */
void mp3_walker_set_available(struct mp3_walker *walker, int64_t available_bytes, bool complete);

/* Up to count frames further, or as far as MP3_WALK_BYTES and MP3_WALK_SEARCH_BYTES allow. */
void mp3_walker_step(struct mp3_walker *walker, int count);

/* Could a step get further now? */
bool mp3_walker_may_step(const struct mp3_walker *walker);

/* Where the stream's byte is in the file, and in *ret_count how many bytes lie together from there
 * on. -1: it is in a gap between stretches of so many bytes, which are zeros. */
int64_t mp3_walker_locate(const struct mp3_walker *walker, int64_t stream_at, int64_t *ret_count);

#endif
