#include "../cmocka_all.h"
#include "tutti/core/settings.h"

#include <stdio.h>
#include <string.h>

static struct settings settings;
static char error[SETTINGS_ERROR_MAX];

static int set_up(void **state)
{
    (void)state;
    settings_init(&settings);
    return 0;
}

static bool set(const char *section, const char *key, const char *value)
{
    return settings_set(&settings, section, key, value, error);
}

static void every_default_is_one_that_the_option_takes(void **state)
{
    (void)state;
    for (size_t i = 0; i < settings_table.count; i++) {
        const struct option_spec *spec = &settings_table.specs[i];
        struct settings before = settings;
        bool may_be_unset = spec->kind == OPTION_TEXT && !spec->fallback[0];
        if (!may_be_unset && !set(spec->section, spec->key, spec->fallback))
            fail_msg("%s", error);
        assert_memory_equal(&settings, &before, sizeof settings);
        assert_true(strlen(spec->help) > 10 && spec->help[strlen(spec->help) - 1] == '.');
    }
}

static void members_are_where_the_table_says(void **state)
{
    (void)state;
    assert_string_equal(settings.audio.device, "auto");
    assert_int_equal(settings.audio.volume, 60);
    assert_true(settings.audio.latency_ms == 0);
    assert_true(settings.sync.seek_threshold_ms == 200);
    assert_true(settings.sync.max_slew_ppm == 5000);
    assert_true(settings.sync.resync_interval_s == 10);
    assert_int_equal(settings.backend.role, SETTINGS_GUEST);
    assert_true(set("backend", "role", "host"));
    assert_int_equal(settings.backend.role, SETTINGS_HOST);
    assert_true(set("audio", "latency_ms", "-12.5"));
    assert_true(settings.audio.latency_ms == -12.5);
    assert_true(set("paths", "cache_mode", "memory"));
    assert_int_equal(settings.paths.cache_mode, SETTINGS_CACHE_MEMORY);
    assert_true(set("backend", "repeat", "all"));
    assert_int_equal(settings.backend.repeat, SETTINGS_REPEAT_ALL);
}

static void texts_are_checked_for_what_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *section, *key, *good, *bad;
    } cases[] = {
        {"backend", "url", "http://127.0.0.1:8700", "127.0.0.1:8700"},
        {"backend", "url", "https://hub.example/tutti", "ws://hub"},
        {"backend", "url", "http://[::1]:8700/", "http://"},
        {"backend", "url", "http://a", "http://a b"},
        {"audio", "device", "hw:CARD=Headphones,DEV=0", ""},
        {"audio", "mixer", "auto", "automatic"},
        {"audio", "mixer", "hw:0:Digital", ":Digital"},
        {"audio", "mixer", "software", "card:"},
        {"metrics", "listen", "127.0.0.1:9109", "9109"},
        {"metrics", "listen", "[::1]:9109", "127.0.0.1:70000"},
        {"metrics", "listen", "", "127.0.0.1:x"},
        {"control", "socket", "/tmp/x", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!set(cases[i].section, cases[i].key, cases[i].good))
            fail_msg("%s", error);
        if (set(cases[i].section, cases[i].key, cases[i].bad))
            fail_msg("%s = %s was taken", cases[i].key, cases[i].bad);
        assert_non_null(strstr(error, cases[i].key));
    }
}

static void expect_problem(const char *says)
{
    bool good = settings_check(&settings, error);
    assert_int_equal(good, says == NULL);
    if (says && !strstr(error, says))
        fail_msg("\"%s\" does not say \"%s\"", error, says);
}

static void says_what_is_missing_for_joining(void **state)
{
    (void)state;
    expect_problem(NULL); /* a guest that finds its hub, and asks it to be let in */
    assert_false(set("backend", "url", ""));
    assert_true(set("backend", "house_password", "secret"));
    expect_problem("url = auto");
    assert_true(set("backend", "url", "http://127.0.0.1:8700"));
    expect_problem(NULL);
    assert_true(set("backend", "join_code", "D5D6A6"));
    expect_problem(NULL);
    assert_true(set("backend", "join_code", ""));
    assert_true(set("backend", "role", "host"));
    expect_problem(NULL);
    assert_true(set("backend", "session_id", "s"));
    expect_problem("go together");
    assert_true(set("backend", "token", "0123456789"));
    expect_problem(NULL);
    assert_true(set("backend", "token_file", "/x"));
    expect_problem("both set");
    assert_true(set("backend", "token", ""));
    expect_problem(NULL);
}

