/*
 * sink_backend.h: what a kind of sink implements. The semantics are those of sink.h.
 */
#ifndef TUTTI_AUDIO_SINK_BACKEND_H
#define TUTTI_AUDIO_SINK_BACKEND_H

#include "tutti/audio/sink.h"

struct sink_backend {
    void (*close)(void *self);
    int64_t (*write)(void *self, const float *frames, size_t count);
    int (*start)(void *self);
    struct sink_observation (*observe)(void *self);
    size_t (*rewind)(void *self, size_t count);
    int (*reset)(void *self);
};

/* Both fill *ret_info and return their object, to be given to the backend's functions. */
int sink_null_open(const struct sink_config *config, void **ret_self, struct sink_info *ret_info);
int sink_alsa_open(const struct sink_config *config, void **ret_self, struct sink_info *ret_info,
                   char *error);

extern const struct sink_backend sink_null_backend;
extern const struct sink_backend sink_alsa_backend;

#endif
