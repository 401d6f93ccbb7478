/*
 * voice_backend.h: what a kind of voice implements. The semantics are those of voice.h.
 *
 * A track's voice decodes and resamples. A simulation brings a backend of its own, whose frames cost
 * nothing to make, by player_config.voices.
 */
#ifndef TUTTI_PLAYBACK_VOICE_BACKEND_H
#define TUTTI_PLAYBACK_VOICE_BACKEND_H

#include "tutti/playback/voice.h"

/* A backend's own structure begins with this. */
struct voice {
    const struct voice_backend *backend;
};

struct voice_backend {
    struct voice *(*create)(int fd, int64_t available_bytes, int64_t total_bytes,
                            enum resampler_quality quality);
    void (*destroy)(struct voice *voice);
    void (*set_available)(struct voice *voice, int64_t available_bytes, bool complete);
    const char *(*error)(const struct voice *voice);
    bool (*wants_time)(const struct voice *voice);
    enum voice_result (*prepare)(struct voice *voice);
    unsigned (*rate_hz)(const struct voice *voice);
    double (*length_s)(const struct voice *voice);
    bool (*reaches)(struct voice *voice, double position_s);
    enum voice_result (*start)(struct voice *voice, double position_s, unsigned card_rate_hz);
    void (*set_ppm)(struct voice *voice, double ppm);
    double (*position_s)(const struct voice *voice);
    double (*step_s)(const struct voice *voice);
    size_t (*render)(struct voice *voice, float *frames, size_t count);
    /* NULL: its sound has no level. */
    void (*set_loudness)(struct voice *voice, enum replaygain mode, const struct loudness *told);
};

extern const struct voice_backend voice_track_backend;

#endif
