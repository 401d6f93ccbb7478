/*
 * mp3_decoder.c: an mp3 as a gapless track, with exact seeks in bounded time.
 *
 * The probe says whether it is an mp3 at all. A walker (mp3_walker.h) runs ahead from header to
 * header, a little with every call, and knows where frames begin; a seek beyond it waits for it.
 * Then mpg123 decodes from some frames before the target, thrown away, which fills the bit
 * reservoir and the filter bank (mp3_source.h). What the encoder put before and behind the music is
 * trimmed here. A stretch at another rate has no index: to get into it, it is decoded from where it
 * begins.
 */
#include "mp3_decoder.h"

#include "mp3_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Walked by the way with every read: the whole of a track within the first seconds of playing. */
#define WALK_FRAMES_PER_READ 64
/* Walked to open a track, so many at a time: enough for mpg123 to read the first. */
#define WALK_FRAMES_TO_OPEN 8
/* What of a file is judged per call, each window of it searched through. */
#define WINDOWS_PER_CALL 2
/* Reads thrown away per call on the way into a stretch at another rate. */
#define DISCARD_READS 40
#define DISCARD_FRAMES 1152

struct mp3_decoder {
    struct mp3_source source;
    struct mp3_walker walker;
    struct audio_probe probe; /* until it is judged */
    bool judged;
    struct mp3_tag tag;
    int64_t tag_at; /* in the file */
    struct mp3_trim trim;
    int64_t tag_samples; /* as the tag has it, before trimming; 0: it does not tell */
    int64_t total_bytes; /* -1: unknown */
    int64_t next_frame;  /* what the next read delivers */
    bool end_is_sure;    /* trim.end is what it will be when the file is complete */
    int64_t end_frame;   /* -1, or where the end was met */
    bool wants_time;
    char error[DECODER_ERROR_MAX];
};

/* A file whose size is not known may turn out to have much more than the tag tells of: so nothing
 * from where the tag has the end on is delivered before that has been seen, or the end. */
static void learn_trim(struct mp3_decoder *decoder)
{
    const struct mp3_file *file = &decoder->walker.file;
    bool size_known = file->complete || decoder->total_bytes >= 0;
    int64_t file_bytes =
        file->complete || !size_known ? file->available_bytes : decoder->total_bytes;
    file_bytes -= decoder->tag_at;
    decoder->trim = mp3_tag_trim(&decoder->tag, decoder->source.frame_samples, file_bytes);
    decoder->end_is_sure = size_known || mp3_tag_frames(&decoder->tag, file_bytes) == 0;
    decoder->tag_samples =
        mp3_tag_frames(&decoder->tag, file_bytes) * decoder->source.frame_samples;
}

/* The source sample that is delivered as this frame. */
static int64_t source_of(const struct mp3_trim *trim, int64_t frame)
{
    int64_t sample = frame + trim->begin;
    return sample < trim->end ? sample : sample + (trim->resume - trim->end);
}

static enum decoder_result again(struct mp3_decoder *decoder, bool wants_time)
{
    decoder->wants_time = wants_time;
    return DECODER_AGAIN;
}

static enum decoder_result cannot_read(char *error)
{
    snprintf(error, DECODER_ERROR_MAX, "it cannot be read: %s", strerror(errno));
    return DECODER_ERROR;
}

/* Asks the probe about one more window; DECODER_OK: it is an mp3. */
static enum decoder_result judge_window(struct mp3_decoder *decoder, char *error)
{
    struct mp3_file *file = &decoder->walker.file;
    struct audio_probe *probe = &decoder->probe;
    const unsigned char *bytes = NULL;
    size_t count = mp3_file_look(file, probe->offset, AUDIO_PROBE_WINDOW_BYTES, &bytes);
    bool at_end = file->complete && probe->offset + (int64_t)count >= file->available_bytes;
    int64_t before = probe->offset;
    if (file->failed)
        return cannot_read(error);
    if (file->starved)
        return again(decoder, false);
    if (!audio_probe_step(probe, bytes, count, at_end))
        return again(decoder, file->complete || (probe->offset != before &&
                                                 probe->offset < file->available_bytes));
    audio_probe_refusal(probe->kind, error);
    return probe->kind == AUDIO_MP3 ? DECODER_OK : DECODER_ERROR;
}

static enum decoder_result judge(struct mp3_decoder *decoder, char *error)
{
    enum decoder_result result = again(decoder, true);
    for (int i = 0; i < WINDOWS_PER_CALL && result == DECODER_AGAIN && decoder->wants_time; i++)
        result = judge_window(decoder, error);
    return result;
}

