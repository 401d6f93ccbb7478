#include "../cmocka_all.h"
#include "tutti/core/control_cmd.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct control_cmd cmd;
static char error[CONTROL_ERROR_MAX];

static void good(const char *line)
{
    error[0] = '\0';
    if (!control_cmd_parse(line, &cmd, error))
        fail_msg("%s: %s", line, error);
}

static void bad(const char *line, const char *wanted)
{
    assert_false(control_cmd_parse(line, &cmd, error));
    if (!strstr(error, wanted))
        fail_msg("%s: \"%s\" instead of \"%s\"", line, error, wanted);
    assert_null(strchr(error, '\n'));
}

static void members_are_taken(void **state)
{
    (void)state;
    good("{\"id\":7,\"cmd\":\"play\",\"track_id\":\"a\",\"position_ms\":1500.5}");
    assert_int_equal(cmd.verb, CONTROL_PLAY);
    assert_true(cmd.id == 7 && cmd.position_ms == 1500.5);
    assert_string_equal(cmd.track_id, "a");
    good("{\"cmd\":\"seek\",\"by_ms\":-10000}");
    assert_true(cmd.id == 0 && cmd.by == -10000 && isnan(cmd.position_ms));
    good("{\"cmd\":\"move\",\"item_id\":\"i\",\"new_position\":0}");
    assert_int_equal(cmd.new_position, 0);
    good("{\"cmd\":\"mute\",\"on\":false}");
    assert_int_equal(cmd.on, 0);
    good("{\"cmd\":\"command-speakers\",\"speakers\":\"ab cd\",\"volume_by\":-5,\"muted\":true}");
    assert_string_equal(cmd.speakers, "ab cd");
    assert_true(cmd.by == -5 && cmd.on == 1 && isnan(cmd.percent) && isnan(cmd.ms));
    good("{\"cmd\":\"settings\",\"control\":\"everyone\",\"add\":\"host\"}");
    assert_string_equal(cmd.control, "everyone");
    assert_string_equal(cmd.add, "host");
    good("{\"cmd\":\"volume\",\"by\":-5}");
    assert_true(cmd.by == -5 && isnan(cmd.percent));
    good("{\"cmd\":\"add\",\"filename\":\"x.mp3\"}");
    assert_string_equal(cmd.filename, "x.mp3");
    good("{\"cmd\":\"deny\",\"request_id\":\"r\",\"reason\":\"too \\u201eloud\\u201c\"}");
    assert_string_equal(cmd.reason, "too \u201eloud\u201c");
}

static void what_is_absent_is_known_to_be(void **state)
{
    (void)state;
    good("{\"cmd\":\"mute\",\"on\":null}");
    assert_int_equal(cmd.on, -1);
    good("{\"cmd\":\"play\"}");
    assert_true(isnan(cmd.position_ms) && !cmd.track_id[0]);
    good("{\"cmd\":\"request\",\"type\":\"remove\",\"item_id\":\"i\"}");
    assert_int_equal(cmd.new_position, -1);
    assert_true(isnan(cmd.duration_s));
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    bad("", "not a command");
    bad("[]", "not a command");
    bad("{\"id\":3}", "not a command");
    assert_true(cmd.id == 3);
    bad("{\"id\":4,\"cmd\":\"fly\"}", "no such command");
    assert_true(cmd.id == 4);
    bad("{\"cmd\":\"seek\"}", "position_ms, or by_ms");
    bad("{\"cmd\":\"seek\",\"position_ms\":-1}", "position_ms: a number from 0");
    bad("{\"cmd\":\"seek\",\"position_ms\":1e400}", "position_ms");
    bad("{\"cmd\":\"seek\",\"position_ms\":\"1\"}", "position_ms");
    bad("{\"cmd\":\"volume\",\"percent\":101}", "percent: a number from 0 to 100");
    bad("{\"cmd\":\"latency\",\"ms\":2000.5}", "ms: a number from -2000 to 2000");
    bad("{\"cmd\":\"mute\",\"on\":1}", "on: true or false");
    bad("{\"cmd\":\"move\",\"item_id\":\"i\"}", "new_position is missing");
    bad("{\"cmd\":\"move\",\"item_id\":\"i\",\"new_position\":1.5}", "a whole number");
    bad("{\"cmd\":\"remove\",\"item_id\":\"\"}", "item_id is missing");
    bad("{\"cmd\":\"remove\",\"item_id\":5}", "item_id: a text");
    bad("{\"cmd\":\"add\"}", "filename is missing");
    bad("{\"cmd\":\"join\"}", "code is missing");
}

