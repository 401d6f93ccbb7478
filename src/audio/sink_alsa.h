/*
 * sink_alsa.h: shared by sink_alsa.c (running) and sink_alsa_setup.c (opening, negotiating).
 */
#ifndef TUTTI_AUDIO_SINK_ALSA_H
#define TUTTI_AUDIO_SINK_ALSA_H

#include "sample_format.h"
#include "tutti/audio/sink_backend.h"
#include "tutti/core/stamp_pairing.h"

#include <alsa/asoundlib.h>

#define ALSA_SLICE_FRAMES 512

struct sink_alsa {
    snd_pcm_t *pcm;
    enum sample_format format;
    enum sink_channel_mode channels;
    struct mono_time (*now)(void *clock);
    void *clock;
    bool stamps; /* the driver's timestamps are in our clock */
    struct stamp_pairing pairing;
    bool can_rewind;
    int64_t buffer_frames, period_frames;
    size_t margin_frames; /* never taken back: the driver moves them early */
    int64_t written;
    struct dither dither;
    float mixed[ALSA_SLICE_FRAMES * SINK_CHANNELS];
    void *convert; /* ALSA_SLICE_FRAMES in the device's format */
};

/* Opens the PCM and configures it; the fields above and *ret_info are set. */
int sink_alsa_setup(struct sink_alsa *alsa, const struct sink_config *config,
                    struct sink_info *ret_info, char *error);

#endif