static void begin_walk(struct mp3_decoder *decoder)
{
    const struct audio_probe *probe = &decoder->probe;
    decoder->judged = true;
    decoder->tag = probe->tag;
    decoder->tag_at = probe->tag_at;
    decoder->source.stream.walker = &decoder->walker;
    mp3_walker_open(&decoder->walker, probe->begin);
}

static void walk_to_open(struct mp3_decoder *decoder)
{
    struct mp3_walker *walker = &decoder->walker;
    int64_t enough = walker->walk.searched_bytes + MP3_WALK_SEARCH_BYTES;
    for (int frames = 0; frames < MP3_WALK_FRAMES && walker->walk.searched_bytes < enough &&
                         !mp3_stream_may_read(&decoder->source.stream);
         frames += WALK_FRAMES_TO_OPEN)
        mp3_walker_step(walker, WALK_FRAMES_TO_OPEN);
}

static enum decoder_result go_on(struct mp3_decoder *decoder, char *error)
{
    struct mp3_walker *walker = &decoder->walker;
    enum decoder_result result = decoder->judged ? DECODER_OK : judge(decoder, error);
    if (result != DECODER_OK)
        return result;
    if (!decoder->judged)
        begin_walk(decoder);
    walk_to_open(decoder);
    if (walker->file.failed)
        return cannot_read(error);
    if (!mp3_stream_may_read(&decoder->source.stream) && mp3_walker_may_step(walker))
        return again(decoder, !walker->file.starved);
    result = mp3_source_open(&decoder->source, error);
    if (result == DECODER_AGAIN)
        return again(decoder, false);
    if (result == DECODER_OK)
        learn_trim(decoder);
    return result;
}

static struct mp3_decoder *create(int fd)
{
    struct mp3_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder)
        return NULL;
    decoder->end_frame = -1;
    decoder->walker.file.fd = fd;
    audio_probe_init(&decoder->probe);
    return decoder;
}

static void take_available(struct mp3_decoder *decoder, int64_t available_bytes,
                           int64_t total_bytes)
{
    struct mp3_file *file = &decoder->walker.file;
    bool complete = total_bytes >= 0 && available_bytes >= total_bytes;
    bool shrunk = available_bytes < file->available_bytes || file->starved;
    decoder->total_bytes = total_bytes;
    mp3_walker_set_available(&decoder->walker, available_bytes, complete);
    if (!shrunk)
        return;
    file->starved = false; /* a download has begun again */
    file->buffer_bytes = 0;
    decoder->judged = false;
    audio_probe_init(&decoder->probe);
}

enum decoder_result mp3_decoder_open(int fd, int64_t available_bytes, int64_t total_bytes,
                                     struct mp3_decoder **opening, enum audio_kind *ret_kind,
                                     char *error)
{
    struct mp3_decoder *decoder = *opening ? *opening : create(fd);
    *opening = decoder;
    if (!decoder) {
        snprintf(error, DECODER_ERROR_MAX, "out of memory");
        return DECODER_NO_MEMORY;
    }
    take_available(decoder, available_bytes, total_bytes);
    enum decoder_result result = go_on(decoder, error);
    if (result != DECODER_OK && result != DECODER_AGAIN) {
        if (!decoder->judged && decoder->probe.kind != AUDIO_MP3)
            *ret_kind = decoder->probe.kind;
        mp3_decoder_destroy(decoder);
        *opening = NULL;
    }
    return result;
}

void mp3_decoder_destroy(struct mp3_decoder *decoder)
{
    if (!decoder)
        return;
    mp3_source_close(&decoder->source);
    mp3_walker_close(&decoder->walker);
    free(decoder);
}

void mp3_decoder_set_available(struct mp3_decoder *decoder, int64_t available_bytes, bool complete)
{
    mp3_walker_set_available(&decoder->walker, available_bytes, complete);
    learn_trim(decoder);
}

unsigned mp3_decoder_rate_hz(const struct mp3_decoder *decoder)
{
    return decoder->source.rate_hz;
}

/* Samples before the first stretch at another rate, as far as the walker got. */
static int64_t even_samples(const struct mp3_decoder *decoder)
{
    return decoder->walker.walk.like_first * decoder->source.frame_samples;
}

int64_t mp3_decoder_length_frames(const struct mp3_decoder *decoder)
{
    const struct mp3_walker *walker = &decoder->walker;
    if (decoder->end_frame >= 0)
        return decoder->end_frame;
    if (walker->done)
        return mp3_trim_played(&decoder->trim, mp3_walk_samples(&walker->walk));
    return decoder->tag_samples == 0 ? -1 : mp3_trim_played(&decoder->trim, decoder->tag_samples);
}

