/*
 * converter.h: whatever a decoder gives, as stereo float frames at one rate.
 *
 * Mono goes to both channels, more than two are mixed down as browsers mix them. What has the
 * track's rate is not resampled, and up to 24 bits are not changed by a float.
 */
#ifndef TUTTI_DECODE_CONVERTER_H
#define TUTTI_DECODE_CONVERTER_H

#include <libavutil/frame.h>
#include <libswresample/swresample.h>
#include <stdbool.h>
#include <stddef.h>

/* Zero at first. */
struct converter {
    struct SwrContext *swr;
    int rate_hz; /* the track's */
    /* What swr is set up for: */
    int format, from_hz;
    AVChannelLayout layout;
    /* The frames of the last call: */
    float *frames;
    int count, room;
};

/* False: it cannot be converted, and there are no frames. */
bool converter_take(struct converter *converter, const AVFrame *frame);
/* So many frames of silence; or the ones there are, made as many. False: out of memory. */
bool converter_fill(struct converter *converter, int count);
void converter_close(struct converter *converter);

#endif
