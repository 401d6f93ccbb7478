/*
 * timeline.c: arithmetic on the authoritative anchor. Nothing here knows what is being heard.
 */
#include "tutti/core/timeline.h"

#include <math.h>

double timeline_position_at(const struct timeline *timeline, struct server_time t)
{
    if (!timeline->playing)
        return timeline->position_s;
    return timeline->position_s + ns_to_s(server_sub(t, timeline->anchored_at));
}

struct server_time timeline_time_of(const struct timeline *timeline, double position_s)
{
    if (!timeline->playing)
        return timeline->anchored_at;
    return server_add(timeline->anchored_at, s_to_ns(position_s - timeline->position_s));
}

bool timeline_equal(const struct timeline *a, const struct timeline *b, double tolerance_s)
{
    if (a->playing != b->playing)
        return false;
    double difference_s = timeline_position_at(a, b->anchored_at) - b->position_s;
    return fabs(difference_s) <= tolerance_s;
}
