/*
 * Where it goes at the end of a track, when, and the order of a shuffled list.
 */
#include "../../../src/hub/turn.h"
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

static const struct server_time STAMP = {INT64_C(1700000000) * NS_PER_S};

static struct turn_facts playing(double position_s, double length_s)
{
    return (struct turn_facts){
        .timeline = {true, position_s, STAMP}, .length_s = length_s, .advance = true};
}

static void it_is_due_at_the_end(void **state)
{
    (void)state;
    struct turn_facts facts = playing(10, 200.25);
    assert_int_equal(server_sub(turn_due(&facts), STAMP), 190250 * NS_PER_MS);
}

static void what_has_no_end_is_never_due(void **state)
{
    (void)state;
    struct turn_facts paused = playing(10, 200), unknown = playing(10, -1), told = playing(10, 200);
    paused.timeline.playing = false;
    told.advance = false;
    assert_int_equal(turn_due(&paused).ns, INT64_MAX);
    assert_int_equal(turn_due(&unknown).ns, INT64_MAX);
    assert_int_equal(turn_due(&told).ns, INT64_MAX);
}

static void tiny_tracks_do_not_race(void **state)
{
    (void)state;
    struct turn_facts tiny = playing(0, 0.01), beyond = playing(500, 200);
    assert_int_equal(server_sub(turn_due(&tiny), STAMP), TURN_LEAST_NS);
    assert_int_equal(server_sub(turn_due(&beyond), STAMP), TURN_LEAST_NS);
}

static void what_follows_begins_where_the_other_ended(void **state)
{
    (void)state;
    struct server_time soon = server_add(STAMP, 300 * NS_PER_MS);
    struct server_time late = server_add(STAMP, 3600 * NS_PER_S);
    assert_int_equal(turn_stamp(STAMP, soon, false).ns, STAMP.ns);
    assert_int_equal(turn_stamp(STAMP, late, false).ns, late.ns);
}

static void who_was_told_before_is_joined_where_he_is(void **state)
{
    (void)state;
    struct server_time late = server_add(STAMP, 3 * NS_PER_S);
    struct server_time long_after = server_add(STAMP, 3600 * NS_PER_S);
    assert_int_equal(turn_stamp(STAMP, late, false).ns, late.ns);
    assert_int_equal(turn_stamp(STAMP, late, true).ns, STAMP.ns);
    assert_int_equal(turn_stamp(STAMP, long_after, true).ns, long_after.ns);
}

static void an_end_is_near_some_seconds_before(void **state)
{
    (void)state;
    assert_false(turn_is_near(server_add(STAMP, TURN_NEAR_NS + 1), STAMP));
    assert_true(turn_is_near(server_add(STAMP, TURN_NEAR_NS), STAMP));
    assert_true(turn_is_near(STAMP, server_add(STAMP, NS_PER_S)));
    assert_false(turn_is_near((struct server_time){INT64_MAX}, STAMP));
}

static void each_repeat_has_its_ends(void **state)
{
    (void)state;
    static const struct {
        enum session_repeat repeat;
        bool beside;
        enum turn_to at_end, forward, back;
    } rows[] = {
        {REPEAT_OFF, true, TURN_NEXT, TURN_NEXT, TURN_PREVIOUS},
        {REPEAT_OFF, false, TURN_NOWHERE, TURN_NOWHERE, TURN_SAME},
        {REPEAT_ONE, true, TURN_SAME, TURN_NEXT, TURN_PREVIOUS},
        {REPEAT_ONE, false, TURN_SAME, TURN_NOWHERE, TURN_SAME},
        {REPEAT_ALL, true, TURN_NEXT, TURN_NEXT, TURN_PREVIOUS},
        {REPEAT_ALL, false, TURN_FIRST, TURN_FIRST, TURN_LAST},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(turn_at_end(rows[i].repeat, rows[i].beside), rows[i].at_end);
        assert_int_equal(turn_forward(rows[i].repeat, rows[i].beside), rows[i].forward);
        assert_int_equal(turn_back(rows[i].repeat, rows[i].beside), rows[i].back);
    }
}

/* Which of a few items comes first, over many seeds: each about as often. */
static void a_shuffled_order_is_any_of_them(void **state)
{
    enum { ITEMS = 5, SEEDS = 10000 };
    int first[ITEMS] = {0};
    (void)state;
    for (int64_t seed = 0; seed < SEEDS; seed++) {
        int least = 0;
        int64_t keys[ITEMS];
        for (int i = 0; i < ITEMS; i++) {
            char id[8];
            snprintf(id, sizeof id, "i%d", i);
            keys[i] = turn_key(seed, id, 0);
            assert_int_equal(keys[i], turn_key(seed, id, 0));
            assert_in_range(keys[i], 1, TURN_KEY_MAX);
            if (keys[i] < keys[least])
                least = i;
        }
        first[least]++;
    }
    for (int i = 0; i < ITEMS; i++)
        assert_in_range(first[i], SEEDS / ITEMS * 9 / 10, SEEDS / ITEMS * 11 / 10);
}

static void what_is_added_is_still_to_come(void **state)
{
    (void)state;
    for (int64_t after = 0; after < TURN_KEY_MAX; after += TURN_KEY_MAX / 1000)
        assert_true(turn_key(7, "new", after) > after);
    assert_int_equal(turn_key(7, "new", TURN_KEY_MAX), TURN_KEY_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_due_at_the_end),
        cmocka_unit_test(what_has_no_end_is_never_due),
        cmocka_unit_test(tiny_tracks_do_not_race),
        cmocka_unit_test(what_follows_begins_where_the_other_ended),
        cmocka_unit_test(who_was_told_before_is_joined_where_he_is),
        cmocka_unit_test(an_end_is_near_some_seconds_before),
        cmocka_unit_test(each_repeat_has_its_ends),
        cmocka_unit_test(a_shuffled_order_is_any_of_them),
        cmocka_unit_test(what_is_added_is_still_to_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
