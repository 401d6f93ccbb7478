/*
 * voice.c: feeds the resampler from the decoder, and silence where the track has none.
 */
#include "tutti/playback/voice.h"

#include "tutti/audio/decoder.h"
#include "tutti/audio/resampler.h"
#include "tutti/base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_FRAMES 1152

struct voice {
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
    float input[INPUT_FRAMES * DECODER_CHANNELS];
    size_t input_at;
    size_t input_count;
    char error[DECODER_ERROR_MAX];
};

struct voice *voice_create(int fd, int64_t available_bytes, int64_t total_bytes,
                           enum resampler_quality quality)
{
    struct voice *voice = calloc(1, sizeof *voice);
    if (!voice)
        return NULL;
    voice->fd = fd;
    voice->available_bytes = available_bytes;
    voice->total_bytes = total_bytes;
    voice->quality = quality;
    return voice;
}

void voice_destroy(struct voice *voice)
{
    if (!voice)
        return;
    decoder_destroy(voice->opening);
    decoder_destroy(voice->decoder);
    resampler_destroy(voice->resampler);
    free(voice);
}

void voice_set_available(struct voice *voice, int64_t available_bytes, bool complete)
{
    voice->available_bytes = available_bytes;
    if (complete)
        voice->total_bytes = available_bytes;
    if (voice->decoder)
        decoder_set_available(voice->decoder, available_bytes, complete);
}

const char *voice_error(const struct voice *voice)
{
    return voice->error;
}

bool voice_wants_time(const struct voice *voice)
{
    const struct decoder *decoder = voice->decoder ? voice->decoder : voice->opening;
    return decoder && decoder_wants_time(decoder);
}

static enum voice_result fail(struct voice *voice, const char *error)
{
    voice->failed = true;
    snprintf(voice->error, sizeof voice->error, "%s", error);
    return VOICE_ERROR;
}

/* Not the track's fault: it is tried again, and said once. */
static enum voice_result lack_memory(struct voice *voice, const char *error)
{
    if (strcmp(voice->error, error) != 0)
        log_warn("the current track has to wait: %s", error);
    snprintf(voice->error, sizeof voice->error, "%s", error);
    return VOICE_AGAIN;
}

enum voice_result voice_prepare(struct voice *voice)
{
    if (voice->failed)
        return VOICE_ERROR;
    if (voice->decoder)
        return VOICE_OK;
    char error[DECODER_ERROR_MAX];
    switch (decoder_open(voice->fd, voice->available_bytes, voice->total_bytes, &voice->opening,
                         error)) {
    case DECODER_OK:
        voice->decoder = voice->opening;
        voice->opening = NULL;
        voice->error[0] = '\0';
        return VOICE_OK;
    case DECODER_AGAIN:
        return VOICE_AGAIN;
    case DECODER_NO_MEMORY:
        return lack_memory(voice, error);
    case DECODER_END:
        return fail(voice, "the file is empty");
    case DECODER_ERROR:
        break;
    }
    return fail(voice, error);
}

unsigned voice_rate_hz(const struct voice *voice)
{
    return decoder_rate_hz(voice->decoder);
}

double voice_length_s(const struct voice *voice)
{
    int64_t frames = voice->decoder ? decoder_length_frames(voice->decoder) : -1;
    return frames < 0 ? -1 : (double)frames / voice_rate_hz(voice);
}

bool voice_reaches(struct voice *voice, double position_s)
{
    return decoder_reaches(voice->decoder, (int64_t)(position_s * voice_rate_hz(voice)));
}

uint64_t voice_damaged_frames(const struct voice *voice)
{
    return voice->decoder ? decoder_damaged_frames(voice->decoder) : 0;
}

static bool ensure_resampler(struct voice *voice, unsigned card_rate_hz)
{
    if (voice->resampler && voice->card_rate_hz == card_rate_hz)
        return true;
    resampler_destroy(voice->resampler);
    voice->resampler = resampler_create(voice_rate_hz(voice), card_rate_hz, voice->quality);
    voice->card_rate_hz = card_rate_hz;
    return voice->resampler != NULL;
}

enum voice_result voice_start(struct voice *voice, double position_s, unsigned card_rate_hz)
{
    enum voice_result prepared = voice_prepare(voice);
    if (prepared != VOICE_OK)
        return prepared;
    if (!resampler_takes(voice_rate_hz(voice), card_rate_hz))
        return fail(voice, "it cannot be brought to the device's rate");
    if (!ensure_resampler(voice, card_rate_hz))
        return lack_memory(voice, "out of memory");
    double position = position_s * voice_rate_hz(voice);
    int64_t first = resampler_start(voice->resampler, (struct resampler_position){0, position});
    voice->silent_lead = first < 0 ? -first : 0;
    voice->input_count = voice->input_at = 0;
    voice->ended = false;
    switch (decoder_seek(voice->decoder, first > 0 ? first : 0)) {
    case DECODER_OK:
        return VOICE_OK;
    case DECODER_AGAIN:
        return VOICE_AGAIN;
    case DECODER_END:
        voice->ended = true;
        return VOICE_OK;
    case DECODER_NO_MEMORY:
    case DECODER_ERROR:
        break;
    }
    return fail(voice, decoder_error(voice->decoder));
}

void voice_set_ppm(struct voice *voice, double ppm)
{
    resampler_set_ppm(voice->resampler, ppm);
}

double voice_position_s(const struct voice *voice)
{
    struct resampler_position at = resampler_position(voice->resampler);
    return ((double)at.frame + at.fraction) / voice_rate_hz(voice);
}

double voice_step_s(const struct voice *voice)
{
    return resampler_step(voice->resampler) / voice_rate_hz(voice);
}

static void take_silence(struct voice *voice, size_t count)
{
    memset(voice->input, 0, count * DECODER_CHANNELS * sizeof *voice->input);
    voice->input_at = 0;
    voice->input_count = count;
}

/* Fills the input; false when nothing can be had now. */
static bool fill_input(struct voice *voice)
{
    if (voice->silent_lead > 0) {
        size_t count =
            voice->silent_lead < INPUT_FRAMES ? (size_t)voice->silent_lead : INPUT_FRAMES;
        voice->silent_lead -= (int64_t)count;
        take_silence(voice, count);
        return true;
    }
    if (!voice->ended) {
        size_t count = 0;
        switch (decoder_read(voice->decoder, voice->input, INPUT_FRAMES, &count)) {
        case DECODER_OK:
            voice->input_at = 0;
            voice->input_count = count;
            return true;
        case DECODER_AGAIN:
            return false;
        case DECODER_NO_MEMORY:
        case DECODER_ERROR:
            fail(voice, decoder_error(voice->decoder));
            return false;
        case DECODER_END:
            voice->ended = true;
            break;
        }
    }
    take_silence(voice, INPUT_FRAMES);
    return true;
}

size_t voice_render(struct voice *voice, float *frames, size_t count)
{
    size_t done = 0;
    while (done < count) {
        if (voice->input_at == voice->input_count && !fill_input(voice))
            break;
        size_t used = 0;
        done +=
            resampler_process(voice->resampler, voice->input + voice->input_at * DECODER_CHANNELS,
                              voice->input_count - voice->input_at, &used,
                              frames + done * RESAMPLER_CHANNELS, count - done);
        voice->input_at += used;
    }
    return done;
}
