/*
 * test_session.c: the replica of a session: what each message changes, what is told of it, and when
 * it is in doubt.
 */
#include "../cmocka_all.h"
#include "tutti/core/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct session session;
static struct session_opening opening;
static struct mono_time now;

static int set_up(void **state)
{
    (void)state;
    opening = (struct session_opening){0};
    now = (struct mono_time){100 * NS_PER_S};
    return session_init(&session) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    playlist_message_finish(&opening.playlist);
    session_finish(&session);
    return 0;
}

/* "AAB": items "1" to "3", of those tracks. */
static struct protocol_message list(const char *tracks, const char *ids)
{
    struct protocol_message message = {.type = MESSAGE_PLAYLIST};
    message.playlist.count = strlen(tracks);
    message.playlist.items = calloc(message.playlist.count + 1, sizeof *message.playlist.items);
    assert_non_null(message.playlist.items);
    for (size_t i = 0; i < message.playlist.count; i++) {
        snprintf(message.playlist.items[i].track_id, 2, "%c", tracks[i]);
        snprintf(message.playlist.items[i].id, 2, "%c", ids[i]);
    }
    assert_true(playlist_index_create(&message.playlist));
    return message;
}

/* track 0: none is current. */
static struct protocol_message state_of(char track, double position_ms, int64_t stamp_ns)
{
    struct protocol_message message = {.type = MESSAGE_PLAYBACK_STATE};
    message.playback = (struct playback_state){.has_track = track != 0,
                                               .track_id = {track},
                                               .position_ms = position_ms,
                                               .playing = true,
                                               .updated_at = {stamp_ns}};
    return message;
}

static struct protocol_message request(const char *id, enum request_status status)
{
    struct protocol_message message = {.type = MESSAGE_REQUEST};
    message.request = (struct request_message){.status = status, .new_position = -1};
    snprintf(message.request.id, sizeof message.request.id, "%s", id);
    return message;
}

/* Finishes what was dropped; returns the news. */
static unsigned news_of(struct session_change change, bool doubtful)
{
    playlist_message_finish(&change.dropped);
    assert_int_equal(change.doubtful, doubtful);
    return change.news;
}

static unsigned told(struct protocol_message message, bool doubtful)
{
    unsigned news = news_of(session_apply(&session, &message, -1, now), doubtful);
    protocol_message_finish(&message); /* of which everything that counts was taken */
    return news;
}

static unsigned told_first(struct protocol_message message)
{
    unsigned news = news_of(session_apply_opening(&session, &opening, &message), false);
    protocol_message_finish(&message);
    return news;
}

static unsigned adopt(void)
{
    return news_of(session_adopt(&session, &opening, -1, now), false);
}

static void connect(char track, const char *tracks, const char *ids)
{
    opening = (struct session_opening){0};
    told_first(state_of(track, 0, 1));
    told_first(list(tracks, ids));
    adopt();
}

static const char *here(void)
{
    const struct playlist_item *item = session_current_item(&session);
    return item ? item->id : "none";
}

static unsigned told_late(struct protocol_message message, bool doubtful)
{
    unsigned news = news_of(session_apply_late(&session, &message, -1, now), doubtful);
    protocol_message_finish(&message);
    return news;
}

static void before_a_state_is_told_nothing_is_in_doubt(void **state)
{
    (void)state;
    assert_false(session.has_playback);
    told(list("A", "1"), false);
    assert_string_equal(here(), "none");
}

static void an_opening_counts_when_it_is_whole(void **state)
{
    (void)state;
    assert_false(session_opening_is_complete(&opening));
    assert_int_equal(told_first(state_of('B', 7, 1)), 0);
    assert_false(session_opening_is_complete(&opening));
    assert_int_equal(told_first(list("AB", "12")), 0);
    assert_true(session_opening_is_complete(&opening));
    assert_false(session.has_playback);
    assert_int_equal(session.playlist.count, 0);
    assert_int_equal(adopt(), SESSION_PLAYBACK | SESSION_PLAYLIST);
    assert_true(session.has_playback && session_has_track(&session));
    assert_float_equal(session.playback.position_ms, 7, 0);
    assert_int_equal(session.playlist.count, 2);
    assert_string_equal(here(), "2");
    assert_null(opening.playlist.items); /* it is the session's */
}

