/*
 * models.c: see models.h.
 */
#include "models.h"

#include "tutti/base/units.h"

#include <math.h>
#include <stdlib.h>

void sim_random_init(struct sim_random *random, uint64_t seed)
{
    random->state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (int i = 0; i < 8; i++)
        sim_uniform(random, 0, 1);
}

double sim_uniform(struct sim_random *random, double low, double high)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    uint64_t bits = (random->state * UINT64_C(2685821657736338717)) >> 11;
    return low + (high - low) * (double)bits / 9007199254740992.0;
}

double sim_exponential(struct sim_random *random, double mean)
{
    return -mean * log(1 - sim_uniform(random, 0, 1));
}

uint64_t sim_seeds(uint64_t usual)
{
    const char *text = getenv("TUTTI_SIM_SEEDS");
    return text ? strtoull(text, NULL, 10) : usual;
}

double sim_crystal_at(const struct sim_crystal *crystal, double t)
{
    double ticks = t * (1 + crystal->ppm * 1e-6);
    if (crystal->breaks_at_s > 0 && t >= crystal->breaks_at_s)
        ticks += crystal->break_step_s + (t - crystal->breaks_at_s) * crystal->break_ppm * 1e-6;
    if (crystal->wander_ppm == 0)
        return ticks;
    double w = 2 * M_PI / crystal->wander_period_s;
    return ticks + crystal->wander_ppm * 1e-6 / w *
                       (cos(crystal->wander_phase) - cos(w * t + crystal->wander_phase));
}

static double stands_from_s(const struct sim_card *card)
{
    return fmax(card->stands_from_s, card->started_s);
}

void sim_card_start(struct sim_card *card, double t)
{
    card->started_s = t;
    card->stood_before_s = 0;
}

void sim_card_stand(struct sim_card *card, double from_s, double to_s)
{
    card->stood_before_s = sim_card_stood_s(card, from_s);
    card->stands_from_s = from_s;
    card->stands_to_s = to_s;
}

double sim_card_stood_s(const struct sim_card *card, double t)
{
    return card->stood_before_s + fmax(fmin(t, card->stands_to_s) - stands_from_s(card), 0);
}

double sim_card_frame(const struct sim_card *card, double t)
{
    const struct sim_crystal *crystal = &card->crystal;
    double ticks = sim_crystal_at(crystal, t) - sim_crystal_at(crystal, card->started_s);
    double from_s = stands_from_s(card), now_s = sim_card_stood_s(card, t) - card->stood_before_s;
    if (now_s > 0)
        ticks -= sim_crystal_at(crystal, from_s + now_s) - sim_crystal_at(crystal, from_s);
    ticks -= card->stood_before_s * ppm_to_factor(crystal->ppm);
    return ticks * card->rate_hz;
}

double sim_card_shown(const struct sim_card *card, double t)
{
    return floor(sim_card_frame(card, t) / card->step_frames) * card->step_frames;
}

double sim_delay(const struct sim_network *network, struct sim_random *random, bool back)
{
    if (network->loss > 0 && sim_uniform(random, 0, 1) < network->loss)
        return -1;
    switch (network->kind) {
    case SIM_LAN:
        return 100e-6 + sim_exponential(random, 20e-6);
    case SIM_ONE_SIDED:
        return 100e-6 + sim_exponential(random, 20e-6) +
               (back ? sim_uniform(random, 0, network->jitter_s) : 0);
    case SIM_WIFI:
        return 1e-3 + sim_exponential(random, 500e-6) +
               (sim_uniform(random, 0, 1) < 0.2 ? sim_uniform(random, 0, network->jitter_s) : 0);
    case SIM_JITTER:
        return sim_uniform(random, 0, network->jitter_s);
    case SIM_HOME_WIFI:
        return 1e-3 + sim_exponential(random, 2.4e-3) +
               (sim_uniform(random, 0, 1) < 0.01 ? sim_uniform(random, 25e-3, 60e-3) : 0);
    }
    return 0;
}
