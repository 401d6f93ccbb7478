/*
 * mono_clock.h: the only place that reads a clock.
 */
#ifndef TUTTI_IO_MONO_CLOCK_H
#define TUTTI_IO_MONO_CLOCK_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <stdint.h>

/* The CLOCK_* that mono_clock_now() reads: CLOCK_MONOTONIC_RAW, which NTP does not slew. */
int mono_clock_id(void);

struct mono_time mono_clock_now(void);

/* The wall clock, whatever it says. */
struct wall_time wall_clock_now(void);

/*
 * Wall and monotonic clock at the same instant: *ret_mono is the middle of two reads around the
 * wall clock's, the tightest of a few tries. Returns the half-width in ns.
 */
int64_t wall_clock_pair(struct wall_time *ret_wall, struct mono_time *ret_mono);

/*
 * What the kernel says of the wall clock (adjtimex): true when synchronized, with its own bound
 * on the error.
 */
bool wall_clock_disciplined(int64_t *ret_max_error_ns);

#endif
