/*
 * output.h: the card, its clock, and the queue of what it is about to play.
 *
 * The output keeps a device open while it is wanted, learns its clock, and lets the player write
 * ahead of it and change its mind: a cut takes back what is queued but not heard yet, with a
 * short fade, within the device's margin (10 ms or so) instead of the queue's length. It recovers
 * by itself from underruns, suspends and unplugged devices; then the queue is empty, frame
 * numbers start over, and output_generation() has changed.
 *
 * Frame numbers are the sink's. Times are when a frame is heard: the device's latency_ns (positive:
 * what it plays sounds that much later) is included.
 */
#ifndef TUTTI_PLAYBACK_OUTPUT_H
#define TUTTI_PLAYBACK_OUTPUT_H

#include "tutti/audio/cue.h"
#include "tutti/audio/sink.h"
#include "tutti/base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct output;

struct output_config {
    struct sink_config sink; /* strings are copied */
    int64_t latency_ns;
    double remembered_ppm; /* of this device; NAN: unknown */
};

enum output_state {
    OUTPUT_CLOSED,    /* not wanted, or not to be had: see error */
    OUTPUT_ACQUIRING, /* running on silence; the clock is being learned */
    OUTPUT_READY,
};

struct output_status {
    enum output_state state;
    bool wanted;           /* by the player: closed all the same, it is not to be had */
    struct sink_info sink; /* of the last time it was open */
    const char *error;     /* "" or why the device cannot be had */
    uint64_t xruns;
    uint64_t losses;
    double rate_error_ppm;           /* of the card */
    double steady_s;                 /* dac_clock_window_s() */
    uint64_t disbelieved;            /* positions that the device cannot have come to */
    double sigma_s;                  /* dac_clock_sigma_s() */
    enum stamp_pairing_kind pairing; /* what its driver's time stamps belong to */
    int64_t queued_ns;
};

/* Does not open the device yet. NULL when out of memory. */
struct output *output_create(const struct output_config *config);
void output_destroy(struct output *output);

/* Open the device, at this rate if it is one that it has; or let it go. */
void output_want(struct output *output, unsigned rate_hz);
void output_release(struct output *output);
/* Another device from the next look on. What is queued is lost, as with a device that went. */
void output_set_device(struct output *output, const char *device, double remembered_ppm);
/* If it is wanted and could not be had, the next look tries again. */
void output_retry(struct output *output);

/*
 * Looks at the device, keeps its clock, opens or recovers it. To be called about every 100 ms while
 * something sounds, at least every half queue length while open, and at output_next_look().
 */
enum output_state output_look(struct output *output, struct mono_time now);
/* When the next look is due for the output's own sake; far away if it needs none. */
struct mono_time output_next_look(const struct output *output);
/* When a look tells the most, if about `at` will do; changes with every look. */
struct mono_time output_aim(const struct output *output, struct mono_time at);

/* Changes whenever the queue was lost. */
unsigned output_generation(const struct output *output);
unsigned output_rate_hz(const struct output *output);
struct output_status output_get_status(const struct output *output);

/* The following need OUTPUT_READY. */

/* The frame number that the next append gets; and the first that a cut may still change. */
int64_t output_end(const struct output *output);
int64_t output_earliest_cut(const struct output *output, struct mono_time now);
double output_frame_at(const struct output *output, struct mono_time heard_at);
struct mono_time output_time_of(const struct output *output, double frame);
/* The same of the DAC: latency aside, which does not count for what is queued before it. */
double output_frame_played_at(const struct output *output, struct mono_time at);
struct mono_time output_time_played(const struct output *output, double frame);

/* How many frames can be appended now. */
size_t output_space(const struct output *output, struct mono_time now);

/*
 * Appends frames of a track: position_s sounds at the first, advancing by step_s per frame.
 * begins: nothing sounded before it; it is faded in over a few milliseconds.
 */
void output_append_sound(struct output *output, const float *frames, size_t count,
                         double position_s, double step_s, bool begins);
void output_append_silence(struct output *output, size_t count);

/* Everything from frame `end` on is forgotten, and what is before it faded out; later where that is
 * not possible any more. Returns the new end. */
int64_t output_cut(struct output *output, int64_t end, struct mono_time now);

/* Track time heard at an instant; false in silence. */
bool output_position_at(const struct output *output, struct mono_time heard_at,
                        double *ret_position_s);
/* Linear gain, audible within the device's margin, by a short ramp. Any state. */
void output_set_gain(struct output *output, float gain, struct mono_time now);
/*
 * A cue over what is played, through the gain as that is: cuts and joins leave it alone, and what is
 * queued again sounds it again. At this frame, a fraction counts: false when it has been given away,
 * or so many others wait already.
 */
bool output_cue_at(struct output *output, enum cue_kind kind, double frame, struct mono_time now);
/* As soon as the device allows; one of this kind that is not over is the same. */
bool output_cue_soon(struct output *output, enum cue_kind kind, struct mono_time now);
/* Something of a cue is still to be heard. */
bool output_is_cueing(const struct output *output, struct mono_time now);
/* Moves everything that is appended from now on; the player realigns by rate or seek. */
void output_set_latency(struct output *output, int64_t latency_ns);

#endif
