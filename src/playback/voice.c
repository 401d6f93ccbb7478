/*
 * voice.c: one interface over all kinds of voice.
 */
#include "tutti/playback/voice.h"

#include "tutti/playback/voice_backend.h"

struct voice *voice_create(const struct voice_backend *backend, int fd, int64_t available_bytes,
                           int64_t total_bytes, enum resampler_quality quality)
{
    if (!backend)
        backend = &voice_track_backend;
    struct voice *voice = backend->create(fd, available_bytes, total_bytes, quality);
    if (voice)
        voice->backend = backend;
    return voice;
}

void voice_destroy(struct voice *voice)
{
    if (voice)
        voice->backend->destroy(voice);
}

void voice_set_available(struct voice *voice, int64_t available_bytes, bool complete)
{
    voice->backend->set_available(voice, available_bytes, complete);
}

const char *voice_error(const struct voice *voice)
{
    return voice->backend->error(voice);
}

bool voice_wants_time(const struct voice *voice)
{
    return voice->backend->wants_time(voice);
}

enum voice_result voice_prepare(struct voice *voice)
{
    return voice->backend->prepare(voice);
}

unsigned voice_rate_hz(const struct voice *voice)
{
    return voice->backend->rate_hz(voice);
}

double voice_length_s(const struct voice *voice)
{
    return voice->backend->length_s(voice);
}

bool voice_reaches(struct voice *voice, double position_s)
{
    return voice->backend->reaches(voice, position_s);
}

void voice_set_loudness(struct voice *voice, enum replaygain mode, const struct loudness *told)
{
    if (voice->backend->set_loudness)
        voice->backend->set_loudness(voice, mode, told);
}

enum voice_result voice_start(struct voice *voice, double position_s, unsigned card_rate_hz)
{
    return voice->backend->start(voice, position_s, card_rate_hz);
}

void voice_set_ppm(struct voice *voice, double ppm)
{
    voice->backend->set_ppm(voice, ppm);
}

double voice_position_s(const struct voice *voice)
{
    return voice->backend->position_s(voice);
}

double voice_step_s(const struct voice *voice)
{
    return voice->backend->step_s(voice);
}

size_t voice_render(struct voice *voice, float *frames, size_t count)
{
    return voice->backend->render(voice, frames, count);
}
