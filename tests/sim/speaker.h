/*
 * speaker.h: a speaker on a virtual clock: the real server_clock, dac_clock, drift and playout_map,
 * on a modelled crystal, card and network. What is heard is computed from the true card, never
 * from an estimate.
 */
#ifndef TUTTI_SIM_SPEAKER_H
#define TUTTI_SIM_SPEAKER_H

#include "drivers.h"
#include "models.h"
#include "tutti/core/dac_clock.h"
#include "tutti/core/drift.h"
#include "tutti/core/playout_map.h"
#include "tutti/core/server_clock.h"
#include "tutti/core/stamp_pairing.h"

struct sim_speaker_config {
    struct sim_card card;
    enum sim_driver_kind driver;
    double remembered_ppm;    /* of the card, from an earlier run; 0: nothing is remembered */
    struct sim_crystal local; /* the speaker's own clock against true time */
    struct sim_network network;
    bool echo;              /* the backend answers probes */
    double starts_s;        /* nothing happens before */
    bool card_known;        /* its rate is remembered of the last time */
    bool silent;            /* only its clock is looked at */
    double first_error_s;   /* joined that much off, on purpose */
    double late_look_share; /* looks at the card that were interrupted */
    /* Looks that show something else: that nothing is queued, or the position of before. */
    double zero_delay_share, stuck_share;
    /* How far the server's clock is from true time; NULL: 0. */
    double (*server_off_s)(double t);
    /* The wall clock, called disciplined, is that far from true time; NULL: it is not disciplined.
     */
    double (*wall_off_s)(double t);
    double suspended_from_s, suspended_to_s; /* the process does nothing; to 0: never */
    double offline_from_s, offline_to_s;     /* no connection; to 0: never */
};

struct sim_speaker {
    struct sim_speaker_config config;
    struct sim_random random;
    struct server_clock server;
    struct sim_driver driver;
    struct stamp_pairing pairing;
    struct dac_clock dac;
    struct drift drift;
    struct playout_map map;
    double next_tick_s;
    double next_wall_s;
    bool online;
    double tick_phase, look_phase;
    bool joined;
    bool paused;       /* looks at its card, and sounds nothing yet */
    double position_s; /* of the next frame to be written */
    int64_t written;
    struct sim_look shown; /* the last look */
    double rate_ppm;
    double rate_slope_max_ppm_per_s; /* since it was last set to 0 */
    double rate_max_ppm;
    uint64_t jumps;
    uint64_t underruns; /* the queue ran dry: joined anew */
};

void sim_speaker_init(struct sim_speaker *speaker, const struct sim_speaker_config *config,
                      uint64_t seed);

/* What its monotonic clock shows at true time t, and when it shows it, to some ns. */
struct mono_time sim_speaker_local(const struct sim_speaker *speaker, double t);
double sim_speaker_true_s(const struct sim_speaker *speaker, struct mono_time local);
struct server_time sim_speaker_server(const struct sim_speaker *speaker, double t);

/* Brings the speaker to true time t (seconds, growing). The timeline is: position = server time. */
void sim_speaker_run(struct sim_speaker *speaker, double t);

/* heard - wanted in s at true time t, by the true card. False while nothing sounds. */
/* What it takes the server's time for, less what it is. False while that is not known. */
bool sim_speaker_clock_error(const struct sim_speaker *speaker, double t, double *ret_error_s);
bool sim_speaker_error(const struct sim_speaker *speaker, double t, double *ret_error_s);

#endif
