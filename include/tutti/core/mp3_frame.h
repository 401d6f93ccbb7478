/*
 * mp3_frame.h: what the header of an mp3 frame says, and the tag that encoders put into a frame
 * of its own before the music.
 *
 * Layer III of MPEG 1, 2 and 2.5 (ISO 11172-3, 13818-3), at a bitrate of the table: free format is
 * no mp3 that browsers play. What a tag means follows libavformat/mp3dec.c, which browsers use: so
 * position 0 of a track is theirs.
 */
#ifndef TUTTI_CORE_MP3_FRAME_H
#define TUTTI_CORE_MP3_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MP3_HEADER_BYTES 4
/* 320 kbit/s at 32 kHz, 160 at 8. */
#define MP3_FRAME_BYTES_MAX 1441
/* Samples by which every decoder's filter bank is late, which encoders' delay fields leave out. */
#define MP3_FILTER_DELAY_SAMPLES 529

enum mp3_version { MP3_VERSION_2_5 = 0, MP3_VERSION_2 = 2, MP3_VERSION_1 = 3 }; /* as coded */

struct mp3_header {
    enum mp3_version version;
    unsigned rate_hz;
    int channels;
    int samples;   /* per channel: 1152 or 576 */
    int bytes;     /* of the whole frame */
    unsigned mode; /* as coded; with copyright, original and emphasis */
};

/* False: no header of a frame that we play. */
bool mp3_header_parse(const unsigned char bytes[MP3_HEADER_BYTES], struct mp3_header *ret);

/* Of one stream: version, layer and rate agree; bitrate and channels may change on the way. */
bool mp3_header_alike(const struct mp3_header *a, const struct mp3_header *b);

/* Alike, and of one mode: what libavformat (MP3_MASK in mp3dec.c) begins with. */
bool mp3_header_same(const struct mp3_header *a, const struct mp3_header *b);

enum mp3_row {
    MP3_ROW,     /* so many there are */
    MP3_NO_ROW,  /* not so many */
    MP3_ROW_CUT, /* the bytes end before that can be said */
};

/*
 * Do `wanted` headers alike stand in bytes[count] from `at` on, each where the frame before it
 * ends? *ret_whole: frames that are there whole, each of them followed by the next or, in the last
 * place, by the end of the bytes.
 */
enum mp3_row mp3_row_at(const unsigned char *bytes, size_t count, size_t at, int wanted,
                        int *ret_whole);

struct mp3_tag {
    bool is_tag_frame;    /* this frame is no music */
    int64_t frames;       /* of music, behind the tag's; 0: not told */
    int64_t stream_bytes; /* from the tag's frame to the last; 0: not told */
    bool has_delay;       /* written by an encoder whose delay fields are believed */
    int delay_samples, padding_samples;
};

/* Of a whole frame, the very first behind ID3v2: anywhere else a tag is not looked for. */
void mp3_tag_parse(const unsigned char *frame, const struct mp3_header *header,
                   struct mp3_tag *ret);

/* Frames of music that there should be; 0: not told, or the file has much more than it tells of:
 * streams glued together. file_bytes: what there is from the tag's frame on; -1: not known (yet).
 */
int64_t mp3_tag_frames(const struct mp3_tag *tag, int64_t file_bytes);

/*
 * Samples of the stream that are not played: those before begin, and from end to resume. Behind
 * resume there is something only if another stream was glued to the one that the tag speaks of.
 */
struct mp3_trim {
    int64_t begin, end, resume;
};

struct mp3_trim mp3_tag_trim(const struct mp3_tag *tag, int frame_samples, int64_t file_bytes);

/* How much is played of the first so many samples. */
int64_t mp3_trim_played(const struct mp3_trim *trim, int64_t samples);

#endif
