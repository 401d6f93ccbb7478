/*
 * watch_screen.c: see watch_screen.h.
 */
#include "watch_screen.h"

#include <curses.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ESCAPE_DELAY_MS 25 /* between the bytes of one key, also over ssh */

static SCREEN *screen;
static attr_t attributes[INK_COUNT];

static attr_t pair(short number, short colour)
{
    init_pair(number, colour, -1);
    return (attr_t)COLOR_PAIR(number);
}

static void mix_inks(void)
{
    const char *no_colour = getenv("NO_COLOR");
    attributes[INK_BOLD] = A_BOLD;
    attributes[INK_DIM] = A_DIM;
    attributes[INK_TITLE] = A_REVERSE;
    attributes[INK_GOOD] = A_NORMAL;
    attributes[INK_WAITING] = attributes[INK_BAD] = A_BOLD;
    if (!has_colors() || (no_colour && *no_colour) || start_color() == ERR ||
        use_default_colors() == ERR)
        return;
    attributes[INK_GOOD] = pair(1, COLOR_GREEN);
    attributes[INK_WAITING] = pair(2, COLOR_YELLOW) | A_BOLD;
    attributes[INK_BAD] = pair(3, COLOR_RED) | A_BOLD;
}

bool watch_screen_open(void)
{
    screen = newterm(NULL, stdout, stdin);
    if (!screen)
        return false;
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_DELAY_MS);
    mix_inks();
    return true;
}

void watch_screen_close(void)
{
    endwin();
    delscreen(screen);
    screen = NULL;
}

void watch_screen_size(int *ret_rows, int *ret_columns)
{
    getmaxyx(stdscr, *ret_rows, *ret_columns);
}

void watch_screen_resized(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        resizeterm(size.ws_row, size.ws_col);
}

static void draw_row(const struct view_row *row, int at)
{
    size_t from = 0;
    move(at, 0);
    for (int i = 0; i < row->span_count; i++) {
        attrset((int)attributes[row->spans[i].ink]);
        addnstr(row->text + from, (int)(row->spans[i].end - from));
        from = row->spans[i].end;
    }
    attrset(A_NORMAL);
    if (row->columns < COLS)
        clrtoeol();
}

void watch_screen_draw(const struct view *view)
{
    erase();
    for (int i = 0; i < view->rows; i++)
        draw_row(&view->row[i], i);
    bool typing = view->cursor_row >= 0;
    curs_set(typing ? 1 : 0);
    if (typing)
        move(view->cursor_row, view->cursor_column);
    refresh();
}

static bool function_key(wint_t code, enum watch_key_kind *ret_kind)
{
    static const struct {
        wint_t code;
        enum watch_key_kind kind;
    } keys[] = {
        {KEY_LEFT, WATCH_KEY_LEFT},     {KEY_RIGHT, WATCH_KEY_RIGHT},
        {KEY_UP, WATCH_KEY_UP},         {KEY_DOWN, WATCH_KEY_DOWN},
        {KEY_PPAGE, WATCH_KEY_PAGE_UP}, {KEY_NPAGE, WATCH_KEY_PAGE_DOWN},
        {KEY_ENTER, WATCH_KEY_ENTER},   {KEY_BACKSPACE, WATCH_KEY_BACKSPACE},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (keys[i].code == code) {
            *ret_kind = keys[i].kind;
            return true;
        }
    }
    return false;
}

static enum watch_key_kind character_key(wint_t code)
{
    return code == L'\r' || code == L'\n'  ? WATCH_KEY_ENTER
           : code == L'\t'                 ? WATCH_KEY_TAB
           : code == 0x1b                  ? WATCH_KEY_ESCAPE
           : code == 0x7f || code == L'\b' ? WATCH_KEY_BACKSPACE
                                           : WATCH_KEY_CHARACTER;
}

bool watch_screen_key(struct watch_key *ret_key)
{
    wint_t code;
    int what;
    while ((what = get_wch(&code)) != ERR) {
        struct watch_key key = {.kind = character_key(code), .character = (wchar_t)code};
        if (what == KEY_CODE_YES && !function_key(code, &key.kind))
            continue;
        *ret_key = key;
        return true;
    }
    return false;
}