static void texts_are_bounded(void **state)
{
    (void)state;
    char line[PROTOCOL_ID_MAX + 64], id[PROTOCOL_ID_MAX + 1];
    memset(id, 'x', PROTOCOL_ID_MAX);
    id[PROTOCOL_ID_MAX] = '\0';
    snprintf(line, sizeof line, "{\"cmd\":\"remove\",\"item_id\":\"%s\"}", id);
    bad(line, "less than 128 bytes");
    snprintf(line, sizeof line, "{\"cmd\":\"remove\",\"item_id\":\"%s\"}", id + 1);
    good(line);
    bad("{\"cmd\":\"remove\",\"item_id\":\"\xff\"}", "of UTF-8");
}

static void a_request_names_what_its_type_takes(void **state)
{
    (void)state;
    bad("{\"cmd\":\"request\",\"type\":\"rename\"}", "add, reorder or remove");
    bad("{\"cmd\":\"request\",\"type\":\"remove\"}", "item_id");
    bad("{\"cmd\":\"request\",\"type\":\"reorder\",\"item_id\":\"i\"}", "new_position");
    bad("{\"cmd\":\"request\",\"type\":\"add\",\"track_id\":\"t\"}", "media_path");
    good("{\"cmd\":\"request\",\"type\":\"add\",\"item_id\":\"i\"}");
    good(
        "{\"cmd\":\"request\",\"type\":\"add\",\"track_id\":\"t\",\"media_path\":\"uploads/a.mp3\","
        "\"media_type\":\"audio/mpeg\",\"duration_s\":75}");
    assert_true(cmd.duration_s == 75);
}

static const struct control_rights host = {.is_host = true}, guest = {0},
                                   hub_guest = {.has_settings = true},
                                   everyone = {.has_settings = true, .everyone_may = true};

static void a_role_is_told_who_may(void **state)
{
    (void)state;
    assert_true(control_cmd_allowed(CONTROL_PAUSE, &host, error));
    assert_false(control_cmd_allowed(CONTROL_PAUSE, &guest, error));
    assert_string_equal(error, "only the session's host may pause; this speaker is a guest");
    assert_false(control_cmd_allowed(CONTROL_MOVE, &guest, error));
    assert_string_equal(error, "only the session's host may move tracks; this speaker is a guest: "
                               "ask with tuttictl request");
    assert_true(control_cmd_allowed(CONTROL_REQUEST, &guest, error));
    assert_false(control_cmd_allowed(CONTROL_REQUEST, &host, error));
    assert_non_null(strstr(error, "this speaker is the host"));
    for (int verb = CONTROL_HELLO; verb <= CONTROL_COMMAND_SPEAKERS; verb++)
        assert_true(control_cmd_allowed((enum control_verb)verb, &host, error) ||
                    control_cmd_allowed((enum control_verb)verb, &guest, error));
}

static void everybody_may_where_the_host_lets_them(void **state)
{
    (void)state;
    static const enum control_verb controls[] = {
        CONTROL_PLAY, CONTROL_PAUSE, CONTROL_TOGGLE,       CONTROL_SEEK,
        CONTROL_NEXT, CONTROL_PREV,  CONTROL_NAME_SPEAKER, CONTROL_COMMAND_SPEAKERS};
    static const enum control_verb not [] = {CONTROL_REMOVE, CONTROL_MOVE, CONTROL_APPROVE,
                                             CONTROL_DENY, CONTROL_PAIRING};
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++) {
        assert_true(control_cmd_allowed(controls[i], &everyone, error));
        assert_false(control_cmd_allowed(controls[i], &hub_guest, error));
        assert_non_null(strstr(error, "tuttictl session control everyone"));
    }
    for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
        assert_false(control_cmd_allowed(not [i], &everyone, error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_taken),
        cmocka_unit_test(what_is_absent_is_known_to_be),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(texts_are_bounded),
        cmocka_unit_test(a_request_names_what_its_type_takes),
        cmocka_unit_test(a_role_is_told_who_may),
        cmocka_unit_test(everybody_may_where_the_host_lets_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
