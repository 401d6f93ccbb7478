/*
 * options_print.c: a table of options in the forms in which people meet it.
 */
#include "tutti/core/options.h"

#include <stdio.h>
#include <string.h>

#define WRAP_COLUMNS 92

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

void options_variable(const struct option_table *table, const struct option_spec *spec,
                      char name[OPTIONS_NAME_MAX])
{
    snprintf(name, OPTIONS_NAME_MAX, "%s_%s_%s", table->environment, spec->section, spec->key);
    for (char *c = name; *c; c++)
        *c = upper(*c);
}

static bool begins_with_section(const struct option_table *table, const struct option_spec *spec,
                                const char *name)
{
    char prefix[OPTIONS_NAME_MAX];
    snprintf(prefix, sizeof prefix, "%s_%s_", table->environment, spec->section);
    for (char *c = prefix; *c; c++)
        *c = upper(*c);
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

bool options_is_unknown_variable(const struct option_table *table, const char *name)
{
    bool ours = false;
    for (size_t i = 0; i < table->count; i++) {
        char known[OPTIONS_NAME_MAX];
        options_variable(table, &table->specs[i], known);
        if (strcmp(name, known) == 0)
            return false;
        ours = ours || begins_with_section(table, &table->specs[i], name);
    }
    return ours;
}

struct printer {
    enum options_style style;
    void (*emit)(void *user, const char *line);
    void *user;
};

/* Breaks at blanks; prefix begins every line. */
static void emit_wrapped(const struct printer *printer, const char *prefix, const char *text)
{
    while (*text) {
        char line[OPTIONS_LINE_MAX];
        size_t room = WRAP_COLUMNS - strlen(prefix);
        size_t length = strlen(text);
        if (length > room) {
            length = room;
            while (length > 0 && text[length] != ' ')
                length--;
            if (length == 0)
                length = strcspn(text, " ");
        }
        snprintf(line, sizeof line, "%s%.*s", prefix, (int)length, text);
        printer->emit(printer->user, line);
        text += length + strspn(text + length, " ");
    }
}

static void print_section(const struct printer *printer, const char *section, bool first)
{
    char line[OPTIONS_LINE_MAX];
    if (printer->style == OPTIONS_MAN) {
        snprintf(line, sizeof line, ".SS [%s]", section);
    } else {
        if (!first && printer->style == OPTIONS_HELP)
            printer->emit(printer->user, "");
        snprintf(line, sizeof line, printer->style == OPTIONS_HELP ? "  [%s]" : "[%s]", section);
    }
    printer->emit(printer->user, line);
}

static void print_help(const struct printer *printer, const struct option_spec *spec,
                       const char *allowed)
{
    char line[OPTIONS_LINE_MAX];
    snprintf(line, sizeof line, "  %s = %s", spec->key, spec->fallback);
    printer->emit(printer->user, line);
    snprintf(line, sizeof line, "%s (%s)", spec->help, allowed);
    emit_wrapped(printer, "      ", line);
}

static void print_config(const struct printer *printer, const struct option_spec *spec,
                         const char *allowed)
{
    char line[OPTIONS_LINE_MAX];
    emit_wrapped(printer, "# ", spec->help);
    snprintf(line, sizeof line, "Takes %s.", allowed);
    emit_wrapped(printer, "# ", line);
    snprintf(line, sizeof line, spec->fallback[0] ? ";%s = %s" : ";%s =", spec->key,
             spec->fallback);
    printer->emit(printer->user, line);
    printer->emit(printer->user, "");
}

/* A backslash, and a dot or quote that begins a line, mean something to troff; so does "-". */
static void man_escape(const char *text, char *to, size_t size)
{
    size_t used = 0;
    if (*text == '.' || *text == '\'') {
        to[used++] = '\\';
        to[used++] = '&';
    }
    for (; *text && used + 3 < size; text++) {
        if (*text == '-' || *text == '\\')
            to[used++] = '\\';
        if (*text == '\\')
            to[used++] = 'e';
        else
            to[used++] = *text;
    }
    to[used] = '\0';
}

static void print_man(const struct printer *printer, const struct option_spec *spec,
                      const char *allowed)
{
    char line[OPTIONS_LINE_MAX], text[OPTIONS_LINE_MAX];
    printer->emit(printer->user, ".TP");
    man_escape(spec->fallback, text, sizeof text);
    snprintf(line, sizeof line, text[0] ? ".BR %s \" = %.200s\"" : ".BR %s \" =\"", spec->key,
             text);
    printer->emit(printer->user, line);
    man_escape(spec->help, text, sizeof text);
    printer->emit(printer->user, text);
    snprintf(line, sizeof line, "Takes %s.", allowed);
    man_escape(line, text, sizeof text);
    printer->emit(printer->user, text);
}

void options_print(const struct option_table *table, enum options_style style,
                   void (*emit)(void *user, const char *line), void *user)
{
    struct printer printer = {style, emit, user};
    const char *section = "";
    for (size_t i = 0; i < table->count; i++) {
        const struct option_spec *spec = &table->specs[i];
        char allowed[OPTIONS_ALLOWED_MAX];
        if (strcmp(section, spec->section) != 0)
            print_section(&printer, spec->section, i == 0);
        section = spec->section;
        options_describe_allowed(spec, allowed);
        if (style == OPTIONS_HELP)
            print_help(&printer, spec, allowed);
        else if (style == OPTIONS_CONFIG)
            print_config(&printer, spec, allowed);
        else
            print_man(&printer, spec, allowed);
    }
}
