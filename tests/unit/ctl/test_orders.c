#include "../../../src/ctl/command.h"
#include "../../../src/ctl/text.h"
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 4

static cJSON *playlist, *requests;

static int setup(void **state)
{
    (void)state;
    text_use_utf8();
    playlist = cJSON_Parse("[{\"id\":\"i1\",\"track_id\":\"t1\",\"name\":\"Harbour\"},"
                           "{\"id\":\"i2\",\"track_id\":\"t2\",\"name\":\"Meadow\"}]");
    requests = cJSON_Parse("[{\"id\":\"ab12\"},{\"id\":\"cd34\"}]");
    return playlist && requests ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    cJSON_Delete(playlist);
    cJSON_Delete(requests);
    return 0;
}

/* What the words of one command line become: JSON, "usage", or the error. */
static void assert_order(const char *line, const char *wanted, const char *subject)
{
    char words[128], *argv[WORDS_MAX + 2] = {0}, *rest = words;
    struct order_call call = {.argv = argv + 1, .playlist = playlist, .requests = requests};
    struct order order = {.request = cJSON_CreateObject()};
    strcpy(words, line);
    for (int i = 0; i < WORDS_MAX + 1 && rest; i++) {
        argv[i] = strsep(&rest, "|");
        call.argc = i;
    }
    const struct command *command = command_find(argv[0]);
    assert_non_null(command);
    bool good =
        call.argc >= command->least && call.argc <= command->most && command->build(&call, &order);
    if (good) {
        char *text = cJSON_PrintUnformatted(order.request);
        assert_string_equal(text, wanted);
        assert_string_equal(order.subject, subject);
        free(text);
    } else {
        assert_string_equal(order.error[0] ? order.error : "usage", wanted);
    }
    cJSON_Delete(order.request);
}

static void commands_become_requests(void **state)
{
    (void)state;
    static const struct {
        const char *line, *json, *subject;
    } cases[] = {
        {"status", "{}", ""},
        {"play", "{}", ""},
        {"play|meadow", "{\"track_id\":\"t2\"}", "Meadow"},
        {"play|--at|1:30", "{\"position_ms\":90000}", ""},
        {"play|--at=1:30|2", "{\"position_ms\":90000,\"track_id\":\"t2\"}", "Meadow"},
        {"seek|1:30", "{\"position_ms\":90000}", "to 1:30"},
        {"seek|+10", "{\"by_ms\":10000}", "by +0:10"},
        {"seek|-10", "{\"by_ms\":-10000}", "by -0:10"},
        {"remove|1", "{\"item_id\":\"i1\"}", "Harbour"},
        {"move|harb|2", "{\"item_id\":\"i1\",\"new_position\":1}", "Harbour to 2"},
        {"request|add|1", "{\"type\":\"add\",\"item_id\":\"i1\"}", "Harbour"},
        {"request|remove|i2", "{\"type\":\"remove\",\"item_id\":\"i2\"}", "Meadow"},
        {"request|move|2|1", "{\"type\":\"reorder\",\"item_id\":\"i2\",\"new_position\":0}",
         "Meadow to 1"},
        {"requests", "{}", ""},
        {"requests|--pending", "{}", ""},
        {"approve|ab", "{\"request_id\":\"ab12\"}", ""},
        {"deny|cd34", "{\"request_id\":\"cd34\"}", ""},
        {"deny|cd|--reason|too long", "{\"reason\":\"too long\",\"request_id\":\"cd34\"}", ""},
        {"deny|--reason=no|cd", "{\"reason\":\"no\",\"request_id\":\"cd34\"}", ""},
        {"join|D5D6A6", "{\"code\":\"D5D6A6\"}", "D5D6A6"},
        {"volume", "{}", ""},
        {"volume|40", "{\"percent\":40}", ""},
        {"volume|+5", "{\"by\":5}", ""},
        {"volume|-5", "{\"by\":-5}", ""},
        {"mute", "{}", ""},
        {"mute|on", "{\"on\":true}", ""},
        {"mute|off", "{\"on\":false}", ""},
        {"latency", "{}", ""},
        {"latency|-12.5", "{\"ms\":-12.5}", ""},
        {"log-level|debug", "{\"level\":\"debug\"}", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_order(cases[i].line, cases[i].json, cases[i].subject);
}

static void wrong_arguments_are_a_matter_of_usage(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "status|x",
        "play|a|b",
        "play|--at",
        "play|--at|soon",
        "play|--at|1|--at|2",
        "seek",
        "seek|",
        "seek|++1",
        "seek|1|2",
        "remove",
        "move|1",
        "move|1|x",
        "move|1|1.5",
        "request",
        "request|add",
        "request|sell|1",
        "request|move|1",
        "requests|x",
        "approve",
        "approve|",
        "deny|a|b",
        "deny|--reason",
        "deny|a|--reason|\033[2J",
        "join|",
        "volume|loud",
        "volume|0x10",
        "volume|nan",
        "mute|perhaps",
        "latency|1ms",
        "join|a\nb",
        "toggle|x",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_order(lines[i], "usage", "");
}

static void what_does_not_exist_is_refused_here(void **state)
{
    (void)state;
    assert_order("play|sea", "nothing on the playlist matches sea; see tuttictl playlist", "");
    assert_order("move|1|3", "there is no place 3: the playlist's places are 1 to 2", "");
    assert_order("request|move|1|0", "there is no place 0: the playlist's places are 1 to 2", "");
}

static void the_nearest_command_is_found(void **state)
{
    (void)state;
    assert_string_equal(command_nearest("plya")->name, "play");
    assert_string_equal(command_nearest("aprove")->name, "approve");
    assert_string_equal(command_nearest("vol")->name, "volume");
    assert_null(command_find("plya"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_become_requests),
        cmocka_unit_test(wrong_arguments_are_a_matter_of_usage),
        cmocka_unit_test(what_does_not_exist_is_refused_here),
        cmocka_unit_test(the_nearest_command_is_found),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
