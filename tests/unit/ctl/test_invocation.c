#include "../../../src/ctl/invocation.h"
#include "../cmocka_all.h"

#include <string.h>

#define WORDS_MAX 1100

static struct invocation invocation;
static char error[256];

static bool parse(const char *line, const char *default_socket)
{
    static char words[256], *argv[16];
    char *rest = strcpy(words, line);
    int count = 0;
    while (rest && *line)
        argv[count++] = strsep(&rest, "|");
    error[0] = '\0';
    return invocation_parse(&invocation, count, argv, default_socket, error, sizeof error);
}

static void options_stand_before_and_behind(void **state)
{
    (void)state;
    assert_true(parse("--json|status", NULL));
    assert_true(invocation.json);
    assert_string_equal(invocation.command, "status");
    assert_string_equal(invocation.sockets[0], INVOCATION_SOCKET);
    assert_true(parse("seek|-10|--json|-s|/x", NULL));
    assert_true(invocation.json);
    assert_int_equal(invocation.argc, 1);
    assert_string_equal(invocation.argv[0], "-10");
    assert_string_equal(invocation.sockets[0], "/x");
    assert_true(parse("play|--|--json", NULL));
    assert_false(invocation.json);
    assert_string_equal(invocation.argv[0], "--json");
    assert_true(parse("play|--at|1:00", NULL)); /* the command's own */
    assert_int_equal(invocation.argc, 2);
}

static void speakers_are_named_in_three_ways(void **state)
{
    (void)state;
    assert_true(parse("status", "/tmp/x"));
    assert_string_equal(invocation.sockets[0], "/tmp/x");
    assert_true(parse("-i|kitchen|--instance=study|--socket=/y|watch", "/tmp/x"));
    assert_int_equal(invocation.speaker_count, 3);
    assert_string_equal(invocation.sockets[0], "/run/tutti-kitchen/control.sock");
    assert_string_equal(invocation.sockets[1], "/run/tutti-study/control.sock");
    assert_string_equal(invocation.sockets[2], "/y");
}

static void rooms_are_named_or_all(void **state)
{
    (void)state;
    assert_true(parse("--room|bath|volume|-5|--room=kitchen", NULL));
    assert_int_equal(invocation.room_count, 2);
    assert_string_equal(invocation.rooms[1], "kitchen");
    assert_false(invocation.all);
    assert_string_equal(invocation.argv[0], "-5");
    assert_true(parse("mute|--all", NULL));
    assert_true(invocation.all);
    assert_true(parse("add|-", NULL)); /* no option of no letter */
    assert_string_equal(invocation.argv[0], "-");
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *line, *error;
    } cases[] = {
        {"--jsno|status", "there is no option --jsno; see tuttictl --help"},
        {"status|--socket", "--socket wants a value"},
        {"-i", "-i wants a value"},
        {"--instance=a/b|status", "a/b: an instance's name has no slash"},
        {"--instance=|status", "a speaker's name or path must not be empty"},
        {"volume|--room", "--room wants a value"},
        {"volume|--room=", "--room wants a speaker's name, at most 64 times"},
        {"-i1|status", "there is no option -i1; see tuttictl --help"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(parse(cases[i].line, NULL));
        assert_string_equal(error, cases[i].error);
    }
}

static void everything_has_a_bound(void **state)
{
    (void)state;
    static char *many[WORDS_MAX], word[] = "x", option[] = "-s";
    char long_name[300];
    for (size_t i = 0; i < WORDS_MAX; i++)
        many[i] = word;
    assert_false(invocation_parse(&invocation, WORDS_MAX, many, NULL, error, sizeof error));
    assert_string_equal(error, "more than 1024 arguments");
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    char instance[] = "-i", *words[] = {instance, long_name};
    assert_false(invocation_parse(&invocation, 2, words, NULL, error, sizeof error));
    assert_non_null(strstr(error, "too long"));
    char *nine[18];
    for (int i = 0; i < 18; i++)
        nine[i] = i % 2 ? word : option;
    assert_false(invocation_parse(&invocation, 18, nine, NULL, error, sizeof error));
    assert_string_equal(error, "at most 8 speakers can be named");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_before_and_behind),
        cmocka_unit_test(speakers_are_named_in_three_ways),
        cmocka_unit_test(rooms_are_named_or_all),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(everything_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
