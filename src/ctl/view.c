/*
 * view.c: see view.h.
 */
#include "view.h"

#include "text.h"

#include <string.h>

void view_begin(struct view *view, int rows, int columns)
{
    view->rows = rows < VIEW_ROWS_MAX ? rows : VIEW_ROWS_MAX;
    view->columns = columns < VIEW_COLUMNS_MAX ? columns : VIEW_COLUMNS_MAX;
    view->cursor_row = view->cursor_column = -1;
    for (int i = 0; i < view->rows; i++) {
        struct view_row *row = &view->row[i];
        row->bytes = 0;
        row->columns = row->span_count = 0;
        row->text[0] = '\0';
    }
}

int view_columns_left(const struct view *view, int row)
{
    return row < view->rows && row >= 0 ? view->columns - view->row[row].columns : 0;
}

/* A row with more changes of ink than there are spans goes on in its last one. */
static void extend_span(struct view_row *row, enum ink ink)
{
    int last = row->span_count - 1;
    if (last < 0 || (row->spans[last].ink != ink && row->span_count < VIEW_SPANS_MAX)) {
        last = row->span_count++;
        row->spans[last].ink = ink;
    }
    row->spans[last].end = row->bytes;
}

static int put(struct view *view, int at, enum ink ink, int columns, const char *text)
{
    int left = view_columns_left(view, at);
    if (left <= 0)
        return 0;
    struct view_row *row = &view->row[at];
    int used = text_fit(row->text + row->bytes, VIEW_ROW_BYTES - row->bytes, text,
                        columns < left ? columns : left);
    row->bytes += strlen(row->text + row->bytes);
    row->columns += used;
    extend_span(row, ink);
    return used;
}

void view_put(struct view *view, int row, enum ink ink, const char *text)
{
    put(view, row, ink, VIEW_COLUMNS_MAX, text);
}

void view_repeat(struct view *view, int row, enum ink ink, int columns, const char *text)
{
    int step = text_columns(text);
    for (int done = 0; step > 0 && done + step <= columns && step <= view_columns_left(view, row);
         done += step)
        put(view, row, ink, step, text);
}

void view_field(struct view *view, int row, enum ink ink, int columns, const char *text)
{
    int used = put(view, row, ink, columns, text);
    view_repeat(view, row, ink, columns - used, " ");
}

void view_put_right(struct view *view, int row, enum ink ink, const char *text)
{
    int space = view_columns_left(view, row) - text_columns(text);
    if (space < 0)
        return;
    view_repeat(view, row, ink == INK_TITLE ? ink : INK_PLAIN, space, " ");
    put(view, row, ink, VIEW_COLUMNS_MAX, text);
}
