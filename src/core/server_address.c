/*
 * server_address.c: see server_address.h. libcurl and libwebsockets differ in what they make of odd
 * addresses; so nothing odd is let through.
 */
#include "tutti/core/server_address.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *take_scheme(const char *text, struct server_address *address)
{
    static const struct {
        const char *begin;
        bool tls;
    } schemes[] = {{"http://", false}, {"https://", true}, {"ws://", false}, {"wss://", true}};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t length = strlen(schemes[i].begin);
        if (strncasecmp(text, schemes[i].begin, length) == 0) {
            address->tls = schemes[i].tls;
            return text + length;
        }
    }
    return NULL;
}

static const char *odd_characters(const char *text)
{
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c > 0x7e)
            return "it has letters that are not ASCII: write an international host name as "
                   "xn--… (idn2 NAME prints it), others as %XX";
        if (*c <= ' ' || strchr("\"<>\\^`{|}#", *c))
            return "it has characters that no address has";
    }
    return NULL;
}

/* "fe80::1%25eth0" becomes "fe80::1%eth0". */
static bool keep_literal6(const char *text, size_t length, char host[SERVER_HOST_MAX])
{
    static const char letters[] = "0123456789abcdefABCDEF:.";
    const char *zone = memchr(text, '%', length);
    size_t digits = zone ? (size_t)(zone - text) : length;
    if (digits < 2 || strspn(text, letters) < digits || !memchr(text, ':', digits))
        return false;
    if (zone && strncmp(zone, "%25", 3) == 0)
        zone += 2;
    size_t zone_length = zone ? (size_t)(text + length - zone) - 1 : 0;
    if ((zone && zone_length == 0) || digits + zone_length + 2 > SERVER_HOST_MAX)
        return false;
    if (zone_length > 0 && strcspn(zone + 1, "%/]") < zone_length)
        return false;
    snprintf(host, SERVER_HOST_MAX, "%.*s%s%.*s", (int)digits, text, zone ? "%" : "",
             (int)zone_length, zone ? zone + 1 : "");
    return true;
}

static void lower(char *text)
{
    for (; *text && *text != '%'; text++) {
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
    }
}

static const char *take_host(const char *text, size_t length, struct server_address *address)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    if (length == 0)
        return "it has no host: write a name, an IPv4 address, or an IPv6 address in []";
    if (length >= SERVER_HOST_MAX)
        return "its host name is too long";
    address->literal6 = text[0] == '[';
    if (address->literal6) {
        if (length < 4 || text[length - 1] != ']' ||
            !keep_literal6(text + 1, length - 2, address->host))
            return "its IPv6 address is none: write it as [2001:db8::1], or [fe80::1%25eth0]";
    } else {
        if (strspn(text, letters) < length || text[0] == '.')
            return "its host is none: write a name, an IPv4 address, or an IPv6 address in []";
        snprintf(address->host, sizeof address->host, "%.*s", (int)length, text);
    }
    lower(address->host);
    return NULL;
}

static const char *take_port(const char *text, size_t length, struct server_address *address)
{
    static const char problem[] = "its port is none: write a number from 1 to 65535";
    int port = 0;
    if (strspn(text, "0123456789") < length || length > 5)
        return problem;
    for (size_t i = 0; i < length; i++)
        port = port * 10 + (text[i] - '0');
    if (length > 0 && (port < 1 || port > 65535))
        return problem;
    if (length > 0)
        address->port = port;
    return NULL;
}

static const char *take_authority(const char *text, size_t length, struct server_address *address)
{
    if (memchr(text, '@', length))
        return "it has a name and password in it (user:password@), which the WebSocket cannot "
               "send: take them out, and let the proxy trust this speaker otherwise";
    const char *bracket = memchr(text, ']', length);
    const char *from = bracket ? bracket : text;
    const char *colon = memchr(from, ':', length - (size_t)(from - text));
    size_t host_length = colon ? (size_t)(colon - text) : length;
    const char *problem = take_host(text, host_length, address);
    if (problem || !colon)
        return problem;
    return take_port(colon + 1, length - host_length - 1, address);
}

/* curl would shorten the path, libwebsockets not. */
static bool has_dot_segments(const char *path)
{
    size_t length = strcspn(path, "?");
    for (const char *at = path; at < path + length; at++) {
        size_t dots = *at == '/' ? strspn(at + 1, ".") : 0;
        char behind = dots > 0 ? at[1 + dots] : 'x';
        if ((dots == 1 || dots == 2) && (behind == '/' || behind == '?' || behind == '\0'))
            return true;
    }
    return false;
}

static const char *take_path(const char *text, struct server_address *address)
{
    if (strlen(text) + 2 > sizeof address->path)
        return "it is too long";
    if (has_dot_segments(text))
        return "its path has . or .. in it: write where that leads to";
    snprintf(address->path, sizeof address->path, "%s%s", text[0] == '?' ? "/" : "", text);
    return NULL;
}

bool server_address_parse(const char *text, struct server_address *ret, const char **ret_problem)
{
    struct server_address address = {0};
    const char *rest = take_scheme(text, &address);
    const char *problem =
        rest ? odd_characters(rest) : "it does not begin with http:// or https://";
    if (!problem) {
        size_t length = strcspn(rest, "/?");
        address.port = address.tls ? 443 : 80;
        problem = take_authority(rest, length, &address);
        if (!problem)
            problem = take_path(rest + length, &address);
    }
    *ret_problem = problem;
    if (!problem)
        *ret = address;
    return !problem;
}

bool server_address_print(const struct server_address *address, const char *scheme, char *to,
                          size_t size)
{
    char host[SERVER_HOST_MAX + 8], port[16] = "";
    const char *zone = address->literal6 ? strchr(address->host, '%') : NULL;
    if (zone)
        snprintf(host, sizeof host, "[%.*s%%25%s]", (int)(zone - address->host), address->host,
                 zone + 1);
    else
        snprintf(host, sizeof host, address->literal6 ? "[%s]" : "%s", address->host);
    if (address->port != (address->tls ? 443 : 80))
        snprintf(port, sizeof port, ":%d", address->port);
    int length = snprintf(to, size, "%s%s://%s%s", scheme, address->tls ? "s" : "", host, port);
    return length > 0 && (size_t)length < size;
}
