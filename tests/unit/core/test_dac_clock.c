#include "../cmocka_all.h"
#include "tutti/core/dac_clock.h"

#include <math.h>
#include <stdlib.h>

#define RATE_HZ 48000

/* A card that runs at ppm and shows its position in steps; looked at as the player does. */
struct card {
    double ppm;
    int64_t step_frames;
    struct mono_time now;
    double phase;
};

static double true_frame(const struct card *card)
{
    return ns_to_s(card->now.ns) * RATE_HZ * (1 + card->ppm * 1e-6);
}

static void look(struct card *card, struct dac_clock *clock, int64_t after_ns)
{
    card->phase = fmod(card->phase + 0.6180339887, 1);
    card->now = mono_add(card->now, after_ns + (int64_t)(card->phase * (double)after_ns / 3));
    int64_t frame = (int64_t)true_frame(card);
    dac_clock_observe(clock, card->now, frame - frame % card->step_frames);
}

static void acquire(struct card *card, struct dac_clock *clock)
{
    for (int i = 0; i < 30; i++)
        look(card, clock, NS_PER_MS);
}

static double error_us(const struct card *card, const struct dac_clock *clock)
{
    return (dac_clock_frame_at(clock, card->now) - true_frame(card)) / RATE_HZ * 1e6;
}

static void the_first_moments_give_a_position(void **state)
{
    (void)state;
    struct dac_clock clock;
    struct card card = {.ppm = 0, .step_frames = 1, .now = {NS_PER_S}};
    dac_clock_init(&clock, RATE_HZ, 0, DAC_CLOCK_UNKNOWN_SIGMA_PPM);
    assert_false(dac_clock_ready(&clock));
    acquire(&card, &clock);
    assert_true(dac_clock_ready(&clock));
    assert_true(fabs(error_us(&card, &clock)) < 10);
}

static void position_and_rate_of_a_steady_card(void **state)
{
    (void)state;
    const double ppms[] = {-200, -60, 0, 80, 200};
    for (size_t i = 0; i < sizeof ppms / sizeof *ppms; i++) {
        struct dac_clock clock;
        struct card card = {.ppm = ppms[i], .step_frames = 1, .now = {NS_PER_S}};
        dac_clock_init(&clock, RATE_HZ, 0, DAC_CLOCK_UNKNOWN_SIGMA_PPM);
        acquire(&card, &clock);
        for (int k = 0; k < 300; k++)
            look(&card, &clock, 120 * NS_PER_MS);
        assert_true(fabs(error_us(&card, &clock)) < 5); /* a quarter of a frame */
        assert_true(fabs(dac_clock_ppm(&clock) - ppms[i]) < 1);
        assert_true(dac_clock_window_s(&clock) > 10);
    }
}

static void a_coarse_pointer_is_seen_through(void **state)
{
    (void)state;
    struct dac_clock clock;
    struct card card = {.ppm = 80, .step_frames = RATE_HZ / 100, .now = {NS_PER_S}};
    dac_clock_init(&clock, RATE_HZ, 80, DAC_CLOCK_REMEMBERED_SIGMA_PPM);
    acquire(&card, &clock);
    for (int k = 0; k < 1000; k++)
        look(&card, &clock, 40 * NS_PER_MS);
    /* Observations are up to 10 ms late, and 5 ms on average. */
    assert_true(fabs(error_us(&card, &clock)) < 250);
}

static void late_looks_do_not_matter(void **state)
{
    (void)state;
    struct dac_clock clock;
    struct card card = {.ppm = -30, .step_frames = 1, .now = {NS_PER_S}};
    dac_clock_init(&clock, RATE_HZ, 0, DAC_CLOCK_UNKNOWN_SIGMA_PPM);
    acquire(&card, &clock);
    for (int k = 0; k < 300; k++) {
        look(&card, &clock, 100 * NS_PER_MS);
        if (k % 5 == 0) { /* the process slept between the position and the time */
            int64_t frame = (int64_t)true_frame(&card);
            card.now = mono_add(card.now, 700 * NS_PER_US);
            dac_clock_observe(&clock, card.now, frame);
        }
    }
    assert_true(fabs(error_us(&card, &clock)) < 3);
}

