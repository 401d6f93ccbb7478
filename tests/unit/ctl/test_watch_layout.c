/*
 * The view at the sizes that matter, as text; and at all others, that nothing leaves its place.
 */
#include "../../../src/ctl/text.h"
#include "../../../src/ctl/watch_layout.h"
#include "../cmocka_all.h"
#include "helpers/watch.h"

#include <stdio.h>
#include <string.h>

static struct watch_model model;
static struct view view;

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

/* Spaces at the rows' ends apart. */
static void assert_view(int rows, int columns, const char *const *wanted)
{
    watch_layout(&view, &model, rows, columns);
    assert_int_equal(view.rows, rows);
    for (int i = 0; i < rows; i++) {
        struct view_row *row = &view.row[i];
        while (row->bytes > 0 && row->text[row->bytes - 1] == ' ')
            row->text[--row->bytes] = '\0';
        assert_string_equal(row->text, wanted[i]);
    }
}

static void a_host_sees_it_all(void **state)
{
    (void)state;
    static const char *const wanted[24] = {
        " Kitchen, host, invite code D5D6A6                                         live",
        "▶ Harbour                                                  playing, volume 60 %",
        "  1:23 ━━━━━━━━━━━━━━━━━━━━━━━━────────────────────────────────────────── 3:45",
        "",
        "── Drift, ±20 µs, last 55 s ────────────────────────────────────────────────────",
        "                                                                              ⠠",
        "  Kitchen       +12 µs  ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄",
        "",
        "── Playlist, 2 tracks ──────────────────────────────────────────────────────────",
        "▶    1 Harbour                                                              3:45",
        "     2 Meadow                                                               1:15",
        "",
        "",
        "",
        "",
        "",
        "",
        "── Requests, 2 pending, ↑↓: choose ─────────────────────────────────────────────",
        "› pending   remove Harbour, by Kim",
        "  pending   reorder Meadow, by this speaker",
        "  approved  add Pier, by Dana",
        "  denied    add Meadow, by Dana: Not tonight",
        "",
        " q quit  space pause  a approve  d deny  ←→ seek  n/p track  / search",
    };
    assert_view(24, 80, wanted);
}

static enum ink ink_at(int row, const char *text)
{
    const struct view_row *shown = &view.row[row];
    const char *found = strstr(shown->text, text);
    assert_non_null(found);
    for (int i = 0; i < shown->span_count; i++) {
        if ((size_t)(found - shown->text) < shown->spans[i].end)
            return shown->spans[i].ink;
    }
    fail();
    return INK_PLAIN;
}

static int row_of(const char *text)
{
    for (int i = 0; i < view.rows; i++) {
        if (strstr(view.row[i].text, text))
            return i;
    }
    fail_msg("no row has %s", text);
    return -1;
}

static void inks_tell_what_matters(void **state)
{
    (void)state;
    watch_layout(&view, &model, 24, 80);
    assert_int_equal(ink_at(0, "Kitchen"), INK_TITLE);
    assert_int_equal(ink_at(row_of("by Kim"), "pending"), INK_WAITING);
    assert_int_equal(ink_at(row_of("approved"), "approved"), INK_GOOD);
    assert_int_equal(ink_at(row_of("denied"), "denied"), INK_BAD);
    assert_int_equal(ink_at(row_of("1 Harbour"), "Harbour"), INK_BOLD);
    assert_int_equal(ink_at(row_of("2 Meadow"), "Meadow"), INK_PLAIN);
}

static void a_small_screen_keeps_what_matters_most(void **state)
{
    (void)state;
    static const char *const small[15] = {
        " Kitchen, host, invite code D5D6A6                     live",
        "▶ Harbour                              playing, volume 60 %",
        "  1:23 ━━━━━━━━━━━━━━━━────────────────────────────── 3:45",
        "── Drift, ±20 µs, last 35 s ────────────────────────────────",
        "  Kitchen       +12 µs  ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄⠈",
        "── Playlist, 2 tracks ──────────────────────────────────────",
        "▶    1 Harbour                                          3:45",
        "     2 Meadow                                           1:15",
        "",
        "",
        "── Requests, 2 pending, ↑↓: choose ─────────────────────────",
        "› pending   remove Harbour, by Kim",
        "  pending   reorder Meadow, by this speaker",
        "",
        " q quit  space pause  a approve  d deny  ←→ seek  n/p track",
    };
    static const char *const tiny[5] = {
        " Kitchen, host, invite code D…", "▶ Harbour     playing, volume…",
        "  1:23 ━━━━━─────────── 3:45",   "",
        " q quit  space pause",
    };
    assert_view(15, 60, small);
    assert_view(5, 30, tiny);
}

