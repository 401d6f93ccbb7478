/*
 * group_socket.h: a group's messages over UDP, sealed, to all by multicast and to one by unicast.
 *
 * Only what a member has sealed is told; of the rest nothing is kept but counts. Multicast goes to
 * 239.255.116.116 and ff12::7474, one hop, over every interface; several speakers of one machine
 * hear each other too. Each has a unicast port of its own, from which it sends everything: the
 * first free one of the GROUP_SOCKET_PORTS after the group's, else any. docs/group.md has the
 * datagram's format.
 */
#ifndef TUTTI_IO_GROUP_SOCKET_H
#define TUTTI_IO_GROUP_SOCKET_H

#include "tutti/core/group_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct group_socket;

#define GROUP_SOCKET_PORTS 8
/* "[fe80::1%interface]:65535" */
#define GROUP_PEER_NAME_MAX 80

struct group_socket_config {
    const void *secret; /* what only members know: the session's id, or the contents of a key file;
                           not kept */
    size_t secret_bytes;
    const char *session_id; /* groups of one key file and several sessions are apart */
    int port;               /* of multicast */
    const char *interface;  /* this one only; "": all */
};

struct group_socket_handlers {
    /* A member's message. from: where it came from, and where an answer goes. arrived: by the
     * kernel's stamp, where it is to be had. The socket may be destroyed in here. */
    void (*on_message)(void *user, group_peer from, bool by_multicast,
                       const struct group_message *message, struct mono_time arrived);
};

struct group_socket_counters {
    uint64_t sent;
    uint64_t send_errors;
    uint64_t received;    /* and told */
    uint64_t other_group; /* another session's */
    uint64_t odd;         /* of another size or version */
    uint64_t forged;      /* not sealed with our key */
    uint64_t replayed;    /* old, from a new address; or more addresses than there is room for */
    uint64_t over_rate;   /* not looked at: too many */
};

/* NULL when no socket can be had, the secret is shorter than 8 bytes, or out of memory (logged). */
struct group_socket *group_socket_create(struct loop *loop,
                                         const struct group_socket_config *config,
                                         const struct group_socket_handlers *handlers, void *user);
void group_socket_destroy(struct group_socket *socket); /* NULL is fine */

/* Sets message->sent_at, seals and sends it; GROUP_PEER_ALL: to all, by multicast. 0 or -errno:
 * -ENOENT for a peer that is not known any more, -ENETDOWN without any interface. */
int group_socket_send(struct group_socket *socket, group_peer to, struct group_message *message);

/* The number of a numeric address, "192.0.2.7", "192.0.2.7:8702", "fe80::1%eth0" or
 * "[2001:db8::7]:8702"; the port's default is the first after the group's. It stays the peer's
 * while the socket lives. 0: not an address, or too many. */
group_peer group_socket_peer(struct group_socket *socket, const char *address);

/* As group_socket_peer() takes it. False: not known any more. */
bool group_socket_peer_name(struct group_socket *socket, group_peer peer, char *to, size_t size);

/* Is every interface that it speaks through wired? */
bool group_socket_is_wired(const struct group_socket *socket);

/* Its own unicast port over IPv4, or IPv6 where there is no IPv4. */
int group_socket_port(const struct group_socket *socket);

struct group_socket_counters group_socket_counters(const struct group_socket *socket);

#endif
