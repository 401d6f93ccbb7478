/*
 * rate_bridge.c: the resampler at a fixed ratio, with what the caller has not pulled yet kept in a
 * buffer, and silence on both sides of the stretch.
 */
#include "rate_bridge.h"

#include "tutti/audio/resampler.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS RESAMPLER_CHANNELS
/* Silence is fed so many frames at a time. */
#define SILENCE_FRAMES 64

struct rate_bridge {
    struct resampler *resampler;
    double ratio; /* to / from */
    bool finished;
    int64_t silent_lead; /* frames of silence to feed before the stretch */
    int64_t pushed;      /* frames of the stretch, and of what comes out for it */
    int64_t pulled;
    size_t count; /* of pending frames */
    float pending[RATE_BRIDGE_FRAMES_MAX * CHANNELS];
};

struct rate_bridge *rate_bridge_create(double from_hz, double to_hz)
{
    struct rate_bridge *bridge = calloc(1, sizeof *bridge);
    if (!bridge)
        return NULL;
    bridge->resampler = resampler_create((unsigned)from_hz, (unsigned)to_hz, RESAMPLER_HIGH);
    if (!bridge->resampler) {
        free(bridge);
        return NULL;
    }
    bridge->ratio = to_hz / from_hz;
    bridge->silent_lead = -resampler_start(bridge->resampler, (struct resampler_position){0, 0});
    return bridge;
}

void rate_bridge_destroy(struct rate_bridge *bridge)
{
    if (!bridge)
        return;
    resampler_destroy(bridge->resampler);
    free(bridge);
}

void rate_bridge_push(struct rate_bridge *bridge, const float *frames, size_t count)
{
    assert(!bridge->finished);
    assert(count <= RATE_BRIDGE_FRAMES_MAX - bridge->count);
    memcpy(bridge->pending + bridge->count * CHANNELS, frames, count * CHANNELS * sizeof *frames);
    bridge->count += count;
    bridge->pushed += (int64_t)count;
}

void rate_bridge_finish(struct rate_bridge *bridge)
{
    bridge->finished = true;
}

/* What is to be fed next: silence before the stretch, it, and silence behind it. NULL: nothing is
 * there now. */
static const float *next_input(const struct rate_bridge *bridge, size_t *ret_count)
{
    static const float silence[SILENCE_FRAMES * CHANNELS];
    bool leading = bridge->silent_lead > 0;
    if (!leading && bridge->count > 0) {
        *ret_count = bridge->count;
        return bridge->pending;
    }
    *ret_count = leading && bridge->silent_lead < SILENCE_FRAMES ? (size_t)bridge->silent_lead
                                                                 : SILENCE_FRAMES;
    return leading || bridge->finished ? silence : NULL;
}

static void consume(struct rate_bridge *bridge, size_t used)
{
    if (bridge->silent_lead > 0) {
        bridge->silent_lead -= (int64_t)used;
    } else if (bridge->count > 0) {
        bridge->count -= used;
        memmove(bridge->pending, bridge->pending + used * CHANNELS,
                bridge->count * CHANNELS * sizeof *bridge->pending);
    }
}

/* How much of count is the stretch's own: behind its end there is only what was fed to reach it. */
static size_t within_stretch(const struct rate_bridge *bridge, size_t count)
{
    int64_t left = llround((double)bridge->pushed * bridge->ratio) - bridge->pulled;
    return bridge->finished && left < (int64_t)count ? (size_t)left : count;
}

size_t rate_bridge_pull(struct rate_bridge *bridge, float *frames, size_t count)
{
    size_t done = 0;
    count = within_stretch(bridge, count);
    while (done < count) {
        size_t offered, used;
        const float *input = next_input(bridge, &offered);
        if (!input)
            break;
        done += resampler_process(bridge->resampler, input, offered, &used,
                                  frames + done * CHANNELS, count - done);
        consume(bridge, used);
    }
    bridge->pulled += (int64_t)done;
    return done;
}
