#include "../cmocka_all.h"
#include "tutti/core/playout_map.h"

#include <math.h>

static void positions_follow_every_change_of_rate(void **state)
{
    (void)state;
    struct playout_map map;
    double position = 0;
    playout_map_clear(&map);
    playout_map_append_silence(&map, 100, 50);
    playout_map_append_sound(&map, 150, 1000, 7.0, 0.01);
    playout_map_append_sound(&map, 1150, 1000, 17.0, 0.02);
    assert_int_equal(playout_map_end(&map), 2150);
    assert_false(playout_map_position_at(&map, 120, &position));
    assert_true(playout_map_position_at(&map, 150.5, &position));
    assert_true(fabs(position - 7.005) < 1e-12);
    assert_true(playout_map_position_at(&map, 1650, &position));
    assert_true(fabs(position - 27.0) < 1e-12);
    assert_false(playout_map_position_at(&map, 2150, &position));
    assert_false(playout_map_position_at(&map, 99, &position));
}

static void a_rewound_queue_is_forgotten_from_there(void **state)
{
    (void)state;
    struct playout_map map;
    double position = 0;
    playout_map_clear(&map);
    playout_map_append_sound(&map, 0, 1000, 0, 0.01);
    playout_map_append_sound(&map, 1000, 1000, 50, 0.01);
    playout_map_truncate(&map, 600);
    assert_int_equal(playout_map_end(&map), 600);
    assert_false(playout_map_position_at(&map, 700, &position));
    playout_map_append_silence(&map, 600, 10);
    assert_true(playout_map_position_at(&map, 599, &position));
    assert_false(playout_map_position_at(&map, 605, &position));
}

static void a_steady_rate_costs_one_segment(void **state)
{
    (void)state;
    struct playout_map map;
    playout_map_clear(&map);
    for (int64_t i = 0; i < 10 * PLAYOUT_MAP_SEGMENTS; i++)
        playout_map_append_sound(&map, i * 100, 100, (double)i * 100 * 0.5, 0.5);
    assert_int_equal(map.count, 1);
    double position = 0;
    assert_true(playout_map_position_at(&map, 3, &position));
    assert_true(position == 1.5);
}

static void the_oldest_makes_room(void **state)
{
    (void)state;
    struct playout_map map;
    double position = 0;
    playout_map_clear(&map);
    for (int64_t i = 0; i < 2 * PLAYOUT_MAP_SEGMENTS; i++)
        playout_map_append_sound(&map, i * 10, 10, (double)i, 0.01 + 1e-6 * (double)i);
    assert_false(playout_map_position_at(&map, 5, &position));
    assert_true(playout_map_position_at(&map, 20.0 * PLAYOUT_MAP_SEGMENTS - 10, &position));
    assert_true(position == 2.0 * PLAYOUT_MAP_SEGMENTS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_follow_every_change_of_rate),
        cmocka_unit_test(a_rewound_queue_is_forgotten_from_there),
        cmocka_unit_test(a_steady_rate_costs_one_segment),
        cmocka_unit_test(the_oldest_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
