#include "../cmocka_all.h"
#include "tutti/base/text.h"

#include <stdio.h>
#include <string.h>

static void assert_defused(const char *from, const char *wanted)
{
    char text[128];
    snprintf(text, sizeof text, "%s", from);
    text_defuse(text, '?');
    assert_string_equal(text, wanted);
}

static void what_a_terminal_obeys_is_replaced(void **state)
{
    (void)state;
    assert_defused("a\033[31mb", "a?[31mb");
    assert_defused("a\nb\rc\td\x7f", "a?b?c?d?");
    assert_defused("a\xc2\x9b"
                   "31m",
                   "a?31m"); /* the second set of controls */
    assert_defused("a\x9b"
                   "31m",
                   "a?31m"); /* the same as a bare byte */
    assert_defused("evil\xe2\x80\xae"
                   "3pm",
                   "evil?3pm"); /* right to left */
    assert_defused("\xe2\x81\xa6x\xe2\x81\xa9", "?x?");
    assert_defused("line\xe2\x80\xa8line", "line?line");
}

static void words_stay_as_they_are(void **state)
{
    (void)state;
    static const char *const words[] = {"",
                                        "plain",
                                        "Gr\xc3\xbc\xc3\x9f\x65",
                                        "\xe2\x82\xac 5",
                                        "\xf0\x9f\x8e\xb5",
                                        "\xc2\xa0",
                                        "\xe6\x97\xa5\xe6\x9c\xac"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_defused(words[i], words[i]);
}

static void what_is_no_utf8_is_replaced(void **state)
{
    (void)state;
    assert_defused("a\xc3", "a?");
    assert_defused("a\xe2\x82", "a??");
    assert_defused("\xc0\x80", "??");
    assert_defused("\xed\xa0\x80", "???");
    assert_defused("\xf4\x90\x80\x80", "????");
    assert_defused("\xff", "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_terminal_obeys_is_replaced),
        cmocka_unit_test(words_stay_as_they_are),
        cmocka_unit_test(what_is_no_utf8_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