static void a_rate_is_one_that_tracks_can_be_brought_to(void **state)
{
    (void)state;
    assert_true(set("backend", "url", "http://127.0.0.1:8700"));
    assert_true(set("backend", "role", "host"));
    assert_true(set("audio", "rate_hz", "7999"));
    expect_problem("rate_hz");
    assert_true(set("audio", "rate_hz", "8000"));
    expect_problem(NULL);
    assert_true(set("audio", "rate_hz", "0"));
    expect_problem(NULL);
}

/* For REST and the WebSocket alike; server_address knows all that cannot work. */
static void says_what_is_wrong_with_the_url(void **state)
{
    (void)state;
    assert_true(set("backend", "join_code", "D5D6A6"));
    assert_true(set("backend", "url", "http://user:secret@hub"));
    expect_problem("take them out");
    assert_null(strstr(error, "secret"));
    assert_true(set("backend", "url",
                    "http://b\xc3\xbc"
                    "cher.example"));
    expect_problem("xn--");
    assert_true(set("backend", "url", "http://hub:70000"));
    expect_problem("from 1 to 65535");
    assert_true(set("backend", "url", "HTTP://Hub.local.:8700/api/"));
    expect_problem(NULL);
    assert_true(set("backend", "url", "http://[fe80::1%25eth0]:8700"));
    expect_problem(NULL);
}

static void add_name(void *user, const struct option_spec *spec)
{
    char *text = user;
    size_t used = strlen(text);
    snprintf(text + used, 200 - used, "[%s] %s;", spec->section, spec->key);
}

static void names_what_needs_a_restart(void **state)
{
    (void)state;
    struct settings fresh = settings;
    char text[200] = "";
    fresh.audio.latency_ms = 5;
    fresh.sync.seek_threshold_ms = 100;
    fresh.log.level = 3;
    strcpy(fresh.audio.device, "null");
    settings_list_restart(&settings, &fresh, add_name, text);
    assert_string_equal(text, "");
    fresh.audio.buffer_ms = 500;
    strcpy(fresh.control.socket, "/x");
    settings_list_restart(&settings, &fresh, add_name, text);
    assert_string_equal(text, "[audio] buffer_ms;[control] socket;");
}

static void add_line(void *user, const char *line)
{
    char *text = user;
    size_t used = strlen(text);
    snprintf(text + used, 2000 - used, "%s\n", line);
}

static const char *warnings(void)
{
    static char text[2000];
    text[0] = '\0';
    settings_list_warnings(&settings, add_line, text);
    return text;
}

static void warns_of_what_does_nothing_in_this_role(void **state)
{
    (void)state;
    assert_string_equal(warnings(), "");
    assert_true(set("backend", "join_code", "D5D6A6"));
    assert_string_equal(warnings(), "");
    assert_true(set("backend", "auto_advance", "true"));
    assert_non_null(strstr(warnings(), "auto_advance does nothing for a guest"));
    assert_true(set("backend", "role", "host"));
    assert_non_null(strstr(warnings(), "join_code does nothing for a host"));
    assert_null(strstr(warnings(), "auto_advance"));
    assert_true(set("backend", "join_code", ""));
    assert_true(set("backend", "repeat", "all"));
    assert_string_equal(warnings(), "");
    assert_true(set("backend", "auto_advance", "false"));
    assert_non_null(strstr(warnings(), "repeat does nothing without auto_advance"));
}

static void warns_of_a_comment_that_became_a_value(void **state)
{
    (void)state;
    assert_true(set("audio", "on_play", "gpioset 0 17=1 # on"));
    assert_true(set("backend", "name", "Kitchen #2"));
    assert_true(set("backend", "join_code", "#5D6A6"));
    assert_string_equal(warnings(), "");
    assert_true(set("backend", "name", "Kitchen # mine"));
    assert_string_equal(warnings(),
                        "[backend] name has a # in its value: behind a value, only a blank and ; "
                        "begin a comment\n");
    assert_true(set("backend", "name", "Kitchen"));
    assert_true(set("backend", "token", "0123abcd #mine"));
    assert_non_null(strstr(warnings(), "[backend] token has a #"));
    assert_null(strstr(warnings(), "0123abcd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_default_is_one_that_the_option_takes, set_up),
        cmocka_unit_test_setup(members_are_where_the_table_says, set_up),
        cmocka_unit_test_setup(texts_are_checked_for_what_they_are, set_up),
        cmocka_unit_test_setup(says_what_is_missing_for_joining, set_up),
        cmocka_unit_test_setup(a_rate_is_one_that_tracks_can_be_brought_to, set_up),
        cmocka_unit_test_setup(says_what_is_wrong_with_the_url, set_up),
        cmocka_unit_test_setup(names_what_needs_a_restart, set_up),
        cmocka_unit_test_setup(warns_of_what_does_nothing_in_this_role, set_up),
        cmocka_unit_test_setup(warns_of_a_comment_that_became_a_value, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
