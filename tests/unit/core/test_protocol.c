#include "../cmocka_all.h"
#include "tutti/core/playlist.h"
#include "tutti/core/protocol.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As docs/security.md has it; cJSON's own limit. */
#define NESTING_MAX 1000

static bool parse(const char *text, struct protocol_message *message)
{
    char reason[PROTOCOL_REASON_MAX];
    return protocol_parse(text, strlen(text), message, reason);
}

#define STATE(track, position, state, updated)                                                     \
    "{\"type\": \"playback_state\", \"payload\": {\"track_id\": " track                            \
    ", \"position_ms\": " position ", \"state\": " state ", \"updated_at\": " updated "}}"
#define GOOD_TIME "\"2026-01-31T12:00:00.5\""

static void a_playback_state_is_read(void **state)
{
    (void)state;
    struct protocol_message message;
    assert_true(parse(STATE("\"t1\"", "1234", "\"playing\"", GOOD_TIME), &message));
    assert_int_equal(message.type, MESSAGE_PLAYBACK_STATE);
    assert_true(message.playback.has_track);
    assert_string_equal(message.playback.track_id, "t1");
    assert_true(message.playback.position_ms == 1234);
    assert_true(message.playback.playing);
    assert_true(parse(STATE("null", "0", "\"paused\"", GOOD_TIME), &message));
    assert_false(message.playback.has_track);
}

static void odd_states_are_refused_with_a_reason(void **state)
{
    (void)state;
    const char *const odd[] = {
        STATE("\"t\"", "null", "\"playing\"", GOOD_TIME),
        STATE("\"t\"", "\"12\"", "\"playing\"", GOOD_TIME),
        STATE("\"t\"", "-5", "\"playing\"", GOOD_TIME),
        STATE("\"t\"", "Infinity", "\"playing\"", GOOD_TIME),
        STATE("\"t\"", "1e300", "\"playing\"", GOOD_TIME),
        STATE("\"t\"", "1", "null", GOOD_TIME),
        STATE("\"t\"", "1", "\"dancing\"", GOOD_TIME),
        STATE("7", "1", "\"playing\"", GOOD_TIME),
        STATE("\"t\"", "1", "\"playing\"", "\"yesterday\""),
        STATE("\"t\"", "1", "\"playing\"", "null"),
        "{\"type\": \"playback_state\", \"payload\": []}",
        "{\"type\": 3, \"payload\": {}}",
        "[]",
        "",
        "null",
        "{",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct protocol_message message;
        char reason[PROTOCOL_REASON_MAX] = "";
        assert_false(protocol_parse(odd[i], strlen(odd[i]), &message, reason));
        assert_true(strlen(reason) > 10);
    }
}

