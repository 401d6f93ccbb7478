/*
 * output.c: life of the device: open, acquire its clock, recover.
 *
 * What is queued lives in a ring of raw frames (output_queue.c), so that anything not yet heard can
 * be rendered again with another gain or a fade after the sink gave it back.
 */
#include "tutti/playback/output.h"

#include "output_internal.h"
#include "tutti/base/log.h"
#include "tutti/core/golden_walk.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Silence that a device is started on: it covers the acquisition. */
static const int64_t START_SILENCE_NS = 150 * NS_PER_MS;
/* Looks at a device that has just started: close together, so that some meet the instant at which
 * even a coarse pointer moves, and not in step with one that moves every millisecond. */
static const int64_t ACQUIRE_STEP_NS = 600 * NS_PER_US;
static const int64_t ACQUIRE_RANGE_NS = 800 * NS_PER_US;
static const int64_t ACQUIRE_NS = 30 * NS_PER_MS;
/* A device that has gone is asked for again at growing intervals, never more than a second: a
 * replugged one is to sound within two. */
static const int64_t RETRY_MIN_NS = 100 * NS_PER_MS;
static const int64_t RETRY_MAX_NS = NS_PER_S;
/* A look that took longer was interrupted; its time and position do not belong together. */
static const int64_t LOOK_MAX_NS = 300 * NS_PER_US;

/* A position that is so much behind what it should be has stood still in between: what was learned
 * of the card does not hold any more. Drivers that are merely coarse are stale by far less. */
static const double STOOD_STILL_S = 0.1;
static const double STOOD_STILL_STALENESSES = 4;
/* A driver that merely says once more what it said before has gone on a moment later; what stands
 * still is behind in so many looks in a row (of those of sim_speaker a tenth is of before). */
static const unsigned STOOD_STILL_LOOKS = 6;
static const int64_t STOOD_STILL_STEP_NS = 10 * NS_PER_MS;
/* A device that moves by nothing for so long is as good as gone. */
static const int64_t STALL_NS = 500 * NS_PER_MS;
/* No crystal is off by more; a clock that says so was fed nonsense, and is not to be remembered. */
static const double PLAUSIBLE_PPM = 1000;
/* Interruptions are logged at most so often: a card may have one after the other. */
static const int64_t SAY_AGAIN_NS = 10 * NS_PER_S;

static const struct mono_time NEVER = {INT64_MAX};

struct output *output_create(const struct output_config *config)
{
    struct output *output = calloc(1, sizeof *output);
    if (!output)
        return NULL;
    output->config = *config;
    output->config.sink.device = output->device;
    snprintf(output->device, sizeof output->device, "%s", config->sink.device);
    output->gain = gain_steady(1);
    output->remembered_ppm = config->remembered_ppm;
    return output;
}

static void close_sink(struct output *output)
{
    sink_close(output->sink);
    output->sink = NULL;
    output->state = OUTPUT_CLOSED;
    output->generation++;
    output_queue_clear(output);
}

void output_destroy(struct output *output)
{
    if (!output)
        return;
    close_sink(output);
    free(output->ring);
    free(output);
}

void output_want(struct output *output, unsigned rate_hz)
{
    output->config.sink.preferred_rate_hz = rate_hz;
    if (!output->wanted) {
        output->wanted = true;
        output->retry_at = (struct mono_time){0};
        output->retry_ns = RETRY_MIN_NS;
    }
}

void output_retry(struct output *output)
{
    output->retry_at = (struct mono_time){0};
}

static void remember_rate(struct output *output)
{
    if (output->state == OUTPUT_READY && dac_clock_ppm_sigma(&output->clock) < 2 &&
        fabs(dac_clock_ppm(&output->clock)) < PLAUSIBLE_PPM)
        output->remembered_ppm = dac_clock_ppm(&output->clock);
}

void output_release(struct output *output)
{
    output->wanted = false;
    if (!output->sink)
        return;
    remember_rate(output);
    close_sink(output);
}

void output_set_device(struct output *output, const char *device, double remembered_ppm)
{
    if (output->sink)
        close_sink(output);
    snprintf(output->device, sizeof output->device, "%s", device);
    output->remembered_ppm = remembered_ppm;
    output->error[0] = '\0';
    output->retry_at = (struct mono_time){0};
    output->retry_ns = RETRY_MIN_NS;
}

/* Queues some silence and starts the DAC on it. */
static int start_sink(struct output *output, struct mono_time now)
{
    output_queue_clear(output);
    int64_t silence = (int64_t)ns_to_frames(START_SILENCE_NS, output->info.rate_hz);
    output_append_silence(output, (size_t)silence);
    int result = sink_start(output->sink);
    if (result < 0)
        return result;
    output->state = OUTPUT_ACQUIRING;
    output->behind = 0;
    output->moved_to = 0;
    output->moved_at = now;
    output->acquired_at = mono_add(now, ACQUIRE_NS);
    return 0;
}

