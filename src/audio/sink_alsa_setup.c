/*
 * sink_alsa_setup.c: agreeing with a device on format, rate and depth.
 *
 * The device is opened as named, and no plugin may convert anything behind our back: the rate it
 * really runs at is what the resampler is set to. Formats are tried from the best down.
 */
#include "quiet_alsa.h"
#include "sink_alsa.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Nothing behind our back. Where a device has nothing that we have, though (8 channels only, or
 * one; no such format), a device with plugins may at least rearrange; resample it never may.
 */
#define REARRANGING_MODE (SND_PCM_NONBLOCK | SND_PCM_NO_AUTO_RESAMPLE | SND_PCM_NO_SOFTVOL)
#define STRICT_MODE (REARRANGING_MODE | SND_PCM_NO_AUTO_FORMAT | SND_PCM_NO_AUTO_CHANNELS)

/* Short periods keep the pointer of drivers that move it once per period fresh. Nothing wakes us
 * once per period: the queue is fed by a timer. */
static const int64_t PERIOD_NS = 10 * NS_PER_MS;
#define DEFAULT_RATE_HZ 48000

static const struct {
    enum sample_format format;
    snd_pcm_format_t alsa;
} formats[] = {
    {SAMPLE_S32, SND_PCM_FORMAT_S32},
    {SAMPLE_S24, SND_PCM_FORMAT_S24},
    {SAMPLE_S24_3LE, SND_PCM_FORMAT_S24_3LE},
    {SAMPLE_S16, SND_PCM_FORMAT_S16},
};

static int refuse(char *error, const struct sink_config *config, const char *what, int result)
{
    snprintf(error, SINK_TEXT_MAX, "%.60s: %s: %s", config->device, what, snd_strerror(result));
    return result;
}

static const char *explain_open(int result)
{
    switch (result) {
    case -ENOENT:
        return "there is no such device";
    case -ENODEV:
    case -ENXIO:
        return "the device is not there";
    case -EBUSY:
        return "another program has it open";
    case -EHOSTDOWN:
    case -ECONNREFUSED:
        return "a desktop's sound server is out of reach of a service; name the card, say hw:0";
    default:
        return "it cannot be opened";
    }
}

static int open_pcm(struct sink_alsa *alsa, const struct sink_config *config, int mode, char *error)
{
    quiet_alsa();
    int result = snd_pcm_open(&alsa->pcm, config->device, SND_PCM_STREAM_PLAYBACK, mode);
    if (result >= 0)
        return 0;
    alsa->pcm = NULL;
    /* The configuration lists the cards that were there when it was read: read it again. */
    if (result == -ENOENT || result == -ENODEV || result == -ENXIO)
        snd_config_update_free_global();
    return refuse(error, config, explain_open(result), result);
}

static int choose_format(struct sink_alsa *alsa, snd_pcm_hw_params_t *hw,
                         struct sink_info *ret_info)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (snd_pcm_hw_params_set_format(alsa->pcm, hw, formats[i].alsa) < 0)
            continue;
        alsa->format = formats[i].format;
        snprintf(ret_info->format, sizeof ret_info->format, "%s",
                 snd_pcm_format_name(formats[i].alsa));
        return 0;
    }
    return -EINVAL;
}

/*
 * The track's own rate, if the device has it; else one of its family, a simple ratio away; else one
 * of the other's. Rates below 44.1 kHz are not asked for: some cards sound poor there.
 */
static unsigned best_rate(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, unsigned preferred)
{
    static const unsigned families[][6] = {{44100, 88200, 48000, 96000, 176400, 192000},
                                           {48000, 96000, 44100, 88200, 192000, 176400}};
    const unsigned *family = families[preferred % 11025 != 0];
    if (preferred >= 44100 && snd_pcm_hw_params_test_rate(pcm, hw, preferred, 0) == 0)
        return preferred;
    for (int i = 0; i < 6; i++)
        if (snd_pcm_hw_params_test_rate(pcm, hw, family[i], 0) == 0)
            return family[i];
    return preferred; /* as near as the device can */
}

