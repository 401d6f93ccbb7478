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

void output_queue_clear(struct output *output)
{
    output->played = output->written = output->end = output->silent_from = 0;
    output->fade_in_from = INT64_MIN / 2;
    output->gain = gain_steady(output->gain.target);
    memset(output->cues, 0, sizeof output->cues);
    playout_map_clear(&output->map);
}

/* How many of count frames from `frame` on lie in the ring without a break. */
static size_t unbroken(const struct output *output, int64_t frame, size_t count)
{
    size_t left = output->ring_frames - (size_t)(frame % (int64_t)output->ring_frames);
    return count < left ? count : left;
}

/* A sink that gives nothing back does not get the last frames before they are needed: a cut fades
 * them. */
static int64_t held_back(const struct output *output)
{
    return output->info.can_rewind ? 0 : fade_frames(output);
}

static void mix_cue(const struct output *output, const struct output_cue *cue, int64_t from,
                    float *frames, size_t count)
{
    double rate_hz = output->info.rate_hz;
    if ((double)from < cue->ends && (double)(from + (int64_t)count) > cue->begins)
        cue_mix(cue->kind, ((double)from - cue->begins) / rate_hz, rate_hz, frames, count);
}

/* What the sink gets from the frame `written` on: up to SLICE_FRAMES, without a break in the ring. */
static void render(struct output *output, float *slice, size_t count)
{
    size_t bytes = count * SINK_CHANNELS * sizeof *slice;
    memcpy(slice, ring_at(output, output->written), bytes);
    for (size_t i = 0; i < OUTPUT_CUES_MAX; i++)
        mix_cue(output, &output->cues[i], output->written, slice, count);
    gain_apply(&output->gain, output->written, slice, slice, count);
}

/* Hands [written, end) to the sink, as much of it as there is room for. */
static void flush(struct output *output)
{
    float slice[SLICE_FRAMES * SINK_CHANNELS];
    for (;;) {
        int64_t left = output->end - held_back(output) - output->written;
        if (left <= 0)
            return;
        size_t count = left < SLICE_FRAMES ? (size_t)left : SLICE_FRAMES;
        count = unbroken(output, output->written, count);
        render(output, slice, count);
        int64_t taken = sink_write(output->sink, slice, count);
        if (taken <= 0)
            return; /* full; or broken, which the next look will tell */
        output->written += taken;
    }
}

/* Applies an envelope to what is in the ring. */
static void fade(struct output *output, const struct gain_envelope *envelope, int64_t from,
                 int64_t frames)
{
    while (frames > 0) {
        size_t count = unbroken(output, from, (size_t)frames);
        float *at = ring_at(output, from);
        gain_apply(envelope, from, at, at, count);
        from += (int64_t)count;
        frames -= (int64_t)count;
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

/* What is left of the latest fade-in, over [from, end). */
static void fade_in(struct output *output, int64_t from)
{
    struct gain_envelope rise = {0, 1, output->fade_in_from, fade_frames(output)};
    int64_t fade_end = rise.first_frame + rise.frames;
    int64_t until = output->end < fade_end ? output->end : fade_end;
    fade(output, &rise, from, until - from);
}

/* Behind what is in the ring; NULL: silence. */
static void put(struct output *output, const float *frames, size_t count)
{
    for (size_t done = 0; done < count;) {
        int64_t number = output->end + (int64_t)done;
        size_t run = unbroken(output, number, count - done);
        size_t bytes = run * SINK_CHANNELS * sizeof(float);
        if (frames)
            memcpy(ring_at(output, number), frames + done * SINK_CHANNELS, bytes);
        else
            memset(ring_at(output, number), 0, bytes);
        done += run;
    }
    output->end += (int64_t)count;
}

void output_append_sound(struct output *output, const float *frames, size_t count,
                         double position_s, double step_s, bool begins)
{
    int64_t first = output->end;
    if (count == 0)
        return;
    if (begins)
        output->fade_in_from = first;
    put(output, frames, count);
    fade_in(output, first);
    playout_map_append_sound(&output->map, first, (int64_t)count, position_s, step_s);
    output->silent_from = output->end;
    flush(output);
}

void output_append_silence(struct output *output, size_t count)
{
    if (count == 0)
        return;
    int64_t first = output->end;
    put(output, NULL, count);
    playout_map_append_silence(&output->map, first, (int64_t)count);
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

/* The first frame is a little less than before it, the last a little more than nothing. */
static void fade_out(struct output *output, int64_t from, int64_t frames)
{
    struct gain_envelope fall = {1, 0, from - 1, frames + 1};
    fade(output, &fall, from, frames);
}

int64_t output_cut(struct output *output, int64_t end, struct mono_time now)
{
    int64_t earliest = output_earliest_cut(output, now);
    int64_t wanted = end - fade_frames(output);
    int64_t from = take_back(output, wanted > earliest ? wanted : earliest);
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

double output_frame_at(const struct output *output, struct mono_time heard_at)
{
    return dac_clock_frame_at(&output->clock, mono_add(heard_at, -output->config.latency_ns));
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
        output->gain = gain_steady(gain);
        return;
    }
    int64_t from = take_back(output, output_earliest_cut(output, now));
    output->gain = gain_ramp(&output->gain, gain, from, fade_frames(output));
    flush(output);
}

/* --- cues ---------------------------------------------------------------------------------- */

bool output_is_cueing(const struct output *output, struct mono_time now)
{
    double frame = output->state == OUTPUT_READY ? dac_clock_frame_at(&output->clock, now) : 0;
    for (size_t i = 0; i < OUTPUT_CUES_MAX; i++)
        if (output->cues[i].ends > frame)
            return true;
    return false;
}

/* NULL: all of them wait for their time. */
static struct output_cue *free_cue(struct output *output, struct mono_time now)
{
    double frame = dac_clock_frame_at(&output->clock, now);
    for (size_t i = 0; i < OUTPUT_CUES_MAX; i++)
        if (output->cues[i].ends <= frame)
            return &output->cues[i];
    return NULL;
}

static bool sounds_already(const struct output *output, enum cue_kind kind, struct mono_time now)
{
    double frame = dac_clock_frame_at(&output->clock, now);
    for (size_t i = 0; i < OUTPUT_CUES_MAX; i++)
        if (output->cues[i].kind == kind && output->cues[i].ends > frame)
            return true;
    return false;
}

static void begin_cue(struct output *output, struct output_cue *cue, enum cue_kind kind,
                      double frame)
{
    double frames = cue_length_s(kind) * output->info.rate_hz;
    *cue = (struct output_cue){.kind = kind, .begins = frame, .ends = frame + frames};
}

bool output_cue_at(struct output *output, enum cue_kind kind, double frame, struct mono_time now)
{
    struct output_cue *cue = free_cue(output, now);
    int64_t first = (int64_t)ceil(frame);
    if (!cue || first < output_earliest_cut(output, now))
        return false;
    bool in_time = take_back(output, first) == first;
    if (in_time)
        begin_cue(output, cue, kind, frame);
    flush(output);
    return in_time;
}

bool output_cue_soon(struct output *output, enum cue_kind kind, struct mono_time now)
{
    struct output_cue *cue = free_cue(output, now);
    if (!cue || sounds_already(output, kind, now))
        return cue != NULL;
    begin_cue(output, cue, kind, (double)take_back(output, output_earliest_cut(output, now)));
    flush(output);
    return true;
}
