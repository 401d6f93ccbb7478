/*
 * sink.h: where sound goes: an ALSA device, or nowhere at an exact pace.
 *
 * A sink is a queue of stereo frames that a clock of its own, the DAC's, consumes. It never
 * blocks. Its life: open (stopped, empty) -> write -> start -> observe/write/rewind ... -> close.
 * Frames are interleaved float, full scale +-1; the sink converts, dithers at 16 bits and clips.
 *
 * Frame numbers count everything accepted by sink_write() since open or reset, minus what
 * sink_rewind() took back: frame n is the n-th frame that the DAC plays.
 */
#ifndef TUTTI_AUDIO_SINK_H
#define TUTTI_AUDIO_SINK_H

#include "tutti/base/units.h"
#include "tutti/core/stamp_pairing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SINK_CHANNELS 2
#define SINK_TEXT_MAX 160

enum sink_channel_mode {
    SINK_STEREO,
    SINK_MONO,  /* (left + right) / 2 on both */
    SINK_LEFT,  /* left on both */
    SINK_RIGHT, /* right on both */
};

struct sink_backend;

struct sink_config {
    const char *device; /* an ALSA PCM name, "auto" (the only card that is not HDMI), or "null" */
    unsigned preferred_rate_hz; /* the track's; the nearest that the device has is taken */
    unsigned fixed_rate_hz;     /* 0, or the only rate wanted */
    int64_t buffer_ns;          /* wanted depth; the device may give less */
    enum sink_channel_mode channels;
    double null_ppm;                      /* "null" only: how much faster than the clock it runs */
    struct mono_time (*now)(void *clock); /* the local clock */
    void *clock;
    int clock_id;                       /* the CLOCK_* that now() reads, for device timestamps */
    const struct sink_backend *backend; /* NULL: as the device's name says */
};

struct sink_info {
    char device[SINK_TEXT_MAX];
    char format[16];      /* "S32_LE", "S16_LE" ..., "none" for null */
    unsigned rate_hz;     /* nominal */
    size_t buffer_frames; /* how much can be queued at most */
    size_t period_frames;
    bool can_rewind;
    int card; /* ALSA's number of the card that it is on; -1: on none, or not known */
};

enum sink_state {
    SINK_STOPPED, /* open, not started, or reset */
    SINK_RUNNING,
    SINK_XRUN,      /* ran dry: reset, then start over */
    SINK_SUSPENDED, /* the system slept: reset, then start over */
    SINK_LOST,      /* the device is gone: close and try to open it again */
};

/*
 * One look at the DAC: at `time`, frame (written_frames - delay_frames) was about to be heard.
 * uncertainty_ns: how long the look took (the process may have been descheduled inside it).
 * time and delay_frames are valid only with SINK_RUNNING.
 */
struct sink_observation {
    enum sink_state state;
    struct mono_time time;
    int64_t uncertainty_ns;
    int64_t written_frames; /* the frame number that the next write gets */
    int64_t delay_frames;
    enum stamp_pairing_kind pairing; /* what the driver's time stamps belong to, so far */
};

struct sink;

/*
 * Opens and configures. 0, or -errno with one line for people in error[SINK_TEXT_MAX] that names
 * device and cause: -EBUSY, -ENODEV or -ENOENT (absent), -EINVAL (refuses every format), ...
 */
int sink_open(const struct sink_config *config, struct sink **ret_sink, char *error);
void sink_close(struct sink *sink); /* at once, queued frames are dropped; NULL is fine */

const struct sink_info *sink_get_info(const struct sink *sink);

/* Frames accepted (0: full), or -EPIPE (xrun), -ESTRPIPE (suspended), -ENODEV (lost). */
int64_t sink_write(struct sink *sink, const float *frames, size_t count);

/* Starts the DAC now; some frames must be queued. 0 or -errno. */
int sink_start(struct sink *sink);

/* Never fails: what is wrong is in the state. */
struct sink_observation sink_observe(struct sink *sink);

/*
 * Takes back up to count of the youngest queued frames, never closer to the DAC than the margin
 * that the device needs. Returns how many were taken back (0 where the device cannot).
 */
size_t sink_rewind(struct sink *sink, size_t count);

/* Drops what is queued and stops; frame numbers start over from 0. 0 or -errno. */
int sink_reset(struct sink *sink);

/* Calls back once per playback device: an ALSA name usable as `device`, and a description. */
void sink_list_devices(void (*each)(void *user, const char *name, const char *description),
                       void *user);

#endif
