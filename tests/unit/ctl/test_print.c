/*
 * The answers as people see them: in 80 columns whatever comes, and harmless.
 */
#include "../../../src/ctl/command.h"
#include "../../../src/ctl/text.h"
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#define EVIL "\\u001b[2J\\u009b31m\\u202e\\r\\n"
#define LONG                                                                                                 \
    "a name that goes on and on, 日本語日本語日本語日本語, until nobody cares any more what it " \
    "was to be about in the first place"

static int utf8(void **state)
{
    (void)state;
    text_use_utf8();
    return 0;
}

/* What command prints of this answer; the caller's to free. */
static char *printed(const char *name, const char *json, bool coloured, int argc)
{
    char *text = NULL, *argument = (char[]){"--pending"};
    size_t size = 0;
    struct paper paper = {open_memstream(&text, &size), coloured};
    const struct command *command = command_find(name);
    struct order_call call = {.argc = argc, .argv = &argument};
    struct print_context context = {&call, "Harbour", 7, command->done};
    cJSON *answer = cJSON_Parse(json);
    assert_non_null(answer);
    command->print(&paper, answer, &context);
    fclose(paper.out);
    cJSON_Delete(answer);
    return text;
}

static void assert_printed(const char *name, const char *json, const char *wanted)
{
    char *text = printed(name, json, false, 0);
    assert_string_equal(text, wanted);
    free(text);
}

static const char status_json[] =
    "{\"status\":{\"name\":\"Kitchen\",\"state\":\"playing\",\"track_id\":\"t1\","
    "\"track_name\":\"Harbour\",\"track_error\":\"\",\"position_ms\":83000,\"length_ms\":225000,"
    "\"error_us\":-0.4,\"rate_ppm\":-31.25,\"volume\":60,\"muted\":true,"
    "\"session\":{\"link\":\"live\",\"role\":\"host\",\"code\":\"D5D6A6\",\"problem\":\"\"},"
    "\"clock\":{\"source\":\"echo\",\"uncertainty_ms\":0.021,\"settled\":true},"
    "\"group\":{\"role\":\"follower\",\"members\":3,\"reference\":\"192.0.2.7:8751\","
    "\"round_trip_ms\":0.21,\"apart_us\":31.2},"
    "\"sink\":{\"open\":true,\"device\":\"hw:1\",\"format\":\"S32_LE\",\"rate_hz\":48000,"
    "\"xruns\":0}}}";

static void status_is_a_screenful_of_facts(void **state)
{
    (void)state;
    assert_printed("status", status_json,
                   "Kitchen, playing\n"
                   "track     Harbour\n"
                   "position  1:23 of 3:45\n"
                   "in sync   +0 us, rate -31.2 ppm\n"
                   "volume    60 %, muted\n"
                   "session   live as host, invite code D5D6A6\n"
                   "clock     by echo, within 0.021 ms\n"
                   "group     follower of 192.0.2.7:8751, 3 speakers, 0.21 ms away, within 31 us\n"
                   "sound     hw:1, S32_LE, 48000 Hz, 0 underruns\n");
    assert_printed("status",
                   "{\"status\":{\"name\":\"Study\",\"state\":\"idle\",\"track_id\":null,"
                   "\"error_us\":null,\"volume\":5,\"session\":{\"link\":\"waiting\","
                   "\"role\":\"guest\",\"problem\":\"the backend is away\"},"
                   "\"clock\":{\"source\":\"none\",\"uncertainty_ms\":0},"
                   "\"sink\":{\"open\":false,\"error\":\"hw:1: no such device\"}}}",
                   "Study, idle\n"
                   "track     none\n"
                   "volume    5 %\n"
                   "session   waiting as guest\n"
                   "          the backend is away\n"
                   "clock     by none, within 0.000 ms\n"
                   "sound     hw:1: no such device\n");
}

/* That the sound fits a guess of half a second is not "in sync". */
static void what_the_file_says_is_shown(void **state)
{
    (void)state;
    assert_printed("status",
                   "{\"status\":{\"name\":\"Study\",\"state\":\"paused\",\"track_name\":\"x.flac\","
                   "\"title\":\"Harbour\",\"artist\":\"The Rooms\",\"album\":\"House\","
                   "\"track_number\":3,\"volume\":5,"
                   "\"session\":{\"link\":\"live\",\"role\":\"guest\"},"
                   "\"clock\":{\"source\":\"echo\",\"uncertainty_ms\":0.1,\"settled\":true},"
                   "\"sink\":{\"open\":false,\"error\":\"\"}}}",
                   "Study, paused\n"
                   "track     x.flac\n"
                   "title     Harbour\n"
                   "artist    The Rooms\n"
                   "album     House, track 3\n"
                   "volume    5 %\n"
                   "session   live as guest\n"
                   "clock     by echo, within 0.100 ms\n"
                   "sound     not open\n");
}

