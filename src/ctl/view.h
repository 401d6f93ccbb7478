/*
 * view.h: a screen's worth of text in its inks, before any terminal has seen it. Everything that is
 * put there is harmless and stays within its row.
 */
#ifndef TUTTI_CTL_VIEW_H
#define TUTTI_CTL_VIEW_H

#include "ink.h"

#include <stddef.h>

#define VIEW_ROWS_MAX 100
#define VIEW_COLUMNS_MAX 300
#define VIEW_ROW_BYTES (VIEW_COLUMNS_MAX * 4)
#define VIEW_SPANS_MAX 32

/* Bytes of a row up to end, from where the one before it ends. */
struct view_span {
    enum ink ink;
    size_t end;
};

struct view_row {
    char text[VIEW_ROW_BYTES];
    size_t bytes;
    int columns; /* taken */
    struct view_span spans[VIEW_SPANS_MAX];
    int span_count;
};

struct view {
    int rows, columns;
    struct view_row row[VIEW_ROWS_MAX];
    int cursor_row, cursor_column; /* -1: none is shown */
};

/* An empty view; the size is cut to what there is room for. */
void view_begin(struct view *view, int rows, int columns);

/* Rows that do not exist take what is put there, and show nothing of it. */
/* As much as there is room for. */
void view_put(struct view *view, int row, enum ink ink, const char *text);
/* Exactly so many columns, or what is left of the row. */
void view_field(struct view *view, int row, enum ink ink, int columns, const char *text);
/* The same text over and over, for so many columns. */
void view_repeat(struct view *view, int row, enum ink ink, int columns, const char *text);
/* At the row's right end, if there is room for all of it. */
void view_put_right(struct view *view, int row, enum ink ink, const char *text);

int view_columns_left(const struct view *view, int row);

#endif
