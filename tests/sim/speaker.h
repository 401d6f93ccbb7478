/*
 * speaker.h: a speaker on a virtual clock: the real player, output and server_clock, on a modelled
 * crystal, card and network. What is heard is told by what the card has played (sound_card.h), never
 * by an estimate.
 */
#ifndef TUTTI_SIM_SPEAKER_H
#define TUTTI_SIM_SPEAKER_H

#include "models.h"
#include "sound_card.h"
#include "tutti/core/server_clock.h"
#include "tutti/core/timeline.h"
#include "tutti/playback/player.h"

struct sim_speaker_config {
    struct sim_card card;
    enum sim_driver_kind driver;
    double remembered_ppm;    /* of the card, from an earlier run; 0: nothing is remembered */
    struct sim_crystal local; /* the speaker's own clock against true time */
    struct sim_network network;
    bool echo;              /* the backend answers probes */
    double starts_s;        /* nothing happens before */
    bool card_known;        /* its rate is remembered of the last time */
    bool silent;            /* only its clock is looked at: it has no player */
    bool paused;            /* at first; see sim_speaker_tell() */
    bool cannot_rewind;     /* its card */
    double let_run_late_s;  /* its process, whenever it is due, by at least this */
    double first_error_s;   /* it is told a timeline that is so far ahead, for the first second */
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
    struct sim_sound_card card;
    struct player *player; /* NULL: silent */
    int track;
    struct timeline timeline; /* what the backend says */
    double next_tick_s;
    double next_wall_s;
    double told_right_s; /* when the first error ends */
    bool online;
    double rate_ppm;
    uint64_t rendered;
    double rate_slope_max_ppm_per_s; /* since it was last set to 0 */
    double rate_max_ppm;
};

/* Of a zeroed one, or one that was initialised before. It plays the track that never ends, and
 * its timeline is: position = server time. */
void sim_speaker_init(struct sim_speaker *speaker, const struct sim_speaker_config *config,
                      uint64_t seed);
void sim_speaker_end(struct sim_speaker *speaker);

/* What its monotonic clock shows at true time t, and when it shows it, to some ns. */
struct mono_time sim_speaker_local(const struct sim_speaker *speaker, double t);
double sim_speaker_true_s(const struct sim_speaker *speaker, struct mono_time local);
struct server_time sim_speaker_server(const struct sim_speaker *speaker, double t);

/* Brings the speaker to true time t (seconds, growing). */
void sim_speaker_run(struct sim_speaker *speaker, double t);

/* The backend says that, at true time t, and the speaker hears it. */
void sim_speaker_tell(struct sim_speaker *speaker, double t, const struct timeline *timeline);
/* The timeline that everybody has from the beginning. */
struct timeline sim_speaker_usual_timeline(bool playing);
/* Something was changed in the player: a tick is due. */
void sim_speaker_wake(struct sim_speaker *speaker, double t);

/* heard - wanted in s at true time t, by what the true card plays. False while nothing sounds. */
bool sim_speaker_error(const struct sim_speaker *speaker, double t, double *ret_error_s);
/* What it takes the server's time for, less what it is. False while that is not known. */
bool sim_speaker_clock_error(const struct sim_speaker *speaker, double t, double *ret_error_s);
struct player_status sim_speaker_status(const struct sim_speaker *speaker, double t);

#endif
