#include "../cmocka_all.h"
#include "tutti/core/order.h"

#include <string.h>

static struct playback_state playing(const char *track_id, double position_ms, int64_t stamp_ns)
{
    struct playback_state playback = {
        .has_track = true, .position_ms = position_ms, .playing = true, .updated_at = {stamp_ns}};
    strcpy(playback.track_id, track_id);
    return playback;
}

static struct order command(enum playback_action action, const char *track_id, double position_ms)
{
    struct order order = {.kind = ORDER_PLAYBACK,
                          .position_ms = position_ms,
                          .new_position = -1,
                          .stamp_before = {1}};
    order.action = action;
    strcpy(order.track_id, track_id);
    return order;
}

static void a_command_is_echoed_by_the_state_that_it_asked_for(void **state)
{
    (void)state;
    struct playback_state playback = playing("a", 1500, 2);
    struct order play = command(PLAYBACK_PLAY, "a", 1500.7),
                 pause = command(PLAYBACK_PAUSE, "a", 1500.7);
    assert_true(order_echoed(&play, &playback));
    assert_false(order_echoed(&pause, &playback));
    playback.playing = false;
    assert_false(order_echoed(&play, &playback));
    assert_true(order_echoed(&pause, &playback));
    struct order seek = command(PLAYBACK_SEEK, "a", 1500);
    assert_true(order_echoed(&seek, &playback));
    playback.position_ms = 1510;
    assert_false(order_echoed(&seek, &playback));
    playback.position_ms = 1501.5; /* a whole millisecond and what rounding makes of it */
    assert_false(order_echoed(&seek, &playback));
    playback.position_ms = 1501.4;
    assert_true(order_echoed(&seek, &playback));
    playback = playing("b", 1500, 2);
    assert_false(order_echoed(&seek, &playback));
    struct order other = {.kind = ORDER_REMOVE};
    assert_false(order_echoed(&other, &playback));
}

static void a_skip_is_told_from_a_track_that_stood_at_its_beginning(void **state)
{
    (void)state;
    struct order skip = command(PLAYBACK_SKIP_NEXT, "", -1);
    struct playback_state before = playing("a", 0, 1), after = playing("b", 0, 2);
    assert_true(order_is_skip(&skip));
    assert_false(order_in_playback(&skip, &before));
    assert_true(order_in_playback(&skip, &after));
    after.position_ms = 100;
    assert_false(order_in_playback(&skip, &after));
    struct order play = command(PLAYBACK_PLAY, "a", 0);
    assert_false(order_is_skip(&play));
    assert_true(order_in_playback(&play, &before)); /* already so: nothing to repeat */
}

static void a_request_is_answered_by_its_like(void **state)
{
    (void)state;
    struct order order = {.kind = ORDER_REQUEST, .new_position = 2};
    struct request_message request = {.id = "r", .type = REQUEST_REORDER, .new_position = 2};
    order.type = REQUEST_REORDER;
    strcpy(order.item_id, "i");
    assert_false(order_answered(&order, &request));
    strcpy(request.item_id, "i");
    assert_true(order_answered(&order, &request));
    request.new_position = 1;
    assert_false(order_answered(&order, &request));
    request.new_position = 2;
    request.status = REQUEST_DENIED;
    assert_false(order_answered(&order, &request));
    struct order deny = {.kind = ORDER_DENY, .request_id = "r"};
    struct order approve = {.kind = ORDER_APPROVE, .request_id = "r"};
    assert_true(order_answered(&deny, &request));
    assert_false(order_answered(&approve, &request));
    strcpy(deny.request_id, "s");
    assert_false(order_answered(&deny, &request));
}