static void a_guess_is_not_called_sync(void **state)
{
    (void)state;
    assert_printed("status",
                   "{\"status\":{\"name\":\"Study\",\"state\":\"playing\",\"track_id\":\"t1\","
                   "\"track_name\":\"Harbour\",\"position_ms\":0,\"error_us\":3,\"rate_ppm\":0,"
                   "\"volume\":5,\"session\":{\"link\":\"live\",\"role\":\"guest\"},"
                   "\"clock\":{\"source\":\"date\",\"uncertainty_ms\":531.2,\"settled\":false},"
                   "\"sink\":{\"open\":false,\"error\":\"\"}}}",
                   "Study, playing\n"
                   "track     Harbour\n"
                   "position  0:00 of ?\n"
                   "in sync   not yet: the time is known to 531 ms only\n"
                   "volume    5 %\n"
                   "session   live as guest\n"
                   "clock     by date, within 531.200 ms\n"
                   "sound     not open\n");
}

static void confirmations_say_what_and_how_long(void **state)
{
    (void)state;
    assert_printed("remove", "{\"took_ms\":4.6}", "removed Harbour, confirmed in 5 ms\n");
    assert_printed("toggle", "{\"state\":\"paused\",\"took_ms\":12}",
                   "paused, confirmed in 12 ms\n");
    assert_printed("approve",
                   "{\"took_ms\":3,\"request\":{\"type\":\"add\",\"summary\":\"Meadow\"}}",
                   "approved: add Meadow, confirmed in 3 ms\n");
    assert_printed("request", "{\"took_ms\":3,\"request\":{\"type\":\"remove\"}}",
                   "asked: remove Harbour, confirmed in 3 ms\n");
    assert_printed("join", "{}", "joined Harbour, confirmed in 7 ms\n");
    assert_printed("volume", "{\"volume\":40}", "volume 40 %\n");
    assert_printed("mute", "{\"muted\":false}", "not muted\n");
    assert_printed("latency", "{\"latency_ms\":-12.5}", "latency -12.5 ms\n");
    assert_printed("log-level", "{\"level\":\"debug\"}", "debug\n");
}

static void lists_have_their_columns(void **state)
{
    (void)state;
    assert_printed(
        "playlist",
        "{\"playlist\":[{\"name\":\"Harbour\",\"duration_s\":75},"
        "{\"name\":\"Größe 日本\",\"current\":true,\"duration_s\":3723},{}]}",
        "     1  Harbour                                                             1:15\n"
        ">    2  Größe 日本                                                       1:02:03\n"
        "     3                                                                          \n");
    assert_printed("playlist", "{\"playlist\":[]}", "The playlist is empty.\n");
    assert_printed("devices",
                   "{\"devices\":[{\"name\":\"hw:1\",\"description\":\"USB\",\"current\":true},"
                   "{\"name\":\"null\",\"description\":\"\"}]}",
                   "> hw:1                         USB\n"
                   "  null                         \n");
    assert_printed("session",
                   "{\"session\":{\"id\":\"s1\",\"role\":\"host\",\"name\":\"Kitchen\","
                   "\"url\":\"http://hub:8700\",\"link\":\"live\",\"code\":\"D5D6A6\"}}",
                   "session   s1\nspeaker   Kitchen\nrole      host\nbackend   http://hub:8700\n"
                   "link      live\ninvite    D5D6A6\n");
}

static void a_session_says_how_it_goes_on(void **state)
{
    (void)state;
    assert_printed("repeat",
                   "{\"settings\":{\"advance\":true,\"repeat\":\"all\",\"shuffle\":true}}",
                   "the session plays on by itself, repeats the playlist, shuffled\n");
    assert_printed("session",
                   "{\"settings\":{\"advance\":false,\"repeat\":\"off\",\"shuffle\":false}}",
                   "the session stops after each track\n");
    assert_printed("session",
                   "{\"session\":{\"id\":\"s1\",\"settings\":"
                   "{\"advance\":true,\"repeat\":\"one\",\"shuffle\":false}}}",
                   "session   s1\nmusic     plays on by itself, repeats the track\n");
}

static const char requests_json[] =
    "{\"requests\":[{\"id\":\"ab12cd\",\"requester\":\"Dana\",\"type\":\"add\","
    "\"summary\":\"Meadow\",\"status\":\"pending\",\"reason\":\"\"},"
    "{\"id\":\"ab12ef\",\"requester\":\"Kim\",\"type\":\"remove\",\"summary\":\"Harbour\","
    "\"status\":\"denied\",\"reason\":\"We like it\",\"mine\":true}]}";

