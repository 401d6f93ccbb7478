/*
 * mp3_frame.c: see mp3_frame.h.
 */
#include "tutti/core/mp3_frame.h"

#include <string.h>

static const int kbps_of_version_1[] = {0,   32,  40,  48,  56,  64,  80, 96,
                                        112, 128, 160, 192, 224, 256, 320};
static const int kbps_of_version_2[] = {0,  8,  16, 24,  32,  40,  48, 56,
                                        64, 80, 96, 112, 128, 144, 160};
static const unsigned rates_hz[] = {44100, 48000, 32000};

/* Without the extension of the mode, which changes from frame to frame. */
#define MODE_MASK 0xcfu

bool mp3_header_parse(const unsigned char bytes[MP3_HEADER_BYTES], struct mp3_header *ret)
{
    unsigned version = bytes[1] >> 3 & 3, layer = bytes[1] >> 1 & 3;
    unsigned bitrate = bytes[2] >> 4, rate = bytes[2] >> 2 & 3, padding = bytes[2] >> 1 & 1;
    if (bytes[0] != 0xff || bytes[1] < 0xe0 || version == 1 || layer != 1)
        return false;
    if (bitrate == 0 || bitrate == 15 || rate == 3)
        return false;
    bool first = version == MP3_VERSION_1;
    ret->version = (enum mp3_version)version;
    ret->rate_hz = rates_hz[rate] >> (first ? 0 : version == MP3_VERSION_2 ? 1 : 2);
    ret->channels = bytes[3] >> 6 == 3 ? 1 : 2;
    ret->mode = bytes[3] & MODE_MASK;
    ret->samples = first ? 1152 : 576;
    int kbps = (first ? kbps_of_version_1 : kbps_of_version_2)[bitrate];
    ret->bytes = (int)((unsigned)(ret->samples / 8 * 1000 * kbps) / ret->rate_hz + padding);
    return true;
}

bool mp3_header_alike(const struct mp3_header *a, const struct mp3_header *b)
{
    return a->version == b->version && a->rate_hz == b->rate_hz;
}

bool mp3_header_same(const struct mp3_header *a, const struct mp3_header *b)
{
    return mp3_header_alike(a, b) && a->mode == b->mode;
}

enum mp3_row mp3_row_at(const unsigned char *bytes, size_t count, size_t at, int wanted,
                        int *ret_whole)
{
    struct mp3_header first, header;
    for (int i = 0; i < wanted; i++) {
        *ret_whole = i;
        if (at + MP3_HEADER_BYTES > count) {
            *ret_whole -= at > count;
            return MP3_ROW_CUT;
        }
        if (!mp3_header_parse(bytes + at, &header) || (i > 0 && !mp3_header_alike(&header, &first)))
            return MP3_NO_ROW;
        if (i == 0)
            first = header;
        at += (size_t)header.bytes;
    }
    return MP3_ROW;
}

/* --- tags ---------------------------------------------------------------------------------- */

#define XING_HAS_FRAMES 1u
#define XING_HAS_BYTES 2u
#define XING_HAS_TOC 4u
#define XING_HAS_QUALITY 8u
#define XING_TOC_BYTES 100
/* From the encoder's name to the two fields of 12 bits; together as LAME's tag has it. */
#define LAME_DELAYS_AT 21
#define LAME_DELAYS_BYTES 3
/* Where Fraunhofer's tag is, whatever the frame. */
#define VBRI_AT (MP3_HEADER_BYTES + 32)
#define VBRI_BYTES 18