static void a_guest_has_a_guests_keys(void **state)
{
    (void)state;
    watch_line(&model, 0, "{\"event\":\"status\",\"status\":" STATUS(GUEST) "}", 0);
    watch_layout(&view, &model, 24, 80);
    assert_string_equal(view.row[23].text, " q quit  / search  +/- volume  m mute");
    assert_null(strstr(view.row[0].text, "code"));
    assert_null(strstr(view.row[row_of("by Kim")].text, "›"));
}

static void a_daemon_that_is_away_is_seen_to_be(void **state)
{
    (void)state;
    watch_model_lost(&model, 0, 0);
    watch_layout(&view, &model, 24, 80);
    assert_non_null(strstr(view.row[0].text, "reconnecting"));
    assert_int_equal(ink_at(row_of("away"), "away"), INK_BAD);
    assert_int_equal(ink_at(1, "Harbour"), INK_DIM);
}

static void nothing_is_made_up_before_the_first_news(void **state)
{
    (void)state;
    watch_model_finish(&model);
    watch_start(&model, 1);
    watch_layout(&view, &model, 24, 80);
    assert_non_null(strstr(view.row[0].text, " /1"));
    assert_non_null(strstr(view.row[0].text, "  connecting"));
    assert_string_equal(view.row[1].text, "");
    assert_string_equal(view.row[23].text, " q quit  / search  +/- volume  m mute");
}

static void what_is_wrong_is_said_in_red(void **state)
{
    (void)state;
    watch_line(&model, 0,
               "{\"event\":\"status\",\"status\":{\"name\":\"K\",\"session\":{\"problem\":\"\"},"
               "\"sink\":{\"error\":\"hw:1: no such device\"}}}",
               0);
    watch_layout(&view, &model, 24, 80);
    assert_int_equal(ink_at(3, "hw:1: no such device"), INK_BAD);
}

static void a_reason_is_typed_in_sight(void **state)
{
    (void)state;
    cJSON *none;
    for (const char *at = "dno"; *at; at++)
        watch_model_key(&model, (struct watch_key){.character = (wchar_t)*at}, 0, &none);
    watch_layout(&view, &model, 24, 80);
    assert_string_equal(view.row[22].text, " Why not? no");
    assert_int_equal(view.cursor_row, 22);
    assert_int_equal(view.cursor_column, 12);
    assert_string_equal(view.row[23].text, " Enter deny  Esc back");
    for (int i = 0; i < 500; i++)
        watch_model_key(&model, (struct watch_key){.character = L'x'}, 0, &none);
    watch_model_key(&model, (struct watch_key){.character = L'!'}, 0, &none);
    watch_layout(&view, &model, 24, 80);
    assert_non_null(strstr(view.row[22].text, "xx"));
    assert_true(view.row[22].columns < 80);
}

static void a_long_playlist_shows_the_current_track_and_can_be_scrolled(void **state)
{
    (void)state;
    char json[20000];
    int at = snprintf(json, sizeof json, "{\"event\":\"playlist\",\"playlist\":[");
    for (int i = 1; i <= 100; i++)
        at += snprintf(json + at, sizeof json - (size_t)at,
                       "%s{\"name\":\"Track %d.\",\"current\":%s}", i > 1 ? "," : "", i,
                       i == 50 ? "true" : "false");
    snprintf(json + at, sizeof json - (size_t)at, "]}");
    watch_line(&model, 0, json, 0);
    watch_layout(&view, &model, 24, 80);
    assert_int_equal(ink_at(row_of("Track 50."), "Track 50."), INK_BOLD);
    row_of("Track 48.");
    row_of("Track 52.");
    cJSON *none;
    for (int i = 0; i < 100; i++)
        watch_model_key(&model, (struct watch_key){.kind = WATCH_KEY_PAGE_DOWN}, 0, &none);
    watch_layout(&view, &model, 24, 80);
    row_of("Track 100.");
    for (int i = 0; i < 100; i++)
        watch_model_key(&model, (struct watch_key){.kind = WATCH_KEY_PAGE_UP}, 0, &none);
    watch_layout(&view, &model, 24, 80);
    row_of("Track 1.");
}

