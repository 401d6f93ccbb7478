/*
 * boot_settings.c: lines apart, and each value judged as tuttid.conf's table judges it.
 *
 * Comments, delimiters and blanks are libinih's, so that a line means the same in both files; this one
 * tells of all its wrong lines at once, for whoever has to carry the card back to his PC.
 */
#include "tutti/core/boot_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *word; /* in tutti.conf */
    const char *section, *key;
} known[BOOT_SETTINGS_COUNT] = {
    {"name", "backend", "name"},   {"url", "backend", "url"},     {"code", "backend", "join_code"},
    {"device", "audio", "device"}, {"volume", "audio", "volume"},
};

#define KNOWN_WORDS "name, url, code, device and volume"

struct reading {
    struct boot_settings *settings;
    struct settings scratch; /* values are tried on it */
    int line;
    bool good;
    void (*problem)(void *user, const char *line);
    void *user;
};

static void wrong(struct reading *reading, const char *what)
{
    char line[BOOT_SETTINGS_LINE_MAX];
    snprintf(line, sizeof line, "line %d: %s", reading->line, what);
    reading->good = false;
    reading->problem(reading->user, line);
}

static int find(const char *word)
{
    for (int i = 0; i < BOOT_SETTINGS_COUNT; i++)
        if (strcasecmp(word, known[i].word) == 0 || strcasecmp(word, known[i].key) == 0)
            return i;
    return -1;
}

/* Its blanks at both ends away, in place. */
static char *trim(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/* As libinih: a ; after a blank, or first of all. */
static void cut_comment(char *value)
{
    for (char *at = value; *at; at++) {
        if (*at == ';' && (at == value || isspace((unsigned char)at[-1]))) {
            *at = '\0';
            return;
        }
    }
}

static const struct option_spec *spec_of(int index)
{
    const struct option_spec *spec = settings_table.specs;
    while (strcmp(spec->section, known[index].section) != 0 ||
           strcmp(spec->key, known[index].key) != 0)
        spec++;
    return spec;
}

static void refuse_value(struct reading *reading, int index)
{
    char allowed[OPTIONS_ALLOWED_MAX], what[OPTIONS_ALLOWED_MAX + 32];
    options_describe_allowed(spec_of(index), allowed);
    snprintf(what, sizeof what, "%s takes %s", known[index].word, allowed);
    wrong(reading, what);
}

static void take_value(struct reading *reading, int index, const char *value)
{
    char unused[SETTINGS_ERROR_MAX];
    if (strlen(value) >= BOOT_SETTINGS_VALUE_MAX)
        wrong(reading, "the value is too long");
    else if (!settings_set(&reading->scratch, known[index].section, known[index].key, value,
                           unused))
        refuse_value(reading, index);
    else {
        reading->settings->options[index].given = true;
        strcpy(reading->settings->options[index].value, value);
    }
}

static void take_key(struct reading *reading, const char *word, const char *value)
{
    int index = find(word);
    if (index >= 0)
        take_value(reading, index, value);
    else
        wrong(reading, "there is no such key here; there are " KNOWN_WORDS
                       "; all other options go into /etc/tutti/tuttid.conf");
}

/* What a line says is never repeated: a token may stand in the wrong place. */
static void take_line(struct reading *reading, char *line)
{
    char *text = trim(line);
    if (!text[0] || text[0] == '#' || text[0] == ';')
        return;
    if (strcasecmp(text, "[backend]") == 0 || strcasecmp(text, "[audio]") == 0)
        return;
    size_t word = strcspn(text, "=:");
    if (!text[word]) {
        wrong(reading,
              "only key = value and comments (# or ;) are allowed; the keys are " KNOWN_WORDS);
        return;
    }
    text[word] = '\0';
    cut_comment(text + word + 1);
    take_key(reading, trim(text), trim(text + word + 1));
}

static const char *skip_mark(const char *text, size_t *bytes)
{
    if (*bytes < 3 || memcmp(text, "\xef\xbb\xbf", 3) != 0)
        return text;
    *bytes -= 3;
    return text + 3;
}

static bool is_utf16(const char *text, size_t bytes)
{
    return bytes >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0);
}

/* Old Macs end lines with a CR alone, others with LF, or both. */
static size_t line_bytes(const char *text, size_t bytes)
{
    size_t length = 0;
    while (length < bytes && text[length] != '\n' && text[length] != '\r')
        length++;
    return length;
}

static size_t end_bytes(const char *text, size_t left)
{
    if (left == 0)
        return 0;
    return left > 1 && text[0] == '\r' && text[1] == '\n' ? 2 : 1;
}

static void read_line(struct reading *reading, const char *text, size_t length)
{
    char line[512];
    reading->line++;
    if (memchr(text, '\0', length))
        wrong(reading, "there is a zero byte in it; only text is allowed");
    else if (length >= sizeof line)
        wrong(reading, "it is too long");
    else {
        memcpy(line, text, length);
        line[length] = '\0';
        take_line(reading, line);
    }
}

bool boot_settings_parse(const char *text, size_t bytes, struct boot_settings *settings,
                         void (*problem)(void *user, const char *line), void *user)
{
    struct reading reading = {settings, .good = true, .problem = problem, .user = user};
    settings_init(&reading.scratch);
    if (is_utf16(text, bytes)) {
        reading.line = 1;
        wrong(&reading, "the file is UTF-16 (\"Unicode\"); save it as UTF-8");
        return false;
    }
    text = skip_mark(text, &bytes);
    while (bytes > 0) {
        size_t length = line_bytes(text, bytes);
        read_line(&reading, text, length);
        length += end_bytes(text + length, bytes - length);
        text += length;
        bytes -= length;
    }
    return reading.good;
}

void boot_settings_merge(struct boot_settings *into, const struct boot_settings *from)
{
    for (int i = 0; i < BOOT_SETTINGS_COUNT; i++)
        if (from->options[i].given)
            into->options[i] = from->options[i];
}

void boot_settings_apply(const struct boot_settings *from, struct settings *to)
{
    char error[SETTINGS_ERROR_MAX]; /* each was judged when it was parsed */
    for (int i = 0; i < BOOT_SETTINGS_COUNT; i++)
        if (from->options[i].given)
            settings_set(to, known[i].section, known[i].key, from->options[i].value, error);
}

void boot_settings_list(const struct boot_settings *settings, char *to, size_t size)
{
    size_t used = 0;
    to[0] = '\0';
    for (int i = 0; i < BOOT_SETTINGS_COUNT && used < size; i++)
        if (settings->options[i].given)
            used +=
                (size_t)snprintf(to + used, size - used, "%s%s", used ? ", " : "", known[i].word);
}

void boot_settings_print(const struct boot_settings *settings, char to[BOOT_SETTINGS_TEXT_MAX])
{
    const char *section = "";
    size_t size = BOOT_SETTINGS_TEXT_MAX;
    size_t used = (size_t)snprintf(
        to, size,
        "# From tutti.conf of the boot partition. The next one changes what it mentions.\n");
    for (int i = 0; i < BOOT_SETTINGS_COUNT; i++) {
        if (!settings->options[i].given)
            continue;
        if (strcmp(section, known[i].section) != 0)
            used += (size_t)snprintf(to + used, size - used, "[%s]\n", known[i].section);
        section = known[i].section;
        used += (size_t)snprintf(to + used, size - used, "%s = %s\n", known[i].key,
                                 settings->options[i].value);
    }
}
