/*
 * text.c: see text.h. Decoding and widths are the C library's, with its UTF-8 locale; what is
 * harmless is base's to say, for all programs.
 */
#include "text.h"

#include "tutti/base/text.h"

#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#define REPLACEMENT L'\uFFFD'
#define ELLIPSIS "…"

void text_use_utf8(void)
{
    if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

static wchar_t harmless(wchar_t c)
{
    return text_is_harmless((uint32_t)c) && wcwidth(c) >= 0 ? c : REPLACEMENT;
}

/* The character at *at, which moves behind it; 0 at the end. ret_raw: as it was written. */
static wchar_t take(const char **at, wchar_t *ret_raw)
{
    mbstate_t state = {0};
    wchar_t c;
    size_t bytes = mbrtowc(&c, *at, strnlen(*at, MB_LEN_MAX), &state);
    if (**at == '\0')
        return 0;
    if (bytes == (size_t)-1 || bytes == (size_t)-2) {
        c = REPLACEMENT;
        bytes = 1;
        *ret_raw = 0;
    } else {
        *ret_raw = c;
    }
    *at += bytes;
    return harmless(c);
}

/* Appends c if it fits beside the terminator. */
static bool append(char *to, size_t size, size_t *at, wchar_t c)
{
    char bytes[MB_LEN_MAX];
    mbstate_t state = {0};
    size_t count = wcrtomb(bytes, c, &state);
    if (count == (size_t)-1 || *at + count >= size)
        return false;
    memcpy(to + *at, bytes, count);
    *at += count;
    to[*at] = '\0';
    return true;
}

int text_columns(const char *text)
{
    int columns = 0;
    wchar_t c, raw;
    while ((c = take(&text, &raw)) != 0)
        columns += wcwidth(c);
    return columns;
}

int text_fit(char *to, size_t size, const char *from, int columns)
{
    bool whole = text_columns(from) <= columns;
    int limit = whole ? columns : columns - 1, used = 0;
    size_t at = 0;
    wchar_t c, raw;
    to[0] = '\0';
    while ((c = take(&from, &raw)) != 0) {
        if (used + wcwidth(c) > limit || !append(to, size, &at, c))
            break;
        used += wcwidth(c);
    }
    if (!whole && columns > 0 && at + sizeof ELLIPSIS <= size) {
        strcpy(to + at, ELLIPSIS);
        used++;
    }
    return used;
}

void text_clean(char *to, size_t size, const char *from)
{
    text_fit(to, size, from, INT_MAX);
}

bool text_is_clean(const char *text)
{
    wchar_t c, raw;
    while ((c = take(&text, &raw)) != 0) {
        if (c != raw)
            return false;
    }
    return true;
}

bool text_begins(const char *text, const char *part)
{
    wchar_t a, b, raw;
    while ((b = take(&part, &raw)) != 0) {
        a = take(&text, &raw);
        if (towlower((wint_t)a) != towlower((wint_t)b))
            return false;
    }
    return true;
}

bool text_equals(const char *a, const char *b)
{
    return text_begins(a, b) && text_begins(b, a);
}

bool text_contains(const char *text, const char *part)
{
    wchar_t raw;
    do {
        if (text_begins(text, part))
            return true;
    } while (take(&text, &raw) != 0);
    return false;
}