/* What a message is can be known of many that cannot be read; of what only mentions it, not. */
static void the_type_of_what_cannot_be_read_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum message_type type;
    } odd[] = {
        {STATE("\"t\"", "Infinity", "\"playing\"", GOOD_TIME), MESSAGE_PLAYBACK_STATE},
        {STATE("\"t\"", "-1", "\"playing\"", GOOD_TIME), MESSAGE_PLAYBACK_STATE},
        {"{\"payload\": {\"position_ms\": NaN}, \"type\": \"playback_state\"}",
         MESSAGE_PLAYBACK_STATE},
        {"{\"type\":\"playback_state\",\"payload\":[]}", MESSAGE_PLAYBACK_STATE},
        {"{\"type\":\"playback_state\"", MESSAGE_PLAYBACK_STATE},
        {"{\"type\": \"playlist_update\", \"payload\": {\"playlist\": 7}}", MESSAGE_PLAYLIST},
        {"{\"type\": \"request_update\", \"payload\": {}}", MESSAGE_REQUEST},
        {"{\"type\": \"sync_ack\", \"payload\": {\"sequence\": Infinity}}", MESSAGE_ECHO},
        /* Somebody called a track that. */
        {"{\"type\": \"playlist_update\", \"payload\": {\"playlist\": [{\"name\": "
         "\"playback_state\", \"duration_seconds\": Infinity}]}}",
         MESSAGE_PLAYLIST},
        {"{\"type\": \"x\", \"payload\": {\"type\": \"playback_state\", \"a\": NaN}}",
         MESSAGE_UNKNOWN},
        {"{\"payload\": \"{\\\"type\\\": \\\"playback_state\\\"\", \"a\": NaN}", MESSAGE_UNKNOWN},
        {"[\"type\", \"playback_state\", NaN]", MESSAGE_UNKNOWN},
        {"\"type\": \"playback_state\"", MESSAGE_UNKNOWN},
        {"{\"a\": \"type\", \"playback_state\": NaN}", MESSAGE_UNKNOWN},
        {"{\"type\", \"playback_state\": NaN}", MESSAGE_UNKNOWN},
        {"{\"type\": 3, \"playback_state\": NaN}", MESSAGE_UNKNOWN},
        {"{\"type\": \"playback_state", MESSAGE_PLAYBACK_STATE},
        {"{\"type\": \"playback_stat\\", MESSAGE_UNKNOWN},
        {"{\"type\": \"", MESSAGE_UNKNOWN},
        {"{\"", MESSAGE_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct protocol_message message;
        char reason[PROTOCOL_REASON_MAX] = "";
        assert_false(protocol_parse(odd[i].text, strlen(odd[i].text), &message, reason));
        if (message.type != odd[i].type)
            fail_msg("%s is taken for %d", odd[i].text, (int)message.type);
    }
}

static void fractions_and_zones_of_times(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t ns;
    } times[] = {
        {"1970-01-01T00:00:00", 0},
        {"2026-01-31T12:00:00", INT64_C(1769860800) * NS_PER_S},
        {"2026-01-31T12:00:00Z", INT64_C(1769860800) * NS_PER_S},
        {"2026-01-31T12:00:00+00:00", INT64_C(1769860800) * NS_PER_S},
        {"2026-01-31T14:30:00+02:30", INT64_C(1769860800) * NS_PER_S},
        {"2026-01-31 07:00:00-05:00", INT64_C(1769860800) * NS_PER_S},
        {"2024-02-29T23:59:59.999999", INT64_C(1709251199) * NS_PER_S + 999999000},
        {"2026-01-31T12:00:00.1234567891", INT64_C(1769860800) * NS_PER_S + 123456789},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct server_time time;
        assert_true(protocol_parse_time(times[i].text, &time));
        assert_int_equal(time.ns, times[i].ns);
    }
    const char *const wrong[] = {"",
                                 "2026",
                                 "2026-13-01T00:00:00",
                                 "2026-01-31T25:00:00",
                                 "2026-01-31T12:00:00.",
                                 "2026-01-31T12:00:00+2",
                                 "2026-01-31T12:00:00Zulu",
                                 "0026-01-31T12:00:00"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct server_time time = {42};
        assert_false(protocol_parse_time(wrong[i], &time));
        assert_int_equal(time.ns, 42);
    }
}

static void times_are_written_as_they_are_read(void **state)
{
    (void)state;
    char text[PROTOCOL_TIME_MAX];
    protocol_format_time(INT64_C(1709251199) * NS_PER_S + 5000, text);
    assert_string_equal(text, "2024-02-29T23:59:59.000005Z");
    uint32_t random = 1;
    for (int i = 0; i < 10000; i++) {
        random = random * 1664525u + 1013904223u;
        int64_t ns = (int64_t)random * 1600000 * NS_PER_US;
        struct server_time back;
        protocol_format_time(ns, text);
        assert_true(protocol_parse_time(text, &back));
        assert_int_equal(back.ns, ns);
    }
}

