/*
 * models.h: the world that simulations run in: chance, crystals, cards, networks.
 *
 * Everything is seeded and bounded; a run with the same seed is the same run.
 */
#ifndef TUTTI_SIM_MODELS_H
#define TUTTI_SIM_MODELS_H

#include <stdbool.h>
#include <stdint.h>

/* xorshift64* (Vigna 2016). */
struct sim_random {
    uint64_t state;
};

void sim_random_init(struct sim_random *random, uint64_t seed);
double sim_uniform(struct sim_random *random, double low, double high);
double sim_exponential(struct sim_random *random, double mean);

/* How many seeds are run: TUTTI_SIM_SEEDS of the environment; without it, as many as is usual. */
uint64_t sim_seeds(uint64_t usual);

/* A crystal: ticks(t) for a true time t in seconds, by a closed form: no error accumulates. */
struct sim_crystal {
    double ppm;
    double wander_ppm; /* amplitude of a slow sine */
    double wander_period_s;
    double wander_phase;
    double breaks_at_s; /* from then on it is off by so much, and so much faster; 0: it does not */
    double break_step_s;
    double break_ppm;
};

/* What a clock with this crystal shows after t seconds of true time. */
double sim_crystal_at(const struct sim_crystal *crystal, double t);

/* A card: frames of a crystal, shown as a pointer that moves in steps. */
struct sim_card {
    struct sim_crystal crystal;
    double rate_hz;
    double step_frames;
    double started_s;                  /* frame 0 was heard then */
    double stands_from_s, stands_to_s; /* and then it stood still; see sim_card_stand() */
    double stood_before_s;             /* in this run of it */
};

void sim_card_start(struct sim_card *card, double t);
void sim_card_stand(struct sim_card *card, double from_s, double to_s);
double sim_card_stood_s(const struct sim_card *card, double t); /* since it was started */
double sim_card_frame(const struct sim_card *card, double t);   /* true, fractional */
double sim_card_shown(const struct sim_card *card, double t);   /* as a driver reports it */

/* One way through a network, in seconds. */
enum sim_network_kind {
    SIM_LAN,       /* 100 us and a little */
    SIM_ONE_SIDED, /* the same, and up to jitter_s more in one direction only */
    SIM_WIFI,      /* 2 ms, with bursts of up to jitter_s */
    SIM_JITTER,    /* uniform in [0, jitter_s] */
    SIM_HOME_WIFI, /* round trips of 6 ms in the middle, 2 % beyond 30 ms */
};

struct sim_network {
    enum sim_network_kind kind;
    double jitter_s;
    double loss;   /* 0..1 */
    double wake_s; /* what a sleeping server takes to wake up, 0.5 to 1.5 times */
};

/* back: the way from the server. Negative: lost. */
double sim_delay(const struct sim_network *network, struct sim_random *random, bool back);

#endif
