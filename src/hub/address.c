/*
 * address.c: see address.h.
 */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define SEPARATORS " \t,"

static bool parse(const char *text, struct in6_addr *ret)
{
    struct in_addr four;
    if (inet_pton(AF_INET, text, &four) == 1) {
        *ret = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
        memcpy(ret->s6_addr + 12, &four, 4);
        return true;
    }
    return inet_pton(AF_INET6, text, ret) == 1;
}

bool address_group(const char *text, char to[ADDRESS_MAX])
{
    struct in6_addr address;
    char plain[INET6_ADDRSTRLEN];
    to[0] = '\0';
    if (!parse(text, &address))
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
        inet_ntop(AF_INET, address.s6_addr + 12, to, ADDRESS_MAX);
        return true;
    }
    if (IN6_IS_ADDR_LOOPBACK(&address)) {
        strcpy(to, "::1");
        return true;
    }
    memset(address.s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, &address, plain, sizeof plain);
    snprintf(to, ADDRESS_MAX, "%s/64", plain);
    return true;
}

/* The list's next word; false at its end. */
static bool next_word(const char **list, char word[ADDRESS_MAX])
{
    *list += strspn(*list, SEPARATORS);
    size_t length = strcspn(*list, SEPARATORS);
    snprintf(word, ADDRESS_MAX, "%.*s", (int)(length < ADDRESS_MAX ? length : ADDRESS_MAX - 1),
             *list);
    *list += length;
    return length > 0;
}

bool address_is_listed(const char *text, const char *list)
{
    struct in6_addr wanted, listed;
    char word[ADDRESS_MAX];
    if (!parse(text, &wanted))
        return false;
    while (next_word(&list, word))
        if (parse(word, &listed) && memcmp(&wanted, &listed, sizeof wanted) == 0)
            return true;
    return false;
}

bool address_forwarded(const char *forwarded, const char *trusted, char to[ADDRESS_MAX])
{
    char word[ADDRESS_MAX];
    bool found = false;
    while (next_word(&forwarded, word)) {
        if (address_is_listed(word, trusted))
            continue;
        found = address_group(word, to);
    }
    return found;
}
