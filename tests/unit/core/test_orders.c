/*
 * test_orders.c: the life of what was asked of a backend, on a virtual clock: what is done about it
 * is a line of words.
 */
#include "../cmocka_all.h"
#include "tutti/core/orders.h"

#include <stdio.h>
#include <string.h>

static struct orders orders;
static struct mono_time now;
static struct playback_state playback;
static struct playlist_item items[3];
static struct playlist_message playlist;
static struct request_entry heard;

/* The session with these in it; a request without an id is not heard of. */
static const struct session *as_known(void)
{
    static struct session session;
    session = (struct session){.has_playback = true,
                               .playback = playback,
                               .playlist = playlist,
                               .requests = {&heard, heard.message.id[0] != '\0'}};
    return &session;
}

static int set_up(void **state)
{
    (void)state;
    orders = (struct orders){0};
    now = (struct mono_time){100 * NS_PER_S};
    playback = (struct playback_state){.has_track = true, .track_id = "a", .updated_at = {1}};
    memset(items, 0, sizeof items);
    strcpy(items[0].id, "1"), strcpy(items[1].id, "2");
    strcpy(items[0].track_id, "a"), strcpy(items[1].track_id, "b");
    playlist = (struct playlist_message){items, 2};
    heard = (struct request_entry){0};
    return 0;
}

/* All that is to be done: "send 1, replace, repeat 1, end 1: why". */
static const char *acts(void)
{
    static const char *const names[] = {"", "connect", "send", "replace", "repeat", "end"};
    static char text[2000];
    struct orders_entry entry;
    enum orders_act act;
    size_t at = 0;
    text[0] = '\0';
    while ((act = orders_next(&orders, &entry)) != ORDERS_NOTHING)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s %d%s%s", at ? ", " : "",
                               names[act], (int)entry.number, entry.error[0] ? ": " : "",
                               act == ORDERS_END ? entry.error : "");
    return text;
}

static uint64_t ask(struct order order, enum orders_connection connection)
{
    const char *error;
    order.new_position = order.new_position ? order.new_position : -1;
    uint64_t number = orders_begin(&orders, &order, connection, now, &error);
    assert_int_not_equal(number, 0);
    return number;
}

static struct order command(enum playback_action action, const char *track_id, double position_ms)
{
    struct order order = {.kind = ORDER_PLAYBACK, .position_ms = position_ms};
    order.action = action;
    strcpy(order.track_id, track_id);
    return order;
}

/* Sent by a live socket. */
static void begin(struct order order)
{
    char wanted[20];
    uint64_t number = ask(order, ORDERS_LIVE);
    snprintf(wanted, sizeof wanted, "send %d", (int)number);
    assert_string_equal(acts(), wanted);
    if (order.kind == ORDER_PLAYBACK || order.kind == ORDER_REQUEST)
        orders_sent(&orders, number, true, now);
    else
        orders_calls(&orders, number);
}

static const char *after_ms(int64_t ms)
{
    now = mono_add(now, ms * NS_PER_MS);
    orders_due(&orders, now);
    return acts();
}

static const char *fresh(void)
{
    orders_compare(&orders, as_known(), now);
    return acts();
}

static const char *answered(uint64_t number, int status, const char *why)
{
    orders_answered(&orders, number, &(struct orders_answer){status, why, false}, as_known(), now);
    return acts();
}

static struct playback_state told(const char *track_id, bool playing, double position_ms,
                                  int64_t stamp_ns)
{
    struct playback_state state = {.has_track = true,
                                   .playing = playing,
                                   .position_ms = position_ms,
                                   .updated_at = {stamp_ns}};
    strcpy(state.track_id, track_id);
    return state;
}

static bool echoed(struct playback_state state, struct mono_time *ret_sent_at)
{
    return orders_heard_playback(&orders, &state, ORDERS_BY_LIVE, ret_sent_at);
}

static void an_echo_ends_it_and_tells_how_long_it_took(void **state)
{
    (void)state;
    struct mono_time sent_at;
    struct playback_state echo = told("b", true, 0, 2);
    begin(command(PLAYBACK_PLAY, "b", 0));
    assert_int_equal(mono_sub(orders_deadline(&orders), now), 2 * NS_PER_S);
    assert_true(orders_on_socket(&orders));
    struct playback_state other = told("a", true, 0, 2);
    assert_false(echoed(other, &sent_at));
    assert_string_equal(acts(), "");
    assert_true(echoed(echo, &sent_at));
    assert_int_equal(sent_at.ns, now.ns);
    assert_string_equal(acts(), "end 1");
    assert_false(orders_on_socket(&orders));
    assert_int_equal(orders_deadline(&orders).ns, INT64_MAX);
}

