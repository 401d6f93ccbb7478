/*
 * m3u.c: see m3u.h.
 */
#include "m3u.h"

#include "tutti/base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BOM "\xef\xbb\xbf"
#define EXTINF "#EXTINF:"
#define FILE_SCHEME "file://"

bool m3u_is_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot > name && (strcasecmp(dot, ".m3u") == 0 || strcasecmp(dot, ".m3u8") == 0);
}

/* --- lines --------------------------------------------------------------------------------- */

/* What is no UTF-8 is Latin-1, as files called .m3u once were. */
static void from_latin1(char *text, size_t size)
{
    char wide[2 * M3U_PATH_MAX], *to = wide;
    for (const char *at = text; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte >= 0x80)
            *to++ = (char)(0xc0 | byte >> 6);
        *to++ = (char)(byte < 0x80 ? byte : 0x80 | (byte & 0x3f));
    }
    *to = '\0';
    snprintf(text, size, "%s", wide);
}

/* A line without blanks around it, as far as it fits, harmless. to: at most M3U_PATH_MAX bytes. */
static void take_text(const char *from, size_t length, char *to, size_t size)
{
    while (length > 0 && isspace((unsigned char)*from))
        from++, length--;
    while (length > 0 && isspace((unsigned char)from[length - 1]))
        length--;
    bool cut = length >= size;
    length = cut ? size - 1 : length;
    for (size_t i = 0; i < length; i++)
        to[i] = from[i] ? from[i] : '\x01'; /* to be replaced as other control characters are */
    to[length] = '\0';
    if (!cut && mbstowcs(NULL, to, 0) == (size_t)-1)
        from_latin1(to, size);
    text_defuse(to, '?');
}

/* Of the file's next line; NULL: there is none. Lines end as on any system. */
static const char *next_line(struct m3u_reader *reader, size_t *ret_length)
{
    const char *line = reader->at;
    if (line >= reader->end)
        return NULL;
    while (reader->at < reader->end && *reader->at != '\n' && *reader->at != '\r')
        reader->at++;
    *ret_length = (size_t)(reader->at - line);
    reader->at += reader->at < reader->end;
    return line;
}

/* --- paths --------------------------------------------------------------------------------- */

static int hex_value(char digit)
{
    return isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10;
}

static void decode_percent(char *text)
{
    char *to = text;
    for (; *text; text++) {
        if (*text == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2])) {
            *to++ = (char)(hex_value(text[1]) << 4 | hex_value(text[2]));
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
}

/* "file:///srv/Harbour%201.mp3" and "music\Harbour.mp3" as paths of this system. */
static void to_path(char *text)
{
    if (strncasecmp(text, FILE_SCHEME, strlen(FILE_SCHEME)) == 0) {
        memmove(text, text + strlen(FILE_SCHEME), strlen(text + strlen(FILE_SCHEME)) + 1);
        decode_percent(text);
        text_defuse(text, '?');
    }
    for (char *at = strchr(text, '/') ? NULL : text; at && (at = strchr(at, '\\'));)
        *at = '/';
}

/* The last name before *end, as it is written, which moves to its beginning. False: there is none. */
static bool take_written(const char *path, size_t *end, const char **ret, size_t *ret_length)
{
    size_t stop = *end;
    while (stop > 0 && path[stop - 1] == '/')
        stop--;
    *end = stop;
    while (*end > 0 && path[*end - 1] != '/')
        --*end;
    *ret = path + *end;
    *ret_length = stop - *end;
    return stop > *end;
}

/* The same, of where the path leads: "." is nothing, ".." takes back the name before it. */
static bool take_name(const char *path, size_t *end, const char **ret, size_t *ret_length)
{
    size_t back = 0;
    while (take_written(path, end, ret, ret_length)) {
        if (*ret_length == 2 && strncmp(*ret, "..", 2) == 0)
            back++;
        else if (*ret_length == 1 && **ret == '.')
            continue;
        else if (back == 0)
            return true;
        else
            back--;
    }
    return false;
}