static void a_playlist_is_read_whole(void **state)
{
    (void)state;
    struct protocol_message message;
    assert_true(parse("{\"type\": \"playlist_update\", \"payload\": {\"playlist\": ["
                      "{\"id\": \"i1\", \"track_id\": \"t1\", \"name\": \"\\u00e9t\\u00e9 "
                      "\\ud83c\\udfb5\", \"media_url\": \"/static/uploads/x.mp3\","
                      " \"media_type\": \"audio/mpeg\", \"duration_seconds\": 0, \"position\": 0},"
                      "{\"id\": 7, \"track_id\": \"t2\", \"duration_seconds\": 12},"
                      "{\"id\": 8, \"track_id\": \"t3\", \"duration_seconds\": 1e300},"
                      "{\"broken\": true}]}}",
                      &message));
    assert_int_equal(message.type, MESSAGE_PLAYLIST);
    assert_int_equal(message.playlist.count, 3);
    assert_string_equal(message.playlist.items[0].name, "été 🎵");
    assert_true(message.playlist.items[0].duration_s < 0);
    assert_string_equal(message.playlist.items[1].id, "7");
    assert_string_equal(message.playlist.items[1].name, "");
    assert_true(message.playlist.items[1].duration_s == 12);
    assert_true(message.playlist.items[2].duration_s < 0); /* no track is as long as that */
    protocol_message_finish(&message);
}

static void what_a_track_says_of_itself_is_read(void **state)
{
    (void)state;
    struct protocol_message message;
    assert_true(parse("{\"type\": \"playlist_update\", \"payload\": {\"playlist\": ["
                      "{\"id\": \"i1\", \"track_id\": \"t1\", \"title\": \"Harbour\","
                      " \"artist\": \"The \\u001b[2JRooms\", \"album\": \"House\","
                      " \"track_number\": 3, \"gain_db\": -6.5, \"peak\": 0.91},"
                      "{\"id\": \"i2\", \"track_id\": \"t2\", \"artist\": [\"x\"],"
                      " \"track_number\": -3, \"gain_db\": 1e9, \"peak\": 0,"
                      " \"album_gain_db\": \"loud\"}]}}",
                      &message));
    const struct track_tags *told = &message.playlist.items[0].tags;
    assert_string_equal(told->title, "Harbour");
    assert_string_equal(told->artist, "The ?[2JRooms");
    assert_string_equal(told->album, "House");
    assert_int_equal(told->number, 3);
    assert_true(told->loudness.track_gain_db == -6.5 && told->loudness.track_peak == 0.91);
    assert_true(isnan(told->loudness.album_gain_db) && isnan(told->loudness.album_peak));
    const struct track_tags *odd = &message.playlist.items[1].tags;
    assert_string_equal(odd->artist, "");
    assert_int_equal(odd->number, 0);
    assert_false(loudness_is_known(&odd->loudness));
    assert_true(isnan(odd->loudness.track_peak));
    protocol_message_finish(&message);
}

/* Whoever follows the list is told of it when more is known of a track. */
static void what_a_track_says_is_news(void **state)
{
    (void)state;
    struct protocol_message before, after;
    assert_true(parse("{\"type\": \"playlist_update\", \"payload\": {\"playlist\": ["
                      "{\"id\": \"i1\", \"track_id\": \"t1\"}]}}",
                      &before));
    assert_true(parse("{\"type\": \"playlist_update\", \"payload\": {\"playlist\": ["
                      "{\"id\": \"i1\", \"track_id\": \"t1\", \"artist\": \"The Rooms\"}]}}",
                      &after));
    assert_true(playlist_equal(&before.playlist, &after.playlist)); /* the same tracks */
    assert_true(playlist_prints(&before.playlist)[0] != playlist_prints(&after.playlist)[0]);
    protocol_message_finish(&before);
    protocol_message_finish(&after);
}

static char *playlist_of(int count)
{
    char *text = malloc((size_t)count * 60 + 16);
    size_t at = 0;
    text[at++] = '[';
    for (int i = 0; i < count; i++)
        at += (size_t)sprintf(text + at, "%s{\"id\":\"i%d\",\"track_id\":\"t%d\",\"name\":\"n\"}",
                              i ? "," : "", i, i);
    strcpy(text + at, "]");
    return text;
}

