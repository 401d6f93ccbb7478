/*
 * test_gain.c: the volume curve, and envelopes that give the same for a frame whoever asks when.
 */
#include "../cmocka_all.h"
#include "tutti/audio/gain.h"

#include <math.h>
#include <string.h>

static void test_volume_curve(void **state)
{
    (void)state;
    assert_true(gain_of_volume(100) == 1);
    assert_true(gain_of_volume(0) == 0);
    assert_true(gain_of_volume(150) == 1);
    assert_true(gain_of_volume(-3) == 0);
    assert_true(fabs(20 * log10((double)gain_of_volume(50)) + 18.06) < 0.01);
    for (int percent = 1; percent <= 100; percent++)
        assert_true(gain_of_volume(percent) > gain_of_volume(percent - 1));
}

static void test_a_ramp_goes_from_one_to_the_other(void **state)
{
    (void)state;
    struct gain_envelope half = gain_steady(0.5f);
    struct gain_envelope ramp = gain_ramp(&half, 1, 1000, 200);
    assert_true(gain_at(&ramp, -50) == 0.5f);
    assert_true(gain_at(&ramp, 1000) == 0.5f);
    assert_true(fabsf(gain_at(&ramp, 1100) - 0.75f) < 1e-6f);
    assert_true(gain_at(&ramp, 1200) == 1);
    assert_true(gain_at(&ramp, 100000) == 1);
    float step = 0;
    for (int64_t frame = 1000; frame < 1200; frame++) {
        float rise = gain_at(&ramp, frame + 1) - gain_at(&ramp, frame);
        assert_true(rise > 0);
        step = fmaxf(step, rise);
    }
    assert_true(step < 0.5f * 1.6f / 200); /* pi / 2 of the mean, in the middle */
}

static void test_a_ramp_may_interrupt_another(void **state)
{
    (void)state;
    struct gain_envelope full = gain_steady(1);
    struct gain_envelope down = gain_ramp(&full, 0, 0, 100);
    struct gain_envelope up = gain_ramp(&down, 1, 50, 100);
    assert_true(gain_at(&up, 50) == gain_at(&down, 50));
    assert_true(gain_at(&up, 150) == 1);
    struct gain_envelope at_once = gain_ramp(&down, 0.25f, 10, 0);
    assert_true(gain_at(&at_once, 0) == 0.25f);
}

static void test_unity_is_transparent(void **state)
{
    (void)state;
    float in[600], out[600];
    for (int i = 0; i < 600; i++)
        in[i] = i == 7 ? -0.0f : sinf((float)i);
    struct gain_envelope unity = gain_steady(gain_of_volume(100));
    gain_apply(&unity, 123, in, out, 300);
    assert_memory_equal(in, out, sizeof in);
    gain_apply(&unity, 0, out, out, 300);
    assert_memory_equal(in, out, sizeof in);
}

static void test_pieces_make_the_same_whole(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static float in[COUNT * 2], whole[COUNT * 2], pieces[COUNT * 2];
    for (int i = 0; i < COUNT * 2; i++)
        in[i] = (float)i / 2000;
    struct gain_envelope before = gain_steady(0.8f);
    struct gain_envelope ramp = gain_ramp(&before, 0.1f, 5300, 177);
    gain_apply(&ramp, 5000, in, whole, COUNT);
    for (size_t at = COUNT; at > 0;) { /* backwards, odd sizes */
        size_t count = at < 37 ? at : 37;
        at -= count;
        gain_apply(&ramp, 5000 + (int64_t)at, in + 2 * at, pieces + 2 * at, count);
    }
    assert_memory_equal(whole, pieces, sizeof whole);
    for (int i = 0; i < COUNT; i++) {
        assert_true(whole[2 * i] == in[2 * i] * gain_at(&ramp, 5000 + i));
        assert_true(whole[2 * i + 1] == in[2 * i + 1] * gain_at(&ramp, 5000 + i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_volume_curve),
        cmocka_unit_test(test_a_ramp_goes_from_one_to_the_other),
        cmocka_unit_test(test_a_ramp_may_interrupt_another),
        cmocka_unit_test(test_unity_is_transparent),
        cmocka_unit_test(test_pieces_make_the_same_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
