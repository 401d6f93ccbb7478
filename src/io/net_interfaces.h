/*
 * net_interfaces.h: the network interfaces that neighbours may be reached through, and a word when
 * they change.
 */
#ifndef TUTTI_IO_NET_INTERFACES_H
#define TUTTI_IO_NET_INTERFACES_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

struct loop;

/* Virtual bridges of containers count too: more than this are left out, wireless ones first. */
#define NET_INTERFACES_MAX 16

struct net_interface {
    unsigned index;
    char name[IF_NAMESIZE];
    bool ipv4; /* has an address of that family */
    bool ipv6;
    bool wireless;
    bool loopback;
};

/*
 * Those that are up, carry multicast and have an address, wired before wireless, each group by
 * index. only: this one alone, whatever it is; "" for all. The loopback counts only where there is
 * no other, or when named. Returns how many.
 */
size_t net_interfaces_list(const char *only, struct net_interface to[NET_INTERFACES_MAX]);

struct net_watch;

/* Calls changed() half a second after interfaces or addresses have changed, and two seconds after
 * the first change at the latest. NULL on failure (logged): then nothing is told. */
struct net_watch *net_watch_create(struct loop *loop, void (*changed)(void *user), void *user);
void net_watch_destroy(struct net_watch *watch); /* NULL is fine */

#endif
