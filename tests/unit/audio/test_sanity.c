/*
 * test_sanity.c: undamaged music passes unchanged, bursts in damaged music do not, and noise ends.
 */
#include "../../../src/audio/sanity.h"
#include "../cmocka_all.h"

#include <math.h>

#define FRAMES 1152

static float frames[FRAMES * 2];

/* A tone of this peak; the loudest sample of what is left of it. */
static float pass(struct sanity *sanity, float level)
{
    float peak = 0;
    for (int i = 0; i < FRAMES * 2; i++)
        frames[i] = level * sinf(0.05f * (float)i);
    assert_true(sanity_check(sanity, frames, FRAMES));
    for (int i = 0; i < FRAMES * 2; i++)
        peak = fmaxf(peak, fabsf(frames[i]));
    return peak;
}

static void test_undamaged_music_passes_unchanged(void **state)
{
    (void)state;
    struct sanity sanity = {0};
    static const float levels[] = {0.01f, 1, 0.02f, 1.5f, 3.9f, 0};
    for (int i = 0; i < 600; i++) {
        float level = levels[i % 6];
        float peak = pass(&sanity, level);
        assert_true(fabsf(peak - level) <= 0.001f * level);
        for (int k = 0; k < FRAMES * 2; k++)
            assert_true(frames[k] == level * sinf(0.05f * (float)k));
    }
}

static void test_a_burst_in_damaged_music_is_turned_down(void **state)
{
    (void)state;
    struct sanity sanity = {.damaged = true};
    for (int i = 0; i < 200; i++) {
        assert_true(pass(&sanity, 0.3f) > 0.299f);
        if (i % 10 == 0)
            assert_true(pass(&sanity, 3) <= 0.7001f);
    }
}

static void test_loud_damaged_music_stays_loud(void **state)
{
    (void)state;
    struct sanity sanity = {.damaged = true};
    int turned_down = 0;
    for (int i = 0; i < 400; i++)
        turned_down += pass(&sanity, i % 2 ? 0.9f : 0.2f) <= 0.7001f && i % 2;
    assert_true(turned_down > 0);
    assert_true(turned_down < 60);
    assert_true(pass(&sanity, 0.9f) > 0.89f);
}

static void test_what_is_no_sound_is_silenced(void **state)
{
    (void)state;
    struct sanity sanity = {0};
    static const float values[] = {NAN, INFINITY, -INFINITY, 1e30f, -5};
    for (int i = 0; i < 5; i++) {
        float two[] = {values[i], 0.25f};
        assert_true(sanity_check(&sanity, two, 1));
        assert_true(two[0] == 0);
        assert_true(two[1] == 0.25f);
    }
    assert_true(sanity.damaged);
}

static void test_noise_ends(void **state)
{
    (void)state;
    struct sanity sanity = {0};
    int checks = 0;
    do
        for (int i = 0; i < FRAMES * 2; i++)
            frames[i] = i % 7 ? 1000 : 0.1f;
    while (sanity_check(&sanity, frames, FRAMES) && ++checks < 100);
    assert_in_range(checks, 10, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undamaged_music_passes_unchanged),
        cmocka_unit_test(test_a_burst_in_damaged_music_is_turned_down),
        cmocka_unit_test(test_loud_damaged_music_stays_loud),
        cmocka_unit_test(test_what_is_no_sound_is_silenced),
        cmocka_unit_test(test_noise_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