static void requests_show_ids_that_tell_them_apart(void **state)
{
    (void)state;
    assert_printed("requests", requests_json,
                   "pending   ab12c  add      Meadow                              Dana\n"
                   "denied    ab12e  remove   Harbour                             this speaker\n"
                   "          We like it\n");
    char *text = printed("requests", requests_json, false, 1);
    assert_null(strstr(text, "denied"));
    assert_non_null(strstr(text, "pending"));
    free(text);
    assert_printed("requests", "{\"requests\":[]}", "There are no requests.\n");
}

static void colours_come_only_on_coloured_paper(void **state)
{
    (void)state;
    char *text = printed("requests", requests_json, true, 0);
    assert_non_null(strstr(text, "\033[33mpending\033[0m"));
    assert_non_null(strstr(text, "\033[31mdenied\033[0m"));
    free(text);
    text = printed("requests", requests_json, false, 0);
    assert_null(strchr(text, '\033'));
    free(text);
}

/* Every member of every answer, hostile and long. */
static void nothing_hostile_is_printed_and_nothing_wide(void **state)
{
    (void)state;
    static const char template[] =
        "{\"took_ms\":1,\"state\":\"X\",\"level\":\"X\",\"devices\":[{\"name\":\"hw:1\","
        "\"description\":\"X\"}],\"playlist\":[{\"name\":\"X\",\"duration_s\":1e300}],"
        "\"requests\":[{\"id\":\"X\",\"requester\":\"X\",\"type\":\"X\",\"summary\":\"X\","
        "\"status\":\"X\",\"reason\":\"X\"}],\"request\":{\"type\":\"X\",\"summary\":\"X\"},"
        "\"session\":{\"id\":\"X\",\"role\":\"X\",\"name\":\"X\",\"url\":\"X\",\"link\":\"X\","
        "\"code\":\"X\"},\"status\":{\"name\":\"X\",\"state\":\"X\",\"track_id\":\"X\","
        "\"track_name\":\"X\",\"position_ms\":1,\"volume\":1,\"clock\":{\"source\":\"X\"},"
        "\"sink\":{\"open\":true,\"device\":\"X\",\"format\":\"X\"},"
        "\"session\":{\"link\":\"X\",\"role\":\"X\",\"code\":\"X\"}}}";
    char json[8192];
    size_t used = 0;
    for (const char *at = template; *at; at++) {
        int length = *at == 'X' ? snprintf(json + used, sizeof json - used, "%s", EVIL LONG EVIL)
                                : snprintf(json + used, sizeof json - used, "%c", *at);
        used += (size_t)length;
        assert_true(used < sizeof json);
    }
    for (size_t i = 0; i < command_count; i++) {
        if (!commands[i].print)
            continue;
        char *text = printed(commands[i].name, json, false, 0), *rest = text, *line;
        while ((line = strsep(&rest, "\n")) != NULL) {
            assert_true(text_is_clean(line));
            if (commands[i].print != print_toggled && commands[i].print != print_level)
                assert_true(text_columns(line) <= PAPER_COLUMNS);
        }
        free(text);
    }
}

static void json_is_harmless_and_still_the_same(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cJSON *json = cJSON_Parse("{\"a\":\"\\u001b[2J\\u009b\\u007fö\\u202e\"}");
    paper_json_line(out, json);
    cJSON *bare = cJSON_CreateString("\x9b");
    paper_json_line(out, bare);
    fclose(out);
    assert_string_equal(text, "{\"a\":\"\\u001b[2J\\u009b\\u007fö\u202e\"}\n\"\\ufffd\"\n");
    cJSON_Delete(json);
    cJSON_Delete(bare);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_is_a_screenful_of_facts),
        cmocka_unit_test(what_the_file_says_is_shown),
        cmocka_unit_test(a_guess_is_not_called_sync),
        cmocka_unit_test(confirmations_say_what_and_how_long),
        cmocka_unit_test(lists_have_their_columns),
        cmocka_unit_test(a_session_says_how_it_goes_on),
        cmocka_unit_test(requests_show_ids_that_tell_them_apart),
        cmocka_unit_test(colours_come_only_on_coloured_paper),
        cmocka_unit_test(nothing_hostile_is_printed_and_nothing_wide),
        cmocka_unit_test(json_is_harmless_and_still_the_same),
    };
    return cmocka_run_group_tests(tests, utf8, NULL);
}