static void a_list_shows_what_was_done_to_it(void **state)
{
    (void)state;
    struct playlist_item items[2] = {{.id = "1", .track_id = "a"}, {.id = "2", .track_id = "b"}};
    struct playlist_message playlist = {items, 2};
    struct order move = {.kind = ORDER_MOVE, .item_id = "2", .new_position = 0};
    struct order removal = {.kind = ORDER_REMOVE, .item_id = "2"};
    struct order add = {.kind = ORDER_ADD, .track_id = "b", .tracks_before = 1};
    struct order approve = {.kind = ORDER_APPROVE, .type = REQUEST_REMOVE, .item_id = "2"};
    struct order deny = {.kind = ORDER_DENY, .request_id = "r"};
    assert_false(order_in_playlist(&move, &playlist));
    assert_false(order_in_playlist(&removal, &playlist));
    assert_false(order_in_playlist(&approve, &playlist));
    assert_false(order_in_playlist(&add, &playlist));
    assert_false(order_in_playlist(&deny, &playlist));
    move.new_position = 1;
    assert_true(order_in_playlist(&move, &playlist));
    add.tracks_before = 0;
    assert_true(order_in_playlist(&add, &playlist));
    playlist.count = 1;
    assert_true(order_in_playlist(&removal, &playlist));
    assert_true(order_in_playlist(&approve, &playlist));
    assert_false(order_in_playlist(&move, &playlist));
    approve.type = REQUEST_ADD;
    assert_false(order_in_playlist(&approve, &playlist));
    approve.type = REQUEST_OTHER;
    assert_false(order_in_playlist(&approve, &playlist));
}

/* Three items of tracks a, b and b; the second is current. */
static struct playlist_item items[3];
static struct session session;

static void make_session(void)
{
    static const char *const tracks[] = {"a", "b", "b"}, *const ids[] = {"1", "2", "3"};
    for (int i = 0; i < 3; i++) {
        strcpy(items[i].track_id, tracks[i]);
        strcpy(items[i].id, ids[i]);
    }
    session = (struct session){.has_playback = true,
                               .playback = playing("b", 0, 7),
                               .playlist = {.items = items, .count = 3}};
}

static void a_skip_is_foreseen_by_the_backends_rules(void **state)
{
    (void)state;
    struct order next = command(PLAYBACK_SKIP_NEXT, "", -1),
                 previous = command(PLAYBACK_SKIP_PREV, "", -1);
    make_session();
    order_note_before(&next, &session);
    order_note_before(&previous, &session);
    assert_string_equal(next.track_id, "b"); /* from the first item that has it */
    assert_string_equal(previous.track_id, "a");
    assert_int_equal(next.stamp_before.ns, 7);
    next = command(PLAYBACK_SKIP_NEXT, "", -1);
    strcpy(next.item_id, "3"); /* which says where to, by itself */
    order_note_before(&next, &session);
    assert_string_equal(next.track_id, "");
    session.playback = playing("a", 0, 8);
    previous = command(PLAYBACK_SKIP_PREV, "", -1);
    order_note_before(&previous, &session);
    assert_string_equal(previous.track_id, "a"); /* there is none before it */
    session.playback = playing("z", 0, 9);
    next = command(PLAYBACK_SKIP_NEXT, "", -1);
    order_note_before(&next, &session);
    assert_string_equal(next.track_id, "");
    session.playback.has_track = false;
    strcpy(session.playback.track_id, "b");
    order_note_before(&next, &session);
    assert_string_equal(next.track_id, "");
}

/* Of two approvals of the same, the second would be shown by what the first has done. */
static void what_was_so_before_is_not_an_approvals_doing(void **state)
{
    (void)state;
    struct order gone = {.kind = ORDER_APPROVE, .type = REQUEST_REMOVE, .item_id = "9"};
    struct order there = {.kind = ORDER_APPROVE, .type = REQUEST_REMOVE, .item_id = "3"};
    struct order moved = {
        .kind = ORDER_APPROVE, .type = REQUEST_REORDER, .item_id = "2", .new_position = 1};
    struct order added = {.kind = ORDER_APPROVE, .type = REQUEST_ADD, .track_id = "b"};
    make_session();
    order_note_before(&gone, &session);
    order_note_before(&there, &session);
    order_note_before(&moved, &session);
    order_note_before(&added, &session);
    assert_int_equal(added.tracks_before, 2);
    struct playlist_message shorter = {.items = items, .count = 2};
    assert_false(order_in_playlist(&gone, &shorter));
    assert_true(order_in_playlist(&there, &shorter));
    assert_false(order_in_playlist(&moved, &shorter));
    assert_false(order_in_playlist(&added, &session.playlist));
}

