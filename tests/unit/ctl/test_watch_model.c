#include "../../../src/ctl/members.h"
#include "../../../src/ctl/text.h"
#include "../cmocka_all.h"
#include "helpers/watch.h"

#include <stdlib.h>
#include <string.h>

static struct watch_model model;

static int setup(void **state)
{
    (void)state;
    text_use_utf8();
    watch_start(&model, 1);
    watch_line(&model, 0, SUBSCRIBED(STATUS(HOST), PLAYLIST, REQUESTS), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    watch_model_finish(&model);
    return 0;
}

/* What the key asks, as JSON; "" if nothing. It counts as sent under this id. */
static void assert_key(enum watch_key_kind kind, wchar_t character, int id, const char *wanted)
{
    cJSON *request = NULL;
    struct watch_key key = {kind, character};
    char *text = NULL;
    if (watch_model_key(&model, key, 0, &request) == WATCH_SEND) {
        text = cJSON_PrintUnformatted(request);
        watch_model_sent(&model, model.chosen_speaker, id, request);
    }
    assert_string_equal(text ? text : "", wanted);
    free(text);
    cJSON_Delete(request);
}

static void type(const char *text)
{
    for (; *text; text++)
        assert_key(WATCH_KEY_CHARACTER, *text, 0, "");
}

static void a_host_commands_by_keys(void **state)
{
    (void)state;
    assert_key(WATCH_KEY_CHARACTER, L' ', 2, "{\"cmd\":\"toggle\"}");
    assert_key(WATCH_KEY_LEFT, 0, 3, "{\"cmd\":\"seek\",\"by_ms\":-10000}");
    assert_key(WATCH_KEY_CHARACTER, L'n', 4, "{\"cmd\":\"next\"}");
    assert_key(WATCH_KEY_CHARACTER, L'p', 5, "{\"cmd\":\"prev\"}");
    assert_key(WATCH_KEY_CHARACTER, L'+', 6, "{\"cmd\":\"volume\",\"by\":5}");
    assert_key(WATCH_KEY_CHARACTER, L'm', 7, "{\"cmd\":\"mute\"}");
    assert_key(WATCH_KEY_CHARACTER, L'a', 8, "{\"cmd\":\"approve\",\"request_id\":\"r2\"}");
    assert_key(WATCH_KEY_CHARACTER, L'x', 9, "");
    cJSON *none;
    assert_int_equal(watch_model_key(&model, (struct watch_key){.character = L'q'}, 0, &none),
                     WATCH_QUIT);
}

static void enter_plays_what_is_searched_for(void **state)
{
    (void)state;
    assert_key(WATCH_KEY_ENTER, 0, 2, "{\"cmd\":\"play\"}");
    watch_line(&model, 0, "{\"id\":2,\"ok\":true}", 0);
    type("/MEQ"); /* q does not quit while it is typed */
    assert_int_equal(model.found, -1);
    assert_key(WATCH_KEY_BACKSPACE, 0, 0, "");
    assert_int_equal(model.found, 1);
    assert_key(WATCH_KEY_ENTER, 0, 3, "{\"cmd\":\"play\",\"track_id\":\"i2\"}");
    watch_line(&model, 0, "{\"id\":3,\"ok\":true}", 0);
    assert_false(model.searching);
    type("/a"); /* both have one: up and down go round */
    assert_int_equal(model.found, 0);
    assert_key(WATCH_KEY_DOWN, 0, 0, "");
    assert_int_equal(model.found, 1);
    assert_key(WATCH_KEY_DOWN, 0, 0, "");
    assert_int_equal(model.found, 0);
    assert_key(WATCH_KEY_UP, 0, 0, "");
    assert_int_equal(model.found, 1);
    assert_key(WATCH_KEY_ESCAPE, 0, 0, "");
    assert_false(model.searching);
    type("/x");
    assert_key(WATCH_KEY_ENTER, 0, 0, ""); /* nothing has it */
}

static void a_held_key_waits_for_the_answer(void **state)
{
    (void)state;
    assert_key(WATCH_KEY_RIGHT, 0, 2, "{\"cmd\":\"seek\",\"by_ms\":10000}");
    assert_key(WATCH_KEY_RIGHT, 0, 3, "");
    watch_line(&model, 0, "{\"id\":2,\"progress\":{}}", 0); /* no answer yet */
    assert_key(WATCH_KEY_RIGHT, 0, 3, "");
    watch_line(&model, 0, "{\"id\":2,\"ok\":true,\"took_ms\":4.4}", 0);
    assert_string_equal(model.message, "moved, confirmed in 4 ms");
    assert_key(WATCH_KEY_RIGHT, 0, 3, "{\"cmd\":\"seek\",\"by_ms\":10000}");
}

static void answers_become_messages_and_pass(void **state)
{
    (void)state;
    assert_key(WATCH_KEY_CHARACTER, L' ', 2, "{\"cmd\":\"toggle\"}");
    watch_line(&model, 0, "{\"id\":2,\"ok\":true,\"state\":\"paused\",\"took_ms\":12}", 1000);
    assert_string_equal(model.message, "paused, confirmed in 12 ms");
    assert_int_equal(watch_model_tick(&model, 1001), 7000);
    assert_string_equal(model.message, "paused, confirmed in 12 ms");
    assert_int_equal(watch_model_tick(&model, 7000), -1);
    assert_string_equal(model.message, "");
    watch_line(&model, 0, "{\"id\":9,\"ok\":false,\"error\":\"only the host may\"}", 0);
    assert_string_equal(model.message, "only the host may");
    assert_true(model.message_is_error);
    assert_key(WATCH_KEY_DOWN, 0, 0, ""); /* read: the next key clears it */
    assert_string_equal(model.message, "");
}

static void pending_requests_come_first_and_one_is_chosen(void **state)
{
    (void)state;
    const cJSON *order[10];
    static const char *const wanted[] = {"r2", "r4", "r3", "r1"};
    assert_int_equal(watch_speaker_requests(&model.speakers[0], order, 10), 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(member_text(order[i], "id"), wanted[i]);
    assert_int_equal(watch_speaker_requests(&model.speakers[0], order, 3), 3);
    assert_key(WATCH_KEY_DOWN, 0, 0, "");
    assert_string_equal(member_text(watch_model_chosen_request(&model), "id"), "r4");
    assert_key(WATCH_KEY_DOWN, 0, 0, ""); /* r3 is not pending */
    assert_string_equal(member_text(watch_model_chosen_request(&model), "id"), "r4");
    watch_line(&model, 0,
               "{\"event\":\"requests\",\"requests\":[{\"id\":\"r2\",\"status\":\"pending\"}]}", 0);
    assert_string_equal(member_text(watch_model_chosen_request(&model), "id"), "r2");
    watch_line(&model, 0, "{\"event\":\"requests\",\"requests\":[]}", 0);
    assert_null(watch_model_chosen_request(&model));
    assert_key(WATCH_KEY_CHARACTER, L'a', 2, "");
    assert_key(WATCH_KEY_CHARACTER, L'd', 2, "");
    assert_false(model.asking_reason);
}

static void a_denial_asks_why(void **state)
{
    (void)state;
    assert_key(WATCH_KEY_DOWN, 0, 0, "");
    type("dno q");
    assert_key(WATCH_KEY_CHARACTER, L'x', 0, "");
    assert_key(WATCH_KEY_BACKSPACE, 0, 0, "");
    assert_key(WATCH_KEY_CHARACTER, L'ß', 0, "");
    assert_key(WATCH_KEY_CHARACTER, 0x1, 0, ""); /* no such letter */
    assert_key(WATCH_KEY_ENTER, 0, 2,
               "{\"cmd\":\"deny\",\"request_id\":\"r4\",\"reason\":\"no qß\"}");
    watch_line(&model, 0, "{\"id\":2,\"ok\":true,\"took_ms\":1}", 0);
    assert_key(WATCH_KEY_CHARACTER, L'd', 0, "");
    assert_key(WATCH_KEY_BACKSPACE, 0, 0, "");
    assert_key(WATCH_KEY_ENTER, 0, 3, "{\"cmd\":\"deny\",\"request_id\":\"r4\"}");
    type("dx");
    assert_key(WATCH_KEY_ESCAPE, 0, 0, "");
    assert_false(model.asking_reason);
    type("d");
    for (int i = 0; i < 2 * WATCH_TYPED_MAX; i++)
        assert_key(WATCH_KEY_CHARACTER, L'\u65e5', 0, "");
    cJSON *request = NULL;
    watch_line(&model, 0, "{\"id\":3,\"ok\":true}", 0);
    assert_int_equal(
        watch_model_key(&model, (struct watch_key){.kind = WATCH_KEY_ENTER}, 0, &request),
        WATCH_SEND);
    assert_int_equal(text_columns(member_text(request, "reason")), 2 * (WATCH_TYPED_MAX - 1));
    cJSON_Delete(request);
}

static void a_guest_hears_from_the_daemon_who_may(void **state)
{
    (void)state;
    watch_line(&model, 0, "{\"event\":\"status\",\"status\":" STATUS(GUEST) "}", 0);
    assert_key(WATCH_KEY_CHARACTER, L'd', 2, "{\"cmd\":\"deny\",\"request_id\":\"r2\"}");
    assert_false(model.asking_reason);
    assert_key(WATCH_KEY_CHARACTER, L'-', 3, "{\"cmd\":\"volume\",\"by\":-5}");
}

static void a_lost_daemon_is_known_to_be_lost(void **state)
{
    (void)state;
    assert_key(WATCH_KEY_CHARACTER, L' ', 2, "{\"cmd\":\"toggle\"}");
    watch_model_lost(&model, 0, 0);
    assert_false(model.speakers[0].live);
    assert_string_equal(model.message, "the daemon has gone before it answered");
    assert_key(WATCH_KEY_CHARACTER, L' ', 3, "");
    assert_string_equal(model.message, "not now: the daemon is away");
    assert_non_null(model.speakers[0].playlist); /* what is known stays to be seen */
    watch_line(&model, 0, SUBSCRIBED(STATUS(HOST), "[]", "[]"), 0);
    assert_true(model.speakers[0].live);
    assert_key(WATCH_KEY_CHARACTER, L' ', 3, "{\"cmd\":\"toggle\"}");
}

static void the_tabulator_goes_round_the_speakers(void **state)
{
    (void)state;
    watch_model_finish(&model);
    watch_start(&model, 2);
    watch_line(&model, 1, SUBSCRIBED(STATUS(GUEST), PLAYLIST, "[]"), 0);
    assert_false(watch_model_chosen(&model)->live);
    assert_key(WATCH_KEY_TAB, 0, 0, "");
    assert_true(watch_model_chosen(&model)->live);
    assert_key(WATCH_KEY_TAB, 0, 0, "");
    assert_int_equal(model.chosen_speaker, 0);
}

static void odd_lines_change_nothing(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "[]",
        "7",
        "null",
        "{}",
        "{\"event\":\"status\",\"status\":7}",
        "{\"event\":\"playlist\"}",
        "{\"id\":77,\"ok\":true,\"took_ms\":1}",
        "{\"id\":\"x\",\"ok\":true}",
        "{\"event\":\"tomorrow\",\"news\":{}}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        watch_line(&model, 0, lines[i], 0);
    watch_model_take(&model, 0, NULL, 0); /* no JSON at all */
    assert_string_equal(model.message, "");
    assert_string_equal(member_text(model.speakers[0].status, "name"), "Kitchen");
    assert_int_equal(cJSON_GetArraySize(model.speakers[0].playlist), 2);
    assert_true(model.speakers[0].live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_host_commands_by_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(enter_plays_what_is_searched_for, setup, teardown),
        cmocka_unit_test_setup_teardown(a_held_key_waits_for_the_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_become_messages_and_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(pending_requests_come_first_and_one_is_chosen, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_denial_asks_why, setup, teardown),
        cmocka_unit_test_setup_teardown(a_guest_hears_from_the_daemon_who_may, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_daemon_is_known_to_be_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(the_tabulator_goes_round_the_speakers, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_lines_change_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
