/*
 * test_cue.c: cues are soft, bounded, and the same wherever their frames lie and however they are cut
 * into pieces.
 */
#include "../cmocka_all.h"
#include "tutti/audio/cue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RATE_HZ 48000
#define FRAMES (2 * RATE_HZ)

static float frames[FRAMES * CUE_CHANNELS];
static const enum cue_kind kinds[] = {CUE_CHIME, CUE_CLICK};

static void fill(float level)
{
    for (size_t i = 0; i < FRAMES * CUE_CHANNELS; i++)
        frames[i] = level;
}

/* Of the difference to a level, and where it is. */
static double peak(double level)
{
    double most = 0;
    for (size_t i = 0; i < FRAMES * CUE_CHANNELS; i++)
        most = fmax(most, fabs((double)frames[i] - level));
    return most;
}

static void test_soft_in_silence(void **state)
{
    (void)state;
    static const double peaks[] = {[CUE_CHIME] = 0.1, [CUE_CLICK] = 0.2};
    for (size_t i = 0; i < 2; i++) {
        fill(0);
        cue_mix(kinds[i], 0, RATE_HZ, frames, FRAMES);
        assert_true(peak(0) < 1.0001 * peaks[i] && peak(0) > 0.95 * peaks[i]);
        assert_true(peaks[i] <= CUE_PEAK);
        for (size_t at = 0; at < FRAMES; at++)
            assert_true(frames[2 * at] == frames[2 * at + 1]);
    }
}

/* With the loudest music, of either sign, and of every cue at once. */
static void test_never_beyond_full_scale(void **state)
{
    (void)state;
    for (float level = -1; level <= 1; level += 2) {
        fill(level);
        cue_mix(CUE_CHIME, 0, RATE_HZ, frames, FRAMES);
        cue_mix(CUE_CLICK, -0.1, RATE_HZ, frames, FRAMES);
        assert_true(peak(0) <= 1);
        assert_true(peak((double)level) > 0.1 && peak((double)level) <= 2 * (0.1 + CUE_PEAK));
    }
}

/* From nothing to nothing, without a step that would be heard as one. */
static void test_begins_and_ends_in_silence(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        double length_s = cue_length_s(kinds[i]);
        size_t end = (size_t)ceil(length_s * RATE_HZ);
        fill(0);
        cue_mix(kinds[i], 0, RATE_HZ, frames, FRAMES);
        assert_true(fabsf(frames[0]) < 1e-6f && fabsf(frames[2 * (end - 1)]) < 1e-3f);
        for (size_t at = end; at < FRAMES; at++)
            assert_true(frames[2 * at] == 0);
    }
    fill(0);
    cue_mix(CUE_CHIME, 0, RATE_HZ, frames, FRAMES);
    for (size_t at = 1; at < FRAMES; at++) /* of the highest note, at its peak */
        assert_true(fabs((double)(frames[2 * at] - frames[2 * at - 2])) <
                    0.1 * 2 * M_PI * 800 / RATE_HZ);
}

static void test_nothing_before_and_after(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        fill(0.5f);
        cue_mix(kinds[i], -2.5, RATE_HZ, frames, FRAMES);
        cue_mix(kinds[i], cue_length_s(kinds[i]), RATE_HZ, frames, FRAMES);
        assert_true(peak(0.5) == 0);
    }
}

/* Whichever frames it is asked for, in whatever pieces: what is queued again sounds the same. */
static void test_the_same_in_pieces(void **state)
{
    (void)state;
    static float whole[FRAMES * CUE_CHANNELS];
    fill(0.25f);
    cue_mix(CUE_CHIME, -0.01, RATE_HZ, frames, FRAMES);
    memcpy(whole, frames, sizeof whole);
    fill(0.25f);
    for (size_t at = 0, run = 1; at < FRAMES; at += run, run = run % 700 + 13) {
        size_t count = run < FRAMES - at ? run : FRAMES - at;
        cue_mix(CUE_CHIME, -0.01 + (double)at / RATE_HZ, RATE_HZ, frames + 2 * at, count);
    }
    for (size_t i = 0; i < FRAMES * CUE_CHANNELS; i++)
        assert_true(fabsf(frames[i] - whole[i]) < 1e-6f);
}

/* The middle of a click, by the frames' energy: at a fraction of a frame, too. */
static void test_a_click_is_where_it_is_to_be(void **state)
{
    (void)state;
    for (int tenths = 0; tenths < 10; tenths++) {
        double begins = 1000 + tenths / 10.0, sum = 0, moment = 0;
        fill(0);
        cue_mix(CUE_CLICK, -begins / RATE_HZ, RATE_HZ, frames, FRAMES);
        for (size_t at = 0; at < FRAMES; at++) {
            double energy = (double)frames[2 * at] * (double)frames[2 * at];
            sum += energy;
            moment += energy * (double)at;
        }
        double middle = begins + cue_length_s(CUE_CLICK) * RATE_HZ / 2;
        assert_true(fabs(moment / sum - middle) < 0.01);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_soft_in_silence),
        cmocka_unit_test(test_never_beyond_full_scale),
        cmocka_unit_test(test_begins_and_ends_in_silence),
        cmocka_unit_test(test_nothing_before_and_after),
        cmocka_unit_test(test_the_same_in_pieces),
        cmocka_unit_test(test_a_click_is_where_it_is_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
