/*
 * group_multicast.c: two UDP sockets for each family.
 *
 * Several daemons on one machine share the multicast port (SO_REUSEADDR). Nothing is sent to one of
 * them there: it would reach whichever came last. What is for one of them comes to the socket that
 * it sends from, which has a port of its own.
 */
#include "arrival.h"
#include "group_socket_internal.h"
#include "tutti/base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char GROUP_IPV4[] = "239.255.116.116"; /* RFC 2365: local scope */
static const char GROUP_IPV6[] = "ff12::7474";      /* RFC 4291: transient, link-local */
/* Some hundreds of datagrams: what a flood brings beyond that is lost in the kernel, at its own
 * cost. */
static const int RECEIVE_BYTES = 65536;
/* Expedited forwarding (RFC 3246): Wi-Fi puts it before the bulk of a download. */
static const int TRAFFIC_CLASS = 0xb8;

static void set(int fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof value);
}

static int open_udp(int family)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (family == AF_INET6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BYTES);
    arrival_ask(fd);
    return fd;
}

static void speak_to_neighbours_only(int fd, int family)
{
    if (family == AF_INET) {
        set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 1);
        set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
        set(fd, IPPROTO_IP, IP_TOS, TRAFFIC_CLASS);
    } else {
        set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1);
        set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
        set(fd, IPPROTO_IPV6, IPV6_TCLASS, TRAFFIC_CLASS);
    }
}

static union group_address any_address(int family, int port)
{
    union group_address address = {.any.sa_family = (sa_family_t)family};
    if (family == AF_INET)
        address.ipv4.sin_port = htons((uint16_t)port);
    else
        address.ipv6.sin6_port = htons((uint16_t)port);
    return address;
}

static int bind_to(int fd, const union group_address *address)
{
    return bind(fd, &address->any, (socklen_t)group_address_bytes(address)) < 0 ? -errno : 0;
}

/* The first speaker of a machine gets the port that peers elsewhere expect; the others any, and say
 * themselves where. */
static int bind_own(int fd, int family, int port)
{
    int error = -EADDRINUSE;
    for (int i = 1; i <= GROUP_SOCKET_PORTS && error; i++) {
        union group_address address = any_address(family, port + i);
        error = port + i <= 65535 ? bind_to(fd, &address) : -EADDRINUSE;
    }
    union group_address any = any_address(family, 0);
    return error ? bind_to(fd, &any) : 0;
}

static int open_multicast(const struct group_family *family)
{
    int fd = open_udp(family->family);
    if (fd < 0)
        return fd;
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    union group_address address = family->group;
    if (family->family == AF_INET) {
        set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    } else {
        set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
        address.ipv6.sin6_addr =
            in6addr_any; /* one of link-local scope would be of one interface */
    }
    int error = bind_to(fd, &address);
    if (!error)
        return fd;
    close(fd);
    return error;
}

int group_family_open(struct group_family *family, int number, int port)
{
    *family = (struct group_family){.family = number, .own_fd = -1, .multicast_fd = -1};
    family->group = any_address(number, port);
    if (number == AF_INET)
        inet_pton(AF_INET, GROUP_IPV4, &family->group.ipv4.sin_addr);
    else
        inet_pton(AF_INET6, GROUP_IPV6, &family->group.ipv6.sin6_addr);
    int fd = open_udp(number);
    if (fd < 0)
        return fd;
    speak_to_neighbours_only(fd, number);
    int error = bind_own(fd, number, port);
    if (error) {
        close(fd);
        return error;
    }
    family->own_fd = fd;
    fd = open_multicast(family);
    family->multicast_fd = fd < 0 ? -1 : fd;
    if (fd < 0)
        log_warn(
            "UDP port %d cannot be had for multicast: %s: other speakers are found only if [group] "
            "peers names them",
            port, strerror(-fd));
    return 0;
}

void group_family_close(struct group_family *family)
{
    if (family->own_fd >= 0)
        close(family->own_fd);
    if (family->multicast_fd >= 0)
        close(family->multicast_fd);
    family->own_fd = family->multicast_fd = -1;
}

/* --- interfaces --- */

static bool has(const struct group_family *family, const struct net_interface *interface)
{
    return family->family == AF_INET ? interface->ipv4 : interface->ipv6;
}

static bool is_among(const struct group_family *family, const struct net_interface *wanted,
                     const struct net_interface *interfaces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (interfaces[i].index == wanted->index && has(family, &interfaces[i]))
            return true;
    return false;
}

static void change_membership(const struct group_family *family, unsigned index, bool join)
{
    if (family->family == AF_INET) {
        struct ip_mreqn request = {.imr_multiaddr = family->group.ipv4.sin_addr,
                                   .imr_ifindex = (int)index};
        setsockopt(family->multicast_fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP,
                   &request, sizeof request);
    } else {
        struct ipv6_mreq request = {.ipv6mr_multiaddr = family->group.ipv6.sin6_addr,
                                    .ipv6mr_interface = index};
        setsockopt(family->multicast_fd, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP,
                   &request, sizeof request);
    }
}

void group_family_join(const struct group_family *family, const struct net_interface *interfaces,
                       size_t count, const struct net_interface *before, size_t before_count)
{
    if (family->multicast_fd < 0)
        return;
    for (size_t i = 0; i < before_count; i++)
        if (has(family, &before[i]) && !is_among(family, &before[i], interfaces, count))
            change_membership(family, before[i].index, false);
    for (size_t i = 0; i < count; i++)
        if (has(family, &interfaces[i]) && !is_among(family, &interfaces[i], before, before_count))
            change_membership(family, interfaces[i].index, true);
}

int group_family_send_to_all(const struct group_family *family, const struct net_interface *over,
                             const void *datagram, size_t bytes)
{
    union group_address to = family->group;
    if (family->own_fd < 0 || !has(family, over))
        return -EAFNOSUPPORT;
    if (family->family == AF_INET) {
        struct ip_mreqn request = {.imr_ifindex = (int)over->index};
        setsockopt(family->own_fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request);
    } else {
        to.ipv6.sin6_scope_id = over->index;
    }
    ssize_t sent =
        sendto(family->own_fd, datagram, bytes, 0, &to.any, (socklen_t)group_address_bytes(&to));
    return sent < 0 ? -errno : 0;
}
