/*
 * sound_card.h: a sink on a modelled card, which plays what it is given by its own crystal, and
 * listens to it.
 *
 * It says of its position what its driver says (drivers.h), as sink_alsa would hand it on; what is
 * heard is decided by the true card. Everything heard is looked through for clicks and for frames
 * that do not follow each other.
 */
#ifndef TUTTI_SIM_SOUND_CARD_H
#define TUTTI_SIM_SOUND_CARD_H

#include "drivers.h"
#include "models.h"
#include "tutti/audio/sink_backend.h"
#include "tutti/core/stamp_pairing.h"

struct sim_sound_card_config {
    struct sim_card model;
    enum sim_driver_kind driver;
    struct sim_crystal local; /* of the computer that it is in */
    bool cannot_rewind;
    double late_look_share; /* looks that were interrupted */
    /* Looks that show something else: that nothing is queued, or the position of before. */
    double zero_delay_share, stuck_share;
};

struct sim_sound_card {
    struct sim_sound_card_config config;
    struct sim_random *random;
    double now_s; /* true time; moved by its owner, and by looks, which take time */

    bool absent;    /* pulled out: open fails, and an open one is lost */
    bool suspended; /* with its computer, until it is reset */

    bool open;
    enum sink_state state;
    struct sim_driver driver;
    struct stamp_pairing pairing;
    int64_t buffer_frames;
    int64_t written;
    int64_t shown; /* by the last look */
    int64_t heard; /* every frame before it was, and was looked through */
    float *ring;

    uint64_t sounded; /* frames */
    uint64_t clicks;  /* steps that no fade makes */
    uint64_t slips;   /* frames that do not follow the one before */
    uint64_t breaks;  /* sound that ended because the card did */
};

extern const struct sink_backend sim_sound_card_backend;

/* Of a zeroed one, or one that was initialised before. */
void sim_sound_card_init(struct sim_sound_card *card, const struct sim_sound_card_config *config,
                         struct sim_random *random);
void sim_sound_card_end(struct sim_sound_card *card);

/* For sink_config.now; clock: the card. */
struct mono_time sim_sound_card_clock(void *clock);
struct mono_time sim_local_time(const struct sim_crystal *crystal, double t);

/* The frame that is heard at true time t, if that is now, and how much of it is over (0 to 1); or
 * NULL: silence. */
const float *sim_sound_card_listen(const struct sim_sound_card *card, double t,
                                   double *ret_fraction);

#endif
