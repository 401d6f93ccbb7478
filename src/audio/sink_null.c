/*
 * sink_null.c: a device without a loudspeaker, which consumes frames at an exact pace: the given
 * clock's, off by a settable number of ppm. For tests, for demos without a sound card, and for a
 * host that only conducts.
 */
#include "tutti/audio/sink_backend.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_RATE_HZ 48000
/* What a real device's transfer unit would be: frames closer to the DAC cannot be taken back. */
#define MARGIN_FRAMES 64

struct sink_null {
    struct mono_time (*now)(void *clock);
    void *clock;
    double rate_hz; /* true, not nominal */
    size_t buffer_frames;
    bool running;
    bool xrun;
    struct mono_time started_at;
    int64_t written;
};

static int null_open(const struct sink_config *config, void **ret_self, struct sink_info *ret_info,
                     char *error)
{
    (void)error;
    struct sink_null *null = calloc(1, sizeof *null);
    if (!null)
        return -ENOMEM;
    unsigned rate_hz = config->fixed_rate_hz       ? config->fixed_rate_hz
                       : config->preferred_rate_hz ? config->preferred_rate_hz
                                                   : DEFAULT_RATE_HZ;
    null->now = config->now;
    null->clock = config->clock;
    null->rate_hz = rate_hz * ppm_to_factor(config->null_ppm);
    null->buffer_frames = (size_t)ns_to_frames(config->buffer_ns, rate_hz);
    *ret_info = (struct sink_info){.format = "none",
                                   .rate_hz = rate_hz,
                                   .buffer_frames = null->buffer_frames,
                                   .period_frames = 1,
                                   .can_rewind = true,
                                   .card = -1};
    *ret_self = null;
    return 0;
}

static void null_close(void *self)
{
    free(self);
}

static int64_t played_frames(const struct sink_null *null, struct mono_time now)
{
    if (!null->running)
        return 0;
    return (int64_t)floor(ns_to_frames(mono_sub(now, null->started_at), null->rate_hz));
}

/* Frames still queued. Like a card's, the clock stops for good when there are none. */
static int64_t update(struct sink_null *null, struct mono_time now)
{
    int64_t queued = null->written - played_frames(null, now);
    if (null->running && queued <= 0)
        null->xrun = true;
    return queued;
}

static int64_t null_write(void *self, const float *frames, size_t count)
{
    struct sink_null *null = self;
    (void)frames;
    int64_t queued = update(null, null->now(null->clock));
    if (null->xrun)
        return -EPIPE;
    int64_t room = (int64_t)null->buffer_frames - queued;
    int64_t taken = (int64_t)count < room ? (int64_t)count : room;
    null->written += taken;
    return taken;
}

static int null_start(void *self)
{
    struct sink_null *null = self;
    if (null->written == 0)
        return -EPIPE;
    null->started_at = null->now(null->clock);
    null->running = true;
    return 0;
}

/* The time is that of the frame's beginning, not of the look, so that nothing is rounded. */
static struct sink_observation null_observe(void *self)
{
    struct sink_null *null = self;
    struct mono_time now = null->now(null->clock);
    int64_t queued = update(null, now);
    int64_t played = null->written - queued;
    return (struct sink_observation){
        .state = !null->running ? SINK_STOPPED
                 : null->xrun   ? SINK_XRUN
                                : SINK_RUNNING,
        .time = mono_add(null->started_at, frames_to_ns((double)played, null->rate_hz)),
        .written_frames = null->written,
        .delay_frames = queued,
    };
}

static size_t null_rewind(void *self, size_t count)
{
    struct sink_null *null = self;
    int64_t queued = update(null, null->now(null->clock));
    int64_t free_to_take = null->running ? queued - MARGIN_FRAMES : queued;
    if (null->xrun || free_to_take <= 0)
        return 0;
    int64_t taken = (int64_t)count < free_to_take ? (int64_t)count : free_to_take;
    null->written -= taken;
    return (size_t)taken;
}

static int null_reset(void *self)
{
    struct sink_null *null = self;
    null->running = false;
    null->xrun = false;
    null->written = 0;
    return 0;
}

const struct sink_backend sink_null_backend = {
    .open = null_open,
    .close = null_close,
    .write = null_write,
    .start = null_start,
    .observe = null_observe,
    .rewind = null_rewind,
    .reset = null_reset,
};
