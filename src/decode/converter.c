/*
 * converter.c: libswresample changes the form of samples, mixes, and resamples where it must.
 */
#include "converter.h"

#include <libavutil/mem.h>
#include <libavutil/opt.h>
#include <string.h>

#define CHANNELS 2

void converter_close(struct converter *converter)
{
    swr_free(&converter->swr);
    av_channel_layout_uninit(&converter->layout);
    av_freep(&converter->frames);
    converter->count = converter->room = 0;
}

static bool is_set_up(const struct converter *converter, const AVFrame *frame)
{
    return converter->swr && converter->format == frame->format &&
           converter->from_hz == frame->sample_rate &&
           av_channel_layout_compare(&converter->layout, &frame->ch_layout) == 0;
}

/* One or two channels stay what they are; a file may have two that it does not name. */
static bool set_up(struct converter *converter, const AVFrame *frame)
{
    AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO, mono = AV_CHANNEL_LAYOUT_MONO, from = {0};
    int channels = frame->ch_layout.nb_channels;
    swr_free(&converter->swr);
    av_channel_layout_uninit(&converter->layout);
    if (channels < 1 || frame->sample_rate < 1 ||
        av_channel_layout_copy(&converter->layout, &frame->ch_layout) < 0)
        return false;
    if (channels <= CHANNELS)
        from = channels == 1 ? mono : stereo;
    else if (frame->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&from, channels);
    else if (av_channel_layout_copy(&from, &frame->ch_layout) < 0)
        return false;
    converter->format = frame->format;
    converter->from_hz = frame->sample_rate;
    bool good =
        swr_alloc_set_opts2(&converter->swr, channels == 1 ? &mono : &stereo, AV_SAMPLE_FMT_FLT,
                            converter->rate_hz, &from, (enum AVSampleFormat)frame->format,
                            frame->sample_rate, 0, NULL) >= 0 &&
        swr_init(converter->swr) >= 0;
    av_channel_layout_uninit(&from);
    if (!good)
        swr_free(&converter->swr);
    return good;
}

static bool make_room(struct converter *converter, int count)
{
    if (count <= converter->room)
        return true;
    float *more = av_realloc_array(converter->frames, (size_t)count * CHANNELS, sizeof *more);
    if (!more)
        return false;
    converter->frames = more;
    converter->room = count;
    return true;
}

static void spread_mono(struct converter *converter)
{
    for (int i = converter->count - 1; i >= 0; i--)
        converter->frames[2 * i] = converter->frames[2 * i + 1] = converter->frames[i];
}

bool converter_take(struct converter *converter, const AVFrame *frame)
{
    converter->count = 0;
    if (!is_set_up(converter, frame) && !set_up(converter, frame))
        return false;
    int most = swr_get_out_samples(converter->swr, frame->nb_samples);
    if (most < 0 || !make_room(converter, most))
        return false;
    uint8_t *to = (uint8_t *)converter->frames;
    int count = swr_convert(converter->swr, &to, most, (const uint8_t **)frame->extended_data,
                            frame->nb_samples);
    converter->count = count > 0 ? count : 0;
    if (frame->ch_layout.nb_channels == 1)
        spread_mono(converter);
    return count >= 0;
}

bool converter_fill(struct converter *converter, int count)
{
    if (!make_room(converter, count))
        return false;
    if (count > converter->count)
        memset(converter->frames + (size_t)converter->count * CHANNELS, 0,
               (size_t)(count - converter->count) * CHANNELS * sizeof(float));
    converter->count = count;
    return true;
}
