/*
 * transport.h: what the speaker is doing, as one pure transition function.
 */
#ifndef TUTTI_CORE_TRANSPORT_H
#define TUTTI_CORE_TRANSPORT_H

#include <stdbool.h>

enum transport_state {
    TRANSPORT_IDLE,    /* no track is current */
    TRANSPORT_LOADING, /* playing, but its bytes or the server's time are still wanting */
    TRANSPORT_ARMED,   /* the instant of the first frame is set and not yet reached */
    TRANSPORT_PLAYING,
    TRANSPORT_PAUSED,
    TRANSPORT_ENDED,      /* playing, past the end of the track: silence */
    TRANSPORT_RECOVERING, /* playing, but the sound device is not there yet, or not again */
    TRANSPORT_FAILED,     /* the track cannot be decoded: silence until the next */
};

struct transport_facts {
    bool track;        /* a track is current */
    bool failed;       /* and cannot be decoded */
    bool playing;      /* the timeline plays */
    bool past_end;     /* and is past the track's known end */
    bool clock_ready;  /* the server's time is known well enough to start */
    bool output_ready; /* the device runs and its clock is known */
    bool joined;       /* frames of the track are queued for their instant */
    bool sounding;     /* and that instant has come */
};

/* The state that these facts imply. What was joined stays so while facts only get worse: a clock
 * that becomes unsettled does not stop the music. */
enum transport_state transport_next(const struct transport_facts *facts);

/* For status and logs: "idle", "loading", ... */
const char *transport_name(enum transport_state state);

#endif
