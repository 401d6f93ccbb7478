/*
 * hub_clock.h: the hub's time is its wall clock's.
 */
#ifndef TUTTI_HUB_HUB_CLOCK_H
#define TUTTI_HUB_HUB_CLOCK_H

#include "tutti/base/units.h"

struct server_time hub_clock_now(void);
/* Steady, for rates. */
int64_t hub_clock_steady_ns(void);

#endif
