/*
 * http_header.c: see http_header.h. Nothing here trusts that a number fits, or that a text is one.
 */
#include "http_header.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

/* As many bytes as no file has; fits into a double, too. */
#define BYTES_MAX INT64_C(1000000000000000)

static bool is_value(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return false;
    }
    return true;
}

bool http_header_is_value(const char *text)
{
    return is_value(text, strlen(text));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool http_header_take(const char *line, size_t bytes, const char *name, char *to, size_t room)
{
    size_t name_bytes = strlen(name);
    if (bytes <= name_bytes || strncasecmp(line, name, name_bytes) != 0)
        return false;
    const char *value = line + name_bytes, *end = line + bytes;
    while (value < end && is_blank(*value))
        value++;
    while (end > value && is_blank(end[-1]))
        end--;
    size_t length = (size_t)(end - value);
    if (length >= room || !is_value(value, length))
        return false;
    memcpy(to, value, length);
    to[length] = '\0';
    return true;
}

/* Decimal digits only; advances *text. */
static bool take_bytes(const char **text, int64_t *ret_bytes)
{
    int64_t bytes = 0;
    if (**text < '0' || **text > '9')
        return false;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        bytes = bytes * 10 + (**text - '0');
        if (bytes > BYTES_MAX)
            return false;
    }
    *ret_bytes = bytes;
    return true;
}

static bool take_char(const char **text, char wanted)
{
    if (**text != wanted)
        return false;
    (*text)++;
    return true;
}

bool http_header_range(const char *value, struct http_range *ret_range)
{
    struct http_range range = {.total_bytes = -1};
    if (strncasecmp(value, "bytes ", 6) != 0)
        return false;
    value += 6;
    if (!take_bytes(&value, &range.first) || !take_char(&value, '-') ||
        !take_bytes(&value, &range.last) || !take_char(&value, '/'))
        return false;
    if (!take_char(&value, '*') && !take_bytes(&value, &range.total_bytes))
        return false;
    if (*value || range.last < range.first ||
        (range.total_bytes >= 0 && range.last >= range.total_bytes))
        return false;
    *ret_range = range;
    return true;
}

bool http_header_date(const char *value, struct server_time *ret_date)
{
    time_t seconds = curl_getdate(value, NULL);
    return seconds > 0 && server_time_from_s(seconds, ret_date);
}
