/*
 * group_peers.c: a small table, searched from end to end.
 *
 * An allowance is a bucket of tokens, kept as the time at which it will be full again (the generic
 * cell rate algorithm): one number, nothing to refill.
 */
#include "group_peers.h"

#include <string.h>

void group_peers_init(struct group_peers *peers)
{
    memset(peers, 0, sizeof *peers);
}

bool group_address_equal(const union group_address *a, const union group_address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET)
        return a->ipv4.sin_port == b->ipv4.sin_port &&
               a->ipv4.sin_addr.s_addr == b->ipv4.sin_addr.s_addr;
    return a->ipv6.sin6_port == b->ipv6.sin6_port &&
           a->ipv6.sin6_scope_id == b->ipv6.sin6_scope_id &&
           memcmp(&a->ipv6.sin6_addr, &b->ipv6.sin6_addr, sizeof a->ipv6.sin6_addr) == 0;
}

size_t group_address_bytes(const union group_address *address)
{
    return address->any.sa_family == AF_INET ? sizeof address->ipv4 : sizeof address->ipv6;
}

/* --- allowances --- */

static bool spend(struct group_allowance *allowance, int64_t now_ns, int64_t burst, int64_t per_s)
{
    int64_t each_ns = NS_PER_S / per_s;
    if (!allowance->used || allowance->full_at_ns < now_ns)
        allowance->full_at_ns = now_ns;
    allowance->used = true;
    if (allowance->full_at_ns - now_ns > (burst - 1) * each_ns)
        return false;
    allowance->full_at_ns += each_ns;
    return true;
}

static struct group_peer_entry *find(struct group_peers *peers, const union group_address *address)
{
    for (size_t i = 0; i < GROUP_PEERS_MAX; i++)
        if (peers->entries[i].peer && group_address_equal(&peers->entries[i].address, address))
            return &peers->entries[i];
    return NULL;
}

bool group_peers_admit(struct group_peers *peers, const union group_address *from,
                       struct mono_time now)
{
    struct group_peer_entry *entry = find(peers, from);
    if (entry)
        return spend(&entry->allowance, now.ns, GROUP_PEER_BURST, GROUP_PEER_PER_S);
    return spend(&peers->strangers, now.ns, GROUP_STRANGERS_BURST, GROUP_STRANGERS_PER_S);
}

/* --- numbers --- */

/* The sender's oldest address, when it has as many as it may; else a free entry, or the one unused
 * for longest. */
static struct group_peer_entry *room_for(struct group_peers *peers, uint64_t sender, int64_t now_ns)
{
    struct group_peer_entry *oldest = NULL, *of_sender = NULL, *free = NULL;
    unsigned count = 0;
    for (size_t i = 0; i < GROUP_PEERS_MAX; i++) {
        struct group_peer_entry *entry = &peers->entries[i];
        if (!entry->peer) {
            free = entry;
            continue;
        }
        if (sender && entry->sender == sender)
            count++;
        if (entry->pinned)
            continue;
        if (sender && entry->sender == sender &&
            (!of_sender || entry->used_at_ns < of_sender->used_at_ns))
            of_sender = entry;
        if (!oldest || entry->used_at_ns < oldest->used_at_ns)
            oldest = entry;
    }
    if (count >= GROUP_PEER_ADDRESSES_MAX)
        return of_sender;
    if (free)
        return free;
    return oldest && now_ns - oldest->used_at_ns > GROUP_PEER_KEEP_NS ? oldest : NULL;
}

static struct group_peer_entry *take(struct group_peers *peers, struct group_peer_entry *entry,
                                     const union group_address *address)
{
    if (++peers->next == GROUP_PEER_ALL)
        peers->next++;
    *entry = (struct group_peer_entry){.peer = peers->next, .address = *address};
    return entry;
}

static bool is_news(const struct group_peers *peers, uint64_t sender, uint64_t counter)
{
    for (size_t i = 0; i < GROUP_PEERS_MAX; i++) {
        const struct group_peer_entry *entry = &peers->entries[i];
        if (entry->peer && entry->sender == sender && entry->counter >= counter)
            return false;
    }
    return true;
}

group_peer group_peers_heard(struct group_peers *peers, const union group_address *from,
                             uint64_t sender, uint64_t counter, struct mono_time now)
{
    struct group_peer_entry *entry = find(peers, from);
    bool known = entry && entry->sender == sender;
    if (!known && !is_news(peers, sender, counter))
        return 0;
    if (!entry) {
        entry = room_for(peers, sender, now.ns);
        if (!entry)
            return 0;
        entry = take(peers, entry, from);
    }
    if (!known || counter > entry->counter)
        entry->counter = counter;
    entry->sender = sender;
    entry->used_at_ns = now.ns;
    return entry->peer;
}

group_peer group_peers_pin(struct group_peers *peers, const union group_address *address)
{
    struct group_peer_entry *entry = find(peers, address);
    if (!entry) {
        entry = room_for(peers, 0, INT64_MAX);
        if (!entry)
            return 0;
        entry = take(peers, entry, address);
    }
    entry->pinned = true;
    return entry->peer;
}

const union group_address *group_peers_address(struct group_peers *peers, group_peer peer,
                                               struct mono_time now)
{
    for (size_t i = 0; i < GROUP_PEERS_MAX && peer; i++) {
        if (peers->entries[i].peer != peer)
            continue;
        peers->entries[i].used_at_ns = now.ns;
        return &peers->entries[i].address;
    }
    return NULL;
}
