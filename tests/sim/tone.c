/*
 * tone.c: see tone.h.
 */
#include "tone.h"

#include <math.h>
#include <stdlib.h>

/* A track begins and ends softly: only the player's own cuts are to be told by a click. */
#define EDGE_S 0.02
#define HEADER_BYTES 4000
#define PPM_MAX 10000

struct sim_tone sim_tones[SIM_TONES] = {
    {1e9, 44100, false, 0}, {200, 44100, false, 0}, {90, 48000, false, 2}, {30.5, 44100, false, 1},
    {12, 44100, false, 0},  {240, 22050, false, 3}, {60, 44100, true, 0},  {180, 48000, false, 0},
};

struct tone {
    struct voice voice;
    int track;
    int64_t available_bytes;
    bool complete;
    unsigned slices_left;
    double begun_at_s; /* where the latest start was wanted */
    bool wants_time;
    double position_s;
    double nominal_step_s;
    double step_s;
};

static const struct sim_tone *kind_of(const struct voice *voice)
{
    return &sim_tones[((const struct tone *)voice)->track];
}

static struct voice *tone_create(int fd, int64_t available_bytes, int64_t total_bytes,
                                 enum resampler_quality quality)
{
    struct tone *tone = calloc(1, sizeof *tone);
    (void)quality;
    if (!tone)
        return NULL;
    tone->track = fd;
    tone->available_bytes = available_bytes;
    tone->complete = available_bytes == total_bytes;
    tone->slices_left = sim_tones[fd].slices;
    return &tone->voice;
}

static void tone_destroy(struct voice *voice)
{
    free(voice);
}

static void tone_set_available(struct voice *voice, int64_t available_bytes, bool complete)
{
    struct tone *tone = (struct tone *)voice;
    tone->available_bytes = available_bytes;
    tone->complete = complete;
}

static const char *tone_error(const struct voice *voice)
{
    return kind_of(voice)->broken ? "it is no tone" : "";
}

static bool tone_wants_time(const struct voice *voice)
{
    return ((const struct tone *)voice)->wants_time;
}

static enum voice_result tone_prepare(struct voice *voice)
{
    const struct tone *tone = (const struct tone *)voice;
    if (tone->available_bytes < HEADER_BYTES && !tone->complete)
        return VOICE_AGAIN;
    return kind_of(voice)->broken ? VOICE_ERROR : VOICE_OK;
}

static unsigned tone_rate_hz(const struct voice *voice)
{
    return kind_of(voice)->rate_hz;
}

static double tone_length_s(const struct voice *voice)
{
    return kind_of(voice)->length_s;
}

/* Of the track, from here on. */
static double seconds_there(const struct tone *tone)
{
    if (tone->complete)
        return INFINITY;
    return (double)tone->available_bytes / SIM_TONE_BYTES_PER_S - tone->position_s;
}

static bool tone_reaches(struct voice *voice, double position_s)
{
    const struct tone *tone = (const struct tone *)voice;
    return tone->complete || position_s * SIM_TONE_BYTES_PER_S <= (double)tone->available_bytes;
}

static enum voice_result tone_start(struct voice *voice, double position_s, unsigned card_rate_hz)
{
    struct tone *tone = (struct tone *)voice;
    enum voice_result prepared = tone_prepare(voice);
    if (prepared != VOICE_OK)
        return prepared;
    if (fabs(position_s - tone->begun_at_s) > 1)
        tone->slices_left = kind_of(voice)->slices;
    tone->begun_at_s = position_s;
    tone->wants_time = tone->slices_left > 0;
    if (tone->wants_time) {
        tone->slices_left--;
        return VOICE_AGAIN;
    }
    tone->position_s = position_s;
    tone->nominal_step_s = tone->step_s = 1.0 / card_rate_hz;
    return seconds_there(tone) > 0 ? VOICE_OK : VOICE_AGAIN;
}

static void tone_set_ppm(struct voice *voice, double ppm)
{
    struct tone *tone = (struct tone *)voice;
    ppm = fmin(fmax(ppm, -PPM_MAX), PPM_MAX);
    tone->step_s = tone->nominal_step_s * (1 + ppm * 1e-6);
}

static double tone_position_s(const struct voice *voice)
{
    return ((const struct tone *)voice)->position_s;
}

static double tone_step_s(const struct voice *voice)
{
    return ((const struct tone *)voice)->step_s;
}

static double angle_of(int track, double position_s)
{
    double turns = position_s / SIM_TONE_PERIOD_S + (double)track / SIM_TONES;
    return 2 * M_PI * (turns - floor(turns));
}

#define ROW 32

/* Points on the circle from an angle on: the first row by the library, the others from it by
 * turning it as a whole. */
static void draw(float *frames, size_t count, double angle, double step)
{
    float sines[ROW], cosines[ROW];
    for (int i = 0; i < ROW; i++) {
        sines[i] = (float)sin(i * step);
        cosines[i] = (float)cos(i * step);
    }
    for (size_t at = 0; at < count; at += ROW) {
        float s = (float)sin(angle + (double)at * step), c = (float)cos(angle + (double)at * step);
        size_t row = count - at < ROW ? count - at : ROW;
        for (size_t i = 0; i < row; i++) {
            frames[2 * (at + i)] = s * cosines[i] + c * sines[i];
            frames[2 * (at + i) + 1] = c * cosines[i] - s * sines[i];
        }
    }
}

static void soften(const struct tone *tone, float *frames, size_t count, double length_s)
{
    for (size_t i = 0; i < count; i++) {
        double at_s = tone->position_s + (double)i * tone->step_s;
        float level = (float)fmin(fmax(fmin(at_s, length_s - at_s) / EDGE_S, 0), 1);
        frames[2 * i] *= level;
        frames[2 * i + 1] *= level;
    }
}

static size_t tone_render(struct voice *voice, float *frames, size_t count)
{
    struct tone *tone = (struct tone *)voice;
    double there = seconds_there(tone) / tone->step_s;
    if (there < (double)count)
        count = there > 0 ? (size_t)there : 0;
    double length_s = kind_of(voice)->length_s,
           end_s = tone->position_s + (double)count * tone->step_s;
    draw(frames, count, angle_of(tone->track, tone->position_s),
         2 * M_PI * tone->step_s / SIM_TONE_PERIOD_S);
    if (tone->position_s < EDGE_S || end_s > length_s - EDGE_S)
        soften(tone, frames, count, length_s);
    tone->position_s = end_s;
    return count;
}

const struct voice_backend sim_tone_backend = {
    .create = tone_create,
    .destroy = tone_destroy,
    .set_available = tone_set_available,
    .error = tone_error,
    .wants_time = tone_wants_time,
    .prepare = tone_prepare,
    .rate_hz = tone_rate_hz,
    .length_s = tone_length_s,
    .reaches = tone_reaches,
    .start = tone_start,
    .set_ppm = tone_set_ppm,
    .position_s = tone_position_s,
    .step_s = tone_step_s,
    .render = tone_render,
};

double sim_tone_level(const float *frame)
{
    return hypot((double)frame[0], (double)frame[1]);
}

double sim_tone_error_s(const float *frame, int track, double position_s)
{
    double angle = atan2((double)frame[0], (double)frame[1]) - angle_of(track, position_s);
    return remainder(angle, 2 * M_PI) / (2 * M_PI) * SIM_TONE_PERIOD_S;
}
