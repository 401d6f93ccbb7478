/*
 * names.c: see names.h.
 */
#include "names.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 256
#define SEPARATORS " \t,"

/* Reserved, or never delegated: RFC 6762, RFC 8375, ICANN's list of names in collision. */
static const char *const house_endings[] = {"",      ".local",     ".lan",
                                            ".home", ".home.arpa", ".internal"};

/* The name in "name:port", without brackets and without the root's dot. */
static bool take_name(const char *host, char name[NAME_MAX_BYTES])
{
    size_t length = host[0] == '[' ? strcspn(host + 1, "]") : strcspn(host, ":/");
    if (length == 0 || length >= NAME_MAX_BYTES)
        return false;
    memcpy(name, host + (host[0] == '['), length);
    if (name[length - 1] == '.')
        length--;
    name[length] = '\0';
    return length > 0;
}

static bool is_address(const char *name)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

static bool is_machine(const char *name, const char *machine)
{
    char known[NAME_MAX_BYTES];
    if (!machine[0])
        return false;
    for (size_t i = 0; i < sizeof house_endings / sizeof *house_endings; i++) {
        snprintf(known, sizeof known, "%s%s", machine, house_endings[i]);
        if (strcasecmp(name, known) == 0)
            return true;
    }
    return false;
}

static bool is_extra(const char *name, const char *extra)
{
    for (;;) {
        extra += strspn(extra, SEPARATORS);
        size_t length = strcspn(extra, SEPARATORS);
        if (length == 0)
            return false;
        if ((length == 1 && *extra == '*') ||
            (length == strlen(name) && strncasecmp(name, extra, length) == 0))
            return true;
        extra += length;
    }
}

bool names_have_host(const char *host, const char *machine, const char *extra)
{
    char name[NAME_MAX_BYTES];
    if (!take_name(host, name))
        return false;
    return is_address(name) || strcasecmp(name, "localhost") == 0 || is_machine(name, machine) ||
           is_extra(name, extra);
}

/* "8700" in "name:8700" or "[::1]:8700"; "": none is said. */
static const char *port_of(const char *host)
{
    const char *colon = strrchr(host, ':');
    return colon && !strchr(colon, ']') ? colon + 1 : "";
}

/* A page of another port is somebody else's, also on this machine. But one without a port comes
 * from a proxy, and so may a call without one. */
static bool is_port_of(const char *from, const char *host)
{
    const char *called = port_of(host), *port = port_of(from);
    return !called[0] || !port[0] || strcmp(called, port) == 0;
}

bool names_have_origin(const char *origin, const char *host, const char *machine, const char *extra)
{
    char called[NAME_MAX_BYTES], from[NAME_MAX_BYTES];
    const char *behind = strstr(origin, "://");
    if (!behind || !take_name(behind + 3, from))
        return is_extra("", extra);
    if (is_extra(from, extra))
        return true;
    if (!is_port_of(behind + 3, host))
        return false;
    if (take_name(host, called) && strcasecmp(from, called) == 0)
        return true;
    return !is_address(from) && names_have_host(behind + 3, machine, extra);
}
