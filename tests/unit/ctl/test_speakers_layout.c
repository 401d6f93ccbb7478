/*
 * The table of speakers at all sizes: nothing leaves its place, and what says most is there.
 */
#include "../../../src/ctl/speakers_watch.h"
#include "../../../src/ctl/text.h"
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

static struct view view;

static cJSON *house(void)
{
    text_use_utf8();
    return cJSON_Parse(
        "[{\"name\":\"Bath\",\"connected\":true,\"device\":\"playing\",\"drift_ms\":-0.0089,"
        "\"volume\":40,\"muted\":true},"
        "{\"name\":\"K\\u00fcche im Erdgeschoss, links neben der T\\u00fcr\",\"connected\":true,"
        "\"device\":\"recovering\",\"device_error\":\"gone\",\"volume\":null},"
        "{\"name\":\"Attic\",\"connected\":false,\"since\":\"2026-01-02T03:04:05Z\"}]");
}

static const char *row_text(int row)
{
    struct view_row *at = &view.row[row];
    while (at->bytes > 0 && at->text[at->bytes - 1] == ' ')
        at->text[--at->bytes] = '\0';
    return at->text;
}

static void side_by_side(void **state)
{
    (void)state;
    cJSON *speakers = house();
    speakers_layout(&view, speakers, "", 6, 80);
    assert_string_equal(row_text(0), " Speakers, 3");
    assert_string_equal(row_text(1), " Bath                     40 % muted  playing -9 us");
    assert_string_equal(row_text(3),
                        " Attic                    -           away since 2026-01-02T03:04");
    assert_string_equal(row_text(5), " q quit");
    assert_int_equal(view.row[2].spans[1].ink, INK_BAD);
    assert_int_equal(view.row[3].spans[1].ink, INK_WAITING);
    cJSON_Delete(speakers);
}

static void what_says_most_where_it_is_narrow(void **state)
{
    (void)state;
    cJSON *speakers = house();
    speakers_layout(&view, speakers, "there is no connection to the backend", 4, 40);
    assert_string_equal(row_text(0), " Speakers, 2 of 3");
    assert_non_null(strstr(row_text(1), "playing -9 us"));
    assert_null(strstr(row_text(1), "%"));
    assert_string_equal(row_text(3), " there is no connection to the backend");
    cJSON_Delete(speakers);
}

static void nothing_leaves_its_place(void **state)
{
    (void)state;
    cJSON *speakers = house();
    for (int columns = 1; columns < 120; columns++) {
        for (int rows = 1; rows < 8; rows++) {
            speakers_layout(&view, speakers, rows % 2 ? "a problem of some length" : "", rows,
                            columns);
            for (int row = 0; row < view.rows; row++)
                assert_true(text_columns(view.row[row].text) <= columns);
        }
    }
    speakers_layout(&view, NULL, "", 24, 80);
    assert_string_equal(row_text(0), " Speakers, 0");
    cJSON_Delete(speakers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(side_by_side),
        cmocka_unit_test(what_says_most_where_it_is_narrow),
        cmocka_unit_test(nothing_leaves_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
