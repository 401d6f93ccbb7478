/*
 * decoder.c: an mp3 as a gapless track, with exact seeks in bounded time.
 *
 * A walker (mp3_walker.h) runs ahead from header to header, a little with every call, and knows
 * where frames begin; a seek beyond it waits for it. Then mpg123 decodes from some frames before
 * the target, thrown away, which fills the bit reservoir and the filter bank (mp3_source.h). What
 * the encoder put before and behind the music is trimmed here. A stretch at another rate has no
 * index: to get into it, it is decoded from where it begins.
 */
#include "tutti/audio/decoder.h"

#include "mp3_source.h"
#include "mp3_walker.h"

#include <stdio.h>
#include <stdlib.h>

/* The delay of every decoder's filter bank, which a LAME tag does not count. */
#define FILTER_DELAY_SAMPLES 529
/* Walked by the way with every read: the whole of a track within the first seconds of playing. */
#define WALK_FRAMES_PER_READ 64
/* Reads thrown away per call on the way into a stretch at another rate. */
#define DISCARD_READS 40
#define DISCARD_FRAMES 1152

/*
 * Source samples before `begin`, and from `end` to `resume`, are not delivered. Behind `resume`
 * there is something only if another stream was glued to the one that the tag speaks of.
 */
struct trim {
    int64_t begin, end, resume;
};

struct decoder {
    struct mp3_source source;
    struct mp3_walker walker;
    struct trim trim;
    int64_t tag_samples; /* before trimming, as a tag has it; -1: no such tag */
    int64_t next_frame;  /* what the next read delivers */
    int64_t end_frame;   /* -1, or where the end was met */
    bool wants_time;
    char error[DECODER_ERROR_MAX];
};

static void learn_tag(struct decoder *decoder)
{
    mpg123_handle *mpg = decoder->source.stream.mpg;
    long delay = -1, padding = -1;
    decoder->trim = (struct trim){0, INT64_MAX, INT64_MAX};
    /* Without a tag it only knows of the one frame that it has read. */
    int64_t frames = (int64_t)mpg123_framelength(mpg);
    decoder->tag_samples = frames > 1 ? frames * decoder->source.frame_samples : -1;
    mpg123_getstate(mpg, MPG123_ENC_DELAY, &delay, NULL);
    mpg123_getstate(mpg, MPG123_ENC_PADDING, &padding, NULL);
    if (decoder->tag_samples < 0 || delay < 0 || padding < 0)
        return;
    decoder->trim.begin = delay + FILTER_DELAY_SAMPLES;
    if (padding > FILTER_DELAY_SAMPLES) {
        decoder->trim.end = decoder->tag_samples - padding + FILTER_DELAY_SAMPLES;
        decoder->trim.resume = decoder->tag_samples;
    }
    if (decoder->trim.end < decoder->trim.begin) /* a tag that makes no sense */
        decoder->trim = (struct trim){0, INT64_MAX, INT64_MAX};
}

/* The source sample that is delivered as this frame. */
static int64_t source_of(const struct trim *trim, int64_t frame)
{
    int64_t sample = frame + trim->begin;
    return sample < trim->end ? sample : sample + (trim->resume - trim->end);
}

/* How much is delivered of so many source samples. */
static int64_t delivered(const struct trim *trim, int64_t samples)
{
    int64_t cut = 0;
    if (samples > trim->end)
        cut = (samples < trim->resume ? samples : trim->resume) - trim->end;
    return samples - cut > trim->begin ? samples - cut - trim->begin : 0;
}

enum decoder_result decoder_open(int fd, int64_t available_bytes, int64_t total_bytes,
                                 struct decoder **ret_decoder, char *error)
{
    bool complete = total_bytes >= 0 && available_bytes >= total_bytes;
    struct decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) {
        snprintf(error, DECODER_ERROR_MAX, "out of memory");
        return DECODER_NO_MEMORY;
    }
    decoder->end_frame = -1;
    decoder->source.stream = decoder->walker.stream =
        (struct mp3_stream){.fd = fd, .available_bytes = available_bytes, .complete = complete};
    enum decoder_result result = mp3_source_open(&decoder->source, error);
    if (result == DECODER_OK)
        result = mp3_walker_open(&decoder->walker, error);
    if (result != DECODER_OK) {
        decoder_destroy(decoder);
        return result;
    }
    learn_tag(decoder);
    *ret_decoder = decoder;
    return DECODER_OK;
}

void decoder_destroy(struct decoder *decoder)
{
    if (!decoder)
        return;
    mp3_walker_close(&decoder->walker);
    mp3_source_close(&decoder->source);
    free(decoder);
}

void decoder_set_available(struct decoder *decoder, int64_t available_bytes, bool complete)
{
    mp3_stream_grow(&decoder->source.stream, available_bytes, complete);
    mp3_stream_grow(&decoder->walker.stream, available_bytes, complete);
}

unsigned decoder_rate_hz(const struct decoder *decoder)
{
    return decoder->source.rate_hz;
}

/* Samples before the first stretch at another rate, as far as the walker got. */
static int64_t even_samples(const struct decoder *decoder)
{
    return decoder->walker.like_first * decoder->source.frame_samples;
}

int64_t decoder_length_frames(const struct decoder *decoder)
{
    const struct mp3_walker *walker = &decoder->walker;
    if (decoder->end_frame >= 0)
        return decoder->end_frame;
    if (walker->done) {
        double odd_samples = walker->odd_seconds * decoder->source.rate_hz;
        return delivered(&decoder->trim, even_samples(decoder) + (int64_t)(odd_samples + 0.5));
    }
    return decoder->tag_samples < 0 ? -1 : delivered(&decoder->trim, decoder->tag_samples);
}

