#include "../cmocka_all.h"
#include "tutti/core/place.h"

#include <stdio.h>
#include <string.h>

#define LENGTH_S 10

static struct playlist_item items[8];
static struct playlist_message playlist;
static struct place place;
static int64_t server_s, mono_s;

/* "AAB": items "1" to "3", of those tracks; ids go with the tracks when the list changes. */
static void list(const char *tracks, const char *ids)
{
    playlist = (struct playlist_message){items, strlen(tracks)};
    memset(items, 0, sizeof items);
    for (size_t i = 0; i < playlist.count; i++) {
        snprintf(items[i].track_id, 2, "%c", tracks[i]);
        snprintf(items[i].id, 2, "%c", ids[i]);
        items[i].duration_s = LENGTH_S;
    }
}

static int set_up(void **state)
{
    (void)state;
    place = (struct place){0};
    server_s = 1000, mono_s = 50;
    return 0;
}

/* So much later. */
static void told_at(int64_t later_s, char track, double position_ms, bool playing, double length_s)
{
    server_s += later_s, mono_s += later_s;
    struct playback_state playback = {.has_track = track != 0,
                                      .track_id = {track},
                                      .position_ms = position_ms,
                                      .playing = playing,
                                      .updated_at = {server_s * NS_PER_S}};
    place_heard(&place, &playlist, &playback, length_s, (struct mono_time){mono_s * NS_PER_S});
}

static void told(int64_t later_s, char track)
{
    told_at(later_s, track, 0, true, LENGTH_S);
}

static void expect(int position)
{
    place_expect(&place, &items[position], (struct mono_time){mono_s * NS_PER_S});
}

static const char *here(void)
{
    const struct playlist_item *item = place_item(&place, &playlist);
    return item ? item->id : "none";
}

static void the_end_of_a_track_leads_to_its_like(void **state)
{
    (void)state;
    list("AAB", "123");
    told(0, 'A');
    assert_string_equal(here(), "1");
    told(LENGTH_S, 'A');
    assert_string_equal(here(), "2");
    told(0, 'A'); /* another speaker of the host says the same */
    assert_string_equal(here(), "2");
    told(LENGTH_S, 'B');
    assert_string_equal(here(), "3");
}

static void a_seek_or_a_restart_stays_where_it_is(void **state)
{
    (void)state;
    list("AAB", "123");
    told(0, 'A');
    told(5, 'A');
    assert_string_equal(here(), "1");
    told_at(1, 'A', 9000, true, LENGTH_S);
    told_at(5, 'A', 3000, true, LENGTH_S);
    assert_string_equal(here(), "1");
    told_at(1, 'A', 9000, false, LENGTH_S); /* paused near the end, for long */
    told(60, 'A');
    assert_string_equal(here(), "1");
}

static void going_round_the_next_one_counts_first(void **state)
{
    (void)state;
    list("ABAC", "1234");
    told(0, 'A');
    told(LENGTH_S, 'B');
    told(LENGTH_S, 'A');
    assert_string_equal(here(), "3");
    told(LENGTH_S, 'C');
    assert_string_equal(here(), "4");
    told(5, 'A'); /* back */
    assert_string_equal(here(), "3");
    told(5, 'B');
    assert_string_equal(here(), "2");
}

static void an_order_from_here_knows_where_it_leads(void **state)
{
    (void)state;
    list("ABABA", "12345");
    told(0, 'A');
    expect(4);
    told(5, 'A');
    assert_string_equal(here(), "5");
    expect(1);
    told(1, 'A'); /* somebody else's, before the echo */
    assert_string_equal(here(), "5");
    told(1, 'B');
    assert_string_equal(here(), "2");
    expect(3);
    told(11, 'B'); /* too late to be its echo */
    assert_string_equal(here(), "2");
}

static void what_is_told_again_is_nothing_new(void **state)
{
    (void)state;
    list("AAB", "123");
    told(0, 'A');
    expect(1);
    told(0, 'A'); /* by a fresh socket: the same stamp */
    assert_string_equal(here(), "1");
    told(1, 'A');
    assert_string_equal(here(), "2");
}

static void without_a_decoder_the_lists_seconds_tell_the_end(void **state)
{
    (void)state;
    list("AAB", "123");
    told(0, 'A');
    told_at(LENGTH_S - 1, 'A', 0, true, -1);
    assert_string_equal(here(), "2");
    items[1].duration_s = 0; /* not known */
    told_at(LENGTH_S, 'A', 0, true, -1);
    assert_string_equal(here(), "2");
}

static void the_place_moves_with_its_item(void **state)
{
    (void)state;
    list("AAB", "123");
    told(0, 'A');
    told(LENGTH_S, 'A');
    list("BAA", "321");
    place_follow(&place, &playlist);
    assert_string_equal(here(), "2");
    list("BA", "31"); /* removed: the nearest one of its track */
    place_follow(&place, &playlist);
    assert_string_equal(here(), "1");
    list("B", "3");
    place_follow(&place, &playlist);
    assert_string_equal(here(), "none");
    told(1, 'B');
    assert_string_equal(here(), "3");
}

static void of_a_removed_item_the_neighbours_count(void **state)
{
    (void)state;
    list("ABCAC", "12345");
    told(0, 'B');
    list("ACAC", "1345");
    place_follow(&place, &playlist);
    assert_string_equal(here(), "none");
    told(1, 'C');
    assert_string_equal(here(), "3");
}

static void no_track_and_an_unknown_one_are_nowhere(void **state)
{
    (void)state;
    list("AB", "12");
    assert_string_equal(here(), "none");
    place_follow(&place, &playlist);
    told(0, 'X');
    assert_string_equal(here(), "none");
    list("ABX", "123"); /* its broadcast was late */
    place_follow(&place, &playlist);
    assert_string_equal(here(), "3");
    told(1, 0);
    assert_string_equal(here(), "none");
    list("", "");
    place_follow(&place, &playlist);
    told(1, 'A');
    assert_string_equal(here(), "none");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_end_of_a_track_leads_to_its_like),
        TEST(a_seek_or_a_restart_stays_where_it_is),
        TEST(going_round_the_next_one_counts_first),
        TEST(an_order_from_here_knows_where_it_leads),
        TEST(what_is_told_again_is_nothing_new),
        TEST(without_a_decoder_the_lists_seconds_tell_the_end),
        TEST(the_place_moves_with_its_item),
        TEST(of_a_removed_item_the_neighbours_count),
        TEST(no_track_and_an_unknown_one_are_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