/* A backend that tells none after a socket's state has none any more. */
static void settings_are_of_the_live_socket(void **state)
{
    (void)state;
    struct protocol_message settings = {.type = MESSAGE_SETTINGS};
    settings.settings.shuffle = true;
    connect('A', "AB", "12");
    assert_false(session.has_settings);
    assert_int_equal(told(settings, false), SESSION_SETTINGS);
    assert_true(session.has_settings && session.settings.shuffle);
    connect('A', "AB", "12");
    assert_false(session.has_settings);
    told(settings, false);
    news_of(session_clear(&session), false);
    assert_false(session.has_settings);
}

static void begin_opening(void)
{
    opening = (struct session_opening){.since = now};
}

static struct protocol_message next_of(char track, const char *id, int64_t stamp_ns)
{
    struct protocol_message message = state_of(track, 0, stamp_ns);
    message.type = MESSAGE_NEXT_STATE;
    snprintf(message.playback.item_id, sizeof message.playback.item_id, "%s", id);
    return message;
}

static const char *next(void)
{
    const struct playlist_item *item = session_next_item(&session);
    return item ? item->id : "none";
}

static unsigned turn_at(int64_t server_ns)
{
    return news_of(session_turn(&session, (struct server_time){server_ns}, -1, now), false);
}

static void what_follows_is_as_it_was_told(void **state)
{
    (void)state;
    connect('A', "ABC", "123");
    assert_string_equal(next(), "2");
    assert_int_equal(told(next_of('C', "3", 1000), false), SESSION_NEXT);
    assert_string_equal(next(), "3");
    assert_int_equal(told(next_of('X', "9", 1000), false), SESSION_NEXT);
    assert_string_equal(next(), "none");
    assert_int_equal(told(next_of(0, "", 0), false), SESSION_NEXT);
    assert_string_equal(next(), "2");
}

static void another_state_ends_it_and_the_same_does_not(void **state)
{
    (void)state;
    connect('A', "ABC", "123");
    told(next_of('C', "3", 1000), false);
    told(state_of('A', 0, 1), false);
    connect('A', "ABC", "123");
    assert_string_equal(next(), "3");
    told(state_of('A', 5, 2), false);
    assert_string_equal(next(), "2");
    assert_int_equal(turn_at(INT64_MAX), 0);
}

static void at_its_moment_it_is_what_is_played(void **state)
{
    (void)state;
    struct mono_time told_at;
    connect('A', "ABC", "123");
    told_at = session.told_at;
    told(next_of('C', "3", 1000), false);
    now = mono_add(now, NS_PER_S);
    assert_int_equal(turn_at(1000 + SESSION_TURN_NS - 1), 0);
    assert_string_equal(here(), "1");
    assert_int_equal(turn_at(1000 + SESSION_TURN_NS), SESSION_PLAYBACK);
    assert_string_equal(here(), "3");
    assert_int_equal(turn_at(INT64_MAX), 0);
    /* Nobody has told it: what a fresh socket says counts, older or not. */
    assert_int_equal(mono_sub(session.told_at, told_at), 0);
    begin_opening();
    told_first(state_of('B', 0, 999));
    told_first(list("ABC", "123"));
    adopt();
    assert_string_equal(here(), "2");
}

static void a_replaced_socket_tells_what_the_new_one_has_not(void **state)
{
    (void)state;
    connect('A', "AB", "12");
    told(state_of('B', 5, 20), false);
    assert_int_equal(told_late(state_of('A', 0, 19), false), 0); /* older */
    assert_int_equal(told_late(state_of('A', 0, 20), false), 0); /* the same age: it is known */
    assert_int_equal(told_late(list("A", "1"), false), 0);
    assert_string_equal(here(), "2");
    assert_int_equal(told_late(state_of('A', 7, 21), false), SESSION_PLAYBACK);
    assert_string_equal(here(), "1");
    assert_int_equal(told_late(request("r", REQUEST_APPROVED), false), SESSION_REQUESTS);
    assert_non_null(requests_find(&session.requests, "r"));
    /* What it plays is in a list that this speaker has yet to hear. */
    assert_int_equal(told_late(state_of('C', 0, 22), true), SESSION_PLAYBACK);
    assert_string_equal(here(), "none");
}

