#include "../cmocka_all.h"
#include "tutti/core/advance.h"

#include <math.h>
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

static double left_s(double position_s, int64_t now_s)
{
    return advance_left_s(&advance,
                          &(struct advance_facts){&playlist, &playback, position_s, 10, false},
                          (struct mono_time){now_s * NS_PER_S});
}

/* Says it, if it is due. */
static bool due_at(double position_s, bool repeat_all, int64_t now_s)
{
    struct advance_facts facts = {&playlist, &playback, position_s, 10, repeat_all};
    if (left_s(position_s, now_s) > 0)
        return false;
    order = advance_say(&advance, &facts);
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
    assert_true(
        isinf(advance_left_s(&advance, &(struct advance_facts){&playlist, &playback, 10, -1, false},
                             (struct mono_time){0})));
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
