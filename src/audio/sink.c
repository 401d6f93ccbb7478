/*
 * sink.c: one interface over all kinds of sink.
 */
#include "tutti/audio/sink.h"

#include "tutti/audio/sink_backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sink {
    const struct sink_backend *backend;
    void *self;
    struct sink_info info;
};

static const struct sink_backend *backend_of(const struct sink_config *config)
{
    if (config->backend)
        return config->backend;
    return strcmp(config->device, "null") == 0 ? &sink_null_backend : &sink_alsa_backend;
}

int sink_open(const struct sink_config *config, struct sink **ret_sink, char *error)
{
    struct sink *sink = calloc(1, sizeof *sink);
    if (!sink) {
        snprintf(error, SINK_TEXT_MAX, "out of memory");
        return -ENOMEM;
    }
    sink->backend = backend_of(config);
    error[0] = '\0';
    int result = sink->backend->open(config, &sink->self, &sink->info, error);
    if (result < 0) {
        if (!error[0])
            snprintf(error, SINK_TEXT_MAX, "%s: %s", config->device, strerror(-result));
        free(sink);
        return result;
    }
    if (!sink->info.device[0])
        snprintf(sink->info.device, sizeof sink->info.device, "%s", config->device);
    *ret_sink = sink;
    return 0;
}

void sink_close(struct sink *sink)
{
    if (!sink)
        return;
    sink->backend->close(sink->self);
    free(sink);
}

const struct sink_info *sink_get_info(const struct sink *sink)
{
    return &sink->info;
}

int64_t sink_write(struct sink *sink, const float *frames, size_t count)
{
    return sink->backend->write(sink->self, frames, count);
}

int sink_start(struct sink *sink)
{
    return sink->backend->start(sink->self);
}

struct sink_observation sink_observe(struct sink *sink)
{
    return sink->backend->observe(sink->self);
}

size_t sink_rewind(struct sink *sink, size_t count)
{
    return sink->backend->rewind(sink->self, count);
}

int sink_reset(struct sink *sink)
{
    return sink->backend->reset(sink->self);
}
