/*
 * output_queue.c: what is queued, how it is faded, and how it is taken back.
 *
 * The ring holds frames with their fades but before the volume. Writing to the sink applies the
 * volume; rewinding the sink and writing again applies another. A cut multiplies the frames that
 * follow it by a falling half cosine and forgets the rest.
 */
#include "output_internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A fade this long is not heard as one, and a full-scale sine stops in it without a click. */
static const int64_t FADE_NS = 4 * NS_PER_MS;
/* Between deciding on a cut and the sink's rewind, the DAC moves on; the sink keeps its own margin
 * to the hardware besides. */
static const int64_t CUT_LEAD_NS = 8 * NS_PER_MS;
/* Frames converted at a time: fits the stack and the cache. */
#define SLICE_FRAMES 512

static int64_t fade_frames(const struct output *output)
{
    return (int64_t)ns_to_frames(FADE_NS, output->info.rate_hz);
}

static float *ring_at(struct output *output, int64_t frame)
{
    return output->ring + (size_t)(frame % (int64_t)output->ring_frames) * SINK_CHANNELS;
}

/* Rises from 0 to 1 as x goes from 0 to 1. */
static float half_cosine(double x)
{
    return (float)(0.5 - 0.5 * cos(M_PI * fmin(fmax(x, 0), 1)));
}

void output_queue_clear(struct output *output)
{
    output->played = output->written = output->end = output->silent_from = 0;
    output->fade_in_from = INT64_MIN / 2;
    output->gain.frames = 0;
    output->gain.from = output->gain.target;
    playout_map_clear(&output->map);
}

static float gain_at(const struct gain_ramp *gain, int64_t frame)
{
    if (gain->frames == 0 || frame >= gain->first_frame + gain->frames)
        return gain->target;
    float rise = half_cosine((double)(frame - gain->first_frame) / (double)gain->frames);
    return gain->from + (gain->target - gain->from) * rise;
}

/* Hands [written, end) to the sink, as much of it as there is room for. */
static void flush(struct output *output)
{
    float slice[SLICE_FRAMES * SINK_CHANNELS];
    while (output->written < output->end) {
        int64_t left = output->end - output->written;
        size_t count = left < SLICE_FRAMES ? (size_t)left : SLICE_FRAMES;
        for (size_t i = 0; i < count; i++) {
            int64_t frame = output->written + (int64_t)i;
            const float *from = ring_at(output, frame);
            float gain = gain_at(&output->gain, frame);
            slice[2 * i] = from[0] * gain;
            slice[2 * i + 1] = from[1] * gain;
        }
        int64_t taken = sink_write(output->sink, slice, count);
        if (taken <= 0)
            return; /* full; or broken, which the next look will tell */
        output->written += taken;
    }
}

int64_t output_end(const struct output *output)
{
    return output->end;
}

size_t output_space(const struct output *output, struct mono_time now)
{
    double playing = dac_clock_ready(&output->clock) ? dac_clock_frame_at(&output->clock, now)
                                                     : (double)output->played;
    int64_t queued = output->end - (int64_t)playing;
    int64_t space = (int64_t)output->ring_frames - queued - 1;
    return space > 0 ? (size_t)space : 0;
}

int64_t output_earliest_cut(const struct output *output, struct mono_time now)
{
    struct mono_time soon = mono_add(now, CUT_LEAD_NS);
    int64_t frame = (int64_t)ceil(dac_clock_frame_at(&output->clock, soon));
    return frame < output->end ? frame : output->end;
}

static void fade_in(const struct output *output, float *frame, int64_t number)
{
    double x = (double)(number - output->fade_in_from) / (double)fade_frames(output);
    float rise = half_cosine(x);
    frame[0] *= rise;
    frame[1] *= rise;
}

void output_append_sound(struct output *output, const float *frames, size_t count,
                         double position_s, double step_s, bool begins)
{
    if (count == 0)
        return;
    if (begins)
        output->fade_in_from = output->end;
    int64_t fade_end = output->fade_in_from + fade_frames(output);
    for (size_t i = 0; i < count; i++) {
        int64_t number = output->end + (int64_t)i;
        float *to = ring_at(output, number);
        to[0] = frames[2 * i];
        to[1] = frames[2 * i + 1];
        if (number < fade_end)
            fade_in(output, to, number);
    }
    playout_map_append_sound(&output->map, output->end, (int64_t)count, position_s, step_s);
    output->end += (int64_t)count;
    output->silent_from = output->end;
    flush(output);
}

void output_append_silence(struct output *output, size_t count)
{
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        memset(ring_at(output, output->end + (int64_t)i), 0, SINK_CHANNELS * sizeof(float));
    playout_map_append_silence(&output->map, output->end, (int64_t)count);
    output->end += (int64_t)count;
    flush(output);
}

/* Takes back what the sink holds from `frame` on; returns the first frame that it gave back. */
static int64_t take_back(struct output *output, int64_t frame)
{
    if (frame >= output->written)
        return frame;
    output->written -= (int64_t)sink_rewind(output->sink, (size_t)(output->written - frame));
    return output->written > frame ? output->written : frame;
}

static void fade_out(struct output *output, int64_t from, int64_t frames)
{
    for (int64_t i = 0; i < frames; i++) {
        float fall = 1 - half_cosine((double)(i + 1) / (double)(frames + 1));
        float *frame = ring_at(output, from + i);
        frame[0] *= fall;
        frame[1] *= fall;
    }
}

int64_t output_cut(struct output *output, int64_t frame, struct mono_time now)
{
    int64_t earliest = output_earliest_cut(output, now);
    int64_t from = take_back(output, frame > earliest ? frame : earliest);
    if (from >= output->end)
        return output->end;
    int64_t length = 0;
    if (from < output->silent_from) {
        int64_t left = output->end - from;
        length = left < fade_frames(output) ? left : fade_frames(output);
        fade_out(output, from, length);
    }
    output->end = from + length;
    if (output->silent_from > output->end)
        output->silent_from = output->end;
    playout_map_truncate(&output->map, output->end);
    flush(output);
    return output->end;
}

bool output_position_at(const struct output *output, struct mono_time heard_at,
                        double *ret_position_s)
{
    if (output->state != OUTPUT_READY)
        return false;
    return playout_map_position_at(&output->map, output_frame_at(output, heard_at), ret_position_s);
}

void output_set_gain(struct output *output, float gain, struct mono_time now)
{
    if (gain == output->gain.target)
        return;
    if (output->state != OUTPUT_READY) {
        output->gain = (struct gain_ramp){.from = gain, .target = gain};
        return;
    }
    int64_t from = take_back(output, output_earliest_cut(output, now));
    output->gain = (struct gain_ramp){
        .from = gain_at(&output->gain, from),
        .target = gain,
        .first_frame = from,
        .frames = fade_frames(output),
    };
    flush(output);
}
