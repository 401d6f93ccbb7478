/*
 * tidy.c: see tidy.h.
 */
#include "tidy.h"

#include "tutti/base/units.h"

#include <stdlib.h>

#define HOUR_NS (INT64_C(3600) * NS_PER_S)
/* Slewing moves a clock by less within the hour. */
#define SET_NS (INT64_C(60) * NS_PER_S)

static void begin(struct tidy *tidy, int64_t wall_ns, int64_t steady_ns)
{
    *tidy = (struct tidy){.began = true, .wall_ns = wall_ns, .steady_ns = steady_ns};
}

bool tidy_is_due(struct tidy *tidy, int64_t wall_ns, int64_t steady_ns)
{
    int64_t passed_ns = steady_ns - tidy->steady_ns;
    bool was_set = llabs(wall_ns - tidy->wall_ns - passed_ns) > SET_NS;
    if (tidy->began && !was_set && passed_ns < HOUR_NS)
        return false;
    bool due = tidy->began && !was_set;
    begin(tidy, wall_ns, steady_ns);
    return due;
}
