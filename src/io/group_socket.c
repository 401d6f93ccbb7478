/*
 * group_socket.c: datagrams in and out, and what is dropped on the way.
 *
 * What comes is checked in the order of what it costs: the allowance of where it comes from, its
 * size and tag, its seal, its contents. A flood is read for a bounded time per round, and when
 * there is no end to it the sockets rest for a moment: what the kernel cannot hold meanwhile is
 * lost.
 */
#include "tutti/io/group_socket.h"

#include "arrival.h"
#include "group_seal.h"
#include "group_socket_internal.h"
#include "loop_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/mono_clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Datagrams read per wake-up of a socket, so that no callback takes long. */
#define READS_PER_ROUND 32
/* And per REST_NS; a group of 24 needs some hundred in its busiest second. */
#define READS_BETWEEN_RESTS 512
static const int64_t REST_NS = 200 * NS_PER_MS;

enum { IPV4, IPV6, FAMILIES };
enum { OWN, MULTICAST, KINDS };

struct group_watch {
    struct group_socket *socket;
    struct loop_fd *watch;
    int fd;
    bool multicast;
};

struct group_socket {
    struct loop *loop;
    struct group_socket_handlers handlers;
    void *user;
    struct group_seal *seal;
    int port;
    char interface[IF_NAMESIZE];
    struct group_family families[FAMILIES];
    struct group_watch watches[FAMILIES][KINDS];
    struct net_watch *changes;
    struct net_interface interfaces[NET_INTERFACES_MAX];
    size_t interface_count;
    struct group_peers peers;
    uint64_t sender;                    /* ours, as last sent */
    uint8_t word[GROUP_DATAGRAM_BYTES]; /* to all, as last sent: it comes back to us, too */
    struct loop_timer *rest;
    struct mono_time reads_since;
    unsigned reads;
    bool said_odd;
    bool destroyed;
    struct group_socket_counters counters;
};

/* --- what comes --- */

static void say_odd(struct group_socket *socket, const union group_address *from, const char *what)
{
    char name[GROUP_PEER_NAME_MAX];
    if (socket->said_odd || !group_address_print(from, name, sizeof name))
        return;
    socket->said_odd = true;
    log_warn("%s come to the speakers' UDP port, from %s first: they are dropped, and this is "
             "said once",
             what, name);
}

/* Counted, and false, when it is no member's. */
static bool is_sealed(struct group_socket *socket, const uint8_t *datagram, size_t bytes,
                      const union group_address *from)
{
    switch (group_seal_open(socket->seal, datagram, bytes)) {
    case GROUP_OPENED:
        return true;
    case GROUP_OTHER_GROUP:
        socket->counters.other_group++;
        return false;
    case GROUP_FORGED:
        socket->counters.forged++;
        say_odd(socket, from, "forged datagrams");
        return false;
    case GROUP_NO_DATAGRAM:
        break;
    }
    socket->counters.odd++;
    say_odd(socket, from, "datagrams that are no speaker's");
    return false;
}

static void take(struct group_socket *socket, const uint8_t *datagram, size_t bytes,
                 const union group_address *from, bool by_multicast, struct mono_time arrived)
{
    struct group_message message;
    if (bytes == sizeof socket->word && memcmp(datagram, socket->word, bytes) == 0)
        return;
    if (!group_peers_admit(&socket->peers, from, loop_now(socket->loop))) {
        socket->counters.over_rate++;
        say_odd(socket, from, "too many datagrams");
        return;
    }
    if (!is_sealed(socket, datagram, bytes, from))
        return;
    if (!group_message_decode(datagram + GROUP_PREFIX_BYTES, GROUP_MESSAGE_BYTES, &message)) {
        socket->counters.odd++; /* a member's, of another version */
        return;
    }
    if (message.sender == socket->sender)
        return;
    group_peer peer = group_peers_heard(&socket->peers, from, message.sender, message.counter,
                                        loop_now(socket->loop));
    if (peer == 0) {
        socket->counters.replayed++;
        return;
    }
    socket->counters.received++;
    socket->handlers.on_message(socket->user, peer, by_multicast, &message, arrived);
}

