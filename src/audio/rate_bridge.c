/*
 * rate_bridge.c: soxr at a fixed ratio, with what the caller has not pulled yet kept in a buffer.
 */
#include "rate_bridge.h"

#include <assert.h>
#include <soxr.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS 2

struct rate_bridge {
    soxr_t soxr;
    bool finished;
    size_t count; /* of pending frames */
    float pending[RATE_BRIDGE_FRAMES_MAX * CHANNELS];
};

struct rate_bridge *rate_bridge_create(double from_hz, double to_hz)
{
    struct rate_bridge *bridge = calloc(1, sizeof *bridge);
    if (!bridge)
        return NULL;
    soxr_error_t error = NULL;
    soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    bridge->soxr = soxr_create(from_hz, to_hz, CHANNELS, &error, &io, NULL, NULL);
    if (error) {
        free(bridge);
        return NULL;
    }
    return bridge;
}

void rate_bridge_destroy(struct rate_bridge *bridge)
{
    if (!bridge)
        return;
    soxr_delete(bridge->soxr);
    free(bridge);
}

void rate_bridge_push(struct rate_bridge *bridge, const float *frames, size_t count)
{
    assert(!bridge->finished);
    assert(count <= RATE_BRIDGE_FRAMES_MAX - bridge->count);
    memcpy(bridge->pending + bridge->count * CHANNELS, frames, count * CHANNELS * sizeof *frames);
    bridge->count += count;
}

void rate_bridge_finish(struct rate_bridge *bridge)
{
    bridge->finished = true;
}

static size_t convert(struct rate_bridge *bridge, float *frames, size_t count, size_t *ret_used)
{
    size_t done = 0;
    *ret_used = 0;
    if (bridge->count > 0)
        soxr_process(bridge->soxr, bridge->pending, bridge->count, ret_used, frames, count, &done);
    else if (bridge->finished)
        soxr_process(bridge->soxr, NULL, 0, NULL, frames, count, &done);
    bridge->count -= *ret_used;
    memmove(bridge->pending, bridge->pending + *ret_used * CHANNELS,
            bridge->count * CHANNELS * sizeof *frames);
    return done;
}

size_t rate_bridge_pull(struct rate_bridge *bridge, float *frames, size_t count)
{
    size_t done = 0;
    while (done < count) {
        size_t used;
        size_t got = convert(bridge, frames + done * CHANNELS, count - done, &used);
        if (used == 0 && got == 0)
            break;
        done += got;
    }
    return done;
}
