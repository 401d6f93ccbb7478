#include "../../../src/io/http_header.h"
#include "../cmocka_all.h"

#include <string.h>

static bool take(const char *line, const char *name, char to[32])
{
    strcpy(to, "before");
    return http_header_take(line, strlen(line), name, to, 32);
}

static void a_field_is_taken_without_its_blanks(void **state)
{
    (void)state;
    char value[32];
    assert_true(take("ETag: \"abc\"\r\n", "etag:", value));
    assert_string_equal(value, "\"abc\"");
    assert_true(take("etag:W/\"\xc3\xa9\" \t\r\n", "etag:", value));
    assert_string_equal(value, "W/\"\xc3\xa9\"");
    assert_true(take("ETag:\r\n", "etag:", value));
    assert_string_equal(value, "");
    assert_false(take("ETags: x\r\n", "etag:", value));
    assert_false(take("ETag: 0123456789012345678901234567890\r\nand more", "etag:", value));
    assert_string_equal(value, "before");
}

/* Sent back, it would be refused by every server, or be two headers. */
static void what_no_field_may_hold_is_no_value(void **state)
{
    (void)state;
    char value[32];
    static const char *const bad[] = {"ETag: \"a\x01z\"\r\n", "ETag: \"a\rz\"\r\n",
                                      "ETag: \"a\nz\"\r\n",   "ETag: \"a\x7fz\"\r\n",
                                      "ETag: \x1b[31m\r\n",   "ETag: \"a\bz\"\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(take(bad[i], "etag:", value));
        assert_string_equal(value, "before");
        assert_false(http_header_is_value(bad[i]));
    }
    assert_false(http_header_take("etag: a\0b\r\n", 11, "etag:", value, sizeof value));
    assert_true(http_header_is_value("Tue, 03 Nov 2026 10:00:00 GMT"));
    assert_true(http_header_is_value("\ttabs and \xff"));
}

static void ranges_are_read_to_the_letter(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t first, last, total;
    } good[] = {
        {"bytes 0-99/1000", 0, 99, 1000},
        {"Bytes 5-5/6", 5, 5, 6},
        {"bytes 0-99/*", 0, 99, -1},
        {"bytes 999999999999998-999999999999999/1000000000000000", 999999999999998, 999999999999999,
         1000000000000000},
    };
    static const char *const bad[] = {
        "",
        "bytes */1000",
        "bytes 0-99",
        "bytes 0-99/",
        "bytes 0-99/1000 ",
        "bytes 0-99/99",
        "bytes 99-0/1000",
        "bytes -1-99/1000",
        "bytes 0-99/-1",
        "bytes 0x0-99/1000",
        "items 0-99/1000",
        "bytes 0-99/1000000000000001",
        "bytes 99999999999999999999-999999999999999999999/9999999999999999999999",
    };
    struct http_range range;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(http_header_range(good[i].text, &range));
        assert_int_equal(range.first, good[i].first);
        assert_int_equal(range.last, good[i].last);
        assert_int_equal(range.total_bytes, good[i].total);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(http_header_range(bad[i], &range));
}

static void dates_are_of_a_time_that_can_be(void **state)
{
    (void)state;
    struct server_time date;
    assert_true(http_header_date("Tue, 03 Nov 2026 10:00:00 GMT", &date));
    assert_int_equal(date.ns, INT64_C(1793700000) * NS_PER_S);
    assert_true(http_header_date("Fri, 31 Dec 2199 23:59:59 GMT", &date));
    static const char *const bad[] = {
        "",
        "now",
        "Fri, 31 Dec 9999 23:59:59 GMT", /* in nanoseconds beyond int64_t */
        "Mon, 01 Jan 2263 00:00:00 GMT",
        "Sat, 01 Jan 99999 00:00:00 GMT",
        "Wed, 31 Dec 1969 23:59:59 GMT",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(http_header_date(bad[i], &date));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_is_taken_without_its_blanks),
        cmocka_unit_test(what_no_field_may_hold_is_no_value),
        cmocka_unit_test(ranges_are_read_to_the_letter),
        cmocka_unit_test(dates_are_of_a_time_that_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
