/*
 * voice_track.c: feeds the resampler from the decoder, and silence where the track has none.
 */
#include "tutti/audio/decoder.h"
#include "tutti/audio/resampler.h"
#include "tutti/base/log.h"
#include "tutti/playback/voice_backend.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_FRAMES 1152

struct track {
    struct voice voice;
    int fd;
    int64_t available_bytes;
    int64_t total_bytes;
    enum resampler_quality quality;
    struct decoder *opening;
    struct decoder *decoder; /* opened */
    struct resampler *resampler;
    unsigned card_rate_hz;
    int64_t silent_lead; /* frames of silence still to feed before frame 0 */
    bool ended;
    bool failed;
    enum replaygain replaygain;
    struct loudness told; /* by the backend */
    bool has_level;       /* it has started, and `level` is what its samples are multiplied by */
    float level;
    float input[INPUT_FRAMES * DECODER_CHANNELS];
    size_t input_at;
    size_t input_count;
    char error[DECODER_ERROR_MAX];
};

static struct voice *track_create(int fd, int64_t available_bytes, int64_t total_bytes,
                                  enum resampler_quality quality)
{
    struct track *track = calloc(1, sizeof *track);
    if (!track)
        return NULL;
    track->fd = fd;
    track->available_bytes = available_bytes;
    track->total_bytes = total_bytes;
    track->quality = quality;
    track->told = loudness_unknown();
    return &track->voice;
}

static void track_destroy(struct voice *voice)
{
    struct track *track = (struct track *)voice;
    decoder_destroy(track->opening);
    decoder_destroy(track->decoder);
    resampler_destroy(track->resampler);
    free(track);
}

static void track_set_available(struct voice *voice, int64_t available_bytes, bool complete)
{
    struct track *track = (struct track *)voice;
    track->available_bytes = available_bytes;
    if (complete)
        track->total_bytes = available_bytes;
    if (track->decoder)
        decoder_set_available(track->decoder, available_bytes, complete);
}

static const char *track_error(const struct voice *voice)
{
    const struct track *track = (const struct track *)voice;
    return track->error;
}

static bool track_wants_time(const struct voice *voice)
{
    const struct track *track = (const struct track *)voice;
    const struct decoder *decoder = track->decoder ? track->decoder : track->opening;
    return decoder && decoder_wants_time(decoder);
}

static enum voice_result fail(struct track *track, const char *error)
{
    track->failed = true;
    snprintf(track->error, sizeof track->error, "%s", error);
    return VOICE_ERROR;
}

/* Not the track's fault: it is tried again, and said once. */
static enum voice_result lack_memory(struct track *track, const char *error)
{
    if (strcmp(track->error, error) != 0)
        log_warn("the current track has to wait: %s", error);
    snprintf(track->error, sizeof track->error, "%s", error);
    return VOICE_AGAIN;
}

static enum voice_result track_prepare(struct voice *voice)
{
    struct track *track = (struct track *)voice;
    if (track->failed)
        return VOICE_ERROR;
    if (track->decoder)
        return VOICE_OK;
    char error[DECODER_ERROR_MAX];
    switch (decoder_open(track->fd, track->available_bytes, track->total_bytes, &track->opening,
                         error)) {
    case DECODER_OK:
        track->decoder = track->opening;
        track->opening = NULL;
        track->error[0] = '\0';
        return VOICE_OK;
    case DECODER_AGAIN:
        return VOICE_AGAIN;
    case DECODER_NO_MEMORY:
        return lack_memory(track, error);
    case DECODER_END:
        return fail(track, "the file is empty");
    case DECODER_ERROR:
        break;
    }
    return fail(track, error);
}

static unsigned track_rate_hz(const struct voice *voice)
{
    const struct track *track = (const struct track *)voice;
    return decoder_rate_hz(track->decoder);
}

static double track_length_s(const struct voice *voice)
{
    const struct track *track = (const struct track *)voice;
    int64_t frames = track->decoder ? decoder_length_frames(track->decoder) : -1;
    return frames < 0 ? -1 : (double)frames / track_rate_hz(voice);
}

static bool track_reaches(struct voice *voice, double position_s)
{
    struct track *track = (struct track *)voice;
    return decoder_reaches(track->decoder, (int64_t)(position_s * track_rate_hz(voice)));
}

static void track_set_loudness(struct voice *voice, enum replaygain mode,
                               const struct loudness *told)
{
    struct track *track = (struct track *)voice;
    track->replaygain = mode;
    track->told = *told;
}

static void fix_level(struct track *track)
{
    struct loudness said = decoder_tags(track->decoder).loudness;
    const struct loudness *known = loudness_is_known(&track->told) ? &track->told : &said;
    if (!track->has_level)
        track->level = (float)loudness_factor(track->replaygain, known);
    track->has_level = true;
}

