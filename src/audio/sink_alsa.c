/*
 * sink_alsa.c: an ALSA PCM, non-blocking, started explicitly, observed by snd_pcm_status.
 *
 * The device's position and a timestamp of the driver come in one call. Whether the two belong
 * together differs from driver to driver (core/stamp_pairing finds out); where they do not, the
 * position is bracketed by two readings of our clock. Setting the device up is in
 * sink_alsa_setup.c.
 */
#include "sink_alsa.h"

#include "card_choice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Frames this close to the DAC may already be in the hardware's own FIFO. */
static const int64_t REWIND_MARGIN_NS = 3 * NS_PER_MS;

static void alsa_close(void *self)
{
    struct sink_alsa *alsa = self;
    snd_pcm_drop(alsa->pcm);
    snd_pcm_close(alsa->pcm);
    free(alsa->convert);
    free(alsa);
}

static void mix_channels(struct sink_alsa *alsa, const float *frames, size_t count)
{
    float *to = alsa->mixed;
    for (size_t i = 0; i < count; i++) {
        float left = frames[2 * i], right = frames[2 * i + 1];
        float one = alsa->channels == SINK_MONO   ? (left + right) / 2
                    : alsa->channels == SINK_LEFT ? left
                                                  : right;
        to[2 * i] = to[2 * i + 1] = one;
    }
}

/* alsa-lib's errors, as sink.h names them. */
static int64_t translate(int64_t error)
{
    switch (error) {
    case -EPIPE:
    case -ESTRPIPE:
        return error;
    case -EAGAIN:
    case -EINTR:
        return 0;
    default:
        return -ENODEV; /* ENODEV, EIO, EBADFD ...: one way or another it is gone */
    }
}

static int64_t alsa_write(void *self, const float *frames, size_t count)
{
    struct sink_alsa *alsa = self;
    size_t done = 0;
    while (done < count) {
        size_t slice = count - done < ALSA_SLICE_FRAMES ? count - done : ALSA_SLICE_FRAMES;
        const float *from = frames + done * SINK_CHANNELS;
        if (alsa->channels != SINK_STEREO) {
            mix_channels(alsa, from, slice);
            from = alsa->mixed;
        }
        struct dither before = alsa->dither;
        sample_format_convert(alsa->format, from, slice * SINK_CHANNELS, alsa->convert,
                              &alsa->dither);
        snd_pcm_sframes_t taken = snd_pcm_writei(alsa->pcm, alsa->convert, slice);
        if (taken < 0) {
            alsa->dither = before;
            int64_t error = translate(taken);
            return done ? (int64_t)done : error;
        }
        done += (size_t)taken;
        alsa->written += taken;
        if ((size_t)taken < slice)
            break;
    }
    return (int64_t)done;
}

static int alsa_start(void *self)
{
    struct sink_alsa *alsa = self;
    return alsa->written > 0 ? snd_pcm_start(alsa->pcm) : -EPIPE;
}

static enum sink_state state_of(snd_pcm_state_t state)
{
    switch (state) {
    case SND_PCM_STATE_RUNNING:
    case SND_PCM_STATE_DRAINING:
        return SINK_RUNNING;
    case SND_PCM_STATE_XRUN:
        return SINK_XRUN;
    case SND_PCM_STATE_SUSPENDED:
        return SINK_SUSPENDED;
    case SND_PCM_STATE_DISCONNECTED:
        return SINK_LOST;
    default:
        return SINK_STOPPED;
    }
}

/* When the position was taken: by the driver's stamp where it is the position's, else by the call.
 */
static struct mono_time choose_time(struct sink_alsa *alsa, const snd_pcm_status_t *status,
                                    struct mono_time before, struct mono_time after,
                                    int64_t position_frames)
{
    snd_htimestamp_t stamp;
    if (!alsa->stamps)
        return mono_add(before, mono_sub(after, before) / 2);
    snd_pcm_status_get_htstamp(status, &stamp);
    struct mono_time stamped = {(int64_t)stamp.tv_sec * NS_PER_S + stamp.tv_nsec};
    return stamp_pairing_choose(&alsa->pairing, before, after, stamped, position_frames);
}

/* What is in the ring has not been heard: a driver that reports much less, zero say, has no delay
 * to tell. A little less only says that the card went on between the two readings, and then the
 * delay is the later one. (An underrun shows as a negative delay.) */
