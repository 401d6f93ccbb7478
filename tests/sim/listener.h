/*
 * listener.h: one that only asks what time it is at the backend: the real server_clock, on a
 * modelled crystal and network. True time is t, in seconds; the server's clock shows it, plus
 * server_off_s.
 */
#ifndef TUTTI_SIM_LISTENER_H
#define TUTTI_SIM_LISTENER_H

#include "models.h"
#include "tutti/core/date_plan.h"
#include "tutti/core/server_clock.h"

struct listener {
    struct sim_crystal crystal;
    struct sim_random random;
    double server_off_s;
    double awake_until_s; /* the server, after it was last asked */
    double date_phase_s;  /* when the server refreshes its Date */
    double date_period_s; /* how often; 0: for every answer */
    struct date_plan date_plan;
    double next_date_s;
    bool dates_begun;
    struct server_clock clock;
};

/* A crystal of -50 to +50 ppm, connected at 0. */
void listener_init(struct listener *listener, uint64_t seed);

double listener_error_s(const struct listener *listener, double t);
double listener_uncertainty_s(const struct listener *listener, double t);
struct server_clock_estimate listener_estimate(const struct listener *listener, double t);

/* A state stamped at t + off_s, sent at t. */
void listener_hear_stamp(struct listener *listener, double t, double delay_s, double off_s);
/* Our own command, sent at t, stamped 2.5 ms later, confirmed 3 to 6 ms after that. */
void listener_command(struct listener *listener, double t);
void listener_probe(struct listener *listener, double t, const struct sim_network *network);
/* As the daemon probes: bursts and single ones, when the clock asks for them. */
void listener_probe_until(struct listener *listener, double from, double to,
                          const struct sim_network *network);
/* One REST answer over a fresh connection. */
void listener_ask_date(struct listener *listener, double t);
/* As the daemon asks for Dates: an aimed burst at connect, then one about every 10 s. Those due in
 * [from, to). */
void listener_ask_dates_until(struct listener *listener, double from, double to);
void listener_show_wall(struct listener *listener, double t, double off_s, bool disciplined);

/* Fails the test and names the seed. */
#define CHECK(seed, condition)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %llu: not " #condition, (unsigned long long)(seed));                    \
    } while (0)

#endif
