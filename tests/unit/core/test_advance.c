#include "../cmocka_all.h"
#include "tutti/core/advance.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct playlist_item items[] = {
    {.id = "1", .track_id = "a"}, {.id = "2", .track_id = "b"}, {.id = "3", .track_id = "c"}};
static const struct playlist_message playlist = {items, 3};
static struct advance advance;
static struct advance_order order;
static struct playback_state playback;

static struct playback_state state_of(const char *track_id, bool playing, double position_ms,
                                      int64_t stamp_s)
{
    struct playback_state state = {.has_track = true,
                                   .position_ms = position_ms,
                                   .playing = playing,
                                   .updated_at = {stamp_s * NS_PER_S}};
    strcpy(state.track_id, track_id);
    return state;
}

static int set_up(void **state)
{
    (void)state;
    advance = (struct advance){0};
    playback = state_of("a", true, 0, 1);
    return 0;
}

static struct advance_facts facts_at(double position_s, double length_s, bool repeat_all)
{
    return (struct advance_facts){.playlist = &playlist,
                                  .item = playlist_find_track(&playlist, playback.track_id),
                                  .playback = &playback,
                                  .position_s = position_s,
                                  .length_s = length_s,
                                  .repeat_all = repeat_all};
}

static double left_s(double position_s, int64_t now_s)
{
    struct advance_facts facts = facts_at(position_s, 10, false);
    return advance_left_s(&advance, &facts, (struct mono_time){now_s * NS_PER_S});
}

/* Says it, if it is due. */
static bool due_at(double position_s, bool repeat_all, int64_t now_s)
{
    struct advance_facts facts = facts_at(position_s, 10, repeat_all);
    bool gave_up;
    if (left_s(position_s, now_s) > 0)
        return false;
    order = advance_say(&advance, &facts, &gave_up);
    assert_false(gave_up);
    return true;
}

static bool heard(struct playback_state told, int64_t now_s)
{
    return advance_heard(&advance, &told, (struct server_time){now_s * NS_PER_S}, &order);
}

static void the_next_track_is_named_at_the_end(void **state)
{
    (void)state;
    assert_float_equal(left_s(9.5, 1), 0.465, 1e-9);
    assert_false(due_at(9.9, false, 1));
    assert_true(due_at(9.985, false, 1));
    assert_true(order.playing && order.position_ms == 0);
    assert_string_equal(order.track_id, "b");
}

static void it_is_said_once_for_a_state(void **state)
{
    (void)state;
    assert_true(due_at(10, false, 1));
    assert_false(due_at(10.1, false, 1));
    assert_false(heard(playback, 2)); /* told again, by a fresh socket */
    assert_false(due_at(10.2, false, 2));
    assert_false(heard(state_of("b", true, 0, 2), 2));
    playback = state_of("b", true, 0, 2);
    assert_false(due_at(0.1, false, 2));
    assert_true(due_at(10, false, 12));
    assert_string_equal(order.track_id, "c");
}

static void the_last_one_ends_or_starts_over(void **state)
{
    (void)state;
    playback = state_of("c", true, 0, 1);
    assert_true(due_at(10, true, 1));
    assert_true(order.playing);
    assert_string_equal(order.track_id, "a");
    set_up(state);
    playback = state_of("c", true, 0, 1);
    assert_true(due_at(10, false, 1));
    assert_false(order.playing);
    assert_true(order.position_ms == 10000);
    assert_string_equal(order.track_id, "c");
    assert_false(heard(state_of("c", false, 10000, 2), 2));
    playback = state_of("c", false, 10000, 2);
    assert_false(due_at(10, false, 3));
}

static void nothing_is_said_of_what_is_not_known(void **state)
{
    (void)state;
    playback.playing = false;
    assert_false(due_at(10, false, 1));
    playback = state_of("ghost", true, 0, 1);
    assert_false(due_at(10, false, 1));
    playback = state_of("a", true, 0, 1);
    struct advance_facts facts = facts_at(10, -1, false);
    assert_true(isinf(advance_left_s(&advance, &facts, (struct mono_time){0})));
}

