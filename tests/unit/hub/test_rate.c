/*
 * rate.h, and what is text.
 */
#include "../../../src/hub/rate.h"
#include "../cmocka_all.h"
#include "tutti/core/utf8.h"

#include <stdio.h>
#include <string.h>

static const int64_t SECOND = 1000000000;

static void a_burst_then_a_steady_flow(void **state)
{
    (void)state;
    struct rate_bucket bucket = {0};
    int64_t now = 5 * SECOND;
    for (int i = 0; i < 3; i++)
        assert_true(rate_take(&bucket, 2, 3, now));
    assert_false(rate_take(&bucket, 2, 3, now));
    assert_false(rate_take(&bucket, 2, 3, now + SECOND / 4));
    assert_true(rate_allows(&bucket, 2, 3, now + SECOND / 2));
    assert_true(rate_take(&bucket, 2, 3, now + SECOND / 2));
    assert_false(rate_take(&bucket, 2, 3, now + SECOND / 2));
    /* After a long pause it is a burst again, and no more. */
    now += 1000 * SECOND;
    for (int i = 0; i < 3; i++)
        assert_true(rate_take(&bucket, 2, 3, now));
    assert_false(rate_take(&bucket, 2, 3, now));
}

static void everyone_has_a_bucket(void **state)
{
    (void)state;
    static struct rate_table table;
    assert_true(rate_take(rate_find(&table, "ada"), 1, 1, SECOND));
    assert_false(rate_take(rate_find(&table, "ada"), 1, 1, SECOND));
    assert_true(rate_take(rate_find(&table, "grace"), 1, 1, SECOND));
}

static void who_came_last_is_remembered(void **state)
{
    (void)state;
    static struct rate_table table;
    char key[32];
    for (int i = 0; i < 3 * RATE_TABLE_SIZE; i++) {
        snprintf(key, sizeof key, "user %d", i);
        assert_true(rate_take(rate_find(&table, key), 0.001, 1, (i + 1) * SECOND / 1000));
        assert_false(rate_take(rate_find(&table, key), 0.001, 1, (i + 1) * SECOND / 1000));
    }
    assert_false(rate_take(rate_find(&table, "user 767"), 0.001, 1, SECOND));
    assert_true(rate_take(rate_find(&table, "user 0"), 0.001, 1, SECOND));
}

static void text_is_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "plain",
                                       "Gr\xc3\xbc\xc3\x9f\x65",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x8e\xb5",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",         "\xc3",         "\xc0\x80",
                                      "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xff",         "a\xc3z",       "\xf0\x9f\x8e"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(utf8_is_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(utf8_is_valid(bad[i], strlen(bad[i])));
    assert_false(utf8_is_valid("a\0b", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_then_a_steady_flow),
        cmocka_unit_test(everyone_has_a_bucket),
        cmocka_unit_test(who_came_last_is_remembered),
        cmocka_unit_test(text_is_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
