/*
 * paper.c: see paper.h.
 */
#include "paper.h"

#include "text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define TEXT_MAX 2048

static const char *const inks[INK_COUNT] = {
    [INK_PLAIN] = "",        [INK_BOLD] = "\033[1m",  [INK_DIM] = "\033[2m",
    [INK_TITLE] = "\033[7m", [INK_GOOD] = "\033[32m", [INK_WAITING] = "\033[33m",
    [INK_BAD] = "\033[31m",
};

struct paper paper_stdout(void)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    bool can = terminal && strcmp(terminal, "dumb") != 0 && isatty(STDOUT_FILENO);
    return (struct paper){stdout, can && !(no_colour && *no_colour)};
}

static void write_inked(const struct paper *paper, enum ink ink, const char *text)
{
    bool inked = paper->coloured && ink != INK_PLAIN && *text;
    fprintf(paper->out, "%s%s%s", inked ? inks[ink] : "", text, inked ? "\033[0m" : "");
}

void paper_field(const struct paper *paper, enum ink ink, int columns, const char *text)
{
    char shown[TEXT_MAX];
    int used = text_fit(shown, sizeof shown, text, columns);
    write_inked(paper, ink, shown);
    fprintf(paper->out, "%*s", columns - used, "");
}

void paper_text(const struct paper *paper, enum ink ink, const char *text)
{
    char shown[TEXT_MAX];
    text_clean(shown, sizeof shown, text);
    write_inked(paper, ink, shown);
}

/* cJSON escapes the first 32 control characters only, and passes on what is no UTF-8. */
static void write_json(FILE *out, char *text)
{
    const char *at = text;
    while (at && *at) {
        wchar_t c;
        mbstate_t state = {0};
        size_t bytes = mbrtowc(&c, at, strnlen(at, 8), &state);
        if (bytes == (size_t)-1 || bytes == (size_t)-2) {
            fputs("\\ufffd", out);
            at++;
            continue;
        }
        if (c >= 0x7f && c < 0xa0)
            fprintf(out, "\\u%04x", (unsigned)c);
        else
            fwrite(at, 1, bytes, out);
        at += bytes;
    }
    fputc('\n', out);
    free(text);
}

void paper_json(FILE *out, const cJSON *json)
{
    write_json(out, cJSON_Print(json));
}

void paper_json_line(FILE *out, const cJSON *json)
{
    write_json(out, cJSON_PrintUnformatted(json));
}

void complain(const char *format, ...)
{
    char text[TEXT_MAX], shown[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_clean(shown, sizeof shown, text);
    fprintf(stderr, "tuttictl: %s\n", shown);
}
