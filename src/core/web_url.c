/*
 * web_url.c: the WHATWG's URL parser for the two schemes that media may have.
 *
 * The parser's states are the steps here: what is stripped, the scheme, the authority, the path
 * without its dot segments, the query; the fragment is not sent. Numbers as hosts (0x7f.1) and
 * international names are left to libcurl.
 */
#include "tutti/core/web_url.h"

#include <string.h>
#include <strings.h>

#define REFERENCE_MAX 8192

static const char no_http[] = "it is not at an http or https address";
static const char no_host[] = "its address has no host, or one that cannot be";
static const char bad_port[] = "its address has a port that cannot be";
static const char has_password[] = "its address has a name and password in it (user:password@)";
static const char too_long[] = "its address is too long";
static const char no_address[] = "it has no address";

struct writer {
    char *to;
    size_t size, at;
    bool full;
};

static void put(struct writer *writer, char c)
{
    if (writer->at + 1 >= writer->size) {
        writer->full = true;
        return;
    }
    writer->to[writer->at++] = c;
    writer->to[writer->at] = '\0';
}

static void put_text(struct writer *writer, const char *text)
{
    for (; *text; text++)
        put(writer, *text);
}

static void put_encoded(struct writer *writer, char c, const char *set)
{
    static const char hex[] = "0123456789ABCDEF";
    unsigned char byte = (unsigned char)c;
    if (byte > ' ' && byte < 0x7f && !strchr(set, c)) {
        put(writer, c);
        return;
    }
    put(writer, '%');
    put(writer, hex[byte >> 4]);
    put(writer, hex[byte & 15]);
}

/* --- what is stripped --- */

/* Blanks and controls around it, tabs and line ends anywhere; backslashes before the query are
 * slashes; and no fragment. False: too long. */
static bool clean(const char *from, char to[REFERENCE_MAX])
{
    size_t length = strlen(from), at = 0;
    bool in_query = false;
    while (length > 0 && (unsigned char)from[length - 1] <= ' ')
        length--;
    while (length > 0 && (unsigned char)*from <= ' ') {
        from++;
        length--;
    }
    for (size_t i = 0; i < length && from[i] != '#'; i++) {
        if (strchr("\t\n\r", from[i]))
            continue;
        if (at + 1 >= REFERENCE_MAX)
            return false;
        in_query |= from[i] == '?';
        to[at++] = from[i] == '\\' && !in_query ? '/' : from[i];
    }
    to[at] = '\0';
    return true;
}

/* --- scheme --- */

/* Its length without the colon; 0: none. */
static size_t scheme_length(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "0123456789+-.";
    size_t length = 0;
    while (text[length] &&
           (strchr(letters, text[length]) || (length > 0 && strchr(others, text[length]))))
        length++;
    return text[length] == ':' ? length : 0;
}

/* "http", "https"; NULL: another one. */
static const char *known_scheme(const char *text, size_t length)
{
    if (length == 4 && strncasecmp(text, "http", 4) == 0)
        return "http";
    return length == 5 && strncasecmp(text, "https", 5) == 0 ? "https" : NULL;
}

/* --- authority --- */

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) % 16 : -1;
}

static bool put_host(struct writer *writer, const char *host, size_t length)
{
    bool literal6 = length > 2 && host[0] == '[' && host[length - 1] == ']';
    const char *forbidden = literal6 ? " #/<>?@\\^|%" : " #/:<>?@[\\]^|%";
    size_t before = writer->at;
    for (size_t i = 0; i < length; i++) {
        char c = host[i];
        if (c == '%' && i + 2 < length && hex_digit(host[i + 1]) >= 0 &&
            hex_digit(host[i + 2]) >= 0) {
            c = (char)(hex_digit(host[i + 1]) * 16 + hex_digit(host[i + 2]));
            i += 2;
        }
        if ((unsigned char)c <= ' ' || c == 0x7f || strchr(forbidden, c))
            return false;
        put(writer, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
    return writer->at > before || writer->full;
}

/* -1: none, or the scheme's own. -2: it cannot be. */
static int port_of(const char *text, size_t length, const char *scheme)
{
    int port = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || port > 65535)
            return -2;
        port = port * 10 + (text[i] - '0');
    }
    if (port > 65535)
        return -2;
    return length == 0 || port == (strcmp(scheme, "http") == 0 ? 80 : 443) ? -1 : port;
}