static void without_one_the_fresh_state_decides(void **state)
{
    (void)state;
    begin(command(PLAYBACK_PLAY, "b", 0));
    assert_string_equal(after_ms(1999), "");
    assert_string_equal(after_ms(1), "replace 1");
    playback = told("b", true, 0, 2); /* it has happened */
    assert_string_equal(fresh(), "end 1");
    begin(command(PLAYBACK_PAUSE, "b", 500));
    assert_string_equal(after_ms(2000), "replace 2");
    assert_string_equal(fresh(), "repeat 2");
    orders_calls(&orders, 2);
    assert_string_equal(answered(2, 200, ""), "end 2");
}

static void an_answer_that_says_nothing_is_no_refusal(void **state)
{
    (void)state;
    static const int unknown[] = {0, 500, 502, 503, 504, 522};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        set_up(state);
        begin((struct order){.kind = ORDER_REMOVE, .item_id = "2"});
        assert_string_equal(answered(1, unknown[i], "HTTP"), "replace 1");
        playlist.count = 1; /* it was done before the backend failed */
        assert_string_equal(fresh(), "end 1");
    }
    static const int noes[] = {400, 401, 403, 404, 409, 413, 415, 422, 501, 507};
    for (size_t i = 0; i < sizeof noes / sizeof *noes; i++) {
        set_up(state);
        begin((struct order){.kind = ORDER_REMOVE, .item_id = "2"});
        assert_string_equal(answered(1, noes[i], "no"), "end 1: no");
    }
}

static void a_repeat_answered_by_a_500_is_looked_up_too(void **state)
{
    (void)state;
    begin(command(PLAYBACK_SEEK, "a", 5000));
    after_ms(2000);
    assert_string_equal(fresh(), "repeat 1");
    orders_calls(&orders, 1);
    assert_string_equal(answered(1, 500, "HTTP 500"), "replace 1");
    playback = told("a", false, 5000, 2);
    assert_string_equal(fresh(), "end 1");
}

static void what_has_not_happened_after_two_tries_is_reported(void **state)
{
    (void)state;
    begin(command(PLAYBACK_SEEK, "a", 5000));
    after_ms(2000);
    fresh();
    orders_calls(&orders, 1);
    answered(1, 500, "HTTP 500");
    assert_string_equal(
        fresh(), "end 1: the backend did not confirm it, and it has not happened (HTTP 500)");
    begin((struct order){.kind = ORDER_MOVE, .item_id = "2", .new_position = 5});
    answered(2, 0, "no answer");
    assert_string_equal(fresh(), "repeat 2");
    orders_calls(&orders, 2);
    assert_string_equal(answered(2, 400, "out of range"), "end 2: out of range");
}

static void without_a_fresh_state_nobody_knows(void **state)
{
    (void)state;
    begin(command(PLAYBACK_SEEK, "a", 5000));
    after_ms(2000);
    assert_string_equal(after_ms(4999), "");
    assert_string_equal(after_ms(1), "end 1: the backend did not confirm it, and cannot be asked "
                                     "what became of it");
    begin((struct order){.kind = ORDER_REMOVE, .item_id = "2"});
    after_ms(2000);
    assert_string_equal(after_ms(5000), ""); /* its call may yet be answered */
    assert_string_equal(after_ms(60000), "");
    assert_string_equal(answered(2, 504, "HTTP 504"), "replace 2");
    assert_string_equal(after_ms(5000), "end 2: the backend did not confirm it, and cannot be "
                                        "asked what became of it (HTTP 504)");
}

static void a_second_try_may_find_the_first_ones_work(void **state)
{
    (void)state;
    begin((struct order){.kind = ORDER_DENY, .request_id = "r"});
    answered(1, 502, "HTTP 502");
    assert_string_equal(fresh(), "repeat 1");
    orders_calls(&orders, 1);
    assert_string_equal(answered(1, 409, "decided already"), "end 1");
    begin((struct order){.kind = ORDER_DENY, .request_id = "r"});
    assert_string_equal(answered(2, 409, "decided already"), "end 2: decided already");
    begin((struct order){.kind = ORDER_REMOVE, .item_id = "2"});
    answered(3, 0, "");
    fresh();
    orders_calls(&orders, 3);
    assert_string_equal(answered(3, 404, "no such item"), "end 3");
}