static bool ensure_resampler(struct track *track, unsigned card_rate_hz)
{
    if (track->resampler && track->card_rate_hz == card_rate_hz)
        return true;
    resampler_destroy(track->resampler);
    track->resampler =
        resampler_create(decoder_rate_hz(track->decoder), card_rate_hz, track->quality);
    track->card_rate_hz = card_rate_hz;
    return track->resampler != NULL;
}

static enum voice_result track_start(struct voice *voice, double position_s, unsigned card_rate_hz)
{
    struct track *track = (struct track *)voice;
    enum voice_result prepared = track_prepare(voice);
    if (prepared != VOICE_OK)
        return prepared;
    if (!resampler_takes(track_rate_hz(voice), card_rate_hz))
        return fail(track, "it cannot be brought to the device's rate");
    if (!ensure_resampler(track, card_rate_hz))
        return lack_memory(track, "out of memory");
    fix_level(track);
    double position = position_s * track_rate_hz(voice);
    int64_t first = resampler_start(track->resampler, (struct resampler_position){0, position});
    track->silent_lead = first < 0 ? -first : 0;
    track->input_count = track->input_at = 0;
    track->ended = false;
    switch (decoder_seek(track->decoder, first > 0 ? first : 0)) {
    case DECODER_OK:
        return VOICE_OK;
    case DECODER_AGAIN:
        return VOICE_AGAIN;
    case DECODER_END:
        track->ended = true;
        return VOICE_OK;
    case DECODER_NO_MEMORY:
    case DECODER_ERROR:
        break;
    }
    return fail(track, decoder_error(track->decoder));
}

static void track_set_ppm(struct voice *voice, double ppm)
{
    struct track *track = (struct track *)voice;
    resampler_set_ppm(track->resampler, ppm);
}

static double track_position_s(const struct voice *voice)
{
    const struct track *track = (const struct track *)voice;
    struct resampler_position at = resampler_position(track->resampler);
    return ((double)at.frame + at.fraction) / track_rate_hz(voice);
}

static double track_step_s(const struct voice *voice)
{
    const struct track *track = (const struct track *)voice;
    return resampler_step(track->resampler) / track_rate_hz(voice);
}

/* A level of 1 leaves every bit as it is. */
static void apply_level(struct track *track, size_t count)
{
    if (track->level == 1)
        return;
    for (size_t i = 0; i < count * DECODER_CHANNELS; i++)
        track->input[i] *= track->level;
}

static void take_silence(struct track *track, size_t count)
{
    memset(track->input, 0, count * DECODER_CHANNELS * sizeof *track->input);
    track->input_at = 0;
    track->input_count = count;
}

/* Fills the input; false when nothing can be had now. */
static bool fill_input(struct track *track)
{
    if (track->silent_lead > 0) {
        size_t count =
            track->silent_lead < INPUT_FRAMES ? (size_t)track->silent_lead : INPUT_FRAMES;
        track->silent_lead -= (int64_t)count;
        take_silence(track, count);
        return true;
    }
    if (!track->ended) {
        size_t count = 0;
        switch (decoder_read(track->decoder, track->input, INPUT_FRAMES, &count)) {
        case DECODER_OK:
            track->input_at = 0;
            track->input_count = count;
            apply_level(track, count);
            return true;
        case DECODER_AGAIN:
            return false;
        case DECODER_NO_MEMORY:
        case DECODER_ERROR:
            fail(track, decoder_error(track->decoder));
            return false;
        case DECODER_END:
            track->ended = true;
            break;
        }
    }
    take_silence(track, INPUT_FRAMES);
    return true;
}

static size_t track_render(struct voice *voice, float *frames, size_t count)
{
    struct track *track = (struct track *)voice;
    size_t done = 0;
    while (done < count) {
        if (track->input_at == track->input_count && !fill_input(track))
            break;
        size_t used = 0;
        done +=
            resampler_process(track->resampler, track->input + track->input_at * DECODER_CHANNELS,
                              track->input_count - track->input_at, &used,
                              frames + done * RESAMPLER_CHANNELS, count - done);
        track->input_at += used;
    }
    return done;
}

const struct voice_backend voice_track_backend = {
    .create = track_create,
    .destroy = track_destroy,
    .set_available = track_set_available,
    .error = track_error,
    .wants_time = track_wants_time,
    .prepare = track_prepare,
    .rate_hz = track_rate_hz,
    .length_s = track_length_s,
    .reaches = track_reaches,
    .set_loudness = track_set_loudness,
    .start = track_start,
    .set_ppm = track_set_ppm,
    .position_s = track_position_s,
    .step_s = track_step_s,
    .render = track_render,
};
