/*
 * fake_card.c: see fake_card.h. One at a time: the one that was initialised last.
 */
#include "fake_card.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static struct fake_card *the_card;

struct mono_time fake_card_now(void *card)
{
    return ((struct fake_card *)card)->now;
}

int64_t fake_card_played(const struct fake_card *card)
{
    double rate_hz = FAKE_CARD_RATE_HZ * ppm_to_factor(card->ppm);
    if (!card->running)
        return 0;
    if (card->stands_still)
        return card->stood_at;
    double frames = floor(ns_to_frames(mono_sub(card->now, card->started_at), rate_hz));
    return frames > 0 ? (int64_t)frames : 0;
}

void fake_card_init(struct fake_card *card)
{
    *card = (struct fake_card){.now = {100 * NS_PER_S}};
    card->left = calloc(FAKE_CARD_KEPT_FRAMES, sizeof *card->left);
    the_card = card;
}

void fake_card_end(struct fake_card *card)
{
    free(card->left);
    the_card = NULL;
}

static int card_open(const struct sink_config *config, void **ret_self, struct sink_info *ret_info,
                     char *error)
{
    struct fake_card *card = the_card;
    (void)error;
    if (card->absent)
        return -ENODEV;
    card->opened++;
    card->asked_rate_hz = config->preferred_rate_hz;
    card->written = 0;
    card->running = card->stands_still = false;
    card->broken = SINK_STOPPED;
    *ret_info = (struct sink_info){.format = "none",
                                   .rate_hz = FAKE_CARD_RATE_HZ,
                                   .buffer_frames = FAKE_CARD_BUFFER_FRAMES,
                                   .period_frames = 1,
                                   .can_rewind = !card->cannot_rewind,
                                   .card = -1};
    *ret_self = card;
    return 0;
}

static void card_close(void *self)
{
    (void)self;
}

static int64_t card_write(void *self, const float *frames, size_t count)
{
    struct fake_card *card = self;
    int64_t room = FAKE_CARD_BUFFER_FRAMES - (card->written - fake_card_played(card));
    int64_t taken = (int64_t)count < room ? (int64_t)count : room;
    for (int64_t i = 0; i < taken; i++)
        card->left[(card->written + i) % FAKE_CARD_KEPT_FRAMES] = frames[i * SINK_CHANNELS];
    card->written += taken;
    return taken;
}

static int card_start(void *self)
{
    struct fake_card *card = self;
    card->started_at = mono_add(card->now, card->starts_late_ns);
    card->running = true;
    return 0;
}

static struct sink_observation card_observe(void *self)
{
    const struct fake_card *card = self;
    int64_t played = fake_card_played(card);
    double rate_hz = FAKE_CARD_RATE_HZ * ppm_to_factor(card->ppm);
    bool dry = card->running && played >= card->written;
    bool exact = !card->stands_still && played > 0; /* the time is that of the frame's beginning */
    struct mono_time time =
        exact ? mono_add(card->started_at, frames_to_ns((double)played, rate_hz)) : card->now;
    return (struct sink_observation){
        .state = card->broken != SINK_STOPPED ? card->broken
                 : !card->running             ? SINK_STOPPED
                 : dry                        ? SINK_XRUN
                                              : SINK_RUNNING,
        .time = mono_add(time, -card->interrupted_ns),
        .uncertainty_ns = card->interrupted_ns,
        .written_frames = card->written,
        .delay_frames = card->written - played,
    };
}

static size_t card_rewind(void *self, size_t count)
{
    struct fake_card *card = self;
    int64_t left = card->written - fake_card_played(card) - FAKE_CARD_MARGIN_FRAMES;
    if (card->cannot_rewind || left <= 0)
        return 0;
    int64_t taken = (int64_t)count < left ? (int64_t)count : left;
    card->written -= taken;
    return (size_t)taken;
}

static int card_reset(void *self)
{
    struct fake_card *card = self;
    if (card->absent)
        return -ENODEV;
    card->resets++;
    card->running = card->stands_still = false;
    card->broken = SINK_STOPPED;
    card->written = 0;
    return 0;
}

const struct sink_backend fake_card_backend = {
    .open = card_open,
    .close = card_close,
    .write = card_write,
    .start = card_start,
    .observe = card_observe,
    .rewind = card_rewind,
    .reset = card_reset,
};