static const char *decided(enum order_kind kind, enum request_status status)
{
    uint64_t number = orders.count + 1;
    strcpy(heard.message.id, "r");
    heard.message.status = status;
    begin((struct order){.kind = kind, .request_id = "r"});
    return answered(number, 409, "decided already");
}

static void what_is_decided_as_wanted_is_no_failure(void **state)
{
    (void)state;
    static const char otherwise[] = "somebody else has decided it otherwise";
    char wanted[80];
    assert_string_equal(decided(ORDER_DENY, REQUEST_DENIED), "end 1");
    assert_string_equal(decided(ORDER_APPROVE, REQUEST_APPROVED), "end 2");
    snprintf(wanted, sizeof wanted, "end 3: %s", otherwise);
    assert_string_equal(decided(ORDER_DENY, REQUEST_APPROVED), wanted);
    snprintf(wanted, sizeof wanted, "end 4: %s", otherwise);
    assert_string_equal(decided(ORDER_APPROVE, REQUEST_DENIED), wanted);
    assert_string_equal(decided(ORDER_APPROVE, REQUEST_PENDING), "end 5: decided already");
}

/* What somebody else has approved is not a denial's second try. */
static void a_second_denial_is_not_done_by_an_approval(void **state)
{
    (void)state;
    begin((struct order){.kind = ORDER_DENY, .request_id = "r"});
    answered(1, 502, "HTTP 502");
    strcpy(heard.message.id, "r");
    heard.message.status = REQUEST_APPROVED;
    assert_string_equal(fresh(), "repeat 1");
    orders_calls(&orders, 1);
    assert_string_equal(answered(1, 409, "decided already"),
                        "end 1: somebody else has decided it otherwise");
}

static void what_is_agreed_to_is_waited_for_in_the_list(void **state)
{
    (void)state;
    begin((struct order){.kind = ORDER_MOVE, .item_id = "1", .new_position = 1});
    assert_string_equal(answered(1, 200, ""), "");
    struct playlist_item first = items[0];
    items[0] = items[1], items[1] = first;
    orders_heard_playlist(&orders, as_known());
    assert_string_equal(acts(), "end 1");
    begin((struct order){.kind = ORDER_ADD, .track_id = "c"});
    assert_string_equal(answered(2, 200, ""), "");
    strcpy(items[2].track_id, "c");
    playlist.count = 3;
    orders_heard_playlist(&orders, as_known());
    assert_string_equal(acts(), "end 2");
}

static void all_end_where_the_session_ends(void **state)
{
    (void)state;
    begin((struct order){.kind = ORDER_REMOVE, .item_id = "1"});
    begin((struct order){.kind = ORDER_REMOVE, .item_id = "2"});
    orders_end_all(&orders, 0, "left");
    assert_string_equal(acts(), "end 1: left, end 2: left");
}

/* By now it is the call that says what became of it. */
static void what_is_repeated_is_not_ended_by_the_socket(void **state)
{
    (void)state;
    struct mono_time sent_at;
    struct playback_state echo = told("b", true, 0, 2);
    begin(command(PLAYBACK_PLAY, "b", 0));
    after_ms(2000);
    assert_string_equal(fresh(), "repeat 1");
    orders_calls(&orders, 1);
    assert_false(echoed(echo, &sent_at));
    playback = echo;
    assert_string_equal(fresh(), "");
    assert_string_equal(answered(1, 200, ""), "end 1");
}

static void an_echo_ends_commands_only(void **state)
{
    (void)state;
    struct mono_time sent_at;
    struct playback_state echo = told("b", true, 0, 2);
    begin((struct order){.kind = ORDER_REQUEST, .type = REQUEST_REMOVE, .item_id = "2"});
    begin(command(PLAYBACK_PLAY, "b", 0));
    assert_true(echoed(echo, &sent_at));
    assert_string_equal(acts(), "end 2");
}

/* Whatever the socket was replaced for. */
static void a_fresh_state_that_shows_it_ends_it(void **state)
{
    (void)state;
    begin(command(PLAYBACK_PLAY, "b", 0));
    assert_string_equal(fresh(), "");
    playback = told("b", true, 0, 2);
    assert_string_equal(fresh(), "end 1");
}

