/*
 * fake_card.h: a sink that plays by the clock of its test, exactly, and keeps what it was given.
 */
#ifndef TUTTI_TESTS_FAKE_CARD_H
#define TUTTI_TESTS_FAKE_CARD_H

#include "tutti/audio/sink_backend.h"

#define FAKE_CARD_RATE_HZ 48000
#define FAKE_CARD_BUFFER_FRAMES 24000
/* What is closer to the DAC cannot be taken back. */
#define FAKE_CARD_MARGIN_FRAMES 48
#define FAKE_CARD_KEPT_FRAMES (20 * FAKE_CARD_RATE_HZ)

/* The clock; a card is opened at a time in its past. */
struct fake_card {
    struct mono_time now;
    double ppm;
    bool cannot_rewind;
    bool absent;
    enum sink_state broken; /* other than STOPPED: what looks show, until it is reset */
    bool stands_still;      /* at the frame at which it was */
    int64_t stood_at;
    int64_t starts_late_ns; /* it plays nothing for so long after it was started */
    int64_t interrupted_ns; /* looks take so long: their time is before their position */
    int opened, resets;
    unsigned asked_rate_hz;
    int64_t written;
    bool running;
    struct mono_time started_at;
    float *left; /* of all frames, as they are heard, or will be */
};

extern const struct sink_backend fake_card_backend;

/* For sink_config. */
struct mono_time fake_card_now(void *card);
int64_t fake_card_played(const struct fake_card *card);
void fake_card_init(struct fake_card *card);
void fake_card_end(struct fake_card *card);

#endif
