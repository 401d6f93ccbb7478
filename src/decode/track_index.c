/*
 * track_index.c: see track_index.h. libavformat's own index has a packet per entry there.
 */
#include "track_index.h"

#include <libavutil/mathematics.h>

/* Decoding begins at a multiple of so many packets: what AAC's band replication puts in as noise
 * goes round with that, and is then the same as after decoding from the beginning. */
#define PACKETS_ROUND 16
/* What no track comes to, and differences of which can be computed with. */
#define PTS_MAX (INT64_C(1) << 50)

/* Packets that lie before an edit are decoded, but not played; at the very beginning it is `begin`
 * that says what is not. */
static bool is_played(const struct track_index *index, const AVIndexEntry *entry)
{
    return (entry->flags & AVINDEX_DISCARD_FRAME) == 0 || entry->timestamp < index->begun_pts;
}

static int64_t count_packets(const struct track_index *index)
{
    int64_t count = 0;
    int entries = avformat_index_get_entries_count(index->stream);
    for (int i = 0; i < entries; i++)
        count += is_played(index, avformat_index_get_entry(index->stream, i));
    return count;
}

static int64_t to_frames(const struct track_index *index, int64_t pts)
{
    return av_rescale_q(pts, index->stream->time_base, (AVRational){1, (int)index->rate_hz});
}

/* What the packets are, less the padding of the last one, which the file's duration tells of. */
static int64_t counted_length(const struct track_index *index)
{
    int64_t length = count_packets(index) * index->packet_samples - index->begin;
    int64_t told = to_frames(index, index->stream->duration);
    bool padded =
        index->stream->duration > 0 && told < length && length - told <= index->packet_samples;
    return padded ? told : length;
}

static void begin_counting(struct track_index *index)
{
    int trimmed = (int)((index->begin + index->packet_samples - 1) / index->packet_samples);
    const AVIndexEntry *first = avformat_index_get_entry(index->stream, trimmed);
    index->begun_pts = first ? first->timestamp : INT64_MAX;
}

/* By numbers that a file may have made up. */
static bool knows_end(const struct track_index *index, int64_t first_pts)
{
    return first_pts > -PTS_MAX && index->end_pts > first_pts && index->end_pts < PTS_MAX;
}

void track_index_measure(struct track_index *index, int64_t first_pts)
{
    index->zero_pts = first_pts;
    index->begun_pts = INT64_MIN;
    index->length = -1;
    if (first_pts < 0 && -to_frames(index, first_pts) > index->begin)
        index->begin =
            -to_frames(index, first_pts); /* as in Chromium, where nothing else says so */
    /* No edit, only iTunes' comment says what to skip: Chromium lets that time pass in silence. */
    if (index->counted && first_pts >= 0) {
        index->muted = index->begin;
        index->begin = 0;
    }
    if (index->counted) {
        begin_counting(index);
        index->length = counted_length(index);
    } else if (knows_end(index, first_pts)) {
        index->length = to_frames(index, index->end_pts - first_pts) - index->begin;
    } else if (index->stream->duration > 0) {
        index->length = to_frames(index, index->stream->duration) - index->begin;
    }
    if (index->length < -1)
        index->length = 0;
}

int64_t track_index_first_pts(const AVStream *stream)
{
    const AVIndexEntry *first = avformat_index_get_entry((AVStream *)stream, 0);
    if (first)
        return first->timestamp;
    return stream->start_time == AV_NOPTS_VALUE ? 0 : stream->start_time;
}

static struct track_place find_packet(const struct track_index *index, int64_t frame)
{
    int64_t wanted = (frame + index->begin) / index->packet_samples - index->packets_before;
    int64_t first = wanted > 0 ? wanted / PACKETS_ROUND * PACKETS_ROUND : 0;
    int entries = avformat_index_get_entries_count(index->stream);
    int64_t played = 0;
    for (int i = 0; i < entries; i++) {
        const AVIndexEntry *entry = avformat_index_get_entry(index->stream, i);
        /* What leads up to the very beginning is decoded, too. */
        if (played == first && (first == 0 || is_played(index, entry)))
            return (struct track_place){entry->timestamp,
                                        first * index->packet_samples - index->begin};
        played += is_played(index, entry);
    }
    return (struct track_place){index->zero_pts, -index->begin};
}

struct track_place track_index_find(const struct track_index *index, int64_t frame)
{
    if (index->counted)
        return find_packet(index, frame);
    int64_t before = frame + index->begin - (int64_t)index->packets_before * index->packet_samples;
    AVRational samples = {1, (int)index->rate_hz};
    int64_t offset = before > 0 ? av_rescale_q(before, samples, index->stream->time_base) : 0;
    return (struct track_place){index->zero_pts + offset, 0};
}

int64_t track_index_frame_at(const struct track_index *index, int64_t pts)
{
    return to_frames(index, pts - index->zero_pts) - index->begin;
}
