/*
 * probe_plan.h: when to ask another machine for its time.
 *
 * Probes go in volleys: the first wakes both ends up, and each next one follows the answer to the
 * one before at once, so that it meets them awake. Waking takes some 50 to 100 us, and not the same
 * at both ends: two speakers would differ by half of that. Three volleys for the offset; then, for
 * the frequency, one every quarter of a second for two seconds, where that is asked for, and one a
 * second for some more (three, where round trips jitter: the quickest of n ways is late by 1/n);
 * then, every ten seconds, two to keep both, or one while nothing sounds.
 */
#ifndef TUTTI_CORE_PROBE_PLAN_H
#define TUTTI_CORE_PROBE_PLAN_H

#include "tutti/base/units.h"

#include <stdbool.h>

#define PROBE_VOLLEY 4
#define PROBE_PAUSE_NS (10 * NS_PER_S)

struct probe_plan {
    bool resting;           /* nothing sounds; whoever makes the plan sets it, as the next */
    bool jittery;           /* round trips vary more than clocks do */
    int64_t pause_ns;       /* between pairs of volleys, once much is known */
    int64_t first_until_ns; /* 0: no more often than once a second */
    int64_t early_until_ns;
    unsigned left; /* probes of this volley, or of this run of volleys */
    int64_t next_ns;
};

/* At once, and quickly for a while. */
void probe_plan_begin(struct probe_plan *plan, struct mono_time now);
/* The same, and most quickly for two seconds: something sounds by it already. */
void probe_plan_begin_quickly(struct probe_plan *plan, struct mono_time now);
/* One volley at once. */
void probe_plan_volley(struct probe_plan *plan, struct mono_time now);
/* Quickly for another while: something has changed. */
void probe_plan_be_early(struct probe_plan *plan, struct mono_time now);
void probe_plan_sent(struct probe_plan *plan, struct mono_time now);
/* The next one of a volley follows at once. */
void probe_plan_answered(struct probe_plan *plan, struct mono_time now);

#endif
