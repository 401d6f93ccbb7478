/*
 * test_tone.c: a sine, straight to the sink; no loop, no timeline.
 *
 * The card's own volume stays as it is: what is heard is the card's setting, times the configured
 * volume, times a level that startles nobody.
 */
#include "tutti/daemon/test_tone.h"

#include "tutti/audio/gain.h"
#include "tutti/audio/sink.h"
#include "tutti/io/mono_clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const double TONE_HZ = 440;
static const double LEVEL = 0.2; /* -14 dB */
static const double PART_S = 1.5;
static const double FADE_S = 0.02;
static const int64_t BUFFER_NS = 200 * NS_PER_MS;
static const struct timespec NAP = {.tv_nsec = 10000000};
/* A device that takes nothing for so long will not. */
static const int64_t STUCK_NS = 2 * NS_PER_S;
#define SLICE_FRAMES 480

static const struct part {
    const char *name;
    float left, right;
} parts[] = {{"left", 1, 0}, {"right", 0, 1}, {"both", 1, 1}};
#define PART_COUNT (sizeof parts / sizeof *parts)

static struct mono_time local_now(void *clock)
{
    (void)clock;
    return mono_clock_now();
}

static enum daemon_exit failed(const char *what)
{
    fprintf(stderr, "tuttid: test tone: %s\n", what);
    return DAEMON_EXIT_FAILED;
}

static double level_of(const struct settings *settings)
{
    double percent = fmin((double)settings->audio.volume, (double)settings->audio.max_volume);
    return strcmp(settings->audio.mixer, "none") == 0 ? LEVEL : LEVEL * gain_of_volume(percent);
}

/* Silent before its first and after its last frame, without a click at either. */
static void render(float *frames, size_t count, int64_t first, const struct part *part,
                   double level, double rate_hz)
{
    for (size_t i = 0; i < count; i++) {
        double at_s = (double)(first + (int64_t)i) / rate_hz;
        double edge_s = fmin(at_s, PART_S - at_s);
        double fade = fmax(0, fmin(1, edge_s / FADE_S));
        float sound = (float)(level * fade * sin(2 * M_PI * TONE_HZ * at_s));
        frames[SINK_CHANNELS * i] = part->left * sound;
        frames[SINK_CHANNELS * i + 1] = part->right * sound;
    }
}

/* Waits for room, starts the device when it is full. NULL, or what is wrong. */
static const char *write_all(struct sink *sink, const float *frames, size_t count)
{
    struct mono_time since = mono_clock_now();
    while (count > 0) {
        int64_t taken = sink_write(sink, frames, count);
        if (taken < 0)
            return "the device has stopped";
        frames += SINK_CHANNELS * taken;
        count -= (size_t)taken;
        if (taken > 0)
            since = mono_clock_now();
        if (count > 0 && sink_observe(sink).state == SINK_STOPPED && sink_start(sink) < 0)
            return "the device cannot be started";
        if (mono_sub(mono_clock_now(), since) > STUCK_NS)
            return "the device takes no sound";
        if (count > 0)
            nanosleep(&NAP, NULL);
    }
    return NULL;
}

static const char *play_part(struct sink *sink, const struct part *part, double level)
{
    float frames[SLICE_FRAMES * SINK_CHANNELS];
    unsigned rate_hz = sink_get_info(sink)->rate_hz;
    int64_t total = (int64_t)(PART_S * rate_hz);
    printf("%s\n", part->name);
    fflush(stdout);
    for (int64_t at = 0; at < total; at += SLICE_FRAMES) {
        int64_t left = total - at;
        size_t count = left < SLICE_FRAMES ? (size_t)left : SLICE_FRAMES;
        render(frames, count, at, part, level, rate_hz);
        const char *error = write_all(sink, frames, count);
        if (error)
            return error;
    }
    return NULL;
}

/* Until the queue has run dry, which ends the last part. */
static void drain(struct sink *sink)
{
    struct mono_time until = mono_add(mono_clock_now(), STUCK_NS);
    if (sink_observe(sink).state == SINK_STOPPED)
        sink_start(sink);
    while (sink_observe(sink).state == SINK_RUNNING && mono_sub(mono_clock_now(), until) < 0)
        nanosleep(&NAP, NULL);
}

enum daemon_exit test_tone_run(const struct settings *settings)
{
    struct sink_config config = {
        .device = settings->audio.device,
        .preferred_rate_hz = 44100,
        .fixed_rate_hz = (unsigned)settings->audio.rate_hz,
        .buffer_ns = BUFFER_NS,
        .channels = (enum sink_channel_mode)settings->audio.channels,
        .null_ppm = settings->audio.null_ppm,
        .now = local_now,
        .clock_id = mono_clock_id(),
    };
    char error[SINK_TEXT_MAX];
    struct sink *sink = NULL;
    if (sink_open(&config, &sink, error) < 0)
        return failed(error);
    const struct sink_info *info = sink_get_info(sink);
    printf("%s: %s, %u Hz, buffer %.0f ms%s\n", info->device, info->format, info->rate_hz,
           1e3 * (double)info->buffer_frames / info->rate_hz,
           info->can_rewind ? "" : ", cannot rewind");
    const char *wrong = NULL;
    for (size_t i = 0; i < PART_COUNT && !wrong; i++)
        wrong = play_part(sink, &parts[i], level_of(settings));
    if (!wrong)
        drain(sink);
    sink_close(sink);
    return wrong ? failed(wrong) : DAEMON_EXIT_OK;
}
