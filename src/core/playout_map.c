/*
 * playout_map.c: a ring of segments, youngest last. Segments that continue the one before them
 * exactly are merged into it, so that long silence and a steady rate cost one entry.
 */
#include "tutti/core/playout_map.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

/* Track time that two segments may differ by at their seam and still be one: a rounding error. */
static const double SEAM_S = 1e-12;

static struct playout_segment *segment_at(struct playout_map *map, unsigned index)
{
    return &map->segments[(map->head + index) % PLAYOUT_MAP_SEGMENTS];
}

static const struct playout_segment *segment_at_const(const struct playout_map *map, unsigned index)
{
    return &map->segments[(map->head + index) % PLAYOUT_MAP_SEGMENTS];
}

static double position_in(const struct playout_segment *segment, double frame)
{
    return segment->position_s + (frame - (double)segment->first_frame) * segment->step_s;
}

void playout_map_clear(struct playout_map *map)
{
    map->head = 0;
    map->count = 0;
}

int64_t playout_map_end(const struct playout_map *map)
{
    return map->count ? segment_at_const(map, map->count - 1)->end_frame : 0;
}

static bool continues(const struct playout_segment *last, const struct playout_segment *next)
{
    if (last->sounding != next->sounding)
        return false;
    if (!last->sounding)
        return true;
    return last->step_s == next->step_s &&
           fabs(position_in(last, (double)next->first_frame) - next->position_s) < SEAM_S;
}

static void append(struct playout_map *map, const struct playout_segment *next)
{
    assert(next->end_frame > next->first_frame);
    if (map->count) {
        struct playout_segment *last = segment_at(map, map->count - 1);
        assert(next->first_frame == last->end_frame);
        if (continues(last, next)) {
            last->end_frame = next->end_frame;
            return;
        }
    }
    if (map->count == PLAYOUT_MAP_SEGMENTS) {
        map->head = (map->head + 1) % PLAYOUT_MAP_SEGMENTS;
        map->count--;
    }
    *segment_at(map, map->count++) = *next;
}

void playout_map_append_sound(struct playout_map *map, int64_t first_frame, int64_t frames,
                              double position_s, double step_s)
{
    append(map, &(struct playout_segment){.first_frame = first_frame,
                                          .end_frame = first_frame + frames,
                                          .sounding = true,
                                          .position_s = position_s,
                                          .step_s = step_s});
}

void playout_map_append_silence(struct playout_map *map, int64_t first_frame, int64_t frames)
{
    append(map, &(struct playout_segment){.first_frame = first_frame,
                                          .end_frame = first_frame + frames});
}

void playout_map_truncate(struct playout_map *map, int64_t frame)
{
    while (map->count) {
        struct playout_segment *last = segment_at(map, map->count - 1);
        if (last->first_frame < frame) {
            if (last->end_frame > frame)
                last->end_frame = frame;
            return;
        }
        map->count--;
    }
}

bool playout_map_position_at(const struct playout_map *map, double frame, double *ret_position_s)
{
    for (unsigned i = map->count; i-- > 0;) {
        const struct playout_segment *segment = segment_at_const(map, i);
        if (frame >= (double)segment->end_frame)
            return false;
        if (frame >= (double)segment->first_frame) {
            if (!segment->sounding)
                return false;
            *ret_position_s = position_in(segment, frame);
            return true;
        }
    }
    return false;
}