/* False: nothing more is there. */
static bool read_one(struct group_socket *socket, const struct group_watch *watch)
{
    uint8_t datagram[GROUP_DATAGRAM_BYTES];
    _Alignas(struct cmsghdr) char control[ARRIVAL_CONTROL_BYTES];
    union group_address from = {0};
    struct iovec room = {datagram, sizeof datagram};
    struct msghdr message = {
        .msg_name = &from,
        .msg_namelen = sizeof from,
        .msg_iov = &room,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    struct mono_time arrived;
    ssize_t bytes = recvmsg(watch->fd, &message, MSG_TRUNC | MSG_DONTWAIT);
    if (bytes < 0)
        return errno == EINTR;
    socket->reads++;
    if (!arrival_of(loop_arrival_clock(socket->loop), &message, &arrived))
        arrived = mono_clock_now();
    take(socket, datagram, (size_t)bytes, &from, watch->multicast, arrived);
    return true;
}

static void set_events(struct group_socket *socket, unsigned events)
{
    for (int family = 0; family < FAMILIES; family++)
        for (int kind = 0; kind < KINDS; kind++)
            if (socket->watches[family][kind].watch)
                loop_fd_set_events(socket->watches[family][kind].watch, events);
}

static void rested(void *user, struct mono_time now)
{
    struct group_socket *socket = user;
    socket->reads = 0;
    socket->reads_since = now;
    set_events(socket, LOOP_READ);
}

static void rest_from_flood(struct group_socket *socket)
{
    set_events(socket, 0);
    loop_timer_set_in(socket->rest, REST_NS);
}

static void socket_ready(void *user, unsigned events)
{
    struct group_watch *watch = user;
    struct group_socket *socket = watch->socket;
    struct mono_time now = loop_now(socket->loop);
    (void)events;
    if (mono_sub(now, socket->reads_since) > REST_NS) {
        socket->reads = 0;
        socket->reads_since = now;
    }
    for (int i = 0; i < READS_PER_ROUND && !socket->destroyed; i++)
        if (!read_one(socket, watch))
            return;
    if (socket->reads > READS_BETWEEN_RESTS && !socket->destroyed)
        rest_from_flood(socket);
}

/* --- what goes --- */

static int send_to_all(struct group_socket *socket, const uint8_t *datagram)
{
    int result = -ENETDOWN;
    memcpy(socket->word, datagram, sizeof socket->word);
    for (size_t i = 0; i < socket->interface_count; i++)
        for (int family = 0; family < FAMILIES; family++) {
            int error = group_family_send_to_all(&socket->families[family], &socket->interfaces[i],
                                                 datagram, GROUP_DATAGRAM_BYTES);
            if (error == 0 || result == -ENETDOWN)
                result = error == -EAFNOSUPPORT ? result : error;
        }
    return result;
}

static int send_to_one(struct group_socket *socket, group_peer peer, const uint8_t *datagram)
{
    const union group_address *to =
        group_peers_address(&socket->peers, peer, loop_now(socket->loop));
    if (!to)
        return -ENOENT;
    int family = to->any.sa_family == AF_INET ? IPV4 : IPV6;
    ssize_t sent = sendto(socket->families[family].own_fd, datagram, GROUP_DATAGRAM_BYTES, 0,
                          &to->any, (socklen_t)group_address_bytes(to));
    return sent < 0 ? -errno : 0;
}

int group_socket_send(struct group_socket *socket, group_peer to, struct group_message *message)
{
    uint8_t datagram[GROUP_DATAGRAM_BYTES];
    socket->sender = message->sender;
    message->sent_at = (struct peer_time){mono_clock_now().ns};
    group_message_encode(message, datagram + GROUP_PREFIX_BYTES);
    if (!group_seal_close(socket->seal, datagram))
        return -ENOMEM;
    int error =
        to == GROUP_PEER_ALL ? send_to_all(socket, datagram) : send_to_one(socket, to, datagram);
    if (error)
        socket->counters.send_errors++;
    else
        socket->counters.sent++;
    return error;
}

/* --- peers --- */

group_peer group_socket_peer(struct group_socket *socket, const char *address)
{
    union group_address parsed;
    if (!group_address_parse(address, socket->port + 1, &parsed))
        return 0;
    return group_peers_pin(&socket->peers, &parsed);
}

bool group_socket_peer_name(struct group_socket *socket, group_peer peer, char *to, size_t size)
{
    const union group_address *address =
        group_peers_address(&socket->peers, peer, loop_now(socket->loop));
    return address && group_address_print(address, to, size);
}

bool group_socket_is_wired(const struct group_socket *socket)
{
    for (size_t i = 0; i < socket->interface_count; i++)
        if (socket->interfaces[i].wireless)
            return false;
    return true;
}

int group_socket_port(const struct group_socket *socket)
{
    union group_address address = {0};
    socklen_t bytes = sizeof address;
    int family = socket->families[IPV4].own_fd >= 0 ? IPV4 : IPV6;
    if (getsockname(socket->families[family].own_fd, &address.any, &bytes) < 0)
        return 0;
    return ntohs(family == IPV4 ? address.ipv4.sin_port : address.ipv6.sin6_port);
}

struct group_socket_counters group_socket_counters(const struct group_socket *socket)
{
    return socket->counters;
}

/* --- from beginning to end --- */

static void interfaces_changed(void *user)
{
    struct group_socket *socket = user;
    struct net_interface before[NET_INTERFACES_MAX];
    size_t before_count = socket->interface_count;
    memcpy(before, socket->interfaces, sizeof before);
    socket->interface_count = net_interfaces_list(socket->interface, socket->interfaces);
    for (int family = 0; family < FAMILIES; family++)
        group_family_join(&socket->families[family], socket->interfaces, socket->interface_count,
                          before, before_count);
}

static bool watch_fd(struct group_socket *socket, struct group_watch *watch, int fd, bool multicast)
{
    *watch = (struct group_watch){.socket = socket, .fd = fd, .multicast = multicast};
    if (fd >= 0)
        watch->watch = loop_fd_add(socket->loop, fd, LOOP_READ, socket_ready, watch);
    return fd < 0 || watch->watch;
}

static int open_sockets(struct group_socket *socket)
{
    static const int families[FAMILIES] = {AF_INET, AF_INET6};
    int error = -EAFNOSUPPORT;
    for (int i = 0; i < FAMILIES; i++) {
        struct group_family *family = &socket->families[i];
        int result = group_family_open(family, families[i], socket->port);
        if (error)
            error = result;
        if (!watch_fd(socket, &socket->watches[i][OWN], family->own_fd, false) ||
            !watch_fd(socket, &socket->watches[i][MULTICAST], family->multicast_fd, true))
            return -ENOMEM;
    }
    return error;
}

static int set_up(struct group_socket *socket, const struct group_socket_config *config)
{
    if (config->secret_bytes < GROUP_SECRET_MIN_BYTES)
        return -EINVAL;
    socket->seal = group_seal_create(config->secret, config->secret_bytes, config->session_id);
    socket->rest = loop_timer_create(socket->loop, rested, socket);
    if (!socket->seal || !socket->rest)
        return -ENOMEM;
    int error = open_sockets(socket);
    if (error)
        return error;
    interfaces_changed(socket);
    socket->changes = net_watch_create(socket->loop, interfaces_changed, socket);
    return 0; /* without the watch, the interfaces of now have to do */
}

struct group_socket *group_socket_create(struct loop *loop,
                                         const struct group_socket_config *config,
                                         const struct group_socket_handlers *handlers, void *user)
{
    struct group_socket *socket = calloc(1, sizeof *socket);
    if (!socket)
        return NULL;
    *socket = (struct group_socket){
        .loop = loop, .handlers = *handlers, .user = user, .port = config->port};
    strncpy(socket->interface, config->interface, sizeof socket->interface - 1);
    for (int i = 0; i < FAMILIES; i++)
        socket->families[i].own_fd = socket->families[i].multicast_fd = -1;
    group_peers_init(&socket->peers);
    int error = set_up(socket, config);
    if (!error)
        return socket;
    log_warn("no other speakers on UDP port %d: %s: this one keeps its time by the backend alone",
             config->port, error == -EINVAL ? "the key is shorter than 8 bytes" : strerror(-error));
    group_socket_destroy(socket);
    return NULL;
}

void group_socket_destroy(struct group_socket *socket)
{
    if (!socket || socket->destroyed)
        return;
    socket->destroyed = true;
    net_watch_destroy(socket->changes);
    for (int family = 0; family < FAMILIES; family++) {
        for (int kind = 0; kind < KINDS; kind++)
            loop_fd_remove(socket->watches[family][kind].watch);
        group_family_close(&socket->families[family]);
    }
    if (socket->rest)
        loop_timer_destroy(socket->rest);
    group_seal_destroy(socket->seal);
    loop_defer_free(socket->loop, free, socket);
}