static int64_t delay_of(const struct sink_alsa *alsa, const snd_pcm_status_t *status)
{
    int64_t delay = snd_pcm_status_get_delay(status);
    int64_t queued = alsa->buffer_frames - (int64_t)snd_pcm_status_get_avail(status);
    return delay >= 0 && delay + alsa->period_frames < queued ? queued : delay;
}

static struct sink_observation alsa_observe(void *self)
{
    struct sink_alsa *alsa = self;
    struct sink_observation look = {.state = SINK_LOST, .written_frames = alsa->written};
    snd_pcm_status_t *status;
    snd_pcm_status_alloca(&status);
    struct mono_time before = alsa->now(alsa->clock);
    int result = snd_pcm_status(alsa->pcm, status);
    struct mono_time after = alsa->now(alsa->clock);
    if (result < 0) {
        look.state = result == -EPIPE      ? SINK_XRUN
                     : result == -ESTRPIPE ? SINK_SUSPENDED
                                           : SINK_LOST;
        return look;
    }
    look.state = state_of(snd_pcm_status_get_state(status));
    look.delay_frames = delay_of(alsa, status);
    look.time = choose_time(alsa, status, before, after, look.written_frames - look.delay_frames);
    look.pairing = stamp_pairing_kind(&alsa->pairing);
    look.uncertainty_ns = mono_sub(after, before);
    if (look.state == SINK_RUNNING && look.delay_frames < 0)
        look.state = SINK_XRUN;
    return look;
}

static size_t alsa_rewind(void *self, size_t count)
{
    struct sink_alsa *alsa = self;
    if (!alsa->can_rewind || snd_pcm_avail(alsa->pcm) < 0)
        return 0;
    snd_pcm_sframes_t possible = snd_pcm_rewindable(alsa->pcm);
    possible -= (snd_pcm_sframes_t)alsa->margin_frames;
    if (possible <= 0)
        return 0;
    if ((size_t)possible < count)
        count = (size_t)possible;
    snd_pcm_sframes_t taken = snd_pcm_rewind(alsa->pcm, count);
    if (taken <= 0)
        return 0;
    alsa->written -= taken;
    return (size_t)taken;
}

static int alsa_reset(void *self)
{
    struct sink_alsa *alsa = self;
    alsa->written = 0;
    snd_pcm_drop(alsa->pcm);
    return snd_pcm_prepare(alsa->pcm);
}

static int open_named(const struct sink_config *config, void **ret_self, struct sink_info *ret_info,
                      char *error)
{
    struct sink_alsa *alsa = calloc(1, sizeof *alsa);
    if (!alsa)
        return -ENOMEM;
    alsa->now = config->now;
    alsa->clock = config->clock;
    alsa->channels = config->channels;
    alsa->dither.state = 1;
    stamp_pairing_init(&alsa->pairing);
    int result = sink_alsa_setup(alsa, config, ret_info, error);
    if (result < 0) {
        if (alsa->pcm)
            snd_pcm_close(alsa->pcm);
        free(alsa->convert);
        free(alsa);
        return result;
    }
    int64_t margin = (int64_t)ns_to_frames(REWIND_MARGIN_NS, ret_info->rate_hz);
    alsa->margin_frames += (size_t)margin;
    *ret_self = alsa;
    return 0;
}

/* What cards there are is asked at each opening: they come and go. */
static int open_chosen(struct sink_config config, void **ret_self, struct sink_info *ret_info,
                       char *error)
{
    struct card_output outputs[CARD_OUTPUTS_MAX];
    char device[CARD_DEVICE_MAX], why[SINK_TEXT_MAX];
    int result = card_choose(outputs, card_list(outputs), device, why, sizeof why);
    if (result < 0) {
        snprintf(error, SINK_TEXT_MAX, "auto: %.150s", why);
        return result;
    }
    config.device = device;
    result = open_named(&config, ret_self, ret_info, error);
    if (result >= 0)
        snprintf(ret_info->device, sizeof ret_info->device, "%s", device);
    return result;
}

static int alsa_open(const struct sink_config *config, void **ret_self, struct sink_info *ret_info,
                     char *error)
{
    return strcmp(config->device, "auto") == 0 ? open_chosen(*config, ret_self, ret_info, error)
                                               : open_named(config, ret_self, ret_info, error);
}

const struct sink_backend sink_alsa_backend = {
    .open = alsa_open,
    .close = alsa_close,
    .write = alsa_write,
    .start = alsa_start,
    .observe = alsa_observe,
    .rewind = alsa_rewind,
    .reset = alsa_reset,
};
