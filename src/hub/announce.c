/*
 * announce.c: what is said of the hub through Avahi: name, port, TLS or not, version; no secrets.
 */
#include "announce.h"

#include "tutti/io/avahi.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ALL_INTERFACES (-1)
/* Of the machine's name, so that all fits into a service's. */
#define NAME_BYTES 44

static bool has_address(const struct ifaddrs *at, int family, const void *bytes)
{
    if (!at->ifa_addr || at->ifa_addr->sa_family != family)
        return false;
    const void *own = family == AF_INET
                          ? (const void *)&((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr
                          : (const void *)&((struct sockaddr_in6 *)(void *)at->ifa_addr)->sin6_addr;
    return memcmp(own, bytes, family == AF_INET ? 4 : 16) == 0;
}

/* Of this machine's address; all, if it is that of none, as 0.0.0.0 is. */
static int interface_of(int family, const void *bytes)
{
    struct ifaddrs *all = NULL;
    int interface = ALL_INTERFACES;
    if (getifaddrs(&all) < 0)
        return interface;
    for (const struct ifaddrs *at = all; at && interface == ALL_INTERFACES; at = at->ifa_next)
        if (has_address(at, family, bytes))
            interface = (int)if_nametoindex(at->ifa_name);
    freeifaddrs(all);
    return interface;
}

/* False: nobody but this machine reaches it. */
static bool find_reach(const char *address, struct avahi_service *service)
{
    unsigned char bytes[16];
    service->interface = ALL_INTERFACES;
    service->protocol = AVAHI_ANY;
    if (inet_pton(AF_INET, address, bytes) == 1) {
        service->protocol = AVAHI_IPV4;
        service->interface = interface_of(AF_INET, bytes);
        return bytes[0] != 127;
    }
    if (inet_pton(AF_INET6, address, bytes) != 1 || strcmp(address, "::") == 0)
        return true;
    service->protocol = AVAHI_IPV6;
    service->interface = interface_of(AF_INET6, bytes);
    return strcmp(address, "::1") != 0;
}

struct avahi *announce_hub(const struct hub_settings *settings, const char *address, int port)
{
    char machine[NAME_BYTES + 1] = "";
    struct avahi_service service = {.type = AVAHI_TYPE_HUB, .port = (uint16_t)port};
    if (!settings->server.announce || !find_reach(address, &service))
        return NULL;
    gethostname(machine, sizeof machine - 1);
    snprintf(service.name, sizeof service.name, "tutti-hub on %s", machine);
    snprintf(service.txt[0], AVAHI_TXT_BYTES, "txtvers=1");
    snprintf(service.txt[1], AVAHI_TXT_BYTES, "path=/");
    snprintf(service.txt[2], AVAHI_TXT_BYTES, "tls=%d", settings->server.tls_certificate[0] != 0);
    snprintf(service.txt[3], AVAHI_TXT_BYTES, "version=" TUTTI_VERSION);
    return avahi_start(&(struct avahi_config){.announce = &service});
}
