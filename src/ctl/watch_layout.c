/*
 * watch_layout.c: see watch_layout.h. From the top: whose session it is, what plays, the speakers'
 * drift, the playlist, the requests, a message, the keys. A small screen loses its least important
 * rows first.
 */
#include "watch_layout.h"

#include "duration.h"
#include "members.h"
#include "print.h"
#include "text.h"
#include "watch_list.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_FOR_DRIFT 11   /* below, there is no room for the plot */
#define ROWS_FOR_LISTS 8    /* nor for the lists */
#define ROWS_FOR_PROBLEM 20 /* from here on, a row is kept for it */
#define ROWS_OF_PLOT 3      /* of each speaker, if that leaves the lists their rows */
#define ROWS_OF_LISTS 10
#define NAME_COLUMNS 12
#define ERROR_COLUMNS 8
#define REQUESTS_MAX 100

static int at_most(int value, int limit)
{
    return value < limit ? value : limit;
}

static int at_least(int value, int limit)
{
    return value > limit ? value : limit;
}

static void put_format(struct view *view, int row, enum ink ink, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void put_format(struct view *view, int row, enum ink ink, const char *format, ...)
{
    char text[WATCH_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    view_put(view, row, ink, text);
}

/* "── Playlist, 3 tracks ──────" */
static void rule(struct view *view, int row, const char *title, const char *more)
{
    view_put(view, row, INK_DIM, "── ");
    view_put(view, row, INK_BOLD, title);
    view_put(view, row, INK_DIM, more);
    view_put(view, row, INK_DIM, " ");
    view_repeat(view, row, INK_DIM, view_columns_left(view, row), "─");
}

static const char *speaker_name(const struct watch_speaker *speaker)
{
    const char *name = member_text(speaker->status, "name");
    return *name ? name : speaker->path;
}

/* --- above ---------------------------------------------------------------------------------- */

static void show_title(struct view *view, const struct watch_speaker *speaker)
{
    const cJSON *session = member(speaker->status, "session");
    const char *code = member_text(session, "code"), *role = member_text(session, "role");
    char name[256];
    text_fit(name, sizeof name, speaker_name(speaker), at_least(view->columns - 50, 12));
    put_format(view, 0, INK_TITLE, " %s%s%s", name, *role ? ", " : "", role);
    if (*code)
        put_format(view, 0, INK_TITLE, ", invite code %s", code);
    const char *link = speaker->live     ? member_text(session, "link")
                       : speaker->status ? "reconnecting"
                                         : "connecting";
    char shown[64];
    text_fit(shown, sizeof shown - 1, link, 30);
    strcat(shown, " ");
    view_put_right(view, 0, INK_TITLE, shown);
    view_repeat(view, 0, INK_TITLE, view_columns_left(view, 0), " ");
}

static const char *state_mark(const char *state)
{
    return strcmp(state, "playing") == 0  ? "▶ "
           : strcmp(state, "paused") == 0 ? "‖ "
           : strcmp(state, "idle") == 0   ? "■ "
                                          : "· ";
}

static void show_track(struct view *view, int row, const struct watch_speaker *speaker)
{
    const cJSON *status = speaker->status;
    enum ink ink = speaker->live ? INK_BOLD : INK_DIM;
    const char *state = member_text(status, "state"), *name = member_text(status, "track_name");
    const char *artist = member_text(status, "artist");
    char right[96], track[1024];
    if (!status)
        return;
    snprintf(track, sizeof track, "%s%s%s", *name ? name : "nothing to play", *artist ? " · " : "",
             artist);
    snprintf(right, sizeof right, "  %.16s, volume %.0f %%%s ", state,
             member_number(status, "volume"), member_is_true(status, "muted") ? ", muted" : "");
    view_put(view, row, ink, state_mark(state));
    int left = view_columns_left(view, row) - text_columns(right);
    view_field(view, row, ink, at_least(left, view->columns / 3), track);
    view_put(view, row, INK_PLAIN, right);
}

static void show_bar(struct view *view, int row, const struct watch_speaker *speaker)
{
    char at[DURATION_MAX], of[DURATION_MAX];
    double position_ms = member_number(speaker->status, "position_ms");
    double length_ms = member_number(speaker->status, "length_ms");
    if (!*member_text(speaker->status, "track_id"))
        return;
    duration_format(position_ms, at);
    duration_format(length_ms, of);
    int columns = at_least(view->columns - 6 - (int)strlen(at) - (int)strlen(of), 0);
    double part = length_ms > 0 ? fmin(fmax(position_ms / length_ms, 0), 1) : 0;
    int filled = (int)floor(part * columns);
    put_format(view, row, INK_PLAIN, "  %s ", at);
    view_repeat(view, row, speaker->live ? INK_BOLD : INK_DIM, filled, "━");
    view_repeat(view, row, INK_DIM, columns - filled, "─");
    put_format(view, row, INK_PLAIN, " %s", of);
}

/* What keeps this speaker from playing as it should, if anything does. */
static const char *problem_of(const struct watch_speaker *speaker)
{
    const char *const texts[] = {
        member_text(member(speaker->status, "session"), "problem"),
        member_text(speaker->status, "track_error"),
        member_text(member(speaker->status, "sink"), "error"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (*texts[i])
            return texts[i];
    }
    return "";
}

/* --- drift ---------------------------------------------------------------------------------- */

/* Adding nothing to what was rounded takes the sign off -0. */
static void format_error(char *to, size_t size, double error_us)
{
    if (!isfinite(error_us))
        snprintf(to, size, "silent");
    else if (fabs(error_us) < 9999.5)
        snprintf(to, size, "%+.0f µs", round(error_us) + 0.0);
    else if (fabs(error_us) < 9999.5e3)
        snprintf(to, size, "%+.0f ms", error_us / 1e3);
    else
        snprintf(to, size, "%+.0f s", fmax(-99999, fmin(99999, error_us / 1e6)));
}

/* A little space before the name, behind the error, and at the edge. */
static int plot_columns(const struct view *view)
{
    return at_least(view->columns - NAME_COLUMNS - ERROR_COLUMNS - 5, 1);
}

static void show_speaker(struct view *view, int row, int rows, const struct watch_model *model,
                         int index, double scale_us)
{
    const struct watch_speaker *speaker = &model->speakers[index];
    char text[TRACE_ROWS_MAX][VIEW_ROW_BYTES], *lines[TRACE_ROWS_MAX], error[48] = "away";
    int middle = row + (rows - 1) / 2;
    bool chosen = model->speaker_count > 1 && index == model->chosen_speaker;
    int columns = plot_columns(view);
    if (speaker->live)
        format_error(error, sizeof error, member_number(speaker->status, "error_us"));
    for (int i = 0; i < TRACE_ROWS_MAX; i++)
        lines[i] = text[i];
    trace_plot(&speaker->drift, rows, columns, scale_us, lines);
    for (int i = 0; i < rows; i++) {
        bool named = row + i == middle;
        view_field(view, row + i, INK_PLAIN, 2, named && chosen ? "›" : "");
        view_field(view, row + i, chosen ? INK_BOLD : INK_PLAIN, NAME_COLUMNS,
                   named ? speaker_name(speaker) : "");
        int space = ERROR_COLUMNS - text_columns(error);
        view_repeat(view, row + i, INK_PLAIN, named ? space : ERROR_COLUMNS, " ");
        view_put(view, row + i, speaker->live ? INK_PLAIN : INK_BAD, named ? error : "");
        view_put(view, row + i, INK_PLAIN, "  ");
        view_put(view, row + i, speaker->live ? INK_GOOD : INK_DIM, lines[i]);
    }
}

/* Returns the row below. */
static int show_drift(struct view *view, int row, const struct watch_model *model)
{
    int steps = 2 * plot_columns(view);
    int rest = view->rows - ROWS_FOR_DRIFT + 2 - model->speaker_count * ROWS_OF_PLOT;
    int rows = rest >= ROWS_OF_LISTS ? ROWS_OF_PLOT : 1;
    double scale_us = 0;
    char more[96], scale[48];
    for (int i = 0; i < model->speaker_count; i++)
        scale_us = fmax(scale_us, trace_scale_us(&model->speakers[i].drift, steps));
    format_error(scale, sizeof scale, scale_us);
    snprintf(more, sizeof more, ", ±%s, last %d s%s", scale + 1, steps * TRACE_STEP_MS / 1000,
             model->speaker_count > 1 ? ", tab: next speaker" : "");
    rule(view, row++, "Drift", more);
    for (int i = 0; i < model->speaker_count; i++, row += rows)
        show_speaker(view, row, rows, model, i, scale_us);
    return row;
}

/* --- lists ---------------------------------------------------------------------------------- */

static bool is_found(const struct watch_model *model, int number)
{
    return model->searching && number == model->found + 1;
}

static void show_item(struct view *view, int row, const struct watch_model *model,
                      const cJSON *item, int number)
{
    const struct watch_speaker *speaker = watch_model_chosen(model);
    bool current = watch_list_is_current(speaker->status, item);
    enum ink ink = current && speaker->live ? INK_BOLD : INK_PLAIN;
    char length[DURATION_MAX] = "", place[24];
    double duration_s = member_number(item, "duration_s");
    if (isfinite(duration_s))
        duration_format(duration_s * 1e3, length);
    snprintf(place, sizeof place, "%4d ", number);
    view_put(view, row, ink,
             is_found(model, number) ? "› "
             : current               ? state_mark(member_text(speaker->status, "state"))
                                     : "  ");
    view_put(view, row, INK_DIM, place);
    view_field(view, row, ink, view_columns_left(view, row) - 10, member_text(item, "name"));
    view_put_right(view, row, ink, length);
}

/* The current track, or what is found, stays in view, a little above the middle, unless somebody has scrolled. */
static int first_item(const struct watch_model *model, const struct watch_speaker *speaker,
                      int rows)
{
    int count = 0, current = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, speaker->playlist)
    {
        if (watch_list_is_current(speaker->status, item))
            current = count;
        count++;
    }
    if (model->searching && model->found >= 0)
        current = model->found;
    int first = current - (rows - 1) / 3 + model->scrolled;
    return at_least(at_most(first, count - rows), 0);
}

static void show_playlist(struct view *view, int row, int rows, const struct watch_model *model)
{
    const struct watch_speaker *speaker = watch_model_chosen(model);
    int count = cJSON_GetArraySize(speaker->playlist), first, number = 0;
    char more[64];
    snprintf(more, sizeof more, ", %d track%s", count, count == 1 ? "" : "s");
    rule(view, row++, "Playlist", more);
    first = first_item(model, speaker, rows);
    const cJSON *item;
    cJSON_ArrayForEach(item, speaker->playlist)
    {
        if (number >= first && number < first + rows)
            show_item(view, row + number - first, model, item, number + 1);
        number++;
    }
}

static void show_request(struct view *view, int row, const cJSON *request, bool chosen)
{
    const char *status = member_text(request, "status"), *reason = member_text(request, "reason");
    char text[WATCH_TEXT_MAX], what[WATCH_TEXT_MAX], by[128];
    view_put(view, row, INK_BOLD, chosen ? "› " : "  ");
    view_field(view, row, ink_of_request(status), 9, status);
    text_fit(by, sizeof by, print_requester(request), 16);
    snprintf(text, sizeof text, " %.20s %.300s", member_text(request, "type"),
             member_text(request, "summary"));
    text_fit(what, sizeof what, text, view_columns_left(view, row) - text_columns(by) - 5);
    view_put(view, row, chosen ? INK_BOLD : INK_PLAIN, what);
    put_format(view, row, INK_DIM, ", by %s%s%s", by, *reason ? ": " : "", reason);
}

static void show_requests(struct view *view, int row, int rows, const struct watch_model *model)
{
    const cJSON *order[REQUESTS_MAX], *chosen = watch_model_chosen_request(model);
    const struct watch_speaker *speaker = watch_model_chosen(model);
    int count = watch_speaker_requests(speaker, order, REQUESTS_MAX), pending = 0, first = 0;
    bool host = watch_speaker_is_host(speaker);
    char more[64] = ", none";
    for (int i = 0; i < count; i++) {
        pending += strcmp(member_text(order[i], "status"), "pending") == 0;
        first = order[i] == chosen ? at_least(i - rows + 1, 0) : first;
    }
    if (count > 0)
        snprintf(more, sizeof more, ", %d pending%s", pending,
                 host && pending > 1 ? ", ↑↓: choose" : "");
    rule(view, row++, "Requests", more);
    for (int i = first; i < count && i < first + rows; i++)
        show_request(view, row + i - first, order[i], host && order[i] == chosen);
}

/* --- below ---------------------------------------------------------------------------------- */

static void show_message(struct view *view, int row, const struct watch_model *model)
{
    if (model->asking_reason || model->searching) {
        bool in_vain = model->searching && model->typed_length > 0 && model->found < 0;
        view_put(view, row, in_vain ? INK_BAD : INK_BOLD,
                 model->asking_reason ? " Why not? "
                 : in_vain            ? " Nothing has "
                                      : " Search: ");
        for (int i = 0; i < model->typed_length; i++) {
            /* What is typed at the end must be seen. */
            if (2 * (model->typed_length - i) < view->columns - 12)
                put_format(view, row, INK_PLAIN, "%lc", (wint_t)model->typed[i]);
        }
        view->cursor_row = row;
        view->cursor_column = view->row[row].columns;
        return;
    }
    if (model->message[0])
        put_format(view, row, model->message_is_error ? INK_BAD : INK_GOOD, " %s", model->message);
}

struct key_help {
    const char *key, *does;
    bool control, host, request; /* only for who controls; for a host; where a request waits */
};

/* The keys that do something now, the most important first; as many as fit. */
static void show_keys(struct view *view, int row, const struct watch_model *model)
{
    static const struct key_help typing[] = {{.key = "Enter", .does = "deny"},
                                             {.key = "Esc", .does = "back"}};
    static const struct key_help searching[] = {{.key = "Enter", .does = "play"},
                                                {.key = "Esc", .does = "back"},
                                                {.key = "↑↓", .does = "next"}};
    static const struct key_help keys[] = {
        {"q", "quit", false, false, false},   {"space", "pause", true, false, false},
        {"a", "approve", false, true, true},  {"d", "deny", false, true, true},
        {"←→", "seek", true, false, false},   {"n/p", "track", true, false, false},
        {"/", "search", false, false, false}, {"+/-", "volume", false, false, false},
        {"m", "mute", false, false, false},
    };
    bool host = watch_speaker_is_host(watch_model_chosen(model));
    bool control = watch_speaker_may_control(watch_model_chosen(model));
    bool request = watch_model_chosen_request(model) != NULL;
    const struct key_help *shown = model->asking_reason ? typing
                                   : model->searching   ? searching
                                                        : keys;
    size_t count = model->asking_reason ? 2 : model->searching ? 3 : sizeof keys / sizeof *keys;
    for (size_t i = 0; i < count; i++) {
        const char *gap = view->row[at_most(row, VIEW_ROWS_MAX - 1)].columns > 0 ? "  " : " ";
        int needed =
            text_columns(gap) + text_columns(shown[i].key) + text_columns(shown[i].does) + 1;
        if ((shown[i].host && !host) || (shown[i].control && !control) ||
            (shown[i].request && !request))
            continue;
        if (needed > view_columns_left(view, row))
            return;
        put_format(view, row, INK_BOLD, "%s%s", gap, shown[i].key);
        put_format(view, row, INK_PLAIN, " %s", shown[i].does);
    }
}

void watch_layout(struct view *view, const struct watch_model *model, int rows, int columns)
{
    const struct watch_speaker *speaker = watch_model_chosen(model);
    const char *problem = problem_of(speaker);
    int row = 0;
    view_begin(view, rows, columns);
    rows = view->rows;
    show_title(view, speaker);
    show_track(view, 1, speaker);
    show_bar(view, 2, speaker);
    if (*problem)
        put_format(view, 3, INK_BAD, "  %s", problem);
    row = *problem || rows >= ROWS_FOR_PROBLEM ? 4 : 3;
    if (rows >= ROWS_FOR_DRIFT + model->speaker_count)
        row = show_drift(view, row, model);
    int left = rows - row - 4; /* two rules, the message, the keys */
    if (rows >= ROWS_FOR_LISTS && left >= 2) {
        int requests = cJSON_GetArraySize(speaker->requests);
        requests = at_least(at_most(requests, (left + 1) / 3), 1);
        show_playlist(view, row, left - requests, model);
        show_requests(view, rows - 3 - requests, requests, model);
    }
    if (rows >= 6)
        show_message(view, rows - 2, model);
    if (rows >= 4)
        show_keys(view, rows - 1, model);
}
