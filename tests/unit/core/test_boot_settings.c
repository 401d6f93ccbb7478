#include "../cmocka_all.h"
#include "tutti/core/boot_settings.h"

#include <stdio.h>
#include <string.h>

static struct boot_settings boot;
static char problems[4096];

static void take_problem(void *user, const char *line)
{
    (void)user;
    assert_null(strpbrk(line, "\r\n"));
    strncat(problems, line, sizeof problems - strlen(problems) - 1);
    strncat(problems, "\n", sizeof problems - strlen(problems) - 1);
}

static bool parse_bytes(const char *text, size_t bytes)
{
    memset(&boot, 0, sizeof boot);
    problems[0] = '\0';
    bool good = boot_settings_parse(text, bytes, &boot, take_problem, NULL);
    assert_int_equal(good, problems[0] == '\0');
    return good;
}

static bool parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static void expect(const char *text, const char *printed)
{
    char to[BOOT_SETTINGS_TEXT_MAX];
    if (!parse(text))
        fail_msg("%s", problems);
    boot_settings_print(&boot, to);
    assert_non_null(strchr(to, '\n'));
    assert_string_equal(strchr(to, '\n') + 1, printed);
}

static void expect_problem(const char *text, const char *says)
{
    if (parse(text))
        fail_msg("taken: %s", text);
    if (!strstr(problems, says))
        fail_msg("\"%s\" does not say \"%s\"", problems, says);
}

static void takes_what_editors_write(void **state)
{
    (void)state;
    const char *all = "[backend]\nname = Küche\nurl = http://hub.local:8700\njoin_code = D5D6A6\n"
                      "[audio]\ndevice = hw:CARD=Device,DEV=0\nvolume = 40\n";
    expect(
        "name = Küche\nurl = http://hub.local:8700\ncode = D5D6A6\ndevice = hw:CARD=Device,DEV=0\n"
        "volume = 40\n",
        all);
    expect("\xef\xbb\xbfVolume=40\r\n  Name :Küche ; mine\r\nCODE = D5D6A6\r\n"
           "device\t= hw:CARD=Device,DEV=0\r\n\r\n# url = x\r\n; y\r\nurl = http://hub.local:8700",
           all);
    expect("name = Bath\rvolume = 7\r", "[backend]\nname = Bath\n[audio]\nvolume = 7\n");
    expect(all, all); /* its own words, as they are kept */
    expect("", "");
    expect("volume = 3\nvolume = 4\n", "[audio]\nvolume = 4\n");
    expect("name = a;b\n", "[backend]\nname = a;b\n");
    expect("name =\n", "[backend]\nname = \n");
}

static void tells_of_every_line_that_is_wrong(void **state)
{
    (void)state;
    expect_problem(
        "volume = loud\nname = Bath\n\nvolumn = 3\nnonsense\ncode = \x01\n",
        "line 1: volume takes a whole number from 0 to 100\nline 4: there is no such key");
    assert_non_null(strstr(problems, "line 5: only key = value"));
    assert_non_null(strstr(problems, "line 6: code takes a text of at most 31 bytes"));
    assert_null(strstr(problems, "line 2"));
    expect_problem("url = hub\n", "line 1: url takes an address that begins with http://");
    expect_problem("[group]\n", "line 1: only key = value");
    expect_problem("name = K\xfc"
                   "che\n",
                   "line 1: name takes");
    expect_problem("device =\n", "line 1: device takes");
    expect_problem("\xff\xfen\0a\0", "UTF-16");
    assert_false(parse_bytes("name = a\0b\n", 11));
    assert_non_null(strstr(problems, "line 1: there is a zero byte"));
}

static void no_value_is_repeated(void **state)
{
    (void)state;
    expect_problem("token = sesame\nsesame = x\nsesame\ncode = sesame-sesame-sesame-sesame-sesame\n"
                   "volume = sesame\n",
                   "line 5");
    assert_null(strstr(problems, "sesame"));
}

static void long_lines_are_refused(void **state)
{
    (void)state;
    char text[2000];
    for (size_t bytes = 1; bytes < sizeof text - 40; bytes += 37) {
        char value[2000];
        memset(value, 'x', bytes);
        value[bytes] = '\0';
        snprintf(text, sizeof text, "url = http://%s\n", value);
        bool good = parse(text);
        assert_int_equal(good, bytes + 7 < BOOT_SETTINGS_VALUE_MAX);
    }
}

static void a_later_one_changes_what_it_mentions(void **state)
{
    (void)state;
    struct boot_settings before;
    struct settings settings;
    char list[100];
    assert_true(parse("name = Bath\ncode = D5D6A6\nvolume = 10\n"));
    before = boot;
    assert_true(parse("volume = 90\nname =\n"));
    boot_settings_list(&boot, list, sizeof list);
    assert_string_equal(list, "name, volume");
    boot_settings_merge(&before, &boot);
    settings_init(&settings);
    boot_settings_apply(&before, &settings);
    assert_string_equal(settings.backend.join_code, "D5D6A6");
    assert_string_equal(settings.backend.name, "");
    assert_string_equal(settings.backend.url, "auto");
    assert_int_equal(settings.audio.volume, 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_editors_write),
        cmocka_unit_test(tells_of_every_line_that_is_wrong),
        cmocka_unit_test(no_value_is_repeated),
        cmocka_unit_test(long_lines_are_refused),
        cmocka_unit_test(a_later_one_changes_what_it_mentions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