static void retry_later(struct output *output, struct mono_time now)
{
    output->retry_at = mono_add(now, output->retry_ns);
    output->retry_ns = output->retry_ns * 2 < RETRY_MAX_NS ? output->retry_ns * 2 : RETRY_MAX_NS;
}

static void say_once(struct output *output, const char *error)
{
    if (strcmp(output->error, error) == 0)
        return;
    snprintf(output->error, sizeof output->error, "%s", error);
    log_error("sound device: %s; trying again until it works", error);
}

/* One line for the first interruption, and one for all that follow in the next seconds. */
static void say_interrupted(struct output *output, const char *what, struct mono_time now)
{
    output->unsaid++;
    if (output->said_at.ns && mono_sub(now, output->said_at) < SAY_AGAIN_NS)
        return;
    if (output->unsaid == 1)
        log_warn("sound device %s: %s", output->info.device, what);
    else
        log_warn("sound device %s: %s; %u interruptions since the last report", output->info.device,
                 what, output->unsaid);
    output->said_at = now;
    output->unsaid = 0;
}

static bool allocate_ring(struct output *output)
{
    if (output->ring && output->ring_frames == output->info.buffer_frames)
        return true;
    free(output->ring);
    output->ring_frames = output->info.buffer_frames;
    output->ring = calloc(output->ring_frames * SINK_CHANNELS, sizeof *output->ring);
    return output->ring != NULL;
}

static void init_clock(struct output *output)
{
    if (isnan(output->remembered_ppm))
        dac_clock_init(&output->clock, output->info.rate_hz, 0, DAC_CLOCK_UNKNOWN_SIGMA_PPM);
    else
        dac_clock_init(&output->clock, output->info.rate_hz, output->remembered_ppm,
                       DAC_CLOCK_REMEMBERED_SIGMA_PPM);
}

/* Opening and starting is not enough: it works once it takes frames. */
static void say_works(struct output *output)
{
    output->works = true;
    output->error[0] = '\0';
    log_info("sound device %s: %s, %u Hz, buffer %.0f ms%s", output->info.device,
             output->info.format, output->info.rate_hz,
             1e3 * (double)output->info.buffer_frames / output->info.rate_hz,
             output->info.can_rewind ? "" : ", cannot rewind");
}

static void open_sink(struct output *output, struct mono_time now)
{
    char error[SINK_TEXT_MAX];
    if (sink_open(&output->config.sink, &output->sink, error) < 0) {
        say_once(output, error);
        retry_later(output, now);
        return;
    }
    output->info = *sink_get_info(output->sink);
    output->works = false;
    init_clock(output);
    if (!allocate_ring(output) || start_sink(output, now) < 0) {
        say_once(output, "cannot be started");
        close_sink(output);
        retry_later(output, now);
        return;
    }
    output->retry_ns = RETRY_MIN_NS;
}

static void lose_sink(struct output *output, const char *how, struct mono_time now)
{
    output->losses++;
    remember_rate(output);
    say_once(output, how);
    close_sink(output);
    output->retry_ns = RETRY_MIN_NS;
    retry_later(output, now);
}

/* An underrun or a suspend: the device is there, but its queue is gone. */
static void restart_sink(struct output *output, struct mono_time now)
{
    output->generation++;
    remember_rate(output);
    if (output->state == OUTPUT_READY && fabs(dac_clock_ppm(&output->clock)) < PLAUSIBLE_PPM)
        dac_clock_restart(&output->clock);
    else
        init_clock(output);
    if (sink_reset(output->sink) < 0 || start_sink(output, now) < 0)
        lose_sink(output, "gone", now);
}

/* Is the position of this look far behind the line of those before it? */
static bool has_stood_still(const struct output *output, const struct sink_observation *look)
{
    if (output->state != OUTPUT_READY || look->uncertainty_ns > LOOK_MAX_NS)
        return false;
    int64_t played = look->written_frames - look->delay_frames;
    double behind_s =
        (dac_clock_frame_at(&output->clock, look->time) - (double)played) / output->info.rate_hz;
    return behind_s > STOOD_STILL_S &&
           behind_s > STOOD_STILL_STALENESSES * output->clock.staleness_s;
}

static bool is_stalled(struct output *output, const struct sink_observation *look)
{
    int64_t played = look->written_frames - look->delay_frames;
    if (played != output->moved_to) {
        output->moved_to = played;
        output->moved_at = look->time;
    }
    return mono_sub(look->time, output->moved_at) > STALL_NS;
}