uint64_t mp3_decoder_damaged_frames(const struct mp3_decoder *decoder)
{
    return decoder->walker.walk.damaged;
}

const char *mp3_decoder_error(const struct mp3_decoder *decoder)
{
    return decoder->error;
}

bool mp3_decoder_wants_time(const struct mp3_decoder *decoder)
{
    return decoder->wants_time;
}

static enum decoder_result fail(struct mp3_decoder *decoder, const char *error)
{
    snprintf(decoder->error, sizeof decoder->error, "%s", error);
    return DECODER_ERROR;
}

/* Hands on what the source said. */
static enum decoder_result from_source(struct mp3_decoder *decoder, enum decoder_result result)
{
    if (result == DECODER_AGAIN)
        decoder->wants_time = decoder->source.wants_time;
    return result == DECODER_ERROR ? fail(decoder, decoder->source.error) : result;
}

/* Has the walker been beyond this sample, or can it go no farther? If not, walks a bit. */
static bool walk_to(struct mp3_decoder *decoder, int64_t sample)
{
    struct mp3_walker *walker = &decoder->walker;
    int64_t wanted = sample / decoder->source.frame_samples + 1;
    if (walker->walk.frames < wanted)
        mp3_walker_step(walker, MP3_WALK_FRAMES);
    return walker->walk.frames >= wanted || walker->done || walker->walk.mixed;
}

bool mp3_decoder_reaches(struct mp3_decoder *decoder, int64_t frame)
{
    return walk_to(decoder, source_of(&decoder->trim, frame)) || decoder->walker.file.failed;
}

bool mp3_decoder_walk(struct mp3_decoder *decoder)
{
    mp3_walker_step(&decoder->walker, MP3_WALK_FRAMES);
    return mp3_walker_may_step(&decoder->walker);
}

static bool is_at(const struct mp3_decoder *decoder, int64_t sample)
{
    return decoder->source.placed && decoder->source.next == sample;
}

/* Into a stretch at another rate: from its beginning, if we are not on the way already. */
static enum decoder_result seek_odd(struct mp3_decoder *decoder, int64_t sample)
{
    float thrown[DISCARD_FRAMES * DECODER_CHANNELS];
    struct mp3_source *source = &decoder->source;
    int64_t even = even_samples(decoder);
    if (!source->placed || source->next > sample || source->next < even - 1) {
        enum decoder_result result = mp3_source_seek(source, even - 1);
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
static bool is_past_end(struct mp3_decoder *decoder)
{
    const struct mp3_walker *walker = &decoder->walker;
    if (decoder->end_frame < 0 && walker->done && !walker->walk.mixed)
        decoder->end_frame = mp3_decoder_length_frames(decoder);
    if (decoder->end_frame < 0 || decoder->next_frame < decoder->end_frame)
        return false;
    decoder->next_frame = decoder->end_frame;
    return true;
}

/* Brings the source to where next_frame is. */
static enum decoder_result seek(struct mp3_decoder *decoder)
{
    const struct mp3_walker *walker = &decoder->walker;
    int64_t sample = source_of(&decoder->trim, decoder->next_frame);
    if (is_past_end(decoder))
        return DECODER_END;
    if (is_at(decoder, sample))
        return DECODER_OK;
    if (sample >= decoder->trim.end && !decoder->end_is_sure)
        return DECODER_AGAIN;
    bool walked = walk_to(decoder, sample);
    if (is_past_end(decoder))
        return DECODER_END;
    if (!walked && walker->file.failed)
        return fail(decoder, "its file cannot be read any more");
    if (!walked) {
        decoder->wants_time = mp3_walker_may_step(walker);
        return DECODER_AGAIN;
    }
    if (walker->walk.mixed && sample >= even_samples(decoder))
        return from_source(decoder, seek_odd(decoder, sample));
    return from_source(decoder, mp3_source_seek(&decoder->source, sample));
}

enum decoder_result mp3_decoder_seek(struct mp3_decoder *decoder, int64_t frame)
{
    decoder->wants_time = false;
    decoder->next_frame = frame > 0 ? frame : 0;
    return seek(decoder);
}

/* Reads up to where the trimming begins; the next read then seeks to what is behind it, if there
 * is something. */
static enum decoder_result read_source(struct mp3_decoder *decoder, float *frames, size_t count,
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

enum decoder_result mp3_decoder_read(struct mp3_decoder *decoder, float *frames, size_t count,
                                     size_t *ret_count)
{
    decoder->wants_time = false;
    mp3_walker_step(&decoder->walker, WALK_FRAMES_PER_READ);
    enum decoder_result result = seek(decoder);
    if (result != DECODER_OK)
        return result;
    return read_source(decoder, frames, count, ret_count);
}
