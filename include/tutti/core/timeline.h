/*
 * timeline.h: the authoritative anchor, and the position it implies at any server time.
 *
 * Positions are seconds of track time. While playing, position advances with server time:
 * position(t) = position_s + (t - anchored_at). Paused, it stays. A position is not limited by
 * the track's length, which the backend does not know either.
 */
#ifndef TUTTI_CORE_TIMELINE_H
#define TUTTI_CORE_TIMELINE_H

#include "tutti/base/units.h"

#include <stdbool.h>

struct timeline {
    bool playing;
    double position_s;              /* at anchored_at */
    struct server_time anchored_at; /* the state's updated_at */
};

double timeline_position_at(const struct timeline *timeline, struct server_time t);

/* When a playing timeline is at position_s. Meaningless (anchored_at) when paused. */
struct server_time timeline_time_of(const struct timeline *timeline, double position_s);

/*
 * The same timeline, however it is anchored: both paused at the same position, or both playing
 * with positions that agree to within tolerance_s at every instant.
 */
bool timeline_equal(const struct timeline *a, const struct timeline *b, double tolerance_s);

#endif
