/*
 * date_plan.c: requests go where the answer is most open.
 *
 * What is aimed is the middle of the exchange; the connection that comes before it takes as long as
 * it took last time. Where it is not known how the server looks at its clock, the answer that is
 * most open is mostly which of the two it is, which only minutes tell: requests are spread instead.
 */
#include "tutti/core/date_plan.h"

#include "tutti/core/golden_walk.h"

/* How far ahead a burst looks: every fraction of a second comes by, whatever the backend's period.
 */
static const int64_t HORIZON_NS = 1150 * NS_PER_MS;
/* What an answer must be expected to say to be asked for. */
static const double BURST_BITS = 0.2;
static const double AROUND_BITS = 0.05;
static const int64_t AROUND_NS = 500 * NS_PER_MS;
/* A slow connection says nothing of the next one. */
static const int64_t LEAD_MAX_NS = 300 * NS_PER_MS;

void date_plan_begin(struct date_plan *plan)
{
    plan->left = DATE_PLAN_BURST;
}

void date_plan_note(struct date_plan *plan, struct mono_time started, struct mono_time sent,
                    struct mono_time received)
{
    int64_t lead_ns = mono_sub(sent, started) + mono_sub(received, sent) / 2;
    plan->lead_ns = lead_ns < 0 ? 0 : lead_ns > LEAD_MAX_NS ? LEAD_MAX_NS : lead_ns;
}

bool date_plan_next(struct date_plan *plan, const struct date_filter *filter, struct mono_time now,
                    struct mono_time *ret_at)
{
    double bits;
    struct mono_time from = mono_add(now, DATE_PLAN_STEP_NS + plan->lead_ns);
    if (plan->left == 0)
        return false;
    if (filter->server == DATE_SERVER_UNKNOWN) {
        plan->left--;
        *ret_at = mono_add(now, DATE_PLAN_STEP_NS);
        return plan->left >= DATE_PLAN_BURST - DATE_PLAN_EVEN;
    }
    struct mono_time at = date_filter_aim(filter, from, mono_add(from, HORIZON_NS), &bits);
    if (bits < BURST_BITS)
        return false;
    plan->left--;
    *ret_at = mono_add(at, -plan->lead_ns);
    return true;
}

struct mono_time date_plan_around(struct date_plan *plan, const struct date_filter *filter,
                                  struct mono_time due)
{
    double bits = 0;
    struct mono_time at = due, from = mono_add(due, plan->lead_ns - AROUND_NS);
    if (filter && filter->known && filter->server != DATE_SERVER_UNKNOWN)
        at = date_filter_aim(filter, from, mono_add(from, 2 * AROUND_NS), &bits);
    plan->phase = golden_walk(plan->phase);
    if (bits < AROUND_BITS)
        return mono_add(due, s_to_ns(plan->phase - 0.5));
    return mono_add(at, -plan->lead_ns);
}
