/*
 * options.c: values into a struct, as its table says; errors that say what would have been right.
 */
#include "tutti/core/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct option_spec *find(const struct option_table *table, const char *section,
                                      const char *key)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_spec *spec = &table->specs[i];
        if (strcmp(spec->section, section) == 0 && (!key || strcmp(spec->key, key) == 0))
            return spec;
    }
    return NULL;
}

void options_describe_allowed(const struct option_spec *spec, char allowed[OPTIONS_ALLOWED_MAX])
{
    size_t size = OPTIONS_ALLOWED_MAX;
    switch (spec->kind) {
    case OPTION_TEXT:
        if (spec->takes)
            snprintf(allowed, size, "%s", spec->takes);
        else
            snprintf(allowed, size, "a text of at most %zu bytes", spec->size - 1);
        break;
    case OPTION_INTEGER:
        snprintf(allowed, size, "a whole number from %.0f to %.0f", spec->low, spec->high);
        break;
    case OPTION_REAL:
        snprintf(allowed, size, "a number from %g to %g", spec->low, spec->high);
        break;
    case OPTION_BOOL:
        snprintf(allowed, size, "true or false");
        break;
    case OPTION_CHOICE:
        snprintf(allowed, size, "%s", spec->choices);
        break;
    }
}

/* Decimal only: strtod() would also take hexadecimal, infinities and leading blanks. Its decimal
 * point is the locale's, and "C" unless a program calls setlocale(). */
static bool parse_number(const char *value, double *ret_number)
{
    char *end;
    if (!*value || strspn(value, "+-.0123456789eE") != strlen(value))
        return false;
    double number = strtod(value, &end);
    if (*end || !isfinite(number))
        return false;
    *ret_number = number;
    return true;
}

static bool parse_bool(const char *value, bool *ret_bool)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        bool is_yes = strcasecmp(value, yes[i]) == 0;
        if (is_yes || strcasecmp(value, no[i]) == 0) {
            *ret_bool = is_yes;
            return true;
        }
    }
    return false;
}

static bool parse_choice(const char *choices, const char *value, int *ret_choice)
{
    size_t length = strlen(value);
    int index = 0;
    for (const char *at = choices; length > 0; index++, at += strspn(at, " |")) {
        size_t here = strcspn(at, " |");
        if (here == 0)
            return false;
        if (here == length && strncmp(at, value, length) == 0) {
            *ret_choice = index;
            return true;
        }
        at += here;
    }
    return false;
}

/* The length of the character at text; 0 when it is not UTF-8 or a control character. */
static size_t utf8_length(const unsigned char *text)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned first = text[0];
    size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 4;
    if (length == 1)
        return first >= 0x20 && first != 0x7f ? 1 : 0;
    if (length == 4 && first >> 3 != 30)
        return 0;
    unsigned code = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (text[i] >> 6 != 2)
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code >= least[length] && code <= 0x10ffff && !surrogate ? length : 0;
}

static bool is_printable_utf8(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        size_t length = utf8_length(at);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

static bool assign_text(const struct option_spec *spec, char *member, const char *value)
{
    if (strlen(value) >= spec->size || !is_printable_utf8(value))
        return false;
    if (spec->valid && !spec->valid(value))
        return false;
    strcpy(member, value);
    return true;
}

static bool assign(const struct option_spec *spec, void *target, const char *value)
{
    void *member = (char *)target + spec->offset;
    double number;
    switch (spec->kind) {
    case OPTION_TEXT:
        return assign_text(spec, member, value);
    case OPTION_INTEGER:
        if (!parse_number(value, &number) || number < spec->low || number > spec->high ||
            number != floor(number))
            return false;
        *(int64_t *)member = (int64_t)number;
        return true;
    case OPTION_REAL:
        if (!parse_number(value, &number) || number < spec->low || number > spec->high)
            return false;
        *(double *)member = number;
        return true;
    case OPTION_BOOL:
        return parse_bool(value, member);
    case OPTION_CHOICE:
        return parse_choice(spec->choices, value, member);
    }
    return false;
}

/* Defaults are given as they are: "" may be the default of what must not be set to "". */
void options_init(const struct option_table *table, void *target)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_spec *spec = &table->specs[i];
        if (spec->kind == OPTION_TEXT)
            snprintf((char *)target + spec->offset, spec->size, "%s", spec->fallback);
        else
            assign(spec, target, spec->fallback);
    }
}

static void add(char *text, size_t size, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, " %s", more);
}

static void describe_sections(const struct option_table *table, const char *section, char *error)
{
    const char *last = "";
    snprintf(error, OPTIONS_ERROR_MAX, "there is no section [%.64s]; there are", section);
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->specs[i].section, last) != 0)
            add(error, OPTIONS_ERROR_MAX, table->specs[i].section);
        last = table->specs[i].section;
    }
}

static void describe_keys(const struct option_table *table, const char *section, const char *key,
                          char *error)
{
    snprintf(error, OPTIONS_ERROR_MAX, "section [%.64s] has no key %.64s; it has", section, key);
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->specs[i].section, section) == 0)
            add(error, OPTIONS_ERROR_MAX, table->specs[i].key);
    }
}

static void describe_value(const struct option_spec *spec, const char *value, char *error)
{
    char allowed[OPTIONS_ALLOWED_MAX];
    bool show = !spec->secret && is_printable_utf8(value);
    options_describe_allowed(spec, allowed);
    snprintf(error, OPTIONS_ERROR_MAX, "[%s] %s = %.64s is not allowed; it takes %s", spec->section,
             spec->key, show ? value : "***", allowed);
}

bool options_set(const struct option_table *table, void *target, const char *section,
                 const char *key, const char *value, char error[OPTIONS_ERROR_MAX])
{
    const struct option_spec *spec = find(table, section, key);
    if (spec && assign(spec, target, value))
        return true;
    if (spec)
        describe_value(spec, value, error);
    else if (find(table, section, NULL))
        describe_keys(table, section, key, error);
    else
        describe_sections(table, section, error);
    return false;
}

bool options_is_secret(const struct option_table *table, const char *section, const char *key)
{
    const struct option_spec *spec = find(table, section, key);
    return spec && spec->secret;
}

bool options_are_equal(const struct option_spec *spec, const void *a, const void *b)
{
    const char *x = (const char *)a + spec->offset;
    const char *y = (const char *)b + spec->offset;
    switch (spec->kind) {
    case OPTION_TEXT:
        return strcmp(x, y) == 0;
    case OPTION_INTEGER:
        return memcmp(x, y, sizeof(int64_t)) == 0;
    case OPTION_REAL:
        return memcmp(x, y, sizeof(double)) == 0;
    case OPTION_BOOL:
        return *(const bool *)x == *(const bool *)y;
    case OPTION_CHOICE:
        return memcmp(x, y, sizeof(int)) == 0;
    }
    return true;
}
