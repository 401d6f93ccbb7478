/*
 * What speakers are told to do, and how that ends, on a virtual clock.
 */
#include "../../../src/hub/speakers.h"
#include "../cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MS INT64_C(1000000)

static struct speakers speakers;
static const struct speaker_wish quiet = {50, NAN, NAN, -1, -1, false};

static int tear_down(void **state)
{
    (void)state;
    speakers_end(&speakers);
    return 0;
}

static void say(struct speaker *speaker, const char *json)
{
    cJSON *payload = cJSON_Parse(json);
    assert_non_null(payload);
    cJSON_Delete(speaker->report);
    speaker->report = speakers_read(payload);
    speakers_take_answer(speaker, cJSON_GetObjectItemCaseSensitive(payload, "speaker"));
    cJSON_Delete(payload);
}

static struct speaker *add(const char *device_id, const char *json)
{
    struct speaker *speaker = speakers_get(&speakers, "s", device_id);
    say(speaker, json);
    return speaker;
}

static void assert_command(const struct speaker *speaker, const char *wanted)
{
    cJSON *json = speakers_command_json(speaker);
    char *text = cJSON_PrintUnformatted(json);
    assert_string_equal(text, wanted);
    cJSON_free(text);
    cJSON_Delete(json);
}

static void answers_end_commands(void **state)
{
    (void)state;
    struct speaker *speaker = add("a", "{\"speaker\":{}}");
    assert_command(speaker, "null");
    speakers_begin_command(speaker, "c1", &quiet, NAN, 0);
    say(speaker, "{\"speaker\":{\"command\":{\"id\":\"c0\",\"status\":\"done\"}}}");
    say(speaker, "{\"speaker\":{\"command\":{\"id\":\"c1\",\"status\":\"pending\"}}}");
    say(speaker, "{\"speaker\":{\"command\":{\"id\":\"c1\"}}}");
    say(speaker, "{\"speaker\":{\"command\":[7]}}");
    assert_command(speaker, "{\"id\":\"c1\",\"status\":\"pending\",\"reason\":null}");
    say(speaker, "{\"speaker\":{\"command\":{\"id\":\"c1\",\"status\":\"done\"}}}");
    assert_command(speaker, "{\"id\":\"c1\",\"status\":\"done\",\"reason\":null}");
    speakers_begin_command(speaker, "c2", &quiet, NAN, 0);
    say(speaker,
        "{\"speaker\":{\"command\":{\"id\":\"c2\",\"status\":\"refused\",\"reason\":\"no\"}}}");
    assert_command(speaker, "{\"id\":\"c2\",\"status\":\"refused\",\"reason\":\"no\"}");
}

static void what_is_not_answered_in_time_has_failed(void **state)
{
    (void)state;
    int64_t next_ns;
    struct speaker *speaker = add("a", "{\"speaker\":{}}");
    speakers_begin_command(speaker, "c1", &quiet, NAN, 1000 * MS);
    assert_ptr_equal(speakers_next_to_tell(&speakers, 1000 * MS, &next_ns), speaker);
    assert_null(speakers_next_to_tell(&speakers, 1001 * MS, &next_ns));
    assert_int_equal(next_ns, 1300 * MS);
    assert_ptr_equal(speakers_next_to_tell(&speakers, 1300 * MS, &next_ns), speaker);
    assert_command(speaker, "{\"id\":\"c1\",\"status\":\"failed\","
                            "\"reason\":\"it did not answer within 300 ms\"}");
    assert_null(speakers_next_to_tell(&speakers, 1301 * MS, &next_ns));
    assert_int_equal(next_ns, SPEAKERS_NEVER);
    /* What it says then is the truth all the same. */
    say(speaker, "{\"speaker\":{\"command\":{\"id\":\"c1\",\"status\":\"done\"}}}");
    assert_ptr_equal(speakers_next_to_tell(&speakers, 1350 * MS, &next_ns), speaker);
    assert_command(speaker, "{\"id\":\"c1\",\"status\":\"done\",\"reason\":null}");
}

/* All else at most once a second. */
static void how_it_ended_is_told_at_once(void **state)
{
    (void)state;
    int64_t next_ns;
    struct speaker *speaker = add("a", "{\"speaker\":{}}");
    speakers_note(speaker);
    assert_ptr_equal(speakers_next_to_tell(&speakers, 0, &next_ns), speaker);
    speakers_begin_command(speaker, "c1", &quiet, NAN, 10 * MS);
    assert_null(speakers_next_to_tell(&speakers, 20 * MS, &next_ns));
    say(speaker, "{\"speaker\":{\"command\":{\"id\":\"c1\",\"status\":\"done\"}}}");
    assert_ptr_equal(speakers_next_to_tell(&speakers, 30 * MS, &next_ns), speaker);
    speakers_note(speaker);
    assert_null(speakers_next_to_tell(&speakers, 40 * MS, &next_ns));
    assert_int_equal(next_ns, 1030 * MS);
}

