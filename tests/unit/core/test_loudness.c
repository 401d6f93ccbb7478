/*
 * test_loudness.c: the factor that makes tracks as loud as others, and none that goes beyond full scale.
 */
#include "../cmocka_all.h"
#include "tutti/core/loudness.h"

#include <math.h>

#define NEAR 1e-6

static double factor(enum replaygain mode, struct loudness loudness)
{
    return loudness_factor(mode, &loudness);
}

static void off_changes_nothing(void **state)
{
    (void)state;
    assert_true(factor(REPLAYGAIN_OFF, (struct loudness){-6, 1, -7, 1}) == 1);
}

static void what_is_not_known_changes_nothing(void **state)
{
    (void)state;
    assert_true(factor(REPLAYGAIN_TRACK, loudness_unknown()) == 1);
    assert_true(factor(REPLAYGAIN_ALBUM, loudness_unknown()) == 1);
    assert_true(factor(REPLAYGAIN_TRACK, (struct loudness){NAN, 0.5, NAN, 0.5}) == 1);
}

static void each_has_its_own(void **state)
{
    const struct loudness both = {-6.0206, 1, -12.0412, 1};
    (void)state;
    assert_float_equal(factor(REPLAYGAIN_TRACK, both), 0.5, NEAR);
    assert_float_equal(factor(REPLAYGAIN_ALBUM, both), 0.25, NEAR);
}

static void other_stands_in(void **state)
{
    (void)state;
    assert_float_equal(factor(REPLAYGAIN_ALBUM, (struct loudness){-6.0206, 1, NAN, NAN}), 0.5,
                       NEAR);
    assert_float_equal(factor(REPLAYGAIN_TRACK, (struct loudness){NAN, NAN, -6.0206, 1}), 0.5,
                       NEAR);
}

static void peak_limits(void **state)
{
    (void)state;
    assert_float_equal(factor(REPLAYGAIN_TRACK, (struct loudness){12.0412, 0.1, NAN, NAN}), 4,
                       1e-4);
    assert_float_equal(factor(REPLAYGAIN_TRACK, (struct loudness){12.0412, 0.5, NAN, NAN}), 2,
                       NEAR);
    assert_float_equal(factor(REPLAYGAIN_TRACK, (struct loudness){-1, 1.25, NAN, NAN}), 0.8, NEAR);
}

/* All tracks of an album must have the same factor, whichever of them is the loudest. */
static void albums_peak_limits_its_gain(void **state)
{
    (void)state;
    assert_float_equal(factor(REPLAYGAIN_ALBUM, (struct loudness){0, 0.1, 12.0412, 0.5}), 2, NEAR);
    assert_float_equal(factor(REPLAYGAIN_ALBUM, (struct loudness){0, 0.5, 12.0412, NAN}), 2, NEAR);
}

static void without_a_peak_nothing_is_raised(void **state)
{
    (void)state;
    assert_true(factor(REPLAYGAIN_TRACK, (struct loudness){6, NAN, NAN, NAN}) == 1);
    assert_float_equal(factor(REPLAYGAIN_TRACK, (struct loudness){-6.0206, NAN, NAN, NAN}), 0.5,
                       NEAR);
}

/* Whoever tells a gain tells the peak that is to limit it: both may be lies, or a damaged tag. */
static void nothing_is_raised_beyond_reason(void **state)
{
    (void)state;
    assert_float_equal(factor(REPLAYGAIN_TRACK, (struct loudness){60, 0.001, NAN, NAN}), 7.943,
                       0.001);
    assert_float_equal(factor(REPLAYGAIN_ALBUM, (struct loudness){NAN, NAN, 60, 0.001}), 7.943,
                       0.001);
    assert_float_equal(factor(REPLAYGAIN_TRACK, (struct loudness){17, 0.01, NAN, NAN}), 7.079,
                       0.001);
}

static void nonsense_is_not_known(void **state)
{
    (void)state;
    assert_true(loudness_gain_db(-60) == -60);
    assert_true(isnan(loudness_gain_db(60.1)));
    assert_true(isnan(loudness_gain_db(INFINITY)));
    assert_true(isnan(loudness_gain_db(NAN)));
    assert_true(loudness_peak(1.2) == 1.2);
    assert_true(isnan(loudness_peak(0)));
    assert_true(isnan(loudness_peak(-1)));
    assert_true(isnan(loudness_peak(17)));
    assert_false(loudness_is_known(&(struct loudness){NAN, 1, NAN, 1}));
    assert_true(loudness_is_known(&(struct loudness){NAN, NAN, 1, NAN}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_changes_nothing),
        cmocka_unit_test(what_is_not_known_changes_nothing),
        cmocka_unit_test(each_has_its_own),
        cmocka_unit_test(other_stands_in),
        cmocka_unit_test(peak_limits),
        cmocka_unit_test(albums_peak_limits_its_gain),
        cmocka_unit_test(without_a_peak_nothing_is_raised),
        cmocka_unit_test(nothing_is_raised_beyond_reason),
        cmocka_unit_test(nonsense_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
