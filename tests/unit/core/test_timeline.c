#include "../cmocka_all.h"
#include "tutti/core/timeline.h"

static const struct timeline playing = {true, 10, {1000 * NS_PER_S}};

static void position_advances_with_the_server_clock(void **state)
{
    (void)state;
    struct server_time later = server_add(playing.anchored_at, 2500 * NS_PER_MS);
    assert_true(timeline_position_at(&playing, later) == 12.5);
    assert_int_equal(server_sub(timeline_time_of(&playing, 12.5), later), 0);
}

static void a_paused_timeline_stands(void **state)
{
    (void)state;
    struct timeline paused = playing;
    paused.playing = false;
    assert_true(timeline_position_at(&paused, (struct server_time){5000 * NS_PER_S}) == 10);
}

static void the_same_timeline_told_again_is_the_same(void **state)
{
    (void)state;
    struct timeline again = {true, 13, server_add(playing.anchored_at, 3 * NS_PER_S)};
    assert_true(timeline_equal(&playing, &again, 1e-6));
    again.position_s += 0.001;
    assert_false(timeline_equal(&playing, &again, 1e-6));
    assert_true(timeline_equal(&playing, &again, 2e-3));
    again = playing;
    again.playing = false;
    assert_false(timeline_equal(&playing, &again, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(position_advances_with_the_server_clock),
        cmocka_unit_test(a_paused_timeline_stands),
        cmocka_unit_test(the_same_timeline_told_again_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
