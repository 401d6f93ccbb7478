#include "../cmocka_all.h"
#include "tutti/core/backoff.h"
#include "tutti/core/membership.h"

#include <string.h>

static struct membership membership;
static double now_s;

static struct mono_time now(void)
{
    return (struct mono_time){s_to_ns(now_s)};
}

/* The tries of so many seconds, one each five, all of which are refused: 'k'ept, 't'rial, 'o'btain
 * (which ends them). */
static const char *refused_for(double seconds, bool may_join)
{
    static char tries[1000];
    size_t count = 0;
    for (double end_s = now_s + seconds; now_s < end_s; now_s += 5) {
        enum membership_try next = membership_next(&membership, may_join, now());
        tries[count++] = "kto"[next];
        if (next == MEMBERSHIP_OBTAIN)
            break;
        membership_refused(&membership, now());
    }
    tries[count] = '\0';
    return tries;
}

static int set_up(void **state)
{
    (void)state;
    now_s = 1000;
    membership_init(&membership, true);
    return 0;
}

static void without_one_it_is_asked_for_at_once(void **state)
{
    (void)state;
    membership_init(&membership, false);
    assert_int_equal(membership_next(&membership, false, now()), MEMBERSHIP_OBTAIN);
    membership_not_obtained(&membership);
    assert_int_equal(membership_next(&membership, true, now()), MEMBERSHIP_OBTAIN);
    assert_false(membership_obtained(&membership)); /* nothing else is there: it is the one */
    assert_int_equal(membership_next(&membership, true, now()), MEMBERSHIP_KEPT);
}

static void a_host_never_gives_its_session_up(void **state)
{
    (void)state;
    const char *tries = refused_for(4000, false);
    assert_int_equal(strspn(tries, "k"), 800);
    assert_int_equal(strlen(tries), 800);
}

static void a_guest_joins_again_after_a_minute_of_refusals(void **state)
{
    (void)state;
    assert_string_equal(refused_for(60, true), "kkkkkkkkkkkk");
    assert_string_equal(refused_for(60, true), "o");
}

static void one_that_is_tried_seldom_is_refused_three_times_at_least(void **state)
{
    (void)state;
    membership_refused(&membership, now());
    now_s += 600;
    membership_refused(&membership, now());
    assert_int_equal(membership_next(&membership, true, now()), MEMBERSHIP_KEPT);
    membership_refused(&membership, now());
    assert_int_equal(membership_next(&membership, true, now()), MEMBERSHIP_OBTAIN);
}

static void whatever_else_comes_in_between_begins_the_minute_anew(void **state)
{
    (void)state;
    refused_for(55, true);
    membership_failed(&membership); /* the network, a 502 */
    assert_string_equal(refused_for(60, true), "kkkkkkkkkkkk");
    assert_false(membership_worked(&membership));
    assert_string_equal(refused_for(60, true), "kkkkkkkkkkkk");
    assert_string_equal(refused_for(60, true), "o");
}

static void a_code_that_is_refused_is_tried_once_a_minute(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_string_equal(refused_for(65, true), "kkkkkkkkkkkko");
        membership_not_obtained(&membership);
    }
}

static void the_old_one_is_kept_until_the_new_one_works(void **state)
{
    (void)state;
    refused_for(65, true);
    assert_true(membership_obtained(&membership));
    assert_string_equal(refused_for(30, true), "tktktk");
    assert_int_equal(membership_next(&membership, true, now()), MEMBERSHIP_TRIAL);
    assert_true(membership_worked(&membership));
    assert_int_equal(membership_next(&membership, true, now()), MEMBERSHIP_KEPT);
}

static void the_old_one_may_work_again_meanwhile(void **state)
{
    (void)state;
    refused_for(65, true);
    membership_obtained(&membership);
    assert_string_equal(refused_for(5, true), "t");
    assert_int_equal(membership_next(&membership, true, now()), MEMBERSHIP_KEPT);
    assert_false(membership_worked(&membership)); /* the new one is not needed any more */
    assert_string_equal(refused_for(15, true), "kkk");
}

/* A proxy that lets REST through and refuses every socket, for a day. */
static void few_guests_are_left_behind(void **state)
{
    (void)state;
    int joined = 0;
    struct backoff backoff;
    backoff_init(&backoff, 250 * NS_PER_MS, 30 * NS_PER_S, 7);
    for (double end_s = now_s + 86400; now_s < end_s; now_s += ns_to_s(backoff_next(&backoff))) {
        if (membership_next(&membership, true, now()) == MEMBERSHIP_OBTAIN)
            joined += membership_obtained(&membership);
        else
            membership_refused(&membership, now());
    }
    assert_in_range(joined, 10, 30);
}

static void only_two_answers_refuse_a_token(void **state)
{
    (void)state;
    static const int others[] = {0, 101, 200, 302, 400, 402, 404, 429, 500, 502, 503};
    assert_true(membership_is_refusal(401) && membership_is_refusal(403));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(membership_is_refusal(others[i]));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_one_it_is_asked_for_at_once),
        TEST(a_host_never_gives_its_session_up),
        TEST(a_guest_joins_again_after_a_minute_of_refusals),
        TEST(one_that_is_tried_seldom_is_refused_three_times_at_least),
        TEST(whatever_else_comes_in_between_begins_the_minute_anew),
        TEST(a_code_that_is_refused_is_tried_once_a_minute),
        TEST(the_old_one_is_kept_until_the_new_one_works),
        TEST(the_old_one_may_work_again_meanwhile),
        TEST(few_guests_are_left_behind),
        TEST(only_two_answers_refuse_a_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