static void thousands_of_items_are_a_playlist_too(void **state)
{
    (void)state;
    char reason[PROTOCOL_REASON_MAX];
    struct playlist_message playlist;
    char *text = playlist_of(5000);
    assert_true(protocol_parse_playlist(text, strlen(text), &playlist, reason));
    assert_int_equal(playlist.count, 5000);
    assert_string_equal(playlist.items[4999].track_id, "t4999");
    playlist_message_finish(&playlist);
    free(text);
}

static void a_playlist_has_an_end(void **state)
{
    (void)state;
    char reason[PROTOCOL_REASON_MAX];
    struct playlist_message playlist;
    char *text = playlist_of(PROTOCOL_PLAYLIST_MAX);
    assert_true(protocol_parse_playlist(text, strlen(text), &playlist, reason));
    assert_int_equal(playlist.count, PROTOCOL_PLAYLIST_MAX);
    playlist_message_finish(&playlist);
    free(text);
    text = playlist_of(PROTOCOL_PLAYLIST_MAX + 1);
    assert_false(protocol_parse_playlist(text, strlen(text), &playlist, reason));
    assert_string_equal(reason, "playlist: too many items");
    free(text);
}

static void nesting_has_an_end(void **state)
{
    (void)state;
    static const int depths[] = {NESTING_MAX - 10, NESTING_MAX + 10, 1000000};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        struct protocol_message message;
        char *text = malloc((size_t)depths[i] * 2 + 64);
        size_t at = (size_t)sprintf(text, "{\"type\":\"x\",\"payload\":{\"y\":");
        memset(text + at, '[', (size_t)depths[i]);
        memset(text + at + depths[i], ']', (size_t)depths[i]);
        strcpy(text + at + 2 * (size_t)depths[i], "}}");
        assert_int_equal(parse(text, &message), depths[i] < NESTING_MAX);
        free(text);
    }
}

static void an_echo_answers_our_sequence(void **state)
{
    (void)state;
    struct protocol_message message;
    assert_true(parse("{\"type\":\"sync_ack\",\"payload\":{\"sequence\":12,"
                      "\"server_received_at\":\"2026-01-31T12:00:00.000001Z\","
                      "\"server_sent_at\":\"2026-01-31T12:00:00.000003Z\"}}",
                      &message));
    assert_int_equal(message.type, MESSAGE_ECHO);
    assert_int_equal(message.echo.sequence, 12);
    assert_int_equal(server_sub(message.echo.server_sent_at, message.echo.server_received_at),
                     2000);
}

static void what_starts_next_is_a_state_to_come(void **state)
{
    (void)state;
    struct protocol_message message;
    assert_true(parse("{\"type\":\"next_state\",\"payload\":{\"track_id\":\"t\",\"item_id\":\"i\","
                      "\"position_ms\":0,\"state\":\"playing\","
                      "\"updated_at\":\"2026-01-31T12:00:00.000001Z\"}}",
                      &message));
    assert_int_equal(message.type, MESSAGE_NEXT_STATE);
    assert_true(message.playback.has_track && message.playback.playing);
    assert_string_equal(message.playback.item_id, "i");
    assert_true(parse("{\"type\":\"next_state\",\"payload\":{\"track_id\":null}}", &message));
    assert_false(message.playback.has_track);
    static const char *const odd[] = {
        "{}",
        "{\"track_id\":\"t\"}",
        "{\"track_id\":\"t\",\"position_ms\":0,\"state\":\"paused\","
        "\"updated_at\":\"2026-01-31T12:00:00Z\"}",
        "{\"track_id\":\"t\",\"position_ms\":0,\"state\":\"playing\",\"updated_at\":\"soon\"}",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char text[256];
        snprintf(text, sizeof text, "{\"type\":\"next_state\",\"payload\":%s}", odd[i]);
        assert_false(parse(text, &message));
    }
}

