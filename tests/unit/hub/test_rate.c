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
    assert_true(rate_table_take(&table, "ada", 1, SECOND));
    assert_false(rate_table_take(&table, "ada", 1, SECOND));
    assert_false(rate_table_allows(&table, "ada", 1, SECOND));
    assert_true(rate_table_allows(&table, "grace", 1, SECOND));
    assert_true(rate_table_take(&table, "grace", 1, SECOND));
}

/* However many come after him: a table is not emptied by those who do little. */
static void who_did_most_is_remembered(void **state)
{
    (void)state;
    static struct rate_table table;
    char key[32];
    for (int i = 0; i < 20; i++)
        assert_true(rate_table_take(&table, "mallory", 20, SECOND));
    for (int i = 0; i < 4 * RATE_TABLE_SIZE; i++) {
        snprintf(key, sizeof key, "user %d", i);
        assert_true(rate_table_take(&table, key, 20, SECOND + i));
    }
    assert_false(rate_table_allows(&table, "mallory", 20, SECOND + 5000));
}

static void what_is_counted_leaks_away(void **state)
{
    (void)state;
    struct rate_bucket bucket = {0};
    for (int i = 0; i < 100; i++)
        rate_count(&bucket, 2, SECOND);
    assert_float_equal(rate_filled(&bucket, 2, SECOND), 100, 1e-9);
    assert_float_equal(rate_filled(&bucket, 2, 11 * SECOND), 80, 1e-9);
    assert_float_equal(rate_filled(&bucket, 2, 100 * SECOND), 0, 1e-9);
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

static void many_at_once_are_paid_off(void **state)
{
    (void)state;
    static struct rate_table table;
    assert_true(rate_table_allows(&table, "ada", 60, SECOND));
    rate_table_count(&table, "ada", 90, 60, SECOND);
    assert_false(rate_table_allows(&table, "ada", 60, SECOND));
    assert_true(rate_table_allows(&table, "grace", 60, SECOND));
    assert_false(rate_table_allows(&table, "ada", 60, 31 * SECOND));
    assert_true(rate_table_allows(&table, "ada", 60, 32 * SECOND));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_at_once_are_paid_off),  cmocka_unit_test(a_burst_then_a_steady_flow),
        cmocka_unit_test(everyone_has_a_bucket),      cmocka_unit_test(who_did_most_is_remembered),
        cmocka_unit_test(what_is_counted_leaks_away), cmocka_unit_test(text_is_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
