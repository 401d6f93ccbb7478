#include "../../../src/io/group_peers.h"
#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <string.h>

static struct group_peers peers;
static const struct mono_time START = {1000 * NS_PER_S};

static struct mono_time after_s(int64_t seconds)
{
    return mono_add(START, seconds * NS_PER_S);
}

static union group_address address(unsigned host, unsigned port)
{
    union group_address to = {.ipv4 = {.sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(0x0a000000 + host),
                                       .sin_port = htons((uint16_t)port)}};
    return to;
}

static union group_address address6(const char *text, unsigned scope)
{
    union group_address to = {.ipv6 = {.sin6_family = AF_INET6, .sin6_scope_id = scope}};
    assert_int_equal(inet_pton(AF_INET6, text, &to.ipv6.sin6_addr), 1);
    return to;
}

static group_peer heard(unsigned host, uint64_t sender, uint64_t counter, struct mono_time now)
{
    union group_address from = address(host, 8702);
    return group_peers_heard(&peers, &from, sender, counter, now);
}

static bool admitted(unsigned host, struct mono_time now)
{
    union group_address from = address(host, 8702);
    return group_peers_admit(&peers, &from, now);
}

static int set_up(void **state)
{
    (void)state;
    group_peers_init(&peers);
    return 0;
}

static void an_address_keeps_its_number(void **state)
{
    (void)state;
    group_peer one = heard(1, 11, 1, START), two = heard(2, 22, 1, START);
    assert_true(one != GROUP_PEER_ALL && two != GROUP_PEER_ALL && one != two);
    assert_int_equal(heard(1, 11, 2, after_s(1)), one);
    assert_int_equal(heard(2, 22, 2, after_s(1)), two);
    const union group_address *to = group_peers_address(&peers, two, after_s(1));
    union group_address wanted = address(2, 8702);
    assert_true(group_address_equal(to, &wanted));
    assert_null(group_peers_address(&peers, 99, START));
    assert_null(group_peers_address(&peers, GROUP_PEER_ALL, START));
}

static void addresses_differ_by_family_port_and_scope(void **state)
{
    (void)state;
    union group_address a = address6("fe80::1", 2), b = address6("fe80::1", 3),
                        c = address6("fe80::2", 2), d = address(1, 1), e = address(1, 2);
    assert_true(group_address_equal(&a, &a));
    assert_false(group_address_equal(&a, &b));
    assert_false(group_address_equal(&a, &c));
    assert_false(group_address_equal(&a, &d));
    assert_false(group_address_equal(&d, &e));
}

static void a_speaker_that_starts_anew_keeps_its_address(void **state)
{
    (void)state;
    group_peer one = heard(1, 11, 500, START);
    assert_int_equal(heard(1, 12, 1, after_s(1)), one);
}

/* --- what was sent before, from elsewhere --- */

static void a_replay_from_another_address_is_no_peer(void **state)
{
    (void)state;
    assert_true(heard(1, 11, 10, START) != 0);
    assert_int_equal(heard(66, 11, 10, after_s(1)), 0);
    assert_int_equal(heard(66, 11, 3, after_s(1)), 0);
    assert_true(heard(67, 11, 11, after_s(1)) != 0); /* it has moved, or has two cards */
}

static void replays_cannot_push_members_out(void **state)
{
    (void)state;
    group_peer members[24];
    for (unsigned i = 0; i < 24; i++)
        members[i] = heard(1 + i, 100 + i, 1, START);
    for (unsigned i = 0; i < 10000; i++) /* a year's worth of another start's messages */
        heard(1000 + i, 7 + i % 50, 1 + i, after_s(i % 50));
    for (unsigned i = 0; i < 24; i++)
        assert_int_equal(heard(1 + i, 100 + i, 2, after_s(50)), members[i]);
}

static void a_sender_has_a_few_addresses_only(void **state)
{
    (void)state;
    group_peer first = heard(1, 11, 1, START), last = 0;
    for (unsigned i = 1; i <= GROUP_PEER_ADDRESSES_MAX; i++)
        last = heard(1 + i, 11, 1 + i, after_s(i));
    assert_null(group_peers_address(&peers, first, after_s(9)));
    assert_non_null(group_peers_address(&peers, last, after_s(9)));
}

