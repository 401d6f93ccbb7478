/*
 * group_socket_internal.h: shared by group_socket.c (messages), group_multicast.c (descriptors and
 * interfaces) and group_address.c (their names).
 */
#ifndef TUTTI_IO_GROUP_SOCKET_INTERNAL_H
#define TUTTI_IO_GROUP_SOCKET_INTERNAL_H

#include "group_peers.h"
#include "net_interfaces.h"
#include "tutti/io/group_socket.h"

/* One family's two sockets: what comes by multicast, and all the rest. */
struct group_family {
    int family;
    int own_fd;       /* -1: the family is not to be had */
    int multicast_fd; /* -1: nothing comes by multicast */
    union group_address group;
};

/* Opens both; port: of multicast, after which come those that are tried for the own socket. 0 or
 * -errno when there is no own socket; without multicast (logged), multicast_fd stays -1. */
int group_family_open(struct group_family *family, int number, int port);
void group_family_close(struct group_family *family);

/* Listens on the interfaces that have the family, and not any more on those of `before` that are
 * gone. */
void group_family_join(const struct group_family *family, const struct net_interface *interfaces,
                       size_t count, const struct net_interface *before, size_t before_count);

/* Over one interface. 0 or -errno. */
int group_family_send_to_all(const struct group_family *family, const struct net_interface *over,
                             const void *datagram, size_t bytes);

bool group_address_parse(const char *text, int default_port, union group_address *ret);
bool group_address_print(const union group_address *address, char *to, size_t size);

#endif
