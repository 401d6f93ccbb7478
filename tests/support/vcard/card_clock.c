/*
 * card_clock.c: the integral of the card's rate in closed form, and its inverse by Newton's method
 * (the rate differs from nominal by parts per million, so two steps reach the last bit).
 */
#include "card_clock.h"

#include <math.h>

#define NEWTON_STEPS 4

static double wander_angle(const struct card_clock *clock, int64_t ns)
{
    return 2 * M_PI * fmod((double)ns * 1e-9, clock->wander_period_s) / clock->wander_period_s;
}

static double wander_integral_s(const struct card_clock *clock, int64_t ns)
{
    if (clock->wander_ppm == 0 || clock->wander_period_s <= 0)
        return 0;
    return clock->wander_ppm * 1e-6 * clock->wander_period_s / (2 * M_PI) *
           (cos(wander_angle(clock, clock->origin_ns)) - cos(wander_angle(clock, ns)));
}

void card_clock_set_origin(struct card_clock *clock, int64_t ns, double frames)
{
    clock->origin_ns = ns;
    clock->origin_frames = frames;
}

double card_clock_position(const struct card_clock *clock, int64_t ns)
{
    double elapsed_s = (double)(ns - clock->origin_ns) * 1e-9;

    return clock->origin_frames +
           clock->hz * (elapsed_s * (1 + clock->ppm * 1e-6) + wander_integral_s(clock, ns));
}

int64_t card_clock_time(const struct card_clock *clock, double frames)
{
    double elapsed_ns = (frames - clock->origin_frames) / clock->hz * 1e9;

    for (int i = 0; i < NEWTON_STEPS; i++) {
        int64_t ns = clock->origin_ns + llrint(elapsed_ns);
        double missing = frames - card_clock_position(clock, ns);
        elapsed_ns += missing / card_clock_rate_hz(clock, ns) * 1e9;
    }
    return clock->origin_ns + llrint(elapsed_ns);
}

double card_clock_rate_hz(const struct card_clock *clock, int64_t ns)
{
    double ppm = clock->ppm;

    if (clock->wander_ppm != 0 && clock->wander_period_s > 0)
        ppm += clock->wander_ppm * sin(wander_angle(clock, ns));
    return clock->hz * (1 + ppm * 1e-6);
}