static void what_the_old_socket_tells_meanwhile_is_newer(void **state)
{
    (void)state;
    connect('A', "AB", "12");
    begin_opening();
    told_first(state_of('A', 0, 20));
    now = mono_add(now, NS_PER_MS);
    told(state_of('B', 5, 21), false); /* whose receivers were chosen before */
    told_first(list("AB", "12"));
    adopt();
    assert_string_equal(here(), "2");
    assert_float_equal(session.playback.position_ms, 5, 0);
    begin_opening();
    now = mono_add(now, NS_PER_MS);
    told(state_of('A', 5, 21), false);
    told_first(state_of('B', 6, 22));
    told_first(list("AB", "12"));
    adopt();
    assert_string_equal(here(), "2");
    assert_float_equal(session.playback.position_ms, 6, 0);
    begin_opening();
    now = mono_add(now, NS_PER_MS);
    told(state_of('C', 0, 24), false); /* and so was its list */
    told_first(state_of('B', 6, 22));
    told_first(list("AB", "12"));
    assert_int_equal(news_of(session_adopt(&session, &opening, -1, now), true),
                     SESSION_PLAYBACK | SESSION_PLAYLIST);
    assert_string_equal(here(), "none");
}

static void what_was_told_before_the_opening_is_not(void **state)
{
    (void)state;
    connect('A', "AB", "12");
    told(state_of('B', 5, 1000), false); /* the backend's clock has been set back since */
    now = mono_add(now, NS_PER_MS);
    begin_opening();
    told_first(state_of('A', 0, 20));
    told_first(list("AB", "12"));
    adopt();
    assert_string_equal(here(), "1");
}

static void of_an_opening_that_repeats_itself_the_last_word_counts(void **state)
{
    (void)state;
    told_first(list("AB", "12"));
    told_first(list("BA", "34"));
    assert_false(session_opening_is_complete(&opening));
    told_first(state_of('A', 0, 1));
    told_first(state_of('B', 0, 2));
    adopt();
    assert_string_equal(here(), "3");
}

static void news_changes_what_it_is_of(void **state)
{
    (void)state;
    connect('A', "AB", "12");
    assert_int_equal(told(state_of('B', 500, 2), false), SESSION_PLAYBACK);
    assert_float_equal(session.playback.position_ms, 500, 0);
    assert_string_equal(here(), "2");
    assert_int_equal(told(list("CBA", "321"), false), SESSION_PLAYLIST);
    assert_string_equal(here(), "2");
    assert_int_equal(told(request("r", REQUEST_PENDING), false), SESSION_REQUESTS);
    assert_int_equal(told(request("r", REQUEST_DENIED), false), SESSION_REQUESTS);
    assert_int_equal(session.requests.count, 1);
    assert_int_equal(told((struct protocol_message){.type = MESSAGE_ECHO}, false), 0);
    assert_int_equal(told((struct protocol_message){.type = MESSAGE_ERROR}, false), 0);
    assert_int_equal(told((struct protocol_message){.type = MESSAGE_UNKNOWN}, false), 0);
    assert_float_equal(session.playback.position_ms, 500, 0);
}

/* The backend says nothing of the current track when its item is removed, nor when the first item
 * is added. */
static void a_list_that_does_not_go_with_the_state_is_doubtful(void **state)
{
    (void)state;
    connect('A', "AB", "12");
    told(list("B", "2"), true);
    told(list("AB", "12"), false);
    told(state_of(0, 0, 2), false);
    assert_false(session_has_track(&session));
    told(list("AB", "12"), true);
    told(list("", ""), false);
    told(list("A", "1"), true);
}

