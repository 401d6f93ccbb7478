/*
 * sink_backend.h: what a kind of sink implements. The semantics are those of sink.h.
 *
 * `self` is what open() returned. A simulation brings a backend of its own, by sink_config.backend.
 */
#ifndef TUTTI_AUDIO_SINK_BACKEND_H
#define TUTTI_AUDIO_SINK_BACKEND_H

#include "tutti/audio/sink.h"

struct sink_backend {
    /* Fills *ret_self and *ret_info (the device's name only if it is another than asked for); or -errno, and one line in
     * error[SINK_TEXT_MAX], where "" stands for the errno's own words. */
    int (*open)(const struct sink_config *config, void **ret_self, struct sink_info *ret_info,
                char *error);
    void (*close)(void *self);
    int64_t (*write)(void *self, const float *frames, size_t count);
    int (*start)(void *self);
    struct sink_observation (*observe)(void *self);
    size_t (*rewind)(void *self, size_t count);
    int (*reset)(void *self);
};

extern const struct sink_backend sink_null_backend;
extern const struct sink_backend sink_alsa_backend;

#endif
