#include "../cmocka_all.h"
#include "tutti/core/resync.h"

#define INTERVAL_NS (10 * NS_PER_S)

static const struct mono_time start = {1000 * NS_PER_S};

static enum resync_look after_s(const struct resync *resync, double s)
{
    return resync_next(resync, mono_add(start, s_to_ns(s)));
}

static void the_whole_state_is_looked_at_about_once_a_minute(void **state)
{
    (void)state;
    struct resync resync = {0};
    assert_int_equal(after_s(&resync, 0), RESYNC_STATE); /* never yet */
    resync_looked(&resync, INTERVAL_NS, 0, start);
    assert_int_equal(after_s(&resync, 44.9), RESYNC_PLAYLIST);
    assert_int_equal(after_s(&resync, 45), RESYNC_STATE);
    resync_looked(&resync, INTERVAL_NS, 0.5, start);
    assert_int_equal(after_s(&resync, 59.9), RESYNC_PLAYLIST);
    assert_int_equal(after_s(&resync, 60), RESYNC_STATE);
    resync_looked(&resync, INTERVAL_NS, 0.999, start);
    assert_int_equal(after_s(&resync, 74.9), RESYNC_PLAYLIST);
    assert_int_equal(after_s(&resync, 75), RESYNC_STATE);
}

static void no_interval_makes_it_rarer_and_a_short_one_more_frequent(void **state)
{
    (void)state;
    struct resync resync = {0};
    resync_looked(&resync, 10 * INTERVAL_NS, 0.5, start);
    assert_int_equal(after_s(&resync, 60), RESYNC_STATE);
    resync_looked(&resync, NS_PER_S, 0.5, start);
    assert_int_equal(after_s(&resync, 5.9), RESYNC_PLAYLIST);
    assert_int_equal(after_s(&resync, 6), RESYNC_STATE);
}

static void a_backend_without_the_call_is_asked_by_a_fresh_socket(void **state)
{
    (void)state;
    static const int absent[] = {404, 405};
    for (size_t i = 0; i < 2; i++) {
        struct resync resync = {0};
        assert_int_equal(resync_answered(&resync, RESYNC_STATE, absent[i], true), RESYNC_DISTRUST);
        assert_int_equal(after_s(&resync, 0), RESYNC_SOCKET);
        resync_looked(&resync, INTERVAL_NS, 0, start);
        assert_int_equal(after_s(&resync, 10), RESYNC_PLAYLIST);
        resync_connected(&resync);
        assert_int_equal(after_s(&resync, 100), RESYNC_STATE);
    }
}

static void only_a_whole_answer_is_compared(void **state)
{
    (void)state;
    static const int others[] = {0, 204, 302, 401, 403, 404, 405, 500};
    struct resync resync = {0};
    assert_int_equal(resync_answered(&resync, RESYNC_STATE, 200, true), RESYNC_COMPARE);
    assert_int_equal(resync_answered(&resync, RESYNC_PLAYLIST, 200, true), RESYNC_COMPARE);
    assert_int_equal(resync_answered(&resync, RESYNC_SOCKET, 200, true), RESYNC_COMPARE);
    assert_int_equal(resync_answered(&resync, RESYNC_STATE, 200, false), RESYNC_DISTRUST);
    assert_int_equal(resync_answered(&resync, RESYNC_PLAYLIST, 200, false), RESYNC_IGNORE);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        bool refused = others[i] == 401 || others[i] == 403;
        assert_int_equal(resync_answered(&resync, RESYNC_PLAYLIST, others[i], true),
                         refused ? RESYNC_DISTRUST : RESYNC_IGNORE);
        assert_int_equal(resync_answered(&resync, RESYNC_STATE, others[i], true), RESYNC_DISTRUST);
    }
    resync = (struct resync){0}; /* a playlist that is not there says nothing of the other call */
    resync_answered(&resync, RESYNC_PLAYLIST, 404, true);
    resync_answered(&resync, RESYNC_STATE, 500, true);
    assert_false(resync.no_state_call);
}

static void what_cannot_be_read_counts_where_it_was_the_whole_state(void **state)
{
    (void)state;
    assert_int_equal(resync_unreadable(RESYNC_STATE), RESYNC_DISTRUST);
    assert_int_equal(resync_unreadable(RESYNC_PLAYLIST), RESYNC_IGNORE);
    assert_int_equal(resync_unreadable(RESYNC_SOCKET), RESYNC_IGNORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_state_is_looked_at_about_once_a_minute),
        cmocka_unit_test(no_interval_makes_it_rarer_and_a_short_one_more_frequent),
        cmocka_unit_test(a_backend_without_the_call_is_asked_by_a_fresh_socket),
        cmocka_unit_test(only_a_whole_answer_is_compared),
        cmocka_unit_test(what_cannot_be_read_counts_where_it_was_the_whole_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