/* The first frames go together, and so do a state and the list that follows it. */
static void a_state_alone_is_not_doubtful(void **state)
{
    (void)state;
    connect('A', "B", "2");
    assert_string_equal(here(), "none");
    assert_true(session_has_track(&session));
    told(state_of('C', 0, 2), false);
    told(state_of(0, 0, 3), false);
}

static void an_odd_state_leaves_the_one_that_is_known(void **state)
{
    (void)state;
    unsigned withheld;
    connect('A', "AB", "12");
    opening = (struct session_opening){0};
    assert_true(
        session_note_odd(&session, &opening, MESSAGE_PLAYBACK_STATE, "odd", now, &withheld));
    told_first(list("AB", "12"));
    assert_true(session_opening_is_complete(&opening));
    told(state_of('B', 90, 2), false); /* by the old socket, meanwhile */
    adopt();
    assert_string_equal(here(), "2");
    assert_float_equal(session.playback.position_ms, 90, 0);
}

static void a_good_state_is_better_than_an_odd_one(void **state)
{
    (void)state;
    unsigned withheld;
    for (int odd_first = 0; odd_first < 2; odd_first++) {
        connect('A', "AB", "12");
        opening = (struct session_opening){0};
        if (!odd_first)
            told_first(state_of('B', 0, 2));
        session_note_odd(&session, &opening, MESSAGE_PLAYBACK_STATE, "odd", now, &withheld);
        if (odd_first)
            told_first(state_of('B', 0, 2));
        told_first(list("AB", "12"));
        adopt();
        assert_string_equal(here(), "2");
    }
}

static void what_is_odd_is_said_once_and_opens_nothing(void **state)
{
    (void)state;
    unsigned withheld;
    assert_true(session_note_odd(&session, &opening, MESSAGE_PLAYLIST, "odd", now, &withheld));
    assert_false(session_note_odd(&session, &opening, MESSAGE_PLAYLIST, "odd", now, &withheld));
    assert_true(session_note_odd(&session, NULL, MESSAGE_PLAYBACK_STATE, "other", now, &withheld));
    assert_int_equal(withheld, 1);
    assert_false(opening.has_playback || opening.has_playlist);
}

static unsigned differs_from(char track, double position_ms, int64_t stamp_ns, bool playing,
                             const char *tracks)
{
    struct protocol_message other = list(tracks, "123");
    struct playback_state playback = state_of(track, position_ms, stamp_ns).playback;
    playback.playing = playing;
    unsigned differs = session_differs(&session, &playback, &other.playlist);
    assert_int_equal(session_differs(&session, NULL, &other.playlist), differs & SESSION_PLAYLIST);
    playlist_message_finish(&other.playlist);
    return differs;
}

static void a_comparison_says_in_what_it_differs(void **state)
{
    (void)state;
    assert_int_equal(differs_from('A', 0, 1, true, ""), SESSION_PLAYBACK); /* none was told */
    connect('A', "AB", "12");
    assert_int_equal(differs_from('A', 0, 1, true, "AB"), 0);
    assert_int_equal(differs_from('B', 0, 1, true, "AB"), SESSION_PLAYBACK);
    assert_int_equal(differs_from(0, 0, 1, true, "AB"), SESSION_PLAYBACK);
    assert_int_equal(differs_from('A', 1, 1, true, "AB"), SESSION_PLAYBACK);
    assert_int_equal(differs_from('A', 0, 2, true, "AB"), SESSION_PLAYBACK);
    assert_int_equal(differs_from('A', 0, 1, false, "AB"), SESSION_PLAYBACK);
    assert_int_equal(differs_from('A', 0, 1, true, "BA"), SESSION_PLAYLIST);
    assert_int_equal(differs_from('B', 0, 1, true, "A"), SESSION_PLAYBACK | SESSION_PLAYLIST);
    assert_string_equal(here(), "1"); /* and nothing follows from it by itself */
}

