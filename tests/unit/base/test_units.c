#include "../cmocka_all.h"
#include "tutti/base/units.h"

static void conversions_round_and_keep_their_sign(void **state)
{
    (void)state;
    assert_int_equal(s_to_ns(1.5e-9), 2);
    assert_int_equal(s_to_ns(-1.5e-9), -2);
    assert_int_equal(ms_to_ns(0.1), 100000);
    assert_int_equal(frames_to_ns(44100, 44100), NS_PER_S);
    assert_int_equal(frames_to_ns(-1, 48000), -20833);
    assert_true(ns_to_frames(NS_PER_S, 48000) == 48000.0);
}

static void differences_are_positive_when_the_first_is_later(void **state)
{
    (void)state;
    struct mono_time a = {5}, b = {3};
    assert_int_equal(mono_sub(a, b), 2);
    assert_int_equal(mono_sub(mono_add(b, -4), a), -6);
    struct server_time s = {10};
    assert_int_equal(server_sub(server_add(s, 7), s), 7);
}

static void ppm_is_its_own_inverse(void **state)
{
    (void)state;
    assert_true(factor_to_ppm(ppm_to_factor(80)) > 79.999999);
    assert_true(factor_to_ppm(ppm_to_factor(80)) < 80.000001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversions_round_and_keep_their_sign),
        cmocka_unit_test(differences_are_positive_when_the_first_is_later),
        cmocka_unit_test(ppm_is_its_own_inverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
