/*
 * group_peers.h: addresses of a group's members as numbers, and how much each may send.
 *
 * Pure: no socket, and time is a parameter. Nothing is kept of an address before a member's seal
 * was seen from it: strangers share one allowance, so that their flood costs a bounded number of
 * hashes and takes none of the members'. Replaying what a member has sent, from other addresses,
 * gains nothing: an address is taken in only with a message that is newer than all that is known of
 * its sender, and a sender has a few addresses only.
 */
#ifndef TUTTI_IO_GROUP_PEERS_H
#define TUTTI_IO_GROUP_PEERS_H

#include "tutti/core/group_message.h"

#include <netinet/in.h>

#define GROUP_PEERS_MAX 128
#define GROUP_PEER_ADDRESSES_MAX 4 /* of one sender: IPv4, IPv6, wired, wireless */
/* Who was heard, or spoken to, so shortly ago keeps its number. */
#define GROUP_PEER_KEEP_NS (60 * NS_PER_S)
/* Datagrams whose seal is looked at: bursts, and per second. A member's volleys at joining are 12
 * in a second, and a reference hears 24 members. */
#define GROUP_PEER_BURST 64
#define GROUP_PEER_PER_S 32
#define GROUP_STRANGERS_BURST 128
#define GROUP_STRANGERS_PER_S 64

union group_address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

struct group_allowance {
    bool used;
    int64_t full_at_ns; /* when it will be whole again if nothing more comes */
};

struct group_peer_entry {
    group_peer peer; /* 0: free */
    union group_address address;
    bool pinned; /* configured or remembered: never makes room */
    int64_t used_at_ns;
    uint64_t sender; /* 0: not heard yet */
    uint64_t counter;
    struct group_allowance allowance;
};

struct group_peers {
    struct group_peer_entry entries[GROUP_PEERS_MAX];
    struct group_allowance strangers;
    group_peer next; /* numbers are not used again soon */
};

void group_peers_init(struct group_peers *peers);

/* May a datagram from there be looked at? It counts, whatever it turns out to be. */
bool group_peers_admit(struct group_peers *peers, const union group_address *from,
                       struct mono_time now);

/* The number of the address that a sealed message came from. 0: it is an old one from a new
 * address, or there is no room. */
group_peer group_peers_heard(struct group_peers *peers, const union group_address *from,
                             uint64_t sender, uint64_t counter, struct mono_time now);

/* Of an address that a person has named; it keeps its number. 0: no room. */
group_peer group_peers_pin(struct group_peers *peers, const union group_address *address);

/* NULL: not known any more. Counts as use. */
const union group_address *group_peers_address(struct group_peers *peers, group_peer peer,
                                               struct mono_time now);

bool group_address_equal(const union group_address *a, const union group_address *b);
size_t group_address_bytes(const union group_address *address);

#endif