static void another_speaker_of_the_host_says_the_same(void **state)
{
    (void)state;
    assert_true(due_at(10, false, 1));
    assert_false(heard(state_of("b", true, 0, 2), 2)); /* its */
    assert_false(heard(state_of("b", true, 0, 3), 3)); /* ours */
    playback = state_of("b", true, 0, 3);
    assert_false(due_at(0, false, 3));
}

static void a_choice_made_just_then_is_given_back(void **state)
{
    (void)state;
    assert_true(due_at(10, false, 1));
    assert_false(heard(state_of("c", true, 5000, 2), 2));
    assert_true(heard(state_of("b", true, 0, 3), 4));
    assert_true(order.playing && order.position_ms == 7000);
    assert_string_equal(order.track_id, "c");
    assert_false(heard(state_of("c", true, 7000, 5), 5)); /* once */
    set_up(state);
    assert_true(due_at(10, false, 1));
    assert_false(heard(state_of("a", false, 9000, 2), 2));
    assert_true(heard(state_of("b", true, 0, 3), 4));
    assert_false(order.playing);
    assert_true(order.position_ms == 9000);
}

/* Both say b; somebody chooses c between the two. */
static void the_other_speakers_order_is_not_taken_for_ours(void **state)
{
    (void)state;
    assert_true(due_at(10, false, 10));
    assert_false(heard(state_of("b", true, 0, 10), 10));
    assert_false(heard(state_of("c", true, 5000, 11), 11));
    assert_false(heard(state_of("b", true, 0, 10), 11)); /* told again, late */
    assert_true(heard(state_of("b", true, 0, 11), 12));
    assert_string_equal(order.track_id, "c");
    assert_true(order.position_ms == 6000);
}

static void the_same_track_chosen_later_is_a_choice(void **state)
{
    (void)state;
    assert_true(due_at(10, false, 10));
    assert_false(heard(state_of("b", true, 0, 10), 10));
    assert_false(heard(state_of("c", true, 5000, 11), 11));
    assert_false(heard(state_of("b", true, 0, 14), 14));
}

static void a_failure_is_tried_again_later(void **state)
{
    (void)state;
    assert_true(due_at(10, false, 1));
    advance_failed(&advance, (struct mono_time){2 * NS_PER_S});
    assert_false(due_at(11, false, 3));
    assert_float_equal(left_s(11, 3), 4, 1e-9);
    assert_true(due_at(12, false, 8));
}

/* Plays a list of which "+" can be heard and "-" cannot ("?": not reached), for so many seconds,
 * one a step; the backend does as it is told, for the next step. What became current when: "2@5 3@15 ...", "!" where
 * it was given up. */
static const char *play(const char *which, bool repeat_all, int64_t seconds)
{
    static char said[1000];
    size_t at = 0;
    struct playlist_item many[8] = {0};
    struct playlist_message list = {many, strlen(which)};
    const struct playlist_item *item = many;
    bool gave_up = false;
    for (size_t i = 0; i < list.count; i++)
        many[i].id[0] = many[i].track_id[0] = (char)('1' + i);
    playback = state_of("1", true, 0, 0);
    said[0] = '\0';
    for (int64_t now_s = 0; now_s < seconds; now_s++) {
        char kind = which[item - many];
        struct mono_time now = {now_s * NS_PER_S};
        struct advance_facts facts = {.playlist = &list,
                                      .item = item,
                                      .playback = &playback,
                                      .position_s =
                                          (double)now_s - (double)playback.updated_at.ns / 1e9,
                                      .length_s = kind == '+' ? 10 : -1,
                                      .repeat_all = repeat_all,
                                      .sounding = kind == '+' && playback.playing,
                                      .trouble = kind == '+'   ? ADVANCE_FINE
                                                 : kind == '-' ? ADVANCE_UNPLAYABLE
                                                               : ADVANCE_UNREACHABLE};
        advance_watch(&advance, &facts, now);
        if (advance_left_s(&advance, &facts, now) > 0)
            continue;
        order = advance_say(&advance, &facts, &gave_up);
        playback = state_of(order.track_id, order.playing, order.position_ms, now_s);
        item = playlist_find(&list, order.item_id);
        at += (size_t)snprintf(said + at, sizeof said - at, "%s%s%s@%d", at ? " " : "",
                               gave_up         ? "!"
                               : order.playing ? ""
                                               : "stop ",
                               order.item_id, (int)now_s);
    }
    return said;
}