static int choose_rate(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, const struct sink_config *config,
                       struct sink_info *ret_info)
{
    unsigned preferred = config->preferred_rate_hz ? config->preferred_rate_hz : DEFAULT_RATE_HZ;
    snd_pcm_hw_params_set_rate_resample(pcm, hw, 0);
    unsigned rate = config->fixed_rate_hz ? config->fixed_rate_hz : best_rate(pcm, hw, preferred);
    int result = snd_pcm_hw_params_set_rate_near(pcm, hw, &rate, NULL);
    if (result < 0)
        return result;
    if (config->fixed_rate_hz && rate != config->fixed_rate_hz)
        return -EINVAL;
    ret_info->rate_hz = rate;
    return 0;
}

static int choose_depth(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, const struct sink_config *config,
                        struct sink_info *ret_info)
{
    snd_pcm_uframes_t period = (snd_pcm_uframes_t)ns_to_frames(PERIOD_NS, ret_info->rate_hz);
    snd_pcm_uframes_t buffer =
        (snd_pcm_uframes_t)ns_to_frames(config->buffer_ns, ret_info->rate_hz);
    int result = snd_pcm_hw_params_set_buffer_size_near(pcm, hw, &buffer);
    if (result < 0)
        return result;
    return snd_pcm_hw_params_set_period_size_near(pcm, hw, &period, NULL);
}

static int set_hw_params(struct sink_alsa *alsa, const struct sink_config *config,
                         struct sink_info *ret_info, char *error)
{
    snd_pcm_hw_params_t *hw;
    snd_pcm_hw_params_alloca(&hw);
    int result = snd_pcm_hw_params_any(alsa->pcm, hw);
    if (result < 0)
        return refuse(error, config, "has no playback configuration", result);
    result = snd_pcm_hw_params_set_access(alsa->pcm, hw, SND_PCM_ACCESS_RW_INTERLEAVED);
    if (result < 0)
        return refuse(error, config, "takes no interleaved frames", result);
    result = snd_pcm_hw_params_set_channels(alsa->pcm, hw, SINK_CHANNELS);
    if (result < 0)
        return refuse(error, config, "does not take two channels", result);
    result = choose_format(alsa, hw, ret_info);
    if (result < 0)
        return refuse(error, config, "takes none of S32, S24, S24_3LE, S16", result);
    result = choose_rate(alsa->pcm, hw, config, ret_info);
    if (result < 0)
        return refuse(error, config, "does not take the rate", result);
    result = choose_depth(alsa->pcm, hw, config, ret_info);
    if (result < 0)
        return refuse(error, config, "does not take a buffer", result);
    result = snd_pcm_hw_params(alsa->pcm, hw);
    if (result < 0)
        return refuse(error, config, "refuses its own configuration", result);

    snd_pcm_uframes_t buffer = 0, period = 0;
    snd_pcm_hw_params_get_buffer_size(hw, &buffer);
    snd_pcm_hw_params_get_period_size(hw, &period, NULL);
    ret_info->buffer_frames = buffer;
    alsa->buffer_frames = (int64_t)buffer;
    alsa->period_frames = (int64_t)period;
    ret_info->period_frames = period;
    /* Such a device fetches a period ahead of what it reports. */
    alsa->margin_frames = snd_pcm_hw_params_is_batch(hw) ? period : 0;
    return 0;
}

/*
 * Frames can be taken back from hardware, and from plugins whose buffer is mapped by whoever
 * consumes it. Others hand frames on at once, whatever they answer to a rewind.
 */
static bool probe_rewind(snd_pcm_t *pcm)
{
    snd_pcm_hw_params_t *hw;
    snd_pcm_hw_params_alloca(&hw);
    switch (snd_pcm_type(pcm)) {
    case SND_PCM_TYPE_HW:
        return true;
    case SND_PCM_TYPE_IOPLUG:
        return snd_pcm_hw_params_any(pcm, hw) >= 0 &&
               snd_pcm_hw_params_test_access(pcm, hw, SND_PCM_ACCESS_MMAP_INTERLEAVED) == 0;
    default:
        return false;
    }
}

