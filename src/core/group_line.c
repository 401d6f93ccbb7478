/*
 * group_line.c: a line as server_clock has it, at an instant.
 */
#include "group_internal.h"

#include <math.h>

static const struct server_clock_segment *segment_at(const struct server_clock_line *line,
                                                     int64_t t_ns)
{
    unsigned index = line->count;
    while (index > 1 && t_ns < line->segments[index - 1].from_ns)
        index--;
    return &line->segments[index - 1];
}

int64_t group_line_offset_ns(const struct server_clock_line *line, int64_t t_ns)
{
    const struct server_clock_segment *segment = segment_at(line, t_ns);
    return segment->offset_ns + llround((double)(t_ns - segment->at_ns) * segment->frequency);
}

double group_line_frequency(const struct server_clock_line *line, int64_t t_ns)
{
    return segment_at(line, t_ns)->frequency;
}