static void nobody_can_be_asked_about_a_denial(void **state)
{
    (void)state;
    begin((struct order){.kind = ORDER_DENY, .request_id = "r"});
    answered(1, 502, "HTTP 502");
    assert_string_equal(fresh(), "repeat 1");
    orders_calls(&orders, 1);
    assert_string_equal(answered(1, 502, "HTTP 502"), "replace 1");
    assert_string_equal(fresh(), "end 1: the backend did not confirm it, and cannot be asked what "
                                 "became of it (HTTP 502)");
}

static void a_skip_is_repeated_where_it_is_known_to_lead(void **state)
{
    (void)state;
    struct order skip = command(PLAYBACK_SKIP_NEXT, "b", -1);
    skip.stamp_before = playback.updated_at;
    begin(skip);
    after_ms(2000);
    assert_string_equal(fresh(), "repeat 1");
}

static void what_might_count_twice_is_not_repeated(void **state)
{
    (void)state;
    begin((struct order){.kind = ORDER_APPROVE, .type = REQUEST_REMOVE, .item_id = "2"});
    after_ms(2000);
    assert_string_equal(fresh(), ""); /* its call is still out */
    assert_string_equal(answered(1, 502, "HTTP 502"), "replace 1");
    assert_string_equal(fresh(), "end 1: the backend did not confirm the approval, and the "
                                 "playlist does not show it; it is not repeated, lest it counts "
                                 "twice (HTTP 502)");
    begin((struct order){.kind = ORDER_REQUEST, .type = REQUEST_REMOVE, .item_id = "2"});
    after_ms(2000);
    assert_string_equal(fresh(), "end 2: the backend did not confirm the request; it is not "
                                 "repeated, lest it is there twice");
    begin((struct order){.kind = ORDER_ADD, .track_id = "c"});
    assert_string_equal(after_ms(600000), ""); /* as long as it takes */
    answered(3, 504, "HTTP 504");
    assert_string_equal(fresh(),
                        "end 3: the upload failed, and the playlist does not show it (HTTP 504)");
    begin((struct order){.kind = ORDER_ADD, .track_id = "c"});
    answered(4, 504, "HTTP 504");
    strcpy(items[2].track_id, "c"), playlist.count = 3;
    assert_string_equal(fresh(), "end 4");
    struct order skip = command(PLAYBACK_SKIP_NEXT, "", -1);
    skip.stamp_before = playback.updated_at;
    begin(skip);
    after_ms(2000);
    assert_string_equal(fresh(), "end 5: the backend did not confirm it, and it has not happened");
}

static void a_yes_waits_for_the_playlist(void **state)
{
    (void)state;
    begin((struct order){.kind = ORDER_REMOVE, .item_id = "2"});
    assert_string_equal(answered(1, 200, ""), "");
    orders_heard_playlist(&orders, as_known());
    assert_string_equal(acts(), "");
    playlist.count = 1;
    orders_heard_playlist(&orders, as_known());
    assert_string_equal(acts(), "end 1");
    begin((struct order){.kind = ORDER_REMOVE, .item_id = "1"});
    answered(2, 200, "");
    assert_string_equal(after_ms(2000), "replace 2");
    assert_string_equal(fresh(), "end 2"); /* it was agreed, whatever has become of it since */
    begin((struct order){.kind = ORDER_APPROVE, .request_id = "r"});
    assert_string_equal(answered(3, 200, ""), "end 3");
}

static void a_later_echo_ends_what_was_sent_before(void **state)
{
    (void)state;
    struct mono_time sent_at;
    begin(command(PLAYBACK_SEEK, "a", 1000));
    begin(command(PLAYBACK_SEEK, "a", 2000));
    struct playback_state echo = told("a", false, 2000, 2);
    echoed(echo, &sent_at);
    assert_string_equal(acts(), "end 1: another command came after it, end 2");
    begin(command(PLAYBACK_SEEK, "a", 1000));
    begin(command(PLAYBACK_PAUSE, "a", 2500));
    after_ms(2000);
    playback = told("a", false, 2000, 2);
    assert_string_equal(fresh(), "end 3: another command came after it, repeat 4");
}

static void refusals_come_in_the_order_of_the_messages(void **state)
{
    (void)state;
    assert_false(orders_heard_refusal(&orders, "no", ORDERS_BY_LIVE));
    begin((struct order){.kind = ORDER_REMOVE, .item_id = "2"}); /* by a call */
    begin(command(PLAYBACK_SEEK, "a", 1000));
    begin(command(PLAYBACK_SEEK, "a", 2000));
    assert_true(orders_heard_refusal(&orders, "no", ORDERS_BY_LIVE));
    assert_string_equal(acts(), "end 2: the backend refuses: no");
}

