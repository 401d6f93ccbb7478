/*
 * mp3_walk.c: see mp3_walk.h.
 *
 * The next header confirms a frame. Where there is none, the frame may be the last before garbage,
 * or its own header may be wrong about its size; then there are headers where it does not say so.
 */
#include "tutti/core/mp3_walk.h"

#include <stdlib.h>
#include <string.h>

/* What makes a row after damage: headers like those before it, or of another format. */
#define HEADERS_ALIKE 2
#define HEADERS_OF_A_NEW_FORMAT 4
/* At the beginning, where there is nothing to compare with. */
#define HEADERS_TO_BEGIN 3

void mp3_walk_init(struct mp3_walk *walk, int64_t begin)
{
    *walk = (struct mp3_walk){.offset = begin, .end_of_frame = begin};
}

int64_t mp3_walk_samples(const struct mp3_walk *walk)
{
    return walk->like_first * walk->like.samples +
           (int64_t)(walk->odd_seconds * walk->like.rate_hz + 0.5);
}

static enum mp3_walk_result count_frame(struct mp3_walk *walk, const struct mp3_header *header)
{
    if (walk->frames == 0)
        walk->like = walk->frame = *header;
    walk->apart = walk->frames == 0 || walk->offset != walk->end_of_frame ||
                  !mp3_header_alike(header, &walk->frame);
    if (walk->frames > 0 && walk->offset != walk->end_of_frame)
        walk->damaged++;
    walk->mixed = walk->mixed || !mp3_header_alike(header, &walk->like);
    if (walk->mixed)
        walk->odd_seconds += (double)header->samples / header->rate_hz;
    else
        walk->like_first++;
    walk->frames++;
    walk->frame_at = walk->offset;
    walk->frame = *header;
    walk->offset += header->bytes;
    walk->end_of_frame = walk->offset;
    walk->lost = false;
    return MP3_WALK_FRAME;
}

/* Of the first two frames also the channels agree: mpg123 begins with no others. */
static enum mp3_row first_row_at(const unsigned char *bytes, size_t count, size_t at,
                                 int *ret_whole)
{
    struct mp3_header first, second;
    enum mp3_row row = mp3_row_at(bytes, count, at, HEADERS_TO_BEGIN, ret_whole);
    if (*ret_whole < 1 || !mp3_header_parse(bytes + at, &first))
        return row;
    at += (size_t)first.bytes;
    if (at + MP3_HEADER_BYTES <= count && mp3_header_parse(bytes + at, &second) &&
        second.channels != first.channels) {
        *ret_whole = 0;
        return MP3_NO_ROW;
    }
    return row;
}

/* A row of headers from `at` on, as many as are wanted behind a frame (NULL: behind none). */
static enum mp3_row row_at(const struct mp3_header *before, const unsigned char *bytes,
                           size_t count, size_t at)
{
    struct mp3_header header;
    int whole;
    if (at + MP3_HEADER_BYTES > count)
        return MP3_ROW_CUT;
    if (!mp3_header_parse(bytes + at, &header))
        return MP3_NO_ROW;
    if (!before)
        return first_row_at(bytes, count, at, &whole);
    int headers = mp3_header_alike(&header, before) ? HEADERS_ALIKE : HEADERS_OF_A_NEW_FORMAT;
    return mp3_row_at(bytes, count, at, headers, &whole);
}

/* The first row at or behind `at` and before `end`; or where the bytes do not tell, or end. */
static enum mp3_row find_row(const struct mp3_header *before, const unsigned char *bytes,
                             size_t count, size_t *at, size_t end)
{
    size_t last = end < count ? end : count;
    while (*at < last) {
        const unsigned char *sync = memchr(bytes + *at, 0xff, last - *at);
        *at = sync ? (size_t)(sync - bytes) : last;
        enum mp3_row row = sync ? row_at(before, bytes, count, *at) : MP3_NO_ROW;
        if (row != MP3_NO_ROW)
            return row;
        *at += sync ? 1 : 0;
    }
    return end <= count ? MP3_NO_ROW : MP3_ROW_CUT;
}