static void a_speaker_is_told_what_to_change(void **state)
{
    (void)state;
    struct protocol_message message;
    assert_true(
        parse("{\"type\":\"speaker_command\",\"payload\":{\"id\":\"5f\",\"device_id\":\"ab\","
              "\"volume\":30.5,\"muted\":false,\"latency_ms\":null}}",
              &message));
    assert_int_equal(message.type, MESSAGE_COMMAND);
    assert_string_equal(message.command.id, "5f");
    assert_true(message.command.volume == 30.5 && isnan(message.command.latency_ms));
    assert_int_equal(message.command.muted, 0);
    assert_true(parse("{\"type\":\"speaker_command\",\"payload\":{\"id\":\"5f\"}}", &message));
    assert_true(isnan(message.command.volume) && message.command.muted < 0);
    assert_true(!message.command.identify && message.command.clicks < 0);
    assert_true(parse("{\"type\":\"speaker_command\",\"payload\":{\"id\":\"5f\",\"identify\":true,"
                      "\"clicks\":false}}",
                      &message));
    assert_true(message.command.identify && message.command.clicks == 0);
    static const char *const odd[] = {
        "{}",
        "{\"id\":\"\"}",
        "{\"id\":\"1234567890123456789012345678901234567890\"}",
        "{\"id\":\"a\",\"volume\":101}",
        "{\"id\":\"a\",\"volume\":\"loud\"}",
        "{\"id\":\"a\",\"latency_ms\":-2001}",
        "{\"id\":\"a\",\"muted\":1}",
        "{\"id\":\"a\",\"identify\":1}",
        "{\"id\":\"a\",\"clicks\":\"on\"}",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char text[256];
        snprintf(text, sizeof text, "{\"type\":\"speaker_command\",\"payload\":%s}", odd[i]);
        assert_false(parse(text, &message));
    }
}

static void it_says_how_that_ended(void **state)
{
    (void)state;
    struct speaker_report report = {.version = "1", .remote = "volume", .command_id = "5f"};
    struct sync_ack ack = {.speaker = &report};
    char *text = protocol_build_sync_ack(&ack);
    assert_non_null(strstr(text, "\"remote\":\"volume\",\"next_state\":true,"
                                 "\"command\":{\"id\":\"5f\",\"status\":\"done\"}"));
    free(text);
    strcpy(report.command_refusal, "not here");
    text = protocol_build_sync_ack(&ack);
    assert_non_null(strstr(text, "\"status\":\"refused\",\"reason\":\"not here\"}"));
    free(text);
    report.command_id[0] = '\0';
    text = protocol_build_sync_ack(&ack);
    assert_null(strstr(text, "command"));
    free(text);
}

static void what_we_do_not_know_is_let_pass(void **state)
{
    (void)state;
    struct protocol_message message;
    assert_true(parse("{\"type\":\"weather\",\"payload\":{}}", &message));
    assert_int_equal(message.type, MESSAGE_UNKNOWN);
}

static void details_become_one_line(void **state)
{
    (void)state;
    char detail[PROTOCOL_REASON_MAX];
    const char *text = "{\"detail\": \"no such session\"}";
    protocol_error_detail(text, strlen(text), detail);
    assert_string_equal(detail, "no such session");
    text = "{\"detail\": [{\"loc\": [\"body\"], \"msg\": \"field required\"}]}";
    protocol_error_detail(text, strlen(text), detail);
    assert_string_equal(detail, "field required");
    text = "Internal Server Error";
    protocol_error_detail(text, strlen(text), detail);
    assert_string_equal(detail, text);
}

static void urls_follow_from_the_base(void **state)
{
    (void)state;
    char url[256];
    assert_true(protocol_ws_url(url, sizeof url, "http://hub:8700/", "s 1", "a/b?c"));
    assert_string_equal(url, "ws://hub:8700/ws/sessions/s%201?token=a%2Fb%3Fc");
    assert_true(protocol_ws_url(url, sizeof url, "https://hub/api", "s", "t"));
    assert_string_equal(url, "wss://hub/api/ws/sessions/s?token=t");
    assert_false(protocol_ws_url(url, sizeof url, "ftp://hub", "s", "t"));
    assert_false(protocol_ws_url(url, 20, "http://hub:8700/", "s 1", "a"));
    assert_true(protocol_url(url, sizeof url, "http://hub//", "/sessions/%s/join", "D5D6A6"));
    assert_string_equal(url, "http://hub/sessions/D5D6A6/join");
}

