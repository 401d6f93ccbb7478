/*
 * date_plan.h: when to ask a backend for its Date, so that a few answers say much.
 *
 * A burst at connect, each request aimed by what the answers before it have left open; then one
 * with each cross-check, at the fraction of a second where it says most.
 */
#ifndef TUTTI_CORE_DATE_PLAN_H
#define TUTTI_CORE_DATE_PLAN_H

#include "tutti/core/date_filter.h"

/* Requests of a burst, at most; to a server of unknown kind; and the shortest time between two. */
#define DATE_PLAN_BURST 16
#define DATE_PLAN_EVEN 12
#define DATE_PLAN_STEP_NS (110 * NS_PER_MS)

struct date_plan {
    unsigned left;   /* requests of the burst still to make */
    int64_t lead_ns; /* from starting a request to the middle of its exchange, as it was last */
    double phase;    /* of the cross-checks, while no time is better than another */
};

void date_plan_begin(struct date_plan *plan);

/* A request was started, and its exchange took place. */
void date_plan_note(struct date_plan *plan, struct mono_time started, struct mono_time sent,
                    struct mono_time received);

/* When to start the next request of the burst. False: no more of them, or they would say nothing
 * new. */
bool date_plan_next(struct date_plan *plan, const struct date_filter *filter, struct mono_time now,
                    struct mono_time *ret_at);

/* When to start a cross-check that is due about then: within half a second of it. filter: NULL
 * where Dates do not matter; then the checks are spread evenly. */
struct mono_time date_plan_around(struct date_plan *plan, const struct date_filter *filter,
                                  struct mono_time due);

#endif