static enum mp3_walk_result search(struct mp3_walk *walk, const unsigned char *bytes, size_t count,
                                   bool at_end)
{
    const struct mp3_header *before = walk->frames > 0 ? &walk->frame : NULL;
    size_t at = 0;
    for (;;) {
        enum mp3_row row = find_row(before, bytes, count, &at, SIZE_MAX);
        if (row == MP3_ROW || !at_end || at >= count) {
            walk->offset += (int64_t)at;
            break;
        }
        at++; /* the end cuts it: no row */
    }
    walk->searched_bytes += (int64_t)(at < count ? at : count);
    struct mp3_header header;
    if (at + MP3_HEADER_BYTES <= count && row_at(before, bytes, count, at) == MP3_ROW &&
        mp3_header_parse(bytes + at, &header))
        return count_frame(walk, &header);
    return at_end ? MP3_WALK_END : MP3_WALK_MORE;
}

/*
 * No header follows this frame. Is its size wrong? It is when a row begins within it; or soon
 * behind it, and its size is not that of the frame before it. MP3_ROW: wrong; MP3_NO_ROW: right.
 */
static enum mp3_row is_size_wrong(struct mp3_walk *walk, const unsigned char *bytes, size_t count,
                                  const struct mp3_header *header, const struct mp3_header *before)
{
    size_t at = MP3_HEADER_BYTES;
    enum mp3_row row = find_row(header, bytes, count, &at, (size_t)header->bytes);
    if (row == MP3_NO_ROW && before && abs(header->bytes - before->bytes) > 1) {
        at = (size_t)header->bytes;
        row = find_row(header, bytes, count, &at, (size_t)header->bytes + MP3_FRAME_BYTES_MAX);
    }
    walk->searched_bytes += (int64_t)at;
    return row;
}

static enum mp3_walk_result get_lost(struct mp3_walk *walk, const unsigned char *bytes,
                                     size_t count, bool at_end, size_t from)
{
    walk->lost = true;
    walk->offset += (int64_t)from;
    return search(walk, bytes + from, count - from, at_end);
}

/* The first frame is followed by another, and that one is right about its size, so that it will
 * count, too. MP3_ROW: so it is. */
static enum mp3_row begins(struct mp3_walk *walk, const unsigned char *bytes, size_t count)
{
    struct mp3_header first, second;
    int whole;
    enum mp3_row row = first_row_at(bytes, count, 0, &whole);
    if (row != MP3_NO_ROW || whole < HEADERS_TO_BEGIN - 1)
        return row;
    mp3_header_parse(bytes, &first);
    size_t at = (size_t)first.bytes;
    mp3_header_parse(bytes + at, &second);
    enum mp3_row wrong = is_size_wrong(walk, bytes + at, count - at, &second, &first);
    return wrong == MP3_ROW_CUT ? wrong : wrong == MP3_ROW ? MP3_NO_ROW : MP3_ROW;
}

enum mp3_walk_result mp3_walk_step(struct mp3_walk *walk, const unsigned char *bytes, size_t count,
                                   bool at_end)
{
    struct mp3_header header, next;
    if (walk->lost)
        return search(walk, bytes, count, at_end);
    if (count < MP3_HEADER_BYTES)
        return at_end ? MP3_WALK_END : MP3_WALK_MORE;
    enum mp3_row row = walk->frames > 0 ? MP3_ROW : begins(walk, bytes, count);
    if (row == MP3_NO_ROW)
        return get_lost(walk, bytes, count, at_end, 0);
    if (row == MP3_ROW_CUT && !at_end)
        return MP3_WALK_MORE;
    if (!mp3_header_parse(bytes, &header) ||
        (walk->frames > 0 && !mp3_header_alike(&header, &walk->frame)))
        return get_lost(walk, bytes, count, at_end, 0);
    size_t size = (size_t)header.bytes;
    if (count < size + MP3_HEADER_BYTES && !at_end)
        return MP3_WALK_MORE;
    if (count == size ||
        (count >= size + MP3_HEADER_BYTES && mp3_header_parse(bytes + size, &next) &&
         mp3_header_alike(&next, &header)))
        return count_frame(walk, &header);
    enum mp3_row wrong =
        is_size_wrong(walk, bytes, count, &header, walk->frames > 0 ? &walk->frame : NULL);
    if (wrong == MP3_ROW_CUT && !at_end)
        return MP3_WALK_MORE;
    if (wrong == MP3_ROW)
        return get_lost(walk, bytes, count, at_end, 1);
    return count < size ? MP3_WALK_END : count_frame(walk, &header);
}
