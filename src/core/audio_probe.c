/*
 * audio_probe.c: see audio_probe.h.
 *
 * Head: is there an ID3v2 tag, or a file of another kind? Tag: skipped by its size, but searched a
 * while for frames, in case that the size leads beyond the end. Search: as libavformat's mp3 reader
 * has it, playing begins at the first header that is followed by another; only that here more than
 * that must follow soon, before any of it is taken for music.
 */
#include "tutti/core/audio_probe.h"

#include "audio_kind.h"

#include <string.h>

/* Headers of which the first is where playing begins, as libavformat has it. */
#define HEADERS_TO_BEGIN 2
/* Where libavformat has them agree in more than that they are of one stream. */
#define SAME_WITHIN_BYTES 65536
/* Headers of which there must be one row: in random bytes there is one in 10^20. */
#define HEADERS_TO_BELIEVE 4
/* How far behind the beginning that row may be, where the first frames are damaged. */
#define BELIEVE_WITHIN_BYTES 8192
/* A file of fewer frames must consist of them: at least so many. */
#define FRAMES_OF_A_SHORT_FILE 2
/* What browsers look at behind the tags (PROBE_BUF_MAX in libavformat/internal.h). */
#define SEARCH_BYTES (1 << 20)

#define ID3_HEADER_BYTES 10
#define ID3_FOOTER_FLAG 0x10

void audio_probe_init(struct audio_probe *probe)
{
    *probe = (struct audio_probe){.phase = AUDIO_PROBE_HEAD, .on_trial = -1, .tag_at = -1};
}

static bool decide(struct audio_probe *probe, enum audio_kind kind)
{
    probe->kind = kind;
    probe->phase = AUDIO_PROBE_DONE;
    return true;
}

static bool decide_mp3(struct audio_probe *probe, int64_t begin, const struct mp3_header *first)
{
    probe->begin = begin;
    probe->first = *first;
    return decide(probe, AUDIO_MP3);
}

/* No frames as they should be: those that are on trial, perhaps in a tag whose size is wrong, or a
 * name. */
static bool decide_without(struct audio_probe *probe)
{
    if (probe->on_trial < 0)
        return decide(probe, probe->hint);
    if (probe->on_trial < probe->search_from) {
        probe->tag_at = -1;
        probe->tag = (struct mp3_tag){0};
    }
    return decide_mp3(probe, probe->on_trial, &probe->trial);
}

/* --- searching ------------------------------------------------------------------------------ */

/* The first place at or behind `at` where a row of headers stands; count if there is none up to
 * there, or less where the bytes do not tell yet. */
static size_t find_row(const unsigned char *bytes, size_t count, size_t at, int headers,
                       bool at_end, bool *ret_found)
{
    int whole;
    *ret_found = false;
    while (at < count) {
        const unsigned char *sync = memchr(bytes + at, 0xff, count - at);
        if (!sync)
            return count;
        at = (size_t)(sync - bytes);
        enum mp3_row row = mp3_row_at(bytes, count, at, headers, &whole);
        *ret_found = row == MP3_ROW;
        if (row == MP3_ROW || (row == MP3_ROW_CUT && !at_end))
            return at;
        at++;
    }
    return at;
}

/* Is there a row to be believed, here or soon behind? Nothing is looked at twice. */
static enum mp3_row believe(struct audio_probe *probe, const unsigned char *bytes, size_t count,
                            bool at_end)
{
    bool found = false;
    size_t at = 0;
    if (probe->none_before > probe->offset)
        at = (size_t)(probe->none_before - probe->offset);
    if (at < BELIEVE_WITHIN_BYTES && at < count) {
        at = find_row(bytes, count, at, HEADERS_TO_BELIEVE, at_end, &found);
        probe->none_before = probe->offset + (int64_t)at;
    }
    if (at >= BELIEVE_WITHIN_BYTES)
        return MP3_NO_ROW;
    return found ? MP3_ROW : at_end ? MP3_NO_ROW : MP3_ROW_CUT;
}

/* A file of a few frames: they fill it, but for a tag at its end. */
static bool is_short_file(const unsigned char *bytes, size_t count)
{
    struct mp3_header header;
    int whole = 0;
    size_t at = 0;
    if (count >= BELIEVE_WITHIN_BYTES) /* it would not have been waited for its end */
        return false;
    while (whole < HEADERS_TO_BELIEVE && at + MP3_HEADER_BYTES <= count &&
           mp3_header_parse(bytes + at, &header) && at + (size_t)header.bytes <= count) {
        at += (size_t)header.bytes;
        whole++;
    }
    bool ends = at == count || memcmp(bytes + at, "TAG", count - at < 3 ? count - at : 3) == 0 ||
                memcmp(bytes + at, "APETAGEX", count - at < 8 ? count - at : 8) == 0;
    int headers;
    return ends && whole >= FRAMES_OF_A_SHORT_FILE &&
           mp3_row_at(bytes, count, 0, whole, &headers) == MP3_ROW;
}

static void move(struct audio_probe *probe, const unsigned char **bytes, size_t *count, size_t by)
{
    probe->offset += (int64_t)by;
    *bytes += by;
    *count -= by;
}

/* The first two headers, which a row begins with, agree in all that libavformat compares. */
static bool are_same(const unsigned char *bytes, const struct mp3_header *first)
{
    struct mp3_header second;
    return mp3_header_parse(bytes + first->bytes, &second) && mp3_header_same(first, &second);
}