static void each_word_is_read_as_it_is_written(void **state)
{
    (void)state;
    static const char *const actions[] = {"play", "pause", "seek", "skip_next", "skip_prev"};
    static const char *const types[] = {"", "add", "reorder", "remove"};
    static const char *const statuses[] = {"pending", "approved", "denied"};
    enum playback_action action;
    enum request_status status;
    bool playing;
    for (int i = 0; i < 5; i++) {
        assert_string_equal(playback_action_name((enum playback_action)i), actions[i]);
        assert_true(playback_action_parse(actions[i], &action) && (int)action == i);
    }
    for (int i = 0; i < 4; i++) {
        assert_string_equal(request_type_name((enum request_type)i), types[i]);
        assert_int_equal(request_type_parse(types[i]), i);
    }
    for (int i = 0; i < 3; i++) {
        assert_string_equal(request_status_name((enum request_status)i), statuses[i]);
        assert_true(request_status_parse(statuses[i], &status) && (int)status == i);
    }
    assert_string_equal(playback_state_name(true), "playing");
    assert_string_equal(playback_state_name(false), "paused");
    assert_true(playback_state_parse("playing", &playing) && playing);
    assert_true(playback_state_parse("paused", &playing) && !playing);
    assert_false(playback_state_parse("Playing", &playing));
    assert_false(playback_action_parse("skip", &action));
    assert_false(request_status_parse("", &status));
    assert_int_equal(request_type_parse("made up"), REQUEST_OTHER);
}

static void commands_carry_whole_milliseconds(void **state)
{
    (void)state;
    char *text = protocol_build_playback_command(
        &(struct playback_wish){PLAYBACK_PAUSE, "t1", NULL, 1234.9});
    assert_string_equal(text, "{\"type\":\"playback_command\",\"payload\":{\"action\":\"pause\","
                              "\"track_id\":\"t1\",\"position_ms\":1234}}");
    free(text);
    text = protocol_build_playback_command(
        &(struct playback_wish){PLAYBACK_SKIP_NEXT, NULL, NULL, -1});
    assert_string_equal(text,
                        "{\"type\":\"playback_command\",\"payload\":{\"action\":\"skip_next\"}}");
    free(text);
}

static void a_request_is_built_with_what_its_type_takes(void **state)
{
    (void)state;
    char *text = protocol_build_request(&(struct request_wish){.type = REQUEST_REORDER,
                                                               .item_id = "i",
                                                               .new_position = 0,
                                                               .track_id = "",
                                                               .name = "",
                                                               .media_path = "",
                                                               .media_type = "",
                                                               .duration_s = -1});
    assert_string_equal(text, "{\"type\":\"request_playlist_change\",\"payload\":{"
                              "\"request_type\":\"reorder\",\"payload\":{\"item_id\":\"i\","
                              "\"new_position\":0}}}");
    free(text);
    text = protocol_build_request(&(struct request_wish){.type = REQUEST_ADD,
                                                         .item_id = "",
                                                         .new_position = -1,
                                                         .track_id = "t",
                                                         .name = "T",
                                                         .media_path = "uploads/t.mp3",
                                                         .media_type = "audio/mpeg",
                                                         .duration_s = 75.9});
    assert_string_equal(text, "{\"type\":\"request_playlist_change\",\"payload\":{"
                              "\"request_type\":\"add\",\"payload\":{\"track_id\":\"t\","
                              "\"name\":\"T\",\"media_path\":\"uploads/t.mp3\","
                              "\"media_type\":\"audio/mpeg\",\"duration_seconds\":75}}}");
    free(text);
    text = protocol_build_decision("");
    assert_string_equal(text, "{}"); /* the backend wants a body */
    free(text);
    text = protocol_build_playback("t", 0, NULL);
    assert_string_equal(text, "{\"track_id\":\"t\",\"position_ms\":0}");
    free(text);
}