static void a_no_is_told_from_what_says_nothing(void **state)
{
    (void)state;
    static const int yes[] = {200, 201, 299}, no[] = {199, 300, 400, 404, 501, 505, 519, 528},
                     nothing[] = {0, 500, 502, 503, 504, 520, 525, 527};
    struct order order = {.kind = ORDER_PLAYBACK};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_int_equal(order_judge(&order, false, yes[i], NULL), ORDER_YES);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_int_equal(order_judge(&order, false, no[i], NULL), ORDER_NO);
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        assert_int_equal(order_judge(&order, false, nothing[i], NULL), ORDER_UNKNOWN);
}

static void a_status_may_say_more_than_no(void **state)
{
    (void)state;
    static const struct {
        enum order_kind kind;
        int status;
        enum order_refusal refusal;
    } rows[] = {
        {ORDER_ADD, 413, ORDER_TOO_LARGE}, {ORDER_ADD, 415, ORDER_WRONG_MEDIA},
        {ORDER_ADD, 507, ORDER_NO_ROOM},   {ORDER_ADD, 409, ORDER_REFUSED},
        {ORDER_ADD, 414, ORDER_REFUSED},   {ORDER_MOVE, 413, ORDER_REFUSED},
        {ORDER_DENY, 409, ORDER_DECIDED},  {ORDER_APPROVE, 409, ORDER_DECIDED},
        {ORDER_DENY, 404, ORDER_REFUSED},  {ORDER_REMOVE, 409, ORDER_REFUSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct order order = {.kind = rows[i].kind};
        assert_int_equal(order_refusal_of(&order, rows[i].status), rows[i].refusal);
    }
    assert_string_equal(order_refusal_text(ORDER_DECIDED), order_refusal_text(ORDER_REFUSED));
    assert_string_not_equal(order_refusal_text(ORDER_NO_ROOM), order_refusal_text(ORDER_REFUSED));
}

/* The first place, and the first moment, are places and moments. */
static void zero_is_asked_for_like_any_other(void **state)
{
    (void)state;
    struct playback_state late = playing("a", 500, 2);
    struct order start = command(PLAYBACK_SEEK, "a", 0), any = command(PLAYBACK_SEEK, "a", -1);
    assert_false(order_echoed(&start, &late));
    assert_true(order_echoed(&any, &late));
    struct order first = {.kind = ORDER_REQUEST, .type = REQUEST_REORDER, .item_id = "i"};
    struct request_message second = {.type = REQUEST_REORDER, .item_id = "i", .new_position = 1};
    assert_false(order_answered(&first, &second));
}

static void a_skip_leads_to_the_very_next(void **state)
{
    (void)state;
    struct order next = command(PLAYBACK_SKIP_NEXT, "", -1);
    make_session();
    strcpy(items[2].track_id, "c");
    session.playback = playing("a", 0, 8);
    order_note_before(&next, &session);
    assert_string_equal(next.track_id, "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_echoed_by_the_state_that_it_asked_for),
        cmocka_unit_test(a_skip_is_told_from_a_track_that_stood_at_its_beginning),
        cmocka_unit_test(a_request_is_answered_by_its_like),
        cmocka_unit_test(a_list_shows_what_was_done_to_it),
        cmocka_unit_test(a_skip_is_foreseen_by_the_backends_rules),
        cmocka_unit_test(what_was_so_before_is_not_an_approvals_doing),
        cmocka_unit_test(a_no_is_told_from_what_says_nothing),
        cmocka_unit_test(a_status_may_say_more_than_no),
        cmocka_unit_test(zero_is_asked_for_like_any_other),
        cmocka_unit_test(a_skip_leads_to_the_very_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