static void an_order_from_here_says_which_item_is_meant(void **state)
{
    (void)state;
    connect('B', "ABA", "123");
    session_expect(&session, &session.playlist.items[2], now);
    told(state_of('A', 0, 2), false);
    assert_string_equal(here(), "3");
    connect('B', "ABA", "123");
    session_expect(&session, &session.playlist.items[0], now);
    now = mono_add(now, 60 * NS_PER_S); /* another's, by now */
    told(state_of('A', 0, 3), false);
    assert_string_equal(here(), "3");
}

/* How long it was is known here; the playlist does not say. */
static void the_same_track_after_its_end_is_the_next_item(void **state)
{
    (void)state;
    connect('A', "AAB", "123");
    struct protocol_message again = state_of('A', 0, 10 * NS_PER_S);
    news_of(session_apply(&session, &again, 9.9, now), false);
    assert_string_equal(here(), "2");
}

static void a_request_of_ours_is_known_as_such(void **state)
{
    (void)state;
    connect('A', "A", "1");
    told(request("r", REQUEST_PENDING), false);
    assert_false(requests_find(&session.requests, "r")->mine);
    session_mark_mine(&session, "r");
    assert_true(requests_find(&session.requests, "r")->mine);
    opening = (struct session_opening){0};
    assert_int_equal(told_first(request("r", REQUEST_APPROVED)), SESSION_REQUESTS);
    assert_int_equal(requests_find(&session.requests, "r")->message.status, REQUEST_APPROVED);
    assert_true(requests_find(&session.requests, "r")->mine);
}

static void what_the_playlist_gives_nothing_for_is_a_problem(void **state)
{
    (void)state;
    assert_string_equal(session_item_problem(&session), "");
    connect('A', "AB", "12");
    assert_string_equal(session_item_problem(&session), "the playlist has no address for it");
    strcpy(session.playlist.items[0].media_url, "a"); /* whatever it is */
    assert_string_equal(session_item_problem(&session), "");
    told(state_of('C', 0, 2), false);
    assert_string_equal(session_item_problem(&session), "the playlist has no such track");
    told(state_of(0, 0, 3), false);
    assert_string_equal(session_item_problem(&session), "");
}

static void having_left_nothing_is_known(void **state)
{
    (void)state;
    connect('A', "AB", "12");
    told(request("r", REQUEST_PENDING), false);
    assert_int_equal(news_of(session_clear(&session), false),
                     SESSION_PLAYBACK | SESSION_PLAYLIST | SESSION_REQUESTS);
    assert_false(session.has_playback || session_has_track(&session));
    assert_int_equal(session.playlist.count, 0);
    assert_int_equal(session.requests.count, 0);
    assert_int_equal(session.playback.updated_at.ns, 0);
    assert_false(session.playback.has_track || session.place.item_id[0]);
    assert_string_equal(here(), "none");
    connect('A', "AAB", "456");
    assert_string_equal(here(), "4"); /* nothing of where it stood */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(before_a_state_is_told_nothing_is_in_doubt),
        TEST(an_opening_counts_when_it_is_whole),
        TEST(settings_are_of_the_live_socket),
        TEST(what_follows_is_as_it_was_told),
        TEST(another_state_ends_it_and_the_same_does_not),
        TEST(at_its_moment_it_is_what_is_played),
        TEST(a_replaced_socket_tells_what_the_new_one_has_not),
        TEST(what_the_old_socket_tells_meanwhile_is_newer),
        TEST(what_was_told_before_the_opening_is_not),
        TEST(of_an_opening_that_repeats_itself_the_last_word_counts),
        TEST(news_changes_what_it_is_of),
        TEST(a_list_that_does_not_go_with_the_state_is_doubtful),
        TEST(a_state_alone_is_not_doubtful),
        TEST(an_odd_state_leaves_the_one_that_is_known),
        TEST(a_good_state_is_better_than_an_odd_one),
        TEST(what_is_odd_is_said_once_and_opens_nothing),
        TEST(a_comparison_says_in_what_it_differs),
        TEST(an_order_from_here_says_which_item_is_meant),
        TEST(the_same_track_after_its_end_is_the_next_item),
        TEST(a_request_of_ours_is_known_as_such),
        TEST(what_the_playlist_gives_nothing_for_is_a_problem),
        TEST(having_left_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
