/*
 * decoder.c: one of two: mp3 in this process (mp3_decoder.h), everything else in one of its own
 * (codecs/helper.h), which is started when the probe has said that it is wanted.
 */
#include "tutti/audio/decoder.h"

#include "mp3_decoder.h"
#include "sanity.h"
#include "tutti/codecs/helper.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert(HELPER_ERROR_MAX <= DECODER_ERROR_MAX, "its lines fit");

struct decoder {
    enum audio_kind kind; /* AUDIO_UNKNOWN: the probe has not said yet */
    int fd;
    int64_t available_bytes;
    struct mp3_decoder *mp3; /* NULL: it is none */
    struct helper *helper;
    struct sanity sanity;
    bool wants_time;
    const char *error;
};

static enum decoder_result again(struct decoder *decoder, bool wants_time)
{
    decoder->wants_time = wants_time;
    return DECODER_AGAIN;
}

static enum decoder_result from_helper(struct decoder *decoder, enum helper_result result)
{
    switch (result) {
    case HELPER_OK:
        return DECODER_OK;
    case HELPER_AGAIN:
        return again(decoder, true);
    case HELPER_END:
        return DECODER_END;
    case HELPER_ERROR:
        break;
    }
    decoder->error = helper_error(decoder->helper);
    return DECODER_ERROR;
}

/* It reads where it likes in the file, so all of it must be there. */
static enum decoder_result open_helper(struct decoder *decoder, int64_t total_bytes, char *error)
{
    if (total_bytes < 0 || decoder->available_bytes < total_bytes)
        return again(decoder, false);
    if (!decoder->helper)
        decoder->helper = helper_create(decoder->fd, decoder->kind, error);
    if (!decoder->helper)
        return DECODER_ERROR;
    enum decoder_result result = from_helper(decoder, helper_open(decoder->helper));
    if (result == DECODER_ERROR)
        snprintf(error, DECODER_ERROR_MAX, "%s", decoder->error);
    return result;
}

static enum decoder_result open_mp3(struct decoder *decoder, int64_t total_bytes, char *error)
{
    enum audio_kind kind = AUDIO_UNKNOWN;
    enum decoder_result result = mp3_decoder_open(decoder->fd, decoder->available_bytes,
                                                  total_bytes, &decoder->mp3, &kind, error);
    if (result == DECODER_OK)
        decoder->kind = AUDIO_MP3;
    if (result != DECODER_ERROR || !audio_kind_needs_codecs(kind))
        return result;
    decoder->kind = kind;
    return open_helper(decoder, total_bytes, error);
}

static enum decoder_result go_on(struct decoder *decoder, int64_t available_bytes,
                                 int64_t total_bytes, char *error)
{
    if (available_bytes < decoder->available_bytes && !decoder->helper)
        decoder->kind = AUDIO_UNKNOWN; /* a download has begun again */
    decoder->available_bytes = available_bytes;
    decoder->wants_time = false;
    return decoder->kind == AUDIO_UNKNOWN ? open_mp3(decoder, total_bytes, error)
                                          : open_helper(decoder, total_bytes, error);
}

enum decoder_result decoder_open(int fd, int64_t available_bytes, int64_t total_bytes,
                                 struct decoder **opening, char *error)
{
    struct decoder *decoder = *opening ? *opening : calloc(1, sizeof *decoder);
    *opening = decoder;
    if (!decoder) {
        snprintf(error, DECODER_ERROR_MAX, "out of memory");
        return DECODER_NO_MEMORY;
    }
    decoder->fd = fd;
    enum decoder_result result = go_on(decoder, available_bytes, total_bytes, error);
    if (result != DECODER_OK && result != DECODER_AGAIN) {
        decoder_destroy(decoder);
        *opening = NULL;
    }
    return result;
}

void decoder_destroy(struct decoder *decoder)
{
    if (!decoder)
        return;
    mp3_decoder_destroy(decoder->mp3);
    helper_destroy(decoder->helper);
    free(decoder);
}

void decoder_set_available(struct decoder *decoder, int64_t available_bytes, bool complete)
{
    if (decoder->mp3)
        mp3_decoder_set_available(decoder->mp3, available_bytes, complete);
}

enum audio_kind decoder_kind(const struct decoder *decoder)
{
    return decoder->kind;
}

unsigned decoder_rate_hz(const struct decoder *decoder)
{
    return decoder->mp3 ? mp3_decoder_rate_hz(decoder->mp3) : helper_rate_hz(decoder->helper);
}

int64_t decoder_length_frames(const struct decoder *decoder)
{
    return decoder->mp3 ? mp3_decoder_length_frames(decoder->mp3)
                        : helper_length_frames(decoder->helper);
}

uint64_t decoder_damaged_frames(const struct decoder *decoder)
{
    return decoder->mp3 ? mp3_decoder_damaged_frames(decoder->mp3)
                        : helper_damaged(decoder->helper);
}

struct track_tags decoder_tags(const struct decoder *decoder)
{
    return decoder->helper ? *helper_tags(decoder->helper) : track_tags_none();
}

const char *decoder_error(const struct decoder *decoder)
{
    return decoder->mp3 ? mp3_decoder_error(decoder->mp3) : decoder->error;
}

enum decoder_result decoder_seek(struct decoder *decoder, int64_t frame)
{
    if (decoder->mp3)
        return mp3_decoder_seek(decoder->mp3, frame);
    return from_helper(decoder, helper_seek(decoder->helper, frame > 0 ? frame : 0));
}

bool decoder_wants_time(const struct decoder *decoder)
{
    return decoder->mp3 ? mp3_decoder_wants_time(decoder->mp3) : decoder->wants_time;
}

bool decoder_reaches(struct decoder *decoder, int64_t frame)
{
    return decoder->mp3 ? mp3_decoder_reaches(decoder->mp3, frame) : true;
}

bool decoder_walk(struct decoder *decoder)
{
    return decoder->mp3 && mp3_decoder_walk(decoder->mp3);
}

enum decoder_result decoder_read(struct decoder *decoder, float *frames, size_t count,
                                 size_t *ret_count)
{
    if (decoder->mp3)
        return mp3_decoder_read(decoder->mp3, frames, count, ret_count);
    enum decoder_result result =
        from_helper(decoder, helper_read(decoder->helper, frames, count, ret_count));
    decoder->sanity.damaged = decoder->sanity.damaged || helper_damaged(decoder->helper) > 0;
    if (result != DECODER_OK || sanity_check(&decoder->sanity, frames, *ret_count))
        return result;
    decoder->error = "what is in it decodes to noise, not to music";
    return DECODER_ERROR;
}