static void several_speakers_have_a_line_each(void **state)
{
    (void)state;
    watch_model_finish(&model);
    watch_start(&model, 3);
    watch_line(&model, 0, SUBSCRIBED(STATUS(HOST), PLAYLIST, "[]"), 0);
    watch_line(&model, 1, SUBSCRIBED("{\"name\":\"Study\",\"error_us\":-37.6}", "[]", "[]"), 0);
    watch_layout(&view, &model, 24, 80);
    row_of("tab: next speaker");
    assert_non_null(strstr(view.row[row_of("Study")].text, "-38 µs"));
    assert_non_null(strstr(view.row[row_of("  /3")].text, "away"));
    assert_int_equal(row_of("Study") - row_of("› Kitchen"), 1);
}

#define EVIL                                                                                       \
    "\\u001b[2J\\u009b\\u202e\\n日本 and on and on and on and on and on and on and on and on"

static void nothing_leaves_its_place_at_any_size(void **state)
{
    (void)state;
    static const char evil[] =
        "{\"id\":1,\"ok\":false,\"error\":\"" EVIL "\",\"status\":{\"name\":\"" EVIL "\","
        "\"state\":\"" EVIL "\",\"track_id\":\"x\",\"track_name\":\"" EVIL "\",\"volume\":1e300,"
        "\"position_ms\":-5,\"length_ms\":1e300,\"error_us\":-1e300,\"track_error\":\"" EVIL "\","
        "\"session\":{\"role\":\"host\",\"code\":\"" EVIL "\",\"link\":\"" EVIL
        "\",\"problem\":\"" EVIL "\"}},\"playlist\":[{\"name\":\"" EVIL
        "\",\"duration_s\":-1,\"current\":true},7,{}],"
        "\"requests\":[{\"id\":\"" EVIL "\",\"requester\":\"" EVIL "\",\"type\":\"" EVIL
        "\",\"summary\":\"" EVIL "\",\"status\":\"pending\",\"reason\":\"" EVIL "\"},[],{}]}";
    for (int speakers = 1; speakers <= INVOCATION_SPEAKERS_MAX; speakers += 7) {
        watch_model_finish(&model);
        watch_start(&model, speakers);
        for (int with = 0; with < 2; with++) {
            for (int rows = 0; rows <= VIEW_ROWS_MAX + 1; rows += rows < 30 ? 1 : 17) {
                for (int columns = 0; columns <= VIEW_COLUMNS_MAX + 1;
                     columns += columns < 90 ? 4 : 53) {
                    watch_layout(&view, &model, rows, columns);
                    for (int i = 0; i < view.rows; i++) {
                        assert_true(text_is_clean(view.row[i].text));
                        assert_int_equal(text_columns(view.row[i].text), view.row[i].columns);
                        assert_true(view.row[i].columns <= view.columns);
                    }
                }
            }
            watch_line(&model, speakers - 1, evil, 0);
            model.chosen_speaker = speakers - 1;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_host_sees_it_all, setup, teardown),
        cmocka_unit_test_setup_teardown(inks_tell_what_matters, setup, teardown),
        cmocka_unit_test_setup_teardown(a_small_screen_keeps_what_matters_most, setup, teardown),
        cmocka_unit_test_setup_teardown(a_guest_has_a_guests_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(a_daemon_that_is_away_is_seen_to_be, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_made_up_before_the_first_news, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_said_in_red, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reason_is_typed_in_sight, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_playlist_shows_the_current_track_and_can_be_scrolled,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(several_speakers_have_a_line_each, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_leaves_its_place_at_any_size, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