static void all_rooms_keep_their_proportions(void **state)
{
    (void)state;
    struct speaker_wish up = {NAN, 5, NAN, -1, -1, false}, down = {NAN, -60, NAN, -1, -1, false};
    struct speaker *loud = add("a", "{\"speaker\":{\"volume\":60}}");
    struct speaker *soft = add("b", "{\"speaker\":{\"volume\":30}}");
    struct speaker *off = add("c", "{\"speaker\":{\"volume\":0}}");
    struct speaker *mystery = add("d", "{\"speaker\":{}}");
    assert_true(speakers_wanted_volume(loud, &up, 60) == 65);
    assert_true(speakers_wanted_volume(soft, &up, 60) == 32.5);
    assert_true(speakers_wanted_volume(off, &up, 60) == 0);
    assert_true(isnan(speakers_wanted_volume(mystery, &up, 60)));
    assert_true(speakers_wanted_volume(soft, &down, 60) == 0);
    assert_true(speakers_wanted_volume(off, &up, 0) == 5); /* where all are off */
    up.volume_by = 100;
    assert_true(speakers_wanted_volume(loud, &up, 60) == 100);
    assert_true(speakers_wanted_volume(soft, &up, 60) == 50);
    /* What is under way counts: a button that is pressed twice does twice as much. */
    speakers_begin_command(soft, "c1", &quiet, 40, 0);
    assert_true(speakers_volume(soft) == 40);
    say(soft, "{\"speaker\":{\"volume\":35,\"command\":{\"id\":\"c1\",\"status\":\"done\"}}}");
    assert_true(speakers_volume(soft) == 35);
}

static void what_may_be_changed_the_speaker_says(void **state)
{
    (void)state;
    struct speaker_wish volume = {30, NAN, NAN, -1, -1, false},
                        latency = {NAN, NAN, 5, -1, -1, false};
    static const struct {
        const char *said;
        bool tells, volume, latency;
    } cases[] = {
        {"{\"speaker\":{\"remote\":\"all\"}}", true, true, true},
        {"{\"speaker\":{\"remote\":\"volume\"}}", true, true, false},
        {"{\"speaker\":{\"remote\":\"none\"}}", true, false, false},
        {"{\"speaker\":{\"remote\":\"odd\"}}", true, false, false},
        {"{\"speaker\":{\"remote\":7}}", false, false, false},
        {"{\"speaker\":{}}", false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct speaker *speaker = add("a", cases[i].said);
        assert_int_equal(speakers_tells_remote(speaker), cases[i].tells);
        assert_int_equal(speakers_may_change(speaker, &volume), cases[i].volume);
        assert_int_equal(speakers_may_change(speaker, &latency), cases[i].latency);
    }
}

/* Its device may have to be opened; and who knows of no such sound says nothing of clicks. */
static void a_sound_has_two_seconds(void **state)
{
    (void)state;
    static const struct speaker_wish chime = {NAN, NAN, NAN, -1, -1, true},
                                     clicks = {NAN, NAN, NAN, -1, 0, false};
    struct speaker *speaker = add("a", "{\"speaker\":{\"remote\":\"volume\",\"clicks\":false}}");
    struct speaker *old = add("b", "{\"speaker\":{\"remote\":\"all\"}}");
    assert_true(speakers_can_sound(speaker, &chime) && speakers_can_sound(speaker, &clicks));
    assert_true(speakers_can_sound(old, &quiet));
    assert_false(speakers_can_sound(old, &chime) || speakers_can_sound(old, &clicks));
    assert_true(speakers_may_change(speaker, &chime)); /* no louder than its volume */
    speakers_begin_command(speaker, "c1", &chime, NAN, 0);
    int64_t next_ns;
    speakers_next_to_tell(&speakers, 1999 * MS, &next_ns);
    assert_command(speaker, "{\"id\":\"c1\",\"status\":\"pending\",\"reason\":null}");
    speakers_next_to_tell(&speakers, 2000 * MS, &next_ns);
    assert_command(speaker, "{\"id\":\"c1\",\"status\":\"failed\",\"reason\":\"it did not "
                            "answer within 2000 ms\"}");
}

static void wishes_are_whole_or_refused(void **state)
{
    (void)state;
    struct speaker_wish wish;
    static const char *const good[] = {
        "{\"volume\":0}",         "{\"volume_by\":-100,\"muted\":false}",
        "{\"latency_ms\":-2000}", "{\"muted\":true}",
        "{\"identify\":true}",    "{\"clicks\":false}"};
    static const char *const bad[] = {
        "{}",
        "{\"speakers\":\"all\"}",
        "{\"volume\":101}",
        "{\"volume\":\"30\"}",
        "{\"volume\":null}",
        "{\"volume_by\":101}",
        "{\"volume\":3,\"volume_by\":1}",
        "{\"latency_ms\":2001}",
        "{\"muted\":1}",
        "{\"volume\":3,\"light\":true}",
        "{\"identify\":false}",
        "{\"clicks\":1}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cJSON *body = cJSON_Parse(good[i]);
        assert_null(speakers_read_wish(body, &wish));
        cJSON_Delete(body);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cJSON *body = cJSON_Parse(bad[i]);
        assert_non_null(speakers_read_wish(body, &wish));
        cJSON_Delete(body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(answers_end_commands, tear_down),
        cmocka_unit_test_teardown(what_is_not_answered_in_time_has_failed, tear_down),
        cmocka_unit_test_teardown(how_it_ended_is_told_at_once, tear_down),
        cmocka_unit_test_teardown(all_rooms_keep_their_proportions, tear_down),
        cmocka_unit_test_teardown(what_may_be_changed_the_speaker_says, tear_down),
        cmocka_unit_test_teardown(a_sound_has_two_seconds, tear_down),
        cmocka_unit_test(wishes_are_whole_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