static void a_request_is_read_with_what_it_asks_for(void **state)
{
    (void)state;
    struct request_message request;
    char reason[PROTOCOL_REASON_MAX];
    const char *text = "{\"id\": \"r\", \"requester\": \"Ann\", \"request_type\": \"reorder\", "
                       "\"payload\": {\"item_id\": \"i\", \"new_position\": 3}, \"status\": "
                       "\"pending\", \"reason\": null}";
    assert_true(protocol_parse_request(text, strlen(text), &request, reason));
    assert_string_equal(request.item_id, "i");
    assert_string_equal(request.summary, "i");
    assert_int_equal(request.new_position, 3);
    text = "{\"id\": \"r\", \"payload\": {\"item_id\": 5, \"new_position\": -1, \"track_id\": "
           "\"t\"}, \"status\": \"denied\", \"reason\": \"no\"}";
    assert_true(protocol_parse_request(text, strlen(text), &request, reason));
    assert_string_equal(request.item_id, "");
    assert_string_equal(request.summary, "t");
    assert_int_equal(request.new_position, -1);
    assert_false(protocol_parse_request("[", 1, &request, reason));
    assert_false(protocol_parse_request("{}", 2, &request, reason));
}

static void a_snapshot_is_whole_or_refused(void **state)
{
    (void)state;
    struct playback_state playback;
    struct playlist_message playlist;
    char reason[PROTOCOL_REASON_MAX];
    const char *text = "{\"session_id\": \"s\", \"playback_state\": {\"track_id\": null, "
                       "\"position_ms\": 0, \"state\": \"paused\", \"updated_at\": "
                       "\"2026-01-31T12:34:56\"}, \"playlist\": [{\"id\": \"i\", \"track_id\": "
                       "\"t\"}]}";
    assert_true(protocol_parse_snapshot(text, strlen(text), &playback, &playlist, reason));
    assert_int_equal(playlist.count, 1);
    playlist_message_finish(&playlist);
    text = "{\"playback_state\": {\"track_id\": null, \"position_ms\": 0, \"state\": \"paused\", "
           "\"updated_at\": \"2026-01-31T12:34:56\"}, \"playlist\": {}}";
    assert_false(protocol_parse_snapshot(text, strlen(text), &playback, &playlist, reason));
    assert_false(protocol_parse_snapshot("null", 4, &playback, &playlist, reason));
    assert_false(protocol_parse_snapshot("{}", 2, &playback, &playlist, reason));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_playback_state_is_read),
        cmocka_unit_test(a_request_is_built_with_what_its_type_takes),
        cmocka_unit_test(a_request_is_read_with_what_it_asks_for),
        cmocka_unit_test(a_snapshot_is_whole_or_refused),
        cmocka_unit_test(odd_states_are_refused_with_a_reason),
        cmocka_unit_test(the_type_of_what_cannot_be_read_is_told),
        cmocka_unit_test(fractions_and_zones_of_times),
        cmocka_unit_test(times_are_written_as_they_are_read),
        cmocka_unit_test(a_playlist_is_read_whole),
        cmocka_unit_test(what_a_track_says_of_itself_is_read),
        cmocka_unit_test(what_a_track_says_is_news),
        cmocka_unit_test(thousands_of_items_are_a_playlist_too),
        cmocka_unit_test(a_playlist_has_an_end),
        cmocka_unit_test(nesting_has_an_end),
        cmocka_unit_test(an_echo_answers_our_sequence),
        cmocka_unit_test(what_starts_next_is_a_state_to_come),
        cmocka_unit_test(a_speaker_is_told_what_to_change),
        cmocka_unit_test(it_says_how_that_ended),
        cmocka_unit_test(what_we_do_not_know_is_let_pass),
        cmocka_unit_test(details_become_one_line),
        cmocka_unit_test(urls_follow_from_the_base),
        cmocka_unit_test(each_word_is_read_as_it_is_written),
        cmocka_unit_test(commands_carry_whole_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
