/*
 * listener.c: see listener.h.
 */
#include "listener.h"

#include "tutti/base/units.h"

#include <math.h>

#define BURST_FROM_S 0.5
#define RESYNC_S 10
#define AWAKE_S 5e-3

static struct mono_time local(const struct listener *listener, double t)
{
    return (struct mono_time){s_to_ns(50 + sim_crystal_at(&listener->crystal, t))};
}

static struct server_time server(const struct listener *listener, double t)
{
    return (struct server_time){INT64_C(1700000000) * NS_PER_S +
                                s_to_ns(t + listener->server_off_s)};
}

void listener_init(struct listener *listener, uint64_t seed)
{
    struct sim_random random;
    sim_random_init(&random, seed);
    double ppm = sim_uniform(&random, -50, 50);
    *listener = (struct listener){.crystal = {.ppm = ppm}, .random = random};
    listener->server_off_s = sim_uniform(&listener->random, 0, 1);
    listener->date_phase_s = sim_uniform(&listener->random, 0, 1);
    listener->date_period_s = sim_uniform(&listener->random, 1.004, 1.008);
    server_clock_init(&listener->clock, 200 * NS_PER_MS);
    server_clock_connected(&listener->clock, local(listener, 0));
}

double listener_error_s(const struct listener *listener, double t)
{
    struct server_time estimate = server_clock_at(&listener->clock, local(listener, t));
    return ns_to_s(server_sub(estimate, server(listener, t)));
}

struct server_clock_estimate listener_estimate(const struct listener *listener, double t)
{
    return server_clock_estimate(&listener->clock, local(listener, t));
}

double listener_uncertainty_s(const struct listener *listener, double t)
{
    return ns_to_s(listener_estimate(listener, t).uncertainty_ns);
}

void listener_hear_stamp(struct listener *listener, double t, double delay_s, double off_s)
{
    server_clock_add_stamp(&listener->clock, local(listener, t + delay_s),
                           server(listener, t + off_s));
}

void listener_command(struct listener *listener, double t)
{
    double delay_s = 2.5e-3 + sim_uniform(&listener->random, 3e-3, 6e-3);
    server_clock_add_command(&listener->clock, local(listener, t), local(listener, t + delay_s),
                             server(listener, t + 2.5e-3));
}

void listener_probe(struct listener *listener, double t, const struct sim_network *network)
{
    double there = sim_delay(network, &listener->random, false);
    double back = sim_delay(network, &listener->random, true);
    if (t > listener->awake_until_s)
        there += network->wake_s * sim_uniform(&listener->random, 0.5, 1.5);
    listener->awake_until_s = t + AWAKE_S;
    if (there < 0 || back < 0)
        return;
    server_clock_add_echo(&listener->clock, local(listener, t),
                          local(listener, t + there + back + 30e-6), server(listener, t + there),
                          server(listener, t + there + 30e-6));
}

void listener_probe_until(struct listener *listener, double from, double to,
                          const struct sim_network *network)
{
    for (;;) {
        int64_t wait_ns =
            mono_sub(server_clock_next_probe(&listener->clock), local(listener, from));
        double t = from + fmax(ns_to_s(wait_ns), 0);
        if (t >= to)
            return;
        server_clock_probe_sent(&listener->clock, local(listener, t));
        listener_probe(listener, t, network);
        from = t + 1e-3;
    }
}

/* The server's second when it last looked at its clock. */
void listener_ask_date(struct listener *listener, double t)
{
    double at = t + sim_uniform(&listener->random, 0.5e-3, 3e-3);
    double period_s = listener->date_period_s, phase_s = listener->date_phase_s;
    double looked = period_s > 0 ? floor((at + phase_s) / period_s) * period_s - phase_s : at;
    int64_t date_s = server(listener, looked).ns / NS_PER_S;
    double back = sim_uniform(&listener->random, 0.5e-3, 3e-3);
    server_clock_add_date(&listener->clock, local(listener, t), local(listener, at + back),
                          (struct server_time){date_s * NS_PER_S}, true);
}

static void plan_next_date(struct listener *listener)
{
    struct mono_time now = local(listener, listener->next_date_s), at;
    if (!date_plan_next(&listener->date_plan, &listener->clock.dates, now, &at)) {
        listener->date_plan.left = 0;
        at = date_plan_around(&listener->date_plan, &listener->clock.dates,
                              mono_add(now, RESYNC_S * NS_PER_S));
    }
    listener->next_date_s += ns_to_s(mono_sub(at, now)); /* but for ppm of some seconds */
}

void listener_ask_dates_until(struct listener *listener, double from, double to)
{
    if (!listener->dates_begun) {
        listener->dates_begun = true;
        listener->next_date_s = BURST_FROM_S;
        date_plan_begin(&listener->date_plan);
        listener->date_plan.lead_ns = 2 * NS_PER_MS;
    }
    for (; listener->next_date_s < to; plan_next_date(listener))
        if (listener->next_date_s >= from)
            listener_ask_date(listener, listener->next_date_s);
}

void listener_show_wall(struct listener *listener, double t, double off_s, bool disciplined)
{
    struct wall_time wall = {server(listener, t + off_s).ns};
    server_clock_add_wall(&listener->clock, local(listener, t), wall, 1000, disciplined, NS_PER_MS);
}