uint64_t decoder_damaged_frames(const struct decoder *decoder)
{
    return decoder->walker.damaged;
}

const char *decoder_error(const struct decoder *decoder)
{
    return decoder->error;
}

bool decoder_wants_time(const struct decoder *decoder)
{
    return decoder->wants_time;
}

static enum decoder_result fail(struct decoder *decoder, const char *error)
{
    snprintf(decoder->error, sizeof decoder->error, "%s", error);
    return DECODER_ERROR;
}

/* Hands on what the source said. */
static enum decoder_result from_source(struct decoder *decoder, enum decoder_result result)
{
    if (result == DECODER_AGAIN)
        decoder->wants_time = decoder->source.wants_time;
    return result == DECODER_ERROR ? fail(decoder, decoder->source.error) : result;
}

/* Has the walker been beyond this sample, or can it go no farther? If not, walks a bit. */
static bool walk_to(struct decoder *decoder, int64_t sample)
{
    struct mp3_walker *walker = &decoder->walker;
    int64_t wanted = sample / decoder->source.frame_samples + 1;
    if (walker->frames < wanted)
        mp3_walker_step(walker, MP3_WALK_FRAMES);
    return walker->frames >= wanted || walker->done || walker->mixed;
}

bool decoder_reaches(struct decoder *decoder, int64_t frame)
{
    return walk_to(decoder, source_of(&decoder->trim, frame)) || decoder->walker.stream.failed;
}

static bool is_at(const struct decoder *decoder, int64_t sample)
{
    return decoder->source.placed && decoder->source.next == sample;
}

/* Into a stretch at another rate: from its beginning, if we are not on the way already. */
static enum decoder_result seek_odd(struct decoder *decoder, int64_t sample)
{
    float thrown[DISCARD_FRAMES * DECODER_CHANNELS];
    struct mp3_source *source = &decoder->source;
    int64_t even = even_samples(decoder);
    if (!source->placed || source->next > sample || source->next < even - 1) {
        enum decoder_result result = mp3_source_seek(source, even - 1, decoder->walker.stream.mpg);
        if (result != DECODER_OK)
            return result;
    }
    for (int i = 0; i < DISCARD_READS && source->next < sample; i++) {
        int64_t left = sample - source->next;
        size_t count = left < DISCARD_FRAMES ? (size_t)left : DISCARD_FRAMES;
        enum decoder_result result = mp3_source_read(source, thrown, count, &count);
        if (result != DECODER_OK)
            return result;
    }
    source->wants_time = true;
    return source->next == sample ? DECODER_OK : DECODER_AGAIN;
}

/* Notes the end where it is known without having been met. */
static bool is_past_end(struct decoder *decoder)
{
    const struct mp3_walker *walker = &decoder->walker;
    if (decoder->end_frame < 0 && walker->done && !walker->mixed)
        decoder->end_frame = decoder_length_frames(decoder);
    if (decoder->end_frame < 0 || decoder->next_frame < decoder->end_frame)
        return false;
    decoder->next_frame = decoder->end_frame;
    return true;
}

/* Brings the source to where next_frame is. */
static enum decoder_result seek(struct decoder *decoder)
{
    const struct mp3_walker *walker = &decoder->walker;
    int64_t sample = source_of(&decoder->trim, decoder->next_frame);
    if (is_past_end(decoder))
        return DECODER_END;
    if (is_at(decoder, sample))
        return DECODER_OK;
    bool walked = walk_to(decoder, sample);
    if (is_past_end(decoder))
        return DECODER_END;
    if (!walked && walker->stream.failed)
        return fail(decoder, "its file cannot be read any more");
    if (!walked) {
        decoder->wants_time = mp3_walker_may_step(walker);
        return DECODER_AGAIN;
    }
    if (walker->mixed && sample >= even_samples(decoder))
        return from_source(decoder, seek_odd(decoder, sample));
    return from_source(decoder, mp3_source_seek(&decoder->source, sample, walker->stream.mpg));
}

enum decoder_result decoder_seek(struct decoder *decoder, int64_t frame)
{
    decoder->wants_time = false;
    decoder->next_frame = frame > 0 ? frame : 0;
    return seek(decoder);
}

/* Reads up to where the trimming begins; the next read then seeks to what is behind it, if there
 * is something. */
static enum decoder_result read_source(struct decoder *decoder, float *frames, size_t count,
                                       size_t *ret_count)
{
    struct mp3_source *source = &decoder->source;
    int64_t left = decoder->trim.end - source->next;
    if (source->next < decoder->trim.end && (int64_t)count > left)
        count = (size_t)left;
    enum decoder_result result = mp3_source_read(source, frames, count, ret_count);
    if (result == DECODER_OK)
        decoder->next_frame += (int64_t)*ret_count;
    if (result == DECODER_END)
        decoder->end_frame = decoder->next_frame;
    return from_source(decoder, result);
}

enum decoder_result decoder_read(struct decoder *decoder, float *frames, size_t count,
                                 size_t *ret_count)
{
    decoder->wants_time = false;
    mp3_walker_step(&decoder->walker, WALK_FRAMES_PER_READ);
    enum decoder_result result = seek(decoder);
    if (result != DECODER_OK)
        return result;
    return read_source(decoder, frames, count, ret_count);
}
