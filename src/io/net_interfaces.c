/*
 * net_interfaces.c: getifaddrs() for what there is, and a netlink socket that says when to look
 * again.
 *
 * What the kernel tells of a change is not looked at: the list is made anew. A radio is known by
 * its entry in sysfs.
 */
#include "net_interfaces.h"

#include "tutti/base/log.h"
#include "tutti/io/loop.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Interfaces come up in steps: link, addresses, duplicate address detection. */
#define QUIET_NS (500 * NS_PER_MS)
#define LATEST_NS (2 * NS_PER_S)
#define MESSAGES_PER_ROUND 64

/* --- the list --- */

static bool in_sysfs(const char *name, const char *entry)
{
    char path[64];
    snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, entry);
    return access(path, F_OK) == 0;
}

static struct net_interface *entry_for(struct net_interface *list, size_t *count, size_t capacity,
                                       const struct ifaddrs *address)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i].name, address->ifa_name) == 0)
            return &list[i];
    if (*count == capacity)
        return NULL;
    struct net_interface *entry = &list[*count];
    *entry = (struct net_interface){.index = if_nametoindex(address->ifa_name)};
    if (entry->index == 0 || strlen(address->ifa_name) >= sizeof entry->name)
        return NULL; /* it is gone again */
    strcpy(entry->name, address->ifa_name);
    entry->loopback = address->ifa_flags & IFF_LOOPBACK;
    entry->wireless = in_sysfs(entry->name, "wireless") || in_sysfs(entry->name, "phy80211");
    ++*count;
    return entry;
}

static bool counts(const struct ifaddrs *address, const char *only)
{
    bool loopback = address->ifa_flags & IFF_LOOPBACK;
    if (!address->ifa_addr || !(address->ifa_flags & IFF_UP) || !(address->ifa_flags & IFF_RUNNING))
        return false;
    if (only[0] && strcmp(only, address->ifa_name) != 0)
        return false;
    return loopback || (address->ifa_flags & IFF_MULTICAST);
}

static int by_preference(const void *a, const void *b)
{
    const struct net_interface *one = a, *other = b;
    if (one->loopback != other->loopback)
        return one->loopback ? 1 : -1;
    if (one->wireless != other->wireless)
        return one->wireless ? 1 : -1;
    return one->index < other->index ? -1 : one->index > other->index;
}

static size_t sort_out(struct net_interface *list, size_t count, const char *only)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (list[i].ipv4 || list[i].ipv6)
            list[kept++] = list[i];
    qsort(list, kept, sizeof *list, by_preference);
    while (!only[0] && kept > 1 && list[kept - 1].loopback)
        kept--;
    return kept < NET_INTERFACES_MAX ? kept : NET_INTERFACES_MAX;
}

size_t net_interfaces_list(const char *only, struct net_interface to[NET_INTERFACES_MAX])
{
    struct net_interface list[4 * NET_INTERFACES_MAX];
    size_t count = 0;
    struct ifaddrs *addresses;
    if (getifaddrs(&addresses) < 0)
        return 0;
    for (struct ifaddrs *at = addresses; at; at = at->ifa_next) {
        struct net_interface *entry =
            counts(at, only) ? entry_for(list, &count, sizeof list / sizeof *list, at) : NULL;
        if (!entry)
            continue;
        entry->ipv4 |= at->ifa_addr->sa_family == AF_INET;
        entry->ipv6 |= at->ifa_addr->sa_family == AF_INET6;
    }
    freeifaddrs(addresses);
    count = sort_out(list, count, only);
    memcpy(to, list, count * sizeof *list);
    return count;
}

/* --- the watch --- */

struct net_watch {
    struct loop *loop;
    int fd;
    struct loop_fd *watch;
    struct loop_timer *quiet;
    bool pending;
    struct mono_time latest;
    void (*changed)(void *user);
    void *user;
};

/* Also when the kernel had more to say than it could keep for us (ENOBUFS). */
static void netlink_ready(void *user, unsigned events)
{
    struct net_watch *watch = user;
    struct mono_time now = loop_now(watch->loop);
    struct mono_time at = mono_add(now, QUIET_NS);
    char message[4096];
    (void)events;
    for (int i = 0; i < MESSAGES_PER_ROUND; i++)
        if (recv(watch->fd, message, sizeof message, MSG_DONTWAIT) < 0 && errno != ENOBUFS)
            break;
    if (!watch->pending)
        watch->latest = mono_add(now, LATEST_NS);
    watch->pending = true;
    loop_timer_set(watch->quiet, mono_sub(at, watch->latest) < 0 ? at : watch->latest);
}

static void quiet_fired(void *user, struct mono_time now)
{
    struct net_watch *watch = user;
    (void)now;
    watch->pending = false;
    watch->changed(watch->user);
}

static int open_netlink(void)
{
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

struct net_watch *net_watch_create(struct loop *loop, void (*changed)(void *user), void *user)
{
    struct net_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    *watch = (struct net_watch){.loop = loop, .changed = changed, .user = user};
    watch->fd = open_netlink();
    if (watch->fd >= 0)
        watch->quiet = loop_timer_create(loop, quiet_fired, watch);
    if (watch->quiet)
        watch->watch = loop_fd_add(loop, watch->fd, LOOP_READ, netlink_ready, watch);
    if (watch->watch)
        return watch;
    log_warn("the kernel does not tell when network interfaces change: %s", strerror(errno));
    net_watch_destroy(watch);
    return NULL;
}

void net_watch_destroy(struct net_watch *watch)
{
    if (!watch)
        return;
    loop_fd_remove(watch->watch);
    loop_timer_destroy(watch->quiet);
    if (watch->fd >= 0)
        close(watch->fd);
    loop_defer_free(watch->loop, free, watch);
}