static uint32_t big_endian(const unsigned char *bytes, int count)
{
    uint32_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* The encoders whose delay browsers believe. */
static bool is_believed(const unsigned char *encoder)
{
    return memcmp(encoder, "LAME", 4) == 0 || memcmp(encoder, "Lavf", 4) == 0 ||
           memcmp(encoder, "Lavc", 4) == 0;
}

static int xing_fields_bytes(uint32_t has)
{
    return (has & XING_HAS_FRAMES ? 4 : 0) + (has & XING_HAS_BYTES ? 4 : 0) +
           (has & XING_HAS_TOC ? XING_TOC_BYTES : 0) + (has & XING_HAS_QUALITY ? 4 : 0);
}

static void parse_xing(const unsigned char *frame, const struct mp3_header *header,
                       struct mp3_tag *tag)
{
    int side_bytes = header->version == MP3_VERSION_1 ? (header->channels == 1 ? 17 : 32)
                                                      : (header->channels == 1 ? 9 : 17);
    const unsigned char *at = frame + MP3_HEADER_BYTES + side_bytes;
    const unsigned char *end = frame + header->bytes;
    if (end - at < 8 || (memcmp(at, "Xing", 4) != 0 && memcmp(at, "Info", 4) != 0))
        return;
    uint32_t has = big_endian(at + 4, 4);
    at += 8;
    if (end - at < xing_fields_bytes(has))
        return;
    if (has & XING_HAS_FRAMES)
        tag->frames = big_endian(at, 4);
    if (has & XING_HAS_BYTES)
        tag->stream_bytes = big_endian(at + (has & XING_HAS_FRAMES ? 4 : 0), 4);
    at += xing_fields_bytes(has);
    if (end - at < LAME_DELAYS_AT + LAME_DELAYS_BYTES || !is_believed(at))
        return;
    uint32_t delays = big_endian(at + LAME_DELAYS_AT, LAME_DELAYS_BYTES);
    tag->has_delay = true;
    tag->delay_samples = (int)(delays >> 12);
    tag->padding_samples = (int)(delays & 0xfff);
}

static void parse_vbri(const unsigned char *frame, const struct mp3_header *header,
                       struct mp3_tag *tag)
{
    const unsigned char *at = frame + VBRI_AT;
    if (header->bytes < VBRI_AT + VBRI_BYTES || memcmp(at, "VBRI", 4) != 0 ||
        big_endian(at + 4, 2) != 1)
        return;
    tag->stream_bytes = big_endian(at + 10, 4);
    tag->frames = big_endian(at + 14, 4);
}

void mp3_tag_parse(const unsigned char *frame, const struct mp3_header *header, struct mp3_tag *ret)
{
    memset(ret, 0, sizeof *ret);
    parse_xing(frame, header, ret);
    parse_vbri(frame, header, ret);
    /* A tag that tells neither is played; its delay counts all the same. */
    ret->is_tag_frame = ret->frames > 0 || ret->stream_bytes > 0;
}

int64_t mp3_tag_frames(const struct mp3_tag *tag, int64_t file_bytes)
{
    bool glued = tag->stream_bytes > 0 &&
                 file_bytes - MP3_HEADER_BYTES > tag->stream_bytes + tag->stream_bytes / 16;
    return glued ? 0 : tag->frames;
}

struct mp3_trim mp3_tag_trim(const struct mp3_tag *tag, int frame_samples, int64_t file_bytes)
{
    struct mp3_trim trim = {0, INT64_MAX, INT64_MAX};
    int64_t samples = mp3_tag_frames(tag, file_bytes) * frame_samples;
    if (!tag->has_delay)
        return trim;
    trim.begin = tag->delay_samples + MP3_FILTER_DELAY_SAMPLES;
    int64_t end = samples - tag->padding_samples + MP3_FILTER_DELAY_SAMPLES;
    if (samples == 0 || end >= samples || end < trim.begin)
        return trim;
    trim.end = end;
    trim.resume = samples;
    return trim;
}

int64_t mp3_trim_played(const struct mp3_trim *trim, int64_t samples)
{
    int64_t cut = 0;
    if (samples > trim->end)
        cut = (samples < trim->resume ? samples : trim->resume) - trim->end;
    return samples - cut > trim->begin ? samples - cut - trim->begin : 0;
}
