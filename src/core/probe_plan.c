/*
 * probe_plan.c: see probe_plan.h.
 */
#include "tutti/core/probe_plan.h"

static const unsigned FIRST_VOLLEYS = 3;
static const unsigned LATER_VOLLEYS = 2;
static const unsigned JITTERY_VOLLEYS = 3;
static const int64_t EARLY_NS = 15 * NS_PER_S;
static const int64_t EARLY_STEP_NS = NS_PER_S;
static const int64_t FIRST_NS = 2 * NS_PER_S;
static const int64_t FIRST_STEP_NS = 250 * NS_PER_MS;
/* Between volleys; and how long an answer is waited for within one. */
static const int64_t STEP_NS = 60 * NS_PER_MS;

void probe_plan_begin(struct probe_plan *plan, struct mono_time now)
{
    plan->left = FIRST_VOLLEYS * PROBE_VOLLEY;
    plan->next_ns = now.ns;
    probe_plan_be_early(plan, now);
}

void probe_plan_begin_quickly(struct probe_plan *plan, struct mono_time now)
{
    probe_plan_begin(plan, now);
    plan->first_until_ns = now.ns + FIRST_NS;
}

void probe_plan_volley(struct probe_plan *plan, struct mono_time now)
{
    plan->left = PROBE_VOLLEY;
    plan->next_ns = now.ns;
}

void probe_plan_be_early(struct probe_plan *plan, struct mono_time now)
{
    plan->early_until_ns = now.ns + EARLY_NS;
    if (plan->next_ns > now.ns + EARLY_STEP_NS)
        plan->next_ns = now.ns + EARLY_STEP_NS;
}

void probe_plan_sent(struct probe_plan *plan, struct mono_time now)
{
    if (plan->left > 0)
        plan->left--;
    if (plan->left > 0) {
        plan->next_ns = now.ns + STEP_NS;
        return;
    }
    bool early = now.ns < plan->early_until_ns;
    unsigned volleys = plan->resting            ? 1
                       : early && plan->jittery ? JITTERY_VOLLEYS
                       : early                  ? 1
                                                : LATER_VOLLEYS;
    plan->left = volleys * PROBE_VOLLEY;
    plan->next_ns = now.ns + (now.ns < plan->first_until_ns ? FIRST_STEP_NS
                              : early                       ? EARLY_STEP_NS
                                                            : plan->pause_ns);
}

void probe_plan_answered(struct probe_plan *plan, struct mono_time now)
{
    if (plan->left % PROBE_VOLLEY != 0)
        plan->next_ns = now.ns;
}