static void who_was_not_heard_for_long_makes_room(void **state)
{
    (void)state;
    struct mono_time later = mono_add(after_s(1), GROUP_PEER_KEEP_NS);
    group_peer first = heard(0, 1000, 1, START);
    for (unsigned i = 1; i < GROUP_PEERS_MAX; i++)
        assert_true(heard(i, 1000 + i, 1, after_s(1)) != 0);
    assert_int_equal(heard(9999, 9999, 1, after_s(2)), 0);
    assert_true(heard(9999, 9999, 1, later) != 0);
    assert_null(group_peers_address(&peers, first, later));
}

static void a_named_peer_stays(void **state)
{
    (void)state;
    union group_address named = address(77, 8702);
    group_peer peer = group_peers_pin(&peers, &named);
    assert_int_equal(group_peers_pin(&peers, &named), peer);
    for (unsigned i = 0; i < 3 * GROUP_PEERS_MAX; i++)
        heard(1000 + i, 1000 + i, 1, mono_add(START, i * 2 * GROUP_PEER_KEEP_NS));
    assert_non_null(group_peers_address(&peers, peer, START));
    assert_int_equal(heard(77, 5, 1, START), peer);
}

static void more_named_ones_than_there_is_room_for_are_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < GROUP_PEERS_MAX; i++) {
        union group_address named = address(i, 8702);
        assert_true(group_peers_pin(&peers, &named) != 0);
    }
    union group_address one_more = address(5000, 8702);
    assert_int_equal(group_peers_pin(&peers, &one_more), 0);
    assert_int_equal(heard(5000, 1, 1, START), 0);
}

/* --- how much --- */

static void strangers_share_one_allowance(void **state)
{
    (void)state;
    unsigned looked_at = 0;
    for (unsigned i = 0; i < 100000; i++)
        looked_at += admitted(100 + i, START);
    assert_int_equal(looked_at, GROUP_STRANGERS_BURST);
    for (unsigned i = 0; i < 100000; i++)
        looked_at += admitted(100 + i, after_s(1));
    assert_in_range(looked_at, GROUP_STRANGERS_BURST + GROUP_STRANGERS_PER_S - 1,
                    GROUP_STRANGERS_BURST + GROUP_STRANGERS_PER_S + 1);
}

static void a_flood_takes_nothing_from_members(void **state)
{
    (void)state;
    assert_true(heard(1, 11, 1, START) != 0);
    for (unsigned i = 0; i < 1000; i++)
        admitted(100 + i, START);
    assert_false(admitted(5, START));
    for (unsigned i = 0; i < GROUP_PEER_BURST; i++)
        assert_true(admitted(1, START));
    assert_false(admitted(1, START)); /* and a member that floods has its own bound */
    assert_true(admitted(1, after_s(1)));
}

static void a_stranger_leaves_no_trace(void **state)
{
    (void)state;
    struct group_peers before = peers;
    for (unsigned i = 0; i < 1000; i++)
        admitted(i, START);
    assert_memory_equal(before.entries, peers.entries, sizeof peers.entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_address_keeps_its_number, set_up),
        cmocka_unit_test_setup(addresses_differ_by_family_port_and_scope, set_up),
        cmocka_unit_test_setup(a_speaker_that_starts_anew_keeps_its_address, set_up),
        cmocka_unit_test_setup(a_replay_from_another_address_is_no_peer, set_up),
        cmocka_unit_test_setup(replays_cannot_push_members_out, set_up),
        cmocka_unit_test_setup(a_sender_has_a_few_addresses_only, set_up),
        cmocka_unit_test_setup(who_was_not_heard_for_long_makes_room, set_up),
        cmocka_unit_test_setup(a_named_peer_stays, set_up),
        cmocka_unit_test_setup(more_named_ones_than_there_is_room_for_are_refused, set_up),
        cmocka_unit_test_setup(strangers_share_one_allowance, set_up),
        cmocka_unit_test_setup(a_flood_takes_nothing_from_members, set_up),
        cmocka_unit_test_setup(a_stranger_leaves_no_trace, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
