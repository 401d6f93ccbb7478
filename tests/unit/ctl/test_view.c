#include "../../../src/ctl/text.h"
#include "../../../src/ctl/view.h"
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

static struct view view;

static int utf8(void **state)
{
    (void)state;
    text_use_utf8();
    return 0;
}

static void rows_end_at_the_edge(void **state)
{
    (void)state;
    view_begin(&view, 2, 10);
    view_put(&view, 0, INK_PLAIN, "a long text that goes on");
    assert_string_equal(view.row[0].text, "a long te…");
    view_put(&view, 0, INK_BOLD, "x");
    assert_string_equal(view.row[0].text, "a long te…");
    view_field(&view, 1, INK_PLAIN, 4, "ab");
    view_repeat(&view, 1, INK_DIM, 20, "─");
    assert_string_equal(view.row[1].text, "ab  ──────");
    assert_int_equal(view.row[1].columns, 10);
}

static void spans_know_where_each_ink_ends(void **state)
{
    (void)state;
    view_begin(&view, 1, 20);
    view_put(&view, 0, INK_BOLD, "ö");
    view_put(&view, 0, INK_BOLD, "b");
    view_put(&view, 0, INK_BAD, "c");
    assert_int_equal(view.row[0].span_count, 2);
    assert_int_equal(view.row[0].spans[0].ink, INK_BOLD);
    assert_int_equal(view.row[0].spans[0].end, 3);
    assert_int_equal(view.row[0].spans[1].end, 4);
    for (int i = 0; i < 2 * VIEW_SPANS_MAX; i++)
        view_put(&view, 0, i % 2 ? INK_BOLD : INK_DIM, "");
    assert_int_equal(view.row[0].span_count, VIEW_SPANS_MAX);
    assert_int_equal(view.row[0].spans[VIEW_SPANS_MAX - 1].end, 4);
}

static void right_is_the_edge_or_nothing(void **state)
{
    (void)state;
    view_begin(&view, 1, 8);
    view_put(&view, 0, INK_PLAIN, "ab");
    view_put_right(&view, 0, INK_PLAIN, "too long");
    assert_string_equal(view.row[0].text, "ab");
    view_put_right(&view, 0, INK_PLAIN, "日本");
    assert_string_equal(view.row[0].text, "ab  日本");
}

static void what_is_outside_is_not_touched(void **state)
{
    (void)state;
    view_begin(&view, 1, 8);
    for (int row = -2; row < VIEW_ROWS_MAX + 2; row++) {
        view_put(&view, row, INK_PLAIN, "x");
        view_field(&view, row, INK_PLAIN, 3, "x");
        view_repeat(&view, row, INK_PLAIN, 3, "x");
        view_put_right(&view, row, INK_PLAIN, "x");
    }
    view_begin(&view, 100000, 100000);
    assert_int_equal(view.rows, VIEW_ROWS_MAX);
    assert_int_equal(view.columns, VIEW_COLUMNS_MAX);
    view_repeat(&view, VIEW_ROWS_MAX - 1, INK_PLAIN, 100000, "日");
    assert_true(view.row[VIEW_ROWS_MAX - 1].bytes < VIEW_ROW_BYTES);
    view_begin(&view, 0, 0);
    view_put(&view, 0, INK_PLAIN, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_end_at_the_edge),
        cmocka_unit_test(spans_know_where_each_ink_ends),
        cmocka_unit_test(right_is_the_edge_or_nothing),
        cmocka_unit_test(what_is_outside_is_not_touched),
    };
    return cmocka_run_group_tests(tests, utf8, NULL);
}
