/*
 * output_internal.h: what output.c (the device's life) and output_queue.c (what is queued) share.
 */
#ifndef TUTTI_PLAYBACK_OUTPUT_INTERNAL_H
#define TUTTI_PLAYBACK_OUTPUT_INTERNAL_H

#include "tutti/audio/gain.h"
#include "tutti/core/dac_clock.h"
#include "tutti/core/playout_map.h"
#include "tutti/playback/output.h"

#define OUTPUT_ERROR_MAX (SINK_TEXT_MAX + 32)

/* A chime, and the clicks of some seconds, as a latency may have them queued. */
#define OUTPUT_CUES_MAX 8

struct output_cue {
    enum cue_kind kind;
    double begins, ends; /* frames; none: both 0 */
};

struct output {
    struct output_config config;
    char device[SINK_TEXT_MAX];

    struct sink *sink; /* NULL: closed */
    struct sink_info info;
    enum output_state state;
    unsigned generation;
    bool wanted;
    struct mono_time retry_at;
    int64_t retry_ns;
    struct mono_time acquired_at;
    struct mono_time looked_at;
    double walk; /* golden_walk(), one step per look */
    enum stamp_pairing_kind pairing;
    int64_t moved_to; /* the position, and when it was last seen to change */
    struct mono_time moved_at;
    unsigned behind;          /* looks in a row that show a position far behind the line */
    bool works;               /* it has taken frames since it was opened */
    struct mono_time said_at; /* when an interruption was last logged; {0}: never */
    unsigned unsaid;          /* interruptions since */
    char error[OUTPUT_ERROR_MAX];
    uint64_t xruns;
    uint64_t losses;

    struct dac_clock clock;
    double remembered_ppm;

    /* Frames [played, written) are in the sink; [written, end) wait for room in it. Frame n is in
     * the ring at n modulo its size, faded but without the volume. */
    float *ring;
    size_t ring_frames;
    int64_t played; /* at the last look */
    int64_t written;
    int64_t end;
    int64_t silent_from; /* every frame from here on is silence */
    struct playout_map map;
    struct gain_envelope gain;
    int64_t fade_in_from; /* where the latest fade-in began */
    struct output_cue cues[OUTPUT_CUES_MAX];
};

/* Empties the queue: frame numbers start over. */
void output_queue_clear(struct output *output);

#endif
