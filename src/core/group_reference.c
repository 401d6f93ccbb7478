/*
 * group_reference.c: the line that a reference tells, by its own clock.
 *
 * A reference goes on with the line that was followed before it, and moves it towards what it knows
 * itself, so slowly that nobody hears it, and announced so early that all make the same bend at the
 * same instant. Only what was no more than a guess is stepped.
 */
#include "group_internal.h"

#include <math.h>
#include <stdlib.h>

/* Announced three words ahead, so that losing two in a row is nothing. */
static const int64_t LEAD_NS = 4500 * NS_PER_MS;
/* The time constant of a correction, and the most that it bends the pitch: a hundredth of what a
 * trained ear may notice. */
static const double CORRECT_S = 12;
static const double BEND_MAX = 500e-6;
/* What plays follows a change of rate slowly, lest it warbles, and is off the line meanwhile; who
 * joins then begins on it. So small corrections, which nobody needs while music plays, are slower
 * still: this much of rate, and as much of change from one segment to the next. */
static const double BEND_PLAYING = 2e-6;
static const int64_t TRIFLE_NS = 2 * NS_PER_US;
/* An estimate this uncertain is replaced at once by a better one. */
static const int64_t ROUGH_NS = 20 * NS_PER_MS;
/* Two free crystals, and more than two good ones differ by: whoever is led by a worse one does not
 * go on as fast. */
static const double DRIFT = 100e-6;
static const double INHERIT_MAX = 120e-6;
/* The line of a reference that has a sharp echo follows it; this is a step of the backend's clock.
 */
static const int64_t ECHO_STEP_NS = NS_PER_MS;

/* --- the line ------------------------------------------------------------------------------- */

static struct group_segment segment(struct mono_time from, int64_t offset_ns, double frequency)
{
    return (struct group_segment){{from.ns}, offset_ns, frequency};
}

static int64_t told_at(const struct group *group, struct mono_time t)
{
    const struct group_segment *now = &group->told.segment[0];
    return now->offset_ns + llround((double)(t.ns - now->from.ns) * now->frequency);
}

static void step_to(struct group *group, int64_t offset_ns, double frequency,
                    int64_t uncertainty_ns, struct mono_time now)
{
    group->told.segments = 1;
    group->told.segment[0] = segment(now, offset_ns, frequency);
    group->told.uncertainty_ns = group->told_known_ns = uncertainty_ns;
    group->told_base = frequency;
    group->told_at = now;
}

void group_become_reference(struct group *group, struct mono_time now)
{
    struct server_clock_estimate applied = server_clock_estimate(group->clock, now);
    double frequency = group->has_line ? group_line_frequency(&group->line, now.ns)
                                       : server_clock_frequency_at(group->clock, now);
    if (fabs(frequency) > INHERIT_MAX)
        frequency = 0;
    group->reference = group->config.id;
    group->wanted = 0;
    group->in_force = -1;
    group->followed_at = now;
    group->looking_since_ns = group->preferable_since_ns = INT64_MAX;
    group->told.segments = 0;
    if (group->has_line)
        step_to(group, group_line_offset_ns(&group->line, now.ns), frequency,
                group->line.uncertainty_ns + group->line.apart_ns, now);
    else if (applied.known)
        step_to(group, applied.offset_ns, frequency, applied.uncertainty_ns, now);
    group_speak_soon(group, now);
}

static int64_t aged_uncertainty_ns(const struct group *group, struct mono_time now)
{
    return group->told_known_ns + (int64_t)((double)mono_sub(now, group->told_at) * DRIFT);
}

static int64_t clamp_ns(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

static double clamp(double x, double most)
{
    return fmin(fmax(x, -most), most);
}

static void bend(struct group *group, int64_t error_ns, struct mono_time now)
{
    bool gently = group->own.source != SERVER_CLOCK_ECHO && llabs(error_ns) < ROUGH_NS &&
                  group_somebody_plays(group);
    double most = gently ? BEND_PLAYING : BEND_MAX, before = group->told.segment[0].frequency;
    double slope = clamp(ns_to_s(error_ns) / CORRECT_S, most);
    struct mono_time from = mono_add(now, LEAD_NS);
    double frequency = group->told_base + (llabs(error_ns) > TRIFLE_NS ? slope : 0);
    if (gently)
        frequency = before + clamp(frequency - before, BEND_PLAYING);
    if (fabs(frequency - before) < 1e-10)
        return;
    group->told.segment[1] = segment(from, told_at(group, from), frequency);
    group->told.segments = 2;
}

bool group_steer(struct group *group, struct mono_time now)
{
    const struct server_clock_own *own = group_own(group, now);
    struct group_line *told = &group->told;
    if (!own->known)
        return false;
    if (told->segments == GROUP_SEGMENTS && now.ns >= told->segment[1].from.ns) {
        told->segment[0] = told->segment[1];
        told->segments = 1;
    }
    int64_t offset_ns =
        own->offset_ns + llround((double)mono_sub(now, group->own_at) * own->frequency);
    int64_t error_ns = told->segments > 0 ? offset_ns - told_at(group, now) : 0;
    int64_t aged_ns = aged_uncertainty_ns(group, now);
    bool first = told->segments == 0;
    bool echo = own->source == SERVER_CLOCK_ECHO && own->uncertainty_ns <= SERVER_CLOCK_SHARP_NS;
    bool better = own->uncertainty_ns < aged_ns;
    bool guess = aged_ns > ROUGH_NS && own->uncertainty_ns < aged_ns / 2;
    if (first || echo || guess || (better && llabs(error_ns) > group->clock->step_ns)) {
        step_to(group, offset_ns, own->frequency, own->uncertainty_ns, now);
        return first || !echo || llabs(error_ns) > ECHO_STEP_NS;
    }
    if (!better) /* only what cannot be is corrected */
        error_ns = clamp_ns(told_at(group, now), own->low_ns, own->high_ns) - told_at(group, now);
    if (better) {
        group->told_base = own->frequency;
        group->told_known_ns = own->uncertainty_ns;
        group->told_at = now;
    }
    told->uncertainty_ns = aged_uncertainty_ns(group, now) + llabs(error_ns);
    if (told->segments < GROUP_SEGMENTS)
        bend(group, error_ns, now);
    return false;
}