static void a_track_that_cannot_be_played_is_left_after_seconds(void **state)
{
    (void)state;
    assert_string_equal(play("-++", false, 20), "2@5 3@15");
    set_up(state);
    assert_string_equal(play("?++", false, 20), "2@15");
    set_up(state);
    assert_string_equal(play("+-", false, 30), "2@10 stop 2@16");
    set_up(state);
    assert_string_equal(play("+-", true, 30), "2@10 1@16 2@26");
}

static void a_list_of_bad_ones_is_not_run_through_in_a_blink(void **state)
{
    (void)state;
    assert_string_equal(play("-----+", false, 300), "2@5 3@16 4@37 5@78 6@139 stop 6@149");
}

static void after_a_round_without_a_good_one_it_stops(void **state)
{
    (void)state;
    assert_string_equal(play("---", true, 1000), "2@5 3@16 !3@37");
    set_up(state);
    assert_string_equal(play("-", true, 1000), "!1@5");
    set_up(state);
    assert_string_equal(play("-+-", true, 61), "2@5 3@15 1@21 2@32 3@42 1@48 2@59");
}

static void only_what_plays_can_be_in_trouble(void **state)
{
    (void)state;
    struct advance_facts facts = facts_at(0, -1, false);
    facts.trouble = ADVANCE_UNPLAYABLE;
    playback.playing = false;
    advance_watch(&advance, &facts, (struct mono_time){0});
    playback.playing = true;
    for (int64_t now_s = 100; now_s < 105; now_s++) { /* the time counts from here */
        advance_watch(&advance, &facts, (struct mono_time){now_s * NS_PER_S});
        assert_true(advance_left_s(&advance, &facts, (struct mono_time){now_s * NS_PER_S}) > 0);
    }
    facts.trouble = ADVANCE_FINE; /* and it came after all */
    advance_watch(&advance, &facts, (struct mono_time){105 * NS_PER_S});
    assert_true(isinf(advance_left_s(&advance, &facts, (struct mono_time){105 * NS_PER_S})));
}

static void of_items_with_one_track_the_one_that_is_meant_is_named(void **state)
{
    (void)state;
    struct playlist_item twice[] = {
        {.id = "1", .track_id = "a"}, {.id = "2", .track_id = "a"}, {.id = "3", .track_id = "b"}};
    struct playlist_message list = {twice, 3};
    struct advance_facts facts = facts_at(10, 10, false);
    bool gave_up;
    facts.playlist = &list, facts.item = &twice[0];
    order = advance_say(&advance, &facts, &gave_up);
    assert_string_equal(order.item_id, "2");
    facts.item = &twice[1];
    order = advance_say(&advance, &facts, &gave_up);
    assert_string_equal(order.track_id, "b");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_next_track_is_named_at_the_end),
        TEST(it_is_said_once_for_a_state),
        TEST(the_last_one_ends_or_starts_over),
        TEST(nothing_is_said_of_what_is_not_known),
        TEST(another_speaker_of_the_host_says_the_same),
        TEST(a_choice_made_just_then_is_given_back),
        TEST(the_other_speakers_order_is_not_taken_for_ours),
        TEST(the_same_track_chosen_later_is_a_choice),
        TEST(a_failure_is_tried_again_later),
        TEST(a_track_that_cannot_be_played_is_left_after_seconds),
        TEST(a_list_of_bad_ones_is_not_run_through_in_a_blink),
        TEST(after_a_round_without_a_good_one_it_stops),
        TEST(only_what_plays_can_be_in_trouble),
        TEST(of_items_with_one_track_the_one_that_is_meant_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