/* Each answers what was sent by it. */
static void of_two_sockets_each_refuses_its_own(void **state)
{
    (void)state;
    begin(command(PLAYBACK_SEEK, "a", 1000));
    assert_string_equal(fresh(), "");
    begin(command(PLAYBACK_SEEK, "a", 2000));
    assert_true(orders_heard_refusal(&orders, "no", ORDERS_BY_LIVE));
    assert_string_equal(acts(), "end 2: the backend refuses: no");
    assert_false(orders_heard_refusal(&orders, "no", ORDERS_BY_LIVE));
    begin(command(PLAYBACK_SEEK, "a", 2000));
    assert_true(orders_heard_refusal(&orders, "no", ORDERS_BY_REPLACED));
    assert_string_equal(acts(), "end 1: the backend refuses: no");
    assert_false(orders_heard_refusal(&orders, "no", ORDERS_BY_REPLACED));
}

/* A replaced socket tells what the new one has told already. */
static void what_was_there_before_is_no_echo(void **state)
{
    (void)state;
    struct mono_time sent_at;
    struct order skip = command(PLAYBACK_SKIP_NEXT, "", -1);
    struct playback_state known = told("b", true, 0, 5), older = told("a", true, 0, 4);
    struct playback_state echo = told("c", true, 0, 6), stepped_back = told("c", true, 0, 3);
    skip.stamp_before = known.updated_at;
    begin(skip);
    assert_false(orders_heard_playback(&orders, &known, ORDERS_BY_REPLACED, &sent_at));
    assert_false(orders_heard_playback(&orders, &older, ORDERS_BY_REPLACED, &sent_at));
    assert_false(orders_heard_playback(&orders, &known, ORDERS_BY_LIVE, &sent_at));
    assert_true(orders_heard_playback(&orders, &echo, ORDERS_BY_REPLACED, &sent_at));
    assert_string_equal(acts(), "end 1");
    begin(skip);
    assert_true(orders_heard_playback(&orders, &stepped_back, ORDERS_BY_LIVE, &sent_at));
    assert_string_equal(acts(), "end 2");
}

static void a_request_that_is_known_is_not_the_one_just_made(void **state)
{
    (void)state;
    struct request_message request = {.id = "r", .status = REQUEST_PENDING, .type = REQUEST_REMOVE};
    strcpy(request.item_id, "2");
    request.new_position = -1;
    begin((struct order){.kind = ORDER_REQUEST, .type = REQUEST_REMOVE, .item_id = "2"});
    begin((struct order){.kind = ORDER_DENY, .request_id = "r"});
    assert_int_equal(orders_heard_request(&orders, &request, true), 0);
    assert_string_equal(acts(), "");
    assert_int_equal(orders_heard_request(&orders, &request, false), 1);
    request.status = REQUEST_DENIED;
    assert_int_equal(orders_heard_request(&orders, &request, true), 2);
    assert_string_equal(acts(), "end 1, end 2");
}

static void a_decision_of_somebody_else_is_told(void **state)
{
    (void)state;
    struct request_message request = {.id = "r", .status = REQUEST_APPROVED};
    begin((struct order){.kind = ORDER_DENY, .request_id = "r"});
    assert_int_equal(orders_heard_request(&orders, &request, false), 0);
    assert_string_equal(acts(), "end 1: somebody else has decided it otherwise");
    begin((struct order){.kind = ORDER_APPROVE, .request_id = "r"});
    assert_int_equal(orders_heard_request(&orders, &request, false), 2);
    assert_string_equal(acts(), "end 2");
}

static void what_cannot_even_be_sent_is_doubted_at_once(void **state)
{
    (void)state;
    ask(command(PLAYBACK_SEEK, "a", 1000), ORDERS_LIVE);
    assert_string_equal(acts(), "send 1");
    orders_sent(&orders, 1, false, now);
    assert_string_equal(acts(), "replace 1");
    assert_string_equal(fresh(), "repeat 1");
    orders_fail(&orders, 1, "out of memory");
    assert_string_equal(acts(), "end 1: out of memory");
}

