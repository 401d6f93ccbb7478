/*
 * track_index.h: which packet has which frames of the track.
 *
 * In a file of the MP4 family time stamps need not be exact, but every packet of AAC or mp3 is
 * known and becomes the same number of samples: so packets are counted. Elsewhere time stamps are
 * samples, and count.
 */
#ifndef TUTTI_DECODE_TRACK_INDEX_H
#define TUTTI_DECODE_TRACK_INDEX_H

#include <libavformat/avformat.h>
#include <stdbool.h>

struct track_index {
    AVStream *stream;
    unsigned rate_hz;
    bool counted;
    int packet_samples; /* of each packet, where they are counted */
    int packets_before; /* to decode before what is wanted, at least */
    int64_t begin;      /* samples of the first packets that are not played */
    int64_t muted;      /* frames at the beginning that are silence, whatever is decoded */
    int64_t zero_pts;   /* of the first packet */
    int64_t end_pts;    /* behind the last one, where the file tells; else AV_NOPTS_VALUE */
    int64_t begun_pts;  /* packets before this one are trimmed by `begin`, and by nothing else */
    int64_t length;     /* frames; -1: not known */
};

/* stream, rate_hz, counted, packet_samples, packets_before and end_pts are set, and begin as the first
 * packet has it. */
void track_index_measure(struct track_index *index, int64_t first_pts);

int64_t track_index_first_pts(const AVStream *stream);

/* To decode from, to get frame `frame`: the packet's time stamp, and the first frame that its
 * samples are (negative before the track's beginning). */
struct track_place {
    int64_t pts;
    int64_t frame;
};
struct track_place track_index_find(const struct track_index *index, int64_t frame);

/* The frame that this time stamp is, where they are not counted. */
int64_t track_index_frame_at(const struct track_index *index, int64_t pts);

#endif