static int set_sw_params(struct sink_alsa *alsa, const struct sink_config *config, char *error)
{
    snd_pcm_sw_params_t *sw;
    snd_pcm_uframes_t boundary = 0;
    snd_pcm_sw_params_alloca(&sw);
    int result = snd_pcm_sw_params_current(alsa->pcm, sw);
    if (result >= 0)
        result = snd_pcm_sw_params_get_boundary(sw, &boundary);
    if (result >= 0) /* started by us, never by a full queue */
        result = snd_pcm_sw_params_set_start_threshold(alsa->pcm, sw, boundary);
    if (result >= 0)
        result = snd_pcm_sw_params_set_tstamp_mode(alsa->pcm, sw, SND_PCM_TSTAMP_ENABLE);
    if (result < 0)
        return refuse(error, config, "does not take the software parameters", result);
    snd_pcm_tstamp_type_t type = config->clock_id == CLOCK_MONOTONIC_RAW
                                     ? SND_PCM_TSTAMP_TYPE_MONOTONIC_RAW
                                     : SND_PCM_TSTAMP_TYPE_MONOTONIC;
    snd_pcm_tstamp_type_t got = SND_PCM_TSTAMP_TYPE_GETTIMEOFDAY;
    alsa->stamps = snd_pcm_sw_params_set_tstamp_type(alsa->pcm, sw, type) >= 0;
    result = snd_pcm_sw_params(alsa->pcm, sw);
    if (result < 0) { /* some drivers refuse only when it is applied */
        snd_pcm_sw_params_set_tstamp_type(alsa->pcm, sw, SND_PCM_TSTAMP_TYPE_MONOTONIC);
        result = snd_pcm_sw_params(alsa->pcm, sw);
    }
    if (result < 0)
        return refuse(error, config, "does not take the software parameters", result);
    if (alsa->stamps && (snd_pcm_sw_params_current(alsa->pcm, sw) < 0 ||
                         snd_pcm_sw_params_get_tstamp_type(sw, &got) < 0 || got != type))
        alsa->stamps = false;
    return 0;
}

static int card_of(snd_pcm_t *pcm)
{
    snd_pcm_info_t *info;
    snd_pcm_info_alloca(&info);
    return snd_pcm_info(pcm, info) < 0 ? -1 : snd_pcm_info_get_card(info);
}

static int try_setup(struct sink_alsa *alsa, const struct sink_config *config, int mode,
                     struct sink_info *ret_info, char *error)
{
    *ret_info = (struct sink_info){0};
    int result = open_pcm(alsa, config, mode, error);
    if (result < 0)
        return result;
    ret_info->card = card_of(alsa->pcm);
    alsa->can_rewind = ret_info->can_rewind = probe_rewind(alsa->pcm);
    result = set_hw_params(alsa, config, ret_info, error);
    if (result >= 0)
        result = set_sw_params(alsa, config, error);
    if (result >= 0)
        return 0;
    snd_pcm_close(alsa->pcm);
    alsa->pcm = NULL;
    return result;
}

int sink_alsa_setup(struct sink_alsa *alsa, const struct sink_config *config,
                    struct sink_info *ret_info, char *error)
{
    char second_error[SINK_TEXT_MAX]; /* what was refused first is what helps */
    int result = try_setup(alsa, config, STRICT_MODE, ret_info, error);
    if (result == -EINVAL)
        result = try_setup(alsa, config, REARRANGING_MODE, ret_info, second_error);
    if (result < 0)
        return result;
    alsa->convert = malloc(sample_format_bytes(alsa->format) * ALSA_SLICE_FRAMES * SINK_CHANNELS);
    return alsa->convert ? 0 : refuse(error, config, "out of memory", -ENOMEM);
}
