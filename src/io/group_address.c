/*
 * group_address.c: numeric addresses of a group's peers, as people and state files write them.
 */
#include "group_socket_internal.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "192.0.2.7:8702", "[fe80::1%eth0]:8702", or either without port; a bare IPv6 address has no
 * brackets. */
static bool split(const char *text, char host[GROUP_PEER_NAME_MAX], const char **ret_port)
{
    const char *end;
    *ret_port = NULL;
    if (text[0] == '[') {
        end = strchr(++text, ']');
        if (!end || (end[1] && end[1] != ':'))
            return false;
        *ret_port = end[1] ? end + 2 : NULL;
    } else {
        const char *colon = strchr(text, ':');
        bool has_port = colon && !strchr(colon + 1, ':');
        end = has_port ? colon : text + strlen(text);
        *ret_port = has_port ? colon + 1 : NULL;
    }
    size_t bytes = (size_t)(end - text);
    if (bytes == 0 || bytes >= GROUP_PEER_NAME_MAX)
        return false;
    memcpy(host, text, bytes);
    host[bytes] = '\0';
    return true;
}

bool group_address_parse(const char *text, int default_port, union group_address *ret)
{
    char host[GROUP_PEER_NAME_MAX], port[8];
    const char *wanted;
    struct addrinfo hints = {
        .ai_socktype = SOCK_DGRAM,
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
    };
    struct addrinfo *found = NULL;
    if (!split(text, host, &wanted))
        return false;
    snprintf(port, sizeof port, "%d", default_port);
    if (!wanted)
        wanted = port;
    long number = strtol(wanted, NULL, 10);
    if (number < 1 || number > 65535 || getaddrinfo(host, wanted, &hints, &found) != 0)
        return false;
    bool fits = found->ai_addrlen <= sizeof *ret &&
                (found->ai_family == AF_INET || found->ai_family == AF_INET6);
    memset(ret, 0, sizeof *ret);
    if (fits)
        memcpy(ret, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return fits;
}

bool group_address_print(const union group_address *address, char *to, size_t size)
{
    char host[GROUP_PEER_NAME_MAX], port[8];
    if (getnameinfo(&address->any, (socklen_t)group_address_bytes(address), host, sizeof host, port,
                    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    bool bare = address->any.sa_family == AF_INET;
    return (size_t)snprintf(to, size, bare ? "%s:%s" : "[%s]:%s", host, port) < size;
}
