/*
 * ogg_end.c: see ogg_end.h.
 */
#include "ogg_end.h"

#include <libavutil/crc.h>
#include <libavutil/intreadwrite.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* A page: "OggS", version and flags, granule, stream, number, checksum, the count of its segments
 * and the bytes of each, and these. */
#define GRANULE_AT 6
#define STREAM_AT 14
#define CHECKSUM_AT 22
#define SEGMENTS_AT 26
#define HEAD_BYTES 27
#define PAGE_BYTES_MAX (HEAD_BYTES + 255 + 255 * 255)
/* Where the last page is whole, or the one before it. */
#define TAIL_BYTES (2 * PAGE_BYTES_MAX)
/* Of a page in which no packet ends. */
#define NO_GRANULE (-1)

static size_t page_bytes(const unsigned char *page, size_t there)
{
    if (there < HEAD_BYTES || memcmp(page, "OggS", 4) != 0)
        return 0;
    size_t bytes = HEAD_BYTES + page[SEGMENTS_AT];
    if (there < bytes)
        return 0;
    for (int i = 0; i < page[SEGMENTS_AT]; i++)
        bytes += page[HEAD_BYTES + i];
    return bytes <= there ? bytes : 0;
}

/* Of the page without its checksum, which is to be 0 meanwhile. */
static uint32_t page_checksum(const unsigned char *page, size_t bytes)
{
    static const unsigned char none[4];
    const AVCRC *table = av_crc_get_table(AV_CRC_32_IEEE);
    uint32_t sum = av_crc(table, 0, page, CHECKSUM_AT);
    sum = av_crc(table, sum, none, sizeof none);
    return av_crc(table, sum, page + SEGMENTS_AT, bytes - SEGMENTS_AT);
}

static bool find_last(const unsigned char *tail, size_t count, uint32_t stream,
                      int64_t *ret_granule)
{
    for (size_t at = count; at-- > 0;) {
        const unsigned char *page = tail + at;
        size_t bytes = page_bytes(page, count - at);
        if (bytes == 0 || page_checksum(page, bytes) != AV_RB32(page + CHECKSUM_AT) ||
            (int64_t)AV_RL64(page + GRANULE_AT) == NO_GRANULE)
            continue;
        *ret_granule = (int64_t)AV_RL64(page + GRANULE_AT);
        return AV_RL32(page + STREAM_AT) == stream;
    }
    return false;
}

bool ogg_end_find(int fd, int64_t bytes, int64_t *ret_granule)
{
    unsigned char first[HEAD_BYTES];
    int64_t from = bytes > TAIL_BYTES ? bytes - TAIL_BYTES : 0;
    unsigned char *tail = malloc(TAIL_BYTES);
    if (!tail)
        return false;
    ssize_t head = pread(fd, first, sizeof first, 0),
            got = pread(fd, tail, TAIL_BYTES, (off_t)from);
    bool found = head == HEAD_BYTES && got > 0 &&
                 find_last(tail, (size_t)got, AV_RL32(first + STREAM_AT), ret_granule);
    free(tail);
    return found && *ret_granule >= 0;
}
