#include "../../../src/ctl/text.h"
#include "../cmocka_all.h"

#include <string.h>

static int utf8(void **state)
{
    (void)state;
    text_use_utf8();
    return 0;
}

static void assert_fit(const char *from, int columns, const char *wanted, int used)
{
    char to[256];
    assert_int_equal(text_fit(to, sizeof to, from, columns), used);
    assert_string_equal(to, wanted);
}

static void names_are_cut_by_columns_not_bytes(void **state)
{
    (void)state;
    assert_fit("Harbour", 7, "Harbour", 7);
    assert_fit("Harbour", 6, "Harbo…", 6);
    assert_fit("Größe", 5, "Größe", 5);
    assert_fit("Größe", 4, "Grö…", 4);
    assert_fit("日本語", 6, "日本語", 6);
    assert_fit("日本語", 5, "日本…", 5);
    assert_fit("日本語", 4, "日…", 3); /* half a character has no room */
    assert_fit("e\u0301tude", 5, "e\u0301tude", 5);
    assert_fit("abc", 1, "…", 1);
    assert_fit("abc", 0, "", 0);
    assert_fit("", 5, "", 0);
}

static void a_full_buffer_cuts_between_characters(void **state)
{
    (void)state;
    char to[6];
    text_fit(to, sizeof to, "ööö", 80);
    assert_string_equal(to, "öö");
    text_clean(to, sizeof to, "ab日本");
    assert_string_equal(to, "ab日");
}

static void nothing_commands_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"a\033[31mb", "a\uFFFD[31mb"},
        {"a\033]0;title\ab", "a\uFFFD]0;title\uFFFDb"},
        {"a\rb\nc\td", "a\uFFFDb\uFFFDc\uFFFDd"},
        {"a\x7f", "a\uFFFD"},
        {"a\xc2\x9b"
         "31mb",
         "a\uFFFD31mb"}, /* CSI among the second set of controls */
        {"a\x9b"
         "31mb",
         "a\uFFFD31mb"}, /* the same as a bare byte */
        {"a\xff\xfe", "a\uFFFD\uFFFD"},
        {"a\xe2\x82", "a\uFFFD\uFFFD"}, /* cut short */
        {"a\u202eb", "a\uFFFDb"},       /* from here on from right to left */
        {"a\u2066b\u2069", "a\uFFFDb\uFFFD"},
        {"a\u2028b", "a\uFFFDb"},
        {"\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"}, /* half of a surrogate pair */
        {"\xc0\xaf", "\uFFFD\uFFFD"},           /* a slash in too many bytes */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char to[64];
        text_clean(to, sizeof to, cases[i].from);
        assert_string_equal(to, cases[i].to);
        assert_false(text_is_clean(cases[i].from));
        assert_true(text_is_clean(to));
    }
    assert_true(text_is_clean("Größe 日本語 e\u0301 …"));
}

static void searching_knows_no_case(void **state)
{
    (void)state;
    assert_true(text_contains("Harbour (Live)", "live"));
    assert_true(text_contains("ÜBUNG", "übung"));
    assert_true(text_contains("abc", ""));
    assert_false(text_contains("abc", "abcd"));
    assert_false(text_contains("", "a"));
    assert_true(text_equals("Étude", "éTUDE"));
    assert_false(text_equals("Étude", "Étud"));
    assert_false(text_equals("Étud", "Étude"));
    assert_true(text_begins("Étude", "ét"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_cut_by_columns_not_bytes),
        cmocka_unit_test(a_full_buffer_cuts_between_characters),
        cmocka_unit_test(nothing_commands_a_terminal),
        cmocka_unit_test(searching_knows_no_case),
    };
    return cmocka_run_group_tests(tests, utf8, NULL);
}