/* "host:port"; NULL, or what is wrong with it. */
static const char *put_authority(struct writer *writer, const char *scheme, const char *text,
                                 size_t length)
{
    if (memchr(text, '@', length))
        return has_password;
    size_t host = length;
    while (host > 0 && text[host - 1] != ':' && text[host - 1] != ']')
        host--;
    bool has_port = host > 0 && text[host - 1] == ':';
    size_t host_length = has_port ? host - 1 : length;
    int port = has_port ? port_of(text + host, length - host, scheme) : -1;
    if (port == -2)
        return bad_port;
    put_text(writer, scheme);
    put_text(writer, "://");
    if (!put_host(writer, text, host_length))
        return no_host;
    if (port >= 0) {
        char digits[6];
        size_t count = 0;
        for (int rest = port; rest > 0 || count == 0; rest /= 10)
            digits[count++] = (char)('0' + rest % 10);
        put(writer, ':');
        while (count > 0)
            put(writer, digits[--count]);
    }
    return NULL;
}

/* --- path and query --- */

/* 1 for "." and its encoded form, 2 for "..", 0 for everything else. */
static int dots(const char *segment, size_t length)
{
    int count = 0;
    for (size_t i = 0; i < length; count++) {
        if (segment[i] == '.')
            i++;
        else if (length - i >= 3 && strncasecmp(segment + i, "%2e", 3) == 0)
            i += 3;
        else
            return 0;
    }
    return count <= 2 ? count : 0;
}

static void put_path(struct writer *writer, const char *path)
{
    size_t root = writer->at;
    do {
        path += *path == '/';
        size_t length = strcspn(path, "/?");
        bool last = path[length] != '/';
        int up = dots(path, length);
        if (up == 2) {
            while (writer->at > root && writer->to[--writer->at] != '/')
                ;
            writer->to[writer->at] = '\0';
        }
        if (up == 0 || last)
            put(writer, '/');
        for (size_t i = 0; up == 0 && i < length; i++)
            put_encoded(writer, path[i], "\"<>`{}^");
        path += length;
    } while (*path == '/');
    for (; *path; path++)
        put_encoded(writer, *path, "\"<>'");
}

/* --- all of it --- */

static const char *put_absolute(struct writer *writer, const char *scheme, const char *rest)
{
    rest += strspn(rest, "/");
    size_t length = strcspn(rest, "/?");
    const char *problem = put_authority(writer, scheme, rest, length);
    if (!problem)
        put_path(writer, rest + length);
    return problem;
}

/* base, a slash, and the reference behind it. */
static const char *put_relative(struct writer *writer, const char *base, const char *reference)
{
    char joined[REFERENCE_MAX];
    size_t length = strlen(base), scheme_bytes = scheme_length(base);
    const char *scheme = known_scheme(base, scheme_bytes);
    if (!scheme)
        return no_http;
    while (length > 0 && base[length - 1] == '/')
        length--;
    reference += strspn(reference, "/");
    if (length + strlen(reference) + 2 > sizeof joined)
        return too_long;
    memcpy(joined, base, length);
    joined[length] = '/';
    strcpy(joined + length + 1, reference);
    return put_absolute(writer, scheme, joined + scheme_bytes + 1);
}

static const char *resolve(struct writer *writer, const char *base, const char *reference)
{
    char text[REFERENCE_MAX];
    if (!clean(reference, text))
        return too_long;
    if (!text[0])
        return no_address;
    size_t length = scheme_length(text);
    const char *scheme =
        known_scheme(length > 0 ? text : base, length > 0 ? length : scheme_length(base));
    if (!scheme)
        return no_http;
    const char *rest = text + (length > 0 ? length + 1 : 0);
    bool same = length == 0 || known_scheme(base, scheme_length(base)) == scheme;
    if (strncmp(rest, "//", 2) == 0 || !same)
        return put_absolute(writer, scheme, rest);
    return put_relative(writer, base, rest);
}

bool web_url_resolve(const char *base, const char *reference, char *to, size_t size,
                     const char **ret_problem)
{
    struct writer writer = {.to = to, .size = size};
    if (size > 0)
        to[0] = '\0';
    *ret_problem = resolve(&writer, base, reference);
    if (!*ret_problem && writer.full)
        *ret_problem = too_long;
    return !*ret_problem;
}