/* A card that has not moved yet may begin when it likes: its clock counts from then on. */
static void take_observation(struct output *output, const struct sink_observation *look)
{
    output->played = look->written_frames - look->delay_frames;
    if (output->played > 0 && look->uncertainty_ns <= LOOK_MAX_NS)
        dac_clock_observe(&output->clock, look->time, output->played);
}

static void check_acquired(struct output *output, struct mono_time now)
{
    if (output->state != OUTPUT_ACQUIRING || output->played == 0)
        return;
    if (!output->works)
        say_works(output);
    if (mono_sub(now, output->acquired_at) >= 0 && dac_clock_ready(&output->clock))
        output->state = OUTPUT_READY;
}

static void take_running(struct output *output, const struct sink_observation *look,
                         struct mono_time now)
{
    if (is_stalled(output, look)) {
        lose_sink(output, "takes no frames", now);
    } else if (has_stood_still(output, look)) {
        if (++output->behind < STOOD_STILL_LOOKS)
            return;
        output->xruns++;
        say_interrupted(output, "it stood still for a moment", now);
        restart_sink(output, now);
    } else {
        output->behind = 0;
        take_observation(output, look);
        check_acquired(output, now);
    }
}

enum output_state output_look(struct output *output, struct mono_time now)
{
    if (!output->sink) {
        if (!output->wanted || mono_sub(now, output->retry_at) < 0)
            return output->state;
        open_sink(output, now);
        return output->state;
    }
    struct sink_observation look = sink_observe(output->sink);
    output->looked_at = now;
    output->pairing = look.pairing;
    output->walk = golden_walk(output->walk);
    switch (look.state) {
    case SINK_RUNNING:
        take_running(output, &look, now);
        break;
    case SINK_XRUN:
        output->xruns++;
        say_interrupted(output, "underrun", now);
        restart_sink(output, now);
        break;
    case SINK_SUSPENDED:
        say_interrupted(output, "the system was suspended", now);
        restart_sink(output, now);
        break;
    case SINK_STOPPED:
        restart_sink(output, now);
        break;
    case SINK_LOST:
        lose_sink(output, "gone", now);
        break;
    }
    return output->state;
}

struct mono_time output_next_look(const struct output *output)
{
    if (!output->sink)
        return output->wanted ? output->retry_at : NEVER;
    if (output->behind > 0)
        return mono_add(output->looked_at, STOOD_STILL_STEP_NS);
    if (output->state != OUTPUT_ACQUIRING)
        return NEVER;
    int64_t step_ns = ACQUIRE_STEP_NS + (int64_t)(output->walk * (double)ACQUIRE_RANGE_NS);
    return output_aim(output, mono_add(output->looked_at, step_ns));
}

struct mono_time output_aim(const struct output *output, struct mono_time at)
{
    return output->sink ? dac_clock_aim(&output->clock, at, output->walk) : at;
}

unsigned output_generation(const struct output *output)
{
    return output->generation;
}

unsigned output_rate_hz(const struct output *output)
{
    return output->info.rate_hz;
}

struct mono_time output_time_of(const struct output *output, double frame)
{
    return mono_add(dac_clock_time_of(&output->clock, frame), output->config.latency_ns);
}

double output_frame_played_at(const struct output *output, struct mono_time at)
{
    return dac_clock_frame_at(&output->clock, at);
}

struct mono_time output_time_played(const struct output *output, double frame)
{
    return dac_clock_time_of(&output->clock, frame);
}

void output_set_latency(struct output *output, int64_t latency_ns)
{
    output->config.latency_ns = latency_ns;
}

struct output_status output_get_status(const struct output *output)
{
    bool clock_known = output->sink && dac_clock_ready(&output->clock);
    return (struct output_status){
        .state = output->state,
        .wanted = output->wanted,
        .sink = output->info,
        .error = output->error,
        .xruns = output->xruns,
        .losses = output->losses,
        .rate_error_ppm = clock_known                     ? dac_clock_ppm(&output->clock)
                          : isnan(output->remembered_ppm) ? 0
                                                          : output->remembered_ppm,
        .disbelieved = output->clock.disbelieved,
        .steady_s = clock_known ? dac_clock_window_s(&output->clock) : 0,
        .sigma_s = clock_known ? dac_clock_sigma_s(&output->clock) : 0,
        .pairing = output->pairing,
        .queued_ns =
            output->sink && output->info.rate_hz
                ? frames_to_ns((double)(output->end - output->played), output->info.rate_hz)
                : 0,
    };
}