static void put_on_trial(struct audio_probe *probe, const struct mp3_header *first)
{
    if (probe->on_trial >= probe->search_from)
        return;
    probe->on_trial = probe->offset;
    probe->trial = *first;
}

static bool search(struct audio_probe *probe, const unsigned char *bytes, size_t count, bool at_end)
{
    struct mp3_header first;
    bool found;
    if (at_end && probe->offset == probe->search_from && is_short_file(bytes, count) &&
        mp3_header_parse(bytes, &first))
        return decide_mp3(probe, probe->offset, &first);
    for (;;) {
        move(probe, &bytes, &count, find_row(bytes, count, 0, HEADERS_TO_BEGIN, at_end, &found));
        bool compares = probe->offset - probe->search_from < SAME_WITHIN_BYTES;
        bool settled = !compares && probe->on_trial >= probe->search_from;
        if (settled || probe->offset >= probe->search_end || (!found && at_end))
            return decide_without(probe);
        if (!found)
            return false;
        enum mp3_row row = believe(probe, bytes, count, at_end);
        if (row == MP3_ROW_CUT)
            return false;
        if (row == MP3_ROW && mp3_header_parse(bytes, &first)) {
            if (!compares || are_same(bytes, &first))
                return decide_mp3(probe, probe->offset, &first);
            put_on_trial(probe, &first);
        }
        move(probe, &bytes, &count, 1);
    }
}

/* --- the head, and the tags ------------------------------------------------------------------ */

static bool is_id3(const unsigned char *bytes)
{
    return memcmp(bytes, "ID3", 3) == 0 && bytes[3] != 0xff && bytes[4] != 0xff &&
           ((bytes[6] | bytes[7] | bytes[8] | bytes[9]) & 0x80) == 0;
}

static void begin_trial(struct audio_probe *probe, const unsigned char *bytes)
{
    int64_t size = (int64_t)bytes[6] << 21 | bytes[7] << 14 | bytes[8] << 7 | bytes[9];
    int64_t footer = bytes[5] & ID3_FOOTER_FLAG ? ID3_HEADER_BYTES : 0;
    probe->tag_end = probe->offset + ID3_HEADER_BYTES + size + footer;
    probe->search_end = probe->offset + SEARCH_BYTES;
    probe->phase = AUDIO_PROBE_TAG;
}

/* Frames may begin here: a tag's, which is no music, or the first. False: more bytes are wanted. */
static bool begin_search(struct audio_probe *probe, const unsigned char *bytes, size_t count,
                         bool at_end)
{
    struct mp3_header header;
    probe->search_from = probe->offset;
    if (count >= MP3_HEADER_BYTES && mp3_header_parse(bytes, &header)) {
        if (count < (size_t)header.bytes && !at_end)
            return false;
        if (count >= (size_t)header.bytes) {
            mp3_tag_parse(bytes, &header, &probe->tag);
            probe->tag_at = probe->offset;
            probe->search_from += probe->tag.is_tag_frame ? header.bytes : 0;
        }
    }
    probe->offset = probe->none_before = probe->search_from;
    probe->search_end = probe->search_from + SEARCH_BYTES;
    probe->phase = AUDIO_PROBE_SEARCH;
    return true;
}

static bool head(struct audio_probe *probe, const unsigned char *bytes, size_t count, bool at_end)
{
    bool sure;
    if (count < AUDIO_KIND_BYTES && !at_end)
        return false;
    if (count == 0)
        return probe->offset == 0 ? decide(probe, AUDIO_EMPTY) : decide_without(probe);
    if (count >= ID3_HEADER_BYTES && is_id3(bytes)) {
        begin_trial(probe, bytes);
        return true;
    }
    enum audio_kind kind = audio_kind_of(bytes, count, &sure);
    if (sure)
        return decide(probe, kind);
    probe->hint = kind;
    return begin_search(probe, bytes, count, at_end);
}

/* Looks into the tag for a while; then goes on behind it. */
static bool skip_tag(struct audio_probe *probe, const unsigned char *bytes, size_t count,
                     bool at_end)
{
    struct mp3_header header;
    bool found = false;
    if (probe->on_trial < 0 && probe->offset < probe->search_end &&
        probe->offset < probe->tag_end) {
        size_t at = find_row(bytes, count, 0, HEADERS_TO_BELIEVE, at_end, &found);
        probe->offset += (int64_t)at;
        if (found && mp3_header_parse(bytes + at, &header)) {
            probe->on_trial = probe->offset;
            probe->trial = header;
        } else if (!at_end && probe->offset < probe->search_end && probe->offset < probe->tag_end) {
            return false;
        }
    }
    probe->offset = probe->tag_end;
    probe->phase = AUDIO_PROBE_HEAD;
    return true;
}

bool audio_probe_step(struct audio_probe *probe, const unsigned char *bytes, size_t count,
                      bool at_end)
{
    for (;;) {
        int64_t before = probe->offset;
        switch (probe->phase) {
        case AUDIO_PROBE_HEAD:
            if (!head(probe, bytes, count, at_end))
                return false;
            break;
        case AUDIO_PROBE_TAG:
            if (!skip_tag(probe, bytes, count, at_end))
                return false;
            break;
        case AUDIO_PROBE_SEARCH:
            return search(probe, bytes, count, at_end);
        case AUDIO_PROBE_DONE:
            return true;
        }
        size_t passed = (size_t)(probe->offset - before);
        bytes += passed < count ? passed : count;
        count -= passed < count ? passed : count;
    }
}