static void away_it_is_held_while_a_connection_is_tried(void **state)
{
    (void)state;
    ask(command(PLAYBACK_SEEK, "a", 1000), ORDERS_AWAY);
    assert_string_equal(acts(), "connect 1");
    assert_string_equal(after_ms(1500), "");
    assert_string_equal(fresh(), "send 1");
    orders_sent(&orders, 1, true, now);
    assert_string_equal(after_ms(1999), "");
    assert_string_equal(after_ms(1), "replace 1"); /* the echo's time begins with the sending */
    orders_cancel(&orders, 1);
    ask(command(PLAYBACK_SEEK, "a", 1000), ORDERS_AWAY);
    acts();
    orders_not_connected(&orders, "connection refused");
    assert_string_equal(acts(), "end 2: not connected to the backend: connection refused");
    ask(command(PLAYBACK_SEEK, "a", 1000), ORDERS_AWAY);
    acts();
    assert_string_equal(after_ms(3000), "end 3: not connected to the backend");
    begin(command(PLAYBACK_SEEK, "a", 1000)); /* what was sent is not concerned */
    orders_not_connected(&orders, "connection refused");
    assert_string_equal(acts(), "");
}

static void joining_ends_with_the_new_sessions_state(void **state)
{
    (void)state;
    begin((struct order){.kind = ORDER_JOIN});
    assert_string_equal(after_ms(15000), "");
    const char *error;
    struct order again = {.kind = ORDER_JOIN};
    assert_int_equal(orders_begin(&orders, &again, ORDERS_LIVE, now, &error), 0);
    assert_string_equal(error, "this speaker is joining a session already");
    orders_end_all(&orders, 1, "elsewhere");
    orders_joined(&orders, 1, now);
    assert_string_equal(acts(), "");
    assert_string_equal(fresh(), "end 1");
    begin((struct order){.kind = ORDER_JOIN});
    orders_joined(&orders, 2, now);
    assert_string_equal(after_ms(5000),
                        "end 2: the session was joined, but does not tell its state yet");
    assert_int_equal(ask((struct order){.kind = ORDER_JOIN}, ORDERS_OUT), 3);
}

static void there_is_room_for_sixteen(void **state)
{
    (void)state;
    const char *error;
    struct order order = command(PLAYBACK_SEEK, "a", 1000);
    for (int i = 0; i < ORDERS_MAX; i++)
        assert_int_not_equal(orders_begin(&orders, &order, ORDERS_LIVE, now, &error), 0);
    assert_int_equal(orders_begin(&orders, &order, ORDERS_LIVE, now, &error), 0);
    assert_string_equal(error, "too many commands wait for the backend already");
    acts();
    orders_end_all(&orders, 0, "left");
    assert_non_null(strstr(acts(), "end 16: left"));
    assert_int_equal(orders_begin(&orders, &order, ORDERS_OUT, now, &error), 0);
    assert_string_equal(error, "not connected to the backend");
    assert_int_equal(orders_begin(&orders, &order, ORDERS_LIVE, now, &error), ORDERS_MAX + 1);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_echo_ends_it_and_tells_how_long_it_took),
        TEST(without_one_the_fresh_state_decides),
        TEST(an_answer_that_says_nothing_is_no_refusal),
        TEST(a_repeat_answered_by_a_500_is_looked_up_too),
        TEST(what_has_not_happened_after_two_tries_is_reported),
        TEST(without_a_fresh_state_nobody_knows),
        TEST(a_second_try_may_find_the_first_ones_work),
        TEST(what_is_decided_as_wanted_is_no_failure),
        TEST(a_second_denial_is_not_done_by_an_approval),
        TEST(what_is_agreed_to_is_waited_for_in_the_list),
        TEST(all_end_where_the_session_ends),
        TEST(what_is_repeated_is_not_ended_by_the_socket),
        TEST(an_echo_ends_commands_only),
        TEST(a_fresh_state_that_shows_it_ends_it),
        TEST(nobody_can_be_asked_about_a_denial),
        TEST(a_skip_is_repeated_where_it_is_known_to_lead),
        TEST(what_might_count_twice_is_not_repeated),
        TEST(a_yes_waits_for_the_playlist),
        TEST(a_later_echo_ends_what_was_sent_before),
        TEST(refusals_come_in_the_order_of_the_messages),
        TEST(of_two_sockets_each_refuses_its_own),
        TEST(what_was_there_before_is_no_echo),
        TEST(a_request_that_is_known_is_not_the_one_just_made),
        TEST(a_decision_of_somebody_else_is_told),
        TEST(what_cannot_even_be_sent_is_doubted_at_once),
        TEST(away_it_is_held_while_a_connection_is_tried),
        TEST(joining_ends_with_the_new_sessions_state),
        TEST(there_is_room_for_sixteen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