/* A driver that now and then says that nothing is queued: half a second ahead of the truth. */
static void a_look_that_cannot_be_is_not_believed(void **state)
{
    (void)state;
    struct dac_clock clock;
    struct card card = {.ppm = 30, .step_frames = 1, .now = {NS_PER_S}};
    dac_clock_init(&clock, RATE_HZ, 0, DAC_CLOCK_UNKNOWN_SIGMA_PPM);
    acquire(&card, &clock);
    for (int k = 1; k <= 400; k++) {
        look(&card, &clock, 120 * NS_PER_MS);
        if (k % 10 != 0)
            continue;
        card.now = mono_add(card.now, NS_PER_MS);
        dac_clock_observe(&clock, card.now, (int64_t)true_frame(&card) + RATE_HZ / 2);
        assert_true(fabs(error_us(&card, &clock)) < 25);
    }
    assert_int_equal(clock.disbelieved, 40);
    assert_true(fabs(error_us(&card, &clock)) < 5);
}

/* A card that has lost 30 ms for good is where it says, after a few looks. */
static void a_card_that_has_moved_on_is_followed(void **state)
{
    (void)state;
    struct dac_clock clock;
    struct card card = {.ppm = 30, .step_frames = 1, .now = {NS_PER_S}};
    dac_clock_init(&clock, RATE_HZ, 0, DAC_CLOCK_UNKNOWN_SIGMA_PPM);
    acquire(&card, &clock);
    for (int k = 0; k < 100; k++)
        look(&card, &clock, 120 * NS_PER_MS);
    int64_t moved_frames = RATE_HZ * 30 / 1000;
    for (int k = 0; k < 40; k++) {
        card.now = mono_add(card.now, 120 * NS_PER_MS);
        dac_clock_observe(&clock, card.now, (int64_t)true_frame(&card) + moved_frames);
    }
    double ahead_us = 30e3;
    assert_true(fabs(error_us(&card, &clock) - ahead_us) < 25);
    assert_true(fabs(dac_clock_ppm(&clock) - 30) < 5);
}

static void a_restart_keeps_the_rate(void **state)
{
    (void)state;
    struct dac_clock clock;
    struct card card = {.ppm = 120, .step_frames = 1, .now = {NS_PER_S}};
    dac_clock_init(&clock, RATE_HZ, 0, DAC_CLOCK_UNKNOWN_SIGMA_PPM);
    acquire(&card, &clock);
    for (int k = 0; k < 200; k++)
        look(&card, &clock, 120 * NS_PER_MS);
    dac_clock_restart(&clock);
    assert_false(dac_clock_ready(&clock));
    acquire(&card, &clock);
    assert_true(fabs(dac_clock_ppm(&clock) - 120) < 1);
}

static void time_and_frame_are_inverse(void **state)
{
    (void)state;
    struct dac_clock clock;
    struct card card = {.ppm = 55, .step_frames = 1, .now = {NS_PER_S}};
    dac_clock_init(&clock, RATE_HZ, 0, DAC_CLOCK_UNKNOWN_SIGMA_PPM);
    acquire(&card, &clock);
    struct mono_time at = dac_clock_time_of(&clock, 123456.75);
    assert_true(fabs(dac_clock_frame_at(&clock, at) - 123456.75) < 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_moments_give_a_position),
        cmocka_unit_test(position_and_rate_of_a_steady_card),
        cmocka_unit_test(a_coarse_pointer_is_seen_through),
        cmocka_unit_test(late_looks_do_not_matter),
        cmocka_unit_test(a_look_that_cannot_be_is_not_believed),
        cmocka_unit_test(a_card_that_has_moved_on_is_followed),
        cmocka_unit_test(a_restart_keeps_the_rate),
        cmocka_unit_test(time_and_frame_are_inverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
