#include "../cmocka_all.h"
#include "tutti/core/notices.h"

#include <stdio.h>
#include <string.h>

static struct notices notices;
static struct mono_time now;
static unsigned withheld;

static int set_up(void **state)
{
    (void)state;
    notices = (struct notices){0};
    now = (struct mono_time){-5 * NS_PER_S};
    return 0;
}

static bool take(const char *text)
{
    return notices_take(&notices, text, now, &withheld);
}

static void pass(int64_t ns)
{
    now = mono_add(now, ns);
}

static void each_text_is_said_once_an_hour(void **state)
{
    (void)state;
    assert_true(take("one"));
    assert_int_equal(withheld, 0);
    assert_false(take("one"));
    pass(NOTICES_AGAIN_NS - 1);
    assert_false(take("one"));
    pass(1);
    assert_true(take("one"));
    assert_int_equal(withheld, 2);
    assert_false(take("one"));
}

/* What only remembers the last would say all of them. */
static void texts_that_take_turns_are_said_once_each(void **state)
{
    (void)state;
    static const char *const texts[] = {"one", "two", "three", "four", ""};
    int said = 0;
    for (int i = 0; i < 20000; i++, pass(NS_PER_MS))
        said += take(texts[i % 5]);
    assert_int_equal(said, 5);
}

/* As a track that fails whenever it is chosen. */
static void what_may_be_said_again_is_said_a_few_at_a_time(void **state)
{
    (void)state;
    char others[NOTICES_WITHHELD_MAX];
    int said = 0;
    for (int i = 0; i < 20000; i++, pass(10 * NS_PER_MS))
        said += notices_pass(&notices, now, &withheld);
    assert_in_range(said, NOTICES_BURST, NOTICES_BURST + 4);
    pass(2 * NOTICES_REFILL_NS);
    assert_true(notices_pass(&notices, now, &withheld));
    assert_true(withheld > 1000);
    notices_print_withheld(withheld, others);
    assert_non_null(strstr(others, " others before were not logged)"));
    assert_true(notices_pass(&notices, now, &withheld));
    notices_print_withheld(withheld, others);
    assert_string_equal(others, "");
}

static void texts_that_are_all_different_are_said_a_few_at_a_time(void **state)
{
    (void)state;
    int said = 0;
    for (int i = 0; i < 20000; i++, pass(10 * NS_PER_MS)) { /* for 200 s */
        char text[32];
        snprintf(text, sizeof text, "number %d", i);
        said += take(text);
    }
    assert_int_equal(said, NOTICES_BURST + 3);
    pass(NOTICES_BURST * NOTICES_REFILL_NS);
    for (int i = 0; i < NOTICES_BURST; i++) {
        char text[32];
        snprintf(text, sizeof text, "later %d", i);
        assert_true(take(text));
    }
    assert_false(take("one more"));
}

static void the_oldest_of_too_many_is_forgotten(void **state)
{
    (void)state;
    char text[32];
    for (int i = 0; i <= NOTICES_MAX; i++, pass(NOTICES_REFILL_NS)) {
        snprintf(text, sizeof text, "number %d", i);
        assert_true(take(text));
    }
    assert_false(take("number 1"));
    assert_false(take("number 16"));
    assert_true(take("number 0"));
    assert_int_equal(withheld, 2);
    assert_true(take("number 1"));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_text_is_said_once_an_hour),
        TEST(texts_that_take_turns_are_said_once_each),
        TEST(what_may_be_said_again_is_said_a_few_at_a_time),
        TEST(texts_that_are_all_different_are_said_a_few_at_a_time),
        TEST(the_oldest_of_too_many_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
