/*
 * peer_clock.c: an echo_line, and what to do with echoes that do not agree with it.
 *
 * As server_clock does with the backend's: one far off may be an accident, three are a clock that
 * was stepped or another machine; what proves the line wrong by a little halves its memory.
 */
#include "tutti/core/peer_clock.h"

#include <math.h>
#include <stdlib.h>

static const size_t KNOWN_ECHOES = 8;
static const unsigned CONTRADICTIONS_MAX = 3;
static const int64_t STEPPED_NS = 20 * NS_PER_MS;
/* A line may be so far outside an echo's bounds: readings of clocks scatter. */
static const int64_t OUTSIDE_NS = 20 * NS_PER_US;
/* A crystal's frequency moves by this with the temperature over minutes. */
static const double DRIFT_KNOWN = 0.5e-6;

void peer_clock_init(struct peer_clock *clock)
{
    echo_line_clear(&clock->echoes);
    clock->contradictions = 0;
}

bool peer_clock_is_known(const struct peer_clock *clock)
{
    return clock->echoes.count >= KNOWN_ECHOES;
}

static int64_t offset_ns(const struct peer_clock *clock, int64_t t_ns)
{
    return clock->fit.offset_ns + llround((double)(t_ns - clock->fit.at_ns) * clock->fit.frequency);
}

static bool contradicts(const struct peer_clock *clock, const struct echo *echo)
{
    if (!peer_clock_is_known(clock))
        return false;
    int64_t off_ns = llabs(echo->offset_ns - offset_ns(clock, echo->at_ns));
    int64_t slack_ns =
        peer_clock_uncertainty_ns(clock, (struct mono_time){echo->at_ns}) + STEPPED_NS;
    return off_ns > echo->half_ns + slack_ns;
}

/* A line that the newest echo's hard bounds prove wrong has too long a memory. */
static void forget_what_is_wrong(struct peer_clock *clock, const struct echo *echo)
{
    while (clock->echoes.count >= KNOWN_ECHOES &&
           llabs(echo->offset_ns - offset_ns(clock, echo->at_ns)) > echo->half_ns + OUTSIDE_NS) {
        echo_line_forget_older_half(&clock->echoes);
        clock->fit = echo_line_fit(&clock->echoes);
    }
}

bool peer_clock_add(struct peer_clock *clock, struct mono_time sent, struct mono_time received,
                    struct peer_time peer_received, struct peer_time peer_sent)
{
    struct echo echo;
    if (!echo_from_stamps(sent.ns, received.ns, peer_received.ns, peer_sent.ns, &echo))
        return false;
    if (contradicts(clock, &echo)) {
        if (++clock->contradictions < CONTRADICTIONS_MAX)
            return false;
        echo_line_clear(&clock->echoes);
    }
    clock->contradictions = 0;
    echo_line_add(&clock->echoes, &echo, received.ns);
    clock->fit = echo_line_fit(&clock->echoes);
    forget_what_is_wrong(clock, &echo);
    return true;
}

struct peer_time peer_clock_at(const struct peer_clock *clock, struct mono_time t)
{
    return (struct peer_time){t.ns + offset_ns(clock, t.ns)};
}

struct mono_time peer_clock_mono_at(const struct peer_clock *clock, struct peer_time t)
{
    int64_t guess_ns = t.ns - clock->fit.offset_ns;
    for (int i = 0; i < 3; i++) /* the offset moves by ppm: each round gains four digits */
        guess_ns = t.ns - offset_ns(clock, guess_ns);
    return (struct mono_time){guess_ns};
}

double peer_clock_frequency(const struct peer_clock *clock)
{
    return clock->fit.frequency;
}

int64_t peer_clock_scatter_ns(const struct peer_clock *clock, struct mono_time t)
{
    double since_s = fabs(ns_to_s(t.ns - clock->fit.at_ns));
    double sigma_s = hypot(clock->fit.sigma_s, clock->fit.frequency_sigma * since_s);
    return s_to_ns(3 * sigma_s + DRIFT_KNOWN * since_s);
}

int64_t peer_clock_uncertainty_ns(const struct peer_clock *clock, struct mono_time t)
{
    return peer_clock_scatter_ns(clock, t) + echo_line_shortest_half_ns(&clock->echoes) / 2;
}

int64_t peer_clock_round_trip_ns(const struct peer_clock *clock)
{
    return 2 * echo_line_shortest_half_ns(&clock->echoes);
}