int m3u_likeness(const char *a, const char *b)
{
    size_t a_end = strlen(a), b_end = strlen(b), a_length, b_length;
    const char *a_name, *b_name;
    for (int shared = 0;; shared++) {
        bool a_more = take_name(a, &a_end, &a_name, &a_length);
        bool b_more = take_name(b, &b_end, &b_name, &b_length);
        if (!a_more || !b_more)
            return shared;
        if (a_length != b_length || strncasecmp(a_name, b_name, a_length) != 0)
            return shared >= 2 ? shared : 0;
    }
}

/* --- words --------------------------------------------------------------------------------- */

static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

void m3u_words(const char *text, char *to, size_t size)
{
    size_t used = 0;
    while (*text) {
        size_t length = 0;
        while (!is_of_word(*text) && *text)
            text++;
        while (is_of_word(text[length]))
            length++;
        if (length == 0 || used + length + 2 > size)
            break;
        used +=
            (size_t)snprintf(to + used, size - used, "%s%.*s", used ? " " : "", (int)length, text);
        text += length;
    }
    to[used] = '\0';
}

/* The end of what a file is called, before what says its kind. */
static size_t stem_length(const char *name, size_t length)
{
    for (size_t i = length; i > 1 && length - i < 5; i--)
        if (name[i - 1] == '.')
            return i - 1;
    return length;
}

void m3u_path_words(const char *path, int names, char *to, size_t size)
{
    char text[M3U_PATH_MAX];
    const char *name, *last = NULL;
    size_t end = strlen(path), length, first = 0, last_length = 0;
    to[0] = '\0';
    for (int i = 0; i < names && take_name(path, &end, &name, &length); i++) {
        first = (size_t)(name - path);
        last_length = last ? last_length : stem_length(name, length);
        last = last ? last : name;
    }
    if (!last)
        return;
    snprintf(text, sizeof text, "%.*s", (int)((size_t)(last - path) + last_length - first),
             path + first);
    m3u_words(text, to, size);
}

/* --- reading ------------------------------------------------------------------------------- */

void m3u_begin(struct m3u_reader *reader, const char *bytes, size_t count)
{
    bool marked = count >= strlen(BOM) && memcmp(bytes, BOM, strlen(BOM)) == 0;
    *reader = (struct m3u_reader){.at = bytes + (marked ? strlen(BOM) : 0), .end = bytes + count};
}

/* "#EXTINF:123 more="x",Artist - Title" */
static void take_comment(struct m3u_reader *reader, const char *line, size_t length)
{
    const char *comma = length > strlen(EXTINF) && strncasecmp(line, EXTINF, strlen(EXTINF)) == 0
                            ? memchr(line, ',', length)
                            : NULL;
    if (comma)
        take_text(comma + 1, length - (size_t)(comma + 1 - line), reader->label,
                  sizeof reader->label);
}

static void take_entry(struct m3u_reader *reader, const char *line, size_t length,
                       struct m3u_entry *ret)
{
    const char *name;
    size_t name_length;
    take_text(line, length, ret->path, sizeof ret->path);
    to_path(ret->path);
    memcpy(ret->label, reader->label, sizeof ret->label);
    reader->label[0] = '\0';
    size_t end = strlen(ret->path);
    if (!ret->label[0] && take_name(ret->path, &end, &name, &name_length))
        take_text(name, stem_length(name, name_length), ret->label, sizeof ret->label);
}

bool m3u_next(struct m3u_reader *reader, struct m3u_entry *ret)
{
    const char *line;
    size_t length = 0;
    while ((line = next_line(reader, &length)) != NULL) {
        while (length > 0 && isspace((unsigned char)*line))
            line++, length--;
        if (length > 0 && *line != '#') {
            take_entry(reader, line, length, ret);
            return true;
        }
        take_comment(reader, line, length);
    }
    return false;
}

/* --- writing ------------------------------------------------------------------------------- */

void m3u_write_head(FILE *out)
{
    fputs("#EXTM3U\n", out);
}

void m3u_write(FILE *out, const struct m3u_entry *entry, double duration_s)
{
    struct m3u_entry harmless = *entry;
    text_defuse(harmless.path, '?');
    text_defuse(harmless.label, '?');
    bool known = isfinite(duration_s) && duration_s >= 0;
    /* Nothing is taken for a comment. */
    fprintf(out, EXTINF "%.0f,%s\n%s%s\n", known ? duration_s : -1, harmless.label,
            strchr("# ", harmless.path[0]) ? "./" : "", harmless.path);
}
