#include "../../../src/io/group_seal.h"
#include "../../../src/io/group_socket_internal.h"
#include "stamps_on.h"
#include "tutti/base/log.h"
#include "tutti/io/group_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <time.h>

#define SECRET "0123456789abcdef0123456789abcdef"

/* A speaker's end: what it has heard. */
struct ear {
    struct group_socket *socket;
    struct group_message heard;
    struct group_message to_send;
    group_peer from;
    bool got, by_multicast, destroy_on_message;
    unsigned count;
    struct mono_time arrived;
};

static struct loop *loop;
static struct ear a, b, c;
static int port;

static void on_message(void *user, group_peer from, bool by_multicast,
                       const struct group_message *message, struct mono_time arrived)
{
    struct ear *ear = user;
    ear->heard = *message;
    ear->from = from;
    ear->by_multicast = by_multicast;
    ear->arrived = arrived;
    ear->got = true;
    ear->count++;
    if (ear->destroy_on_message) {
        group_socket_destroy(ear->socket);
        ear->socket = NULL;
    }
}

static const struct group_socket_handlers handlers = {on_message};

static void open_ear(struct ear *ear, uint64_t sender, const char *secret, const char *session_id)
{
    struct group_socket_config config = {secret, strlen(secret), session_id, port, "lo"};
    *ear = (struct ear){.to_send = {.kind = GROUP_WORD, .sender = sender}};
    ear->socket = group_socket_create(loop, &config, &handlers, ear);
    assert_non_null(ear->socket);
}

static int set_up(void **state)
{
    (void)state;
    port = 20000 + getpid() % 20000;
    loop = loop_create(NULL);
    open_ear(&a, 1, SECRET, "s");
    open_ear(&b, 2, SECRET, "s");
    c = (struct ear){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    group_socket_destroy(a.socket);
    group_socket_destroy(b.socket);
    group_socket_destroy(c.socket);
    loop_destroy(loop);
    return 0;
}

static void say(struct ear *ear, group_peer to)
{
    ear->to_send.counter++;
    assert_int_equal(group_socket_send(ear->socket, to, &ear->to_send), 0);
}

static void expect(struct ear *ear, const struct ear *from)
{
    assert_comes_true(loop, &ear->got);
    assert_int_equal(ear->heard.sender, from->to_send.sender);
    assert_int_equal(ear->heard.counter, from->to_send.counter);
    assert_int_equal(ear->heard.sent_at.ns, from->to_send.sent_at.ns);
    ear->got = false;
}

/* --- members --- */

static void all_hear_a_word_but_who_says_it(void **state)
{
    (void)state;
    open_ear(&c, 3, SECRET, "s");
    say(&a, GROUP_PEER_ALL);
    expect(&b, &a);
    expect(&c, &a);
    assert_true(b.by_multicast && c.by_multicast);
    say(&b, GROUP_PEER_ALL); /* its own copy of the first word would have come before this one */
    expect(&a, &b);
    assert_int_equal(a.count, 1);
}

static void an_answer_goes_to_the_one_of_them_who_asked(void **state)
{
    (void)state;
    open_ear(&c, 3, SECRET, "s");
    say(&a, GROUP_PEER_ALL);
    expect(&b, &a);
    expect(&c, &a);
    say(&c, c.from);
    expect(&a, &c);
    assert_false(a.by_multicast);
    say(&b, b.from);
    expect(&a, &b);
    say(&a, a.from);
    expect(&b, &a);
    assert_int_equal(c.count, 1);
}

static void each_has_a_port_of_its_own(void **state)
{
    (void)state;
    int of_a = group_socket_port(a.socket), of_b = group_socket_port(b.socket);
    assert_true(of_a > port && of_a <= port + GROUP_SOCKET_PORTS);
    assert_int_not_equal(of_a, of_b);
}

static void a_named_peer_is_asked_without_multicast(void **state)
{
    char name[GROUP_PEER_NAME_MAX];
    (void)state;
    snprintf(name, sizeof name, "127.0.0.1:%d", group_socket_port(b.socket));
    group_peer peer = group_socket_peer(a.socket, name);
    assert_true(peer != 0);
    say(&a, peer);
    expect(&b, &a);
    assert_false(b.by_multicast);
    say(&b, b.from);
    expect(&a, &b);
    assert_int_equal(a.from, peer);
    char known[GROUP_PEER_NAME_MAX];
    assert_true(group_socket_peer_name(a.socket, peer, known, sizeof known));
    assert_string_equal(known, name);
    assert_false(group_socket_peer_name(a.socket, peer + 1000, known, sizeof known));
    assert_int_equal(group_socket_send(a.socket, peer + 1000, &a.to_send), -ENOENT);
}

static void names_are_addresses_with_or_without_port(void **state)
{
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"192.0.2.7", "192.0.2.7:8702"},
        {"192.0.2.7:99", "192.0.2.7:99"},
        {"2001:db8::7", "[2001:db8::7]:8702"},
        {"[2001:db8::7]", "[2001:db8::7]:8702"},
        {"[2001:db8::7]:99", "[2001:db8::7]:99"},
        {"fe80::1%lo", "[fe80::1%lo]:8702"},
        {"", NULL},
        {":99", NULL},
        {"192.0.2.7:", NULL},
        {"192.0.2.7:0", NULL},
        {"192.0.2.7:65536", NULL},
        {"192.0.2.7:9x", NULL},
        {"[::1", NULL},
        {"[::1]99", NULL},
        {"[]:99", NULL},
        {"kitchen.example", NULL},
        {"192.0.2.777", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        union group_address address;
        char printed[GROUP_PEER_NAME_MAX];
        assert_int_equal(group_address_parse(rows[i].text, 8702, &address),
                         rows[i].printed != NULL);
        if (!rows[i].printed)
            continue;
        assert_true(group_address_print(&address, printed, sizeof printed));
        assert_string_equal(printed, rows[i].printed);
    }
}

static void hold_up(void *user, struct mono_time now)
{
    struct timespec late = {0, 40 * NS_PER_MS};
    (void)user;
    (void)now;
    say(&a, GROUP_PEER_ALL);
    nanosleep(&late, NULL); /* over loopback, it is there when it is sent */
}

static void a_message_arrives_when_the_kernel_gets_it(void **state)
{
    (void)state;
    int stamps_fd = io_test_turn_stamps_on();
    struct loop_timer *timer = loop_timer_create(loop, hold_up, NULL);
    loop_timer_set_in(timer, 0);
    expect(&b, &a);
    int64_t took_ns = b.arrived.ns - b.heard.sent_at.ns; /* of one machine, so of one clock */
    assert_in_range(took_ns, 0, 20 * NS_PER_MS);
    loop_timer_destroy(timer);
    close(stamps_fd);
}

static void may_be_destroyed_by_a_message(void **state)
{
    (void)state;
    b.destroy_on_message = true;
    say(&a, GROUP_PEER_ALL);
    say(&a, GROUP_PEER_ALL);
    assert_comes_true(loop, &b.got);
    assert_int_equal(b.count, 1);
    open_ear(&b, 2, SECRET, "s");
    say(&a, GROUP_PEER_ALL);
    expect(&b, &a);
}

static void what_is_no_secret_makes_no_socket(void **state)
{
    (void)state;
    struct group_socket_config config = {"short", 5, "s", port, "lo"};
    assert_null(group_socket_create(loop, &config, &handlers, NULL));
    config = (struct group_socket_config){SECRET, strlen(SECRET), "s", port, "nosuch0"};
    c.socket = group_socket_create(loop, &config, &handlers, &c); /* it may come yet */
    assert_non_null(c.socket);
    assert_int_equal(group_socket_send(c.socket, GROUP_PEER_ALL, &a.to_send), -ENETDOWN);
}

/* --- all the others --- */

static int stranger_fd;

static void send_raw(const void *bytes, size_t count, bool by_multicast)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct ip_mreqn over = {.imr_ifindex = 1};
    int to_port = by_multicast ? port : group_socket_port(b.socket);
    to.sin_port = htons((uint16_t)to_port);
    to.sin_addr.s_addr = by_multicast ? inet_addr("239.255.116.116") : htonl(INADDR_LOOPBACK);
    setsockopt(stranger_fd, IPPROTO_IP, IP_MULTICAST_IF, &over, sizeof over);
    assert_int_equal(sendto(stranger_fd, bytes, count, 0, (struct sockaddr *)&to, sizeof to),
                     (ssize_t)count);
}

/* What a member says, sealed: as one who listens on the wire has it. */
static void sealed(struct group_message *message, uint8_t to[GROUP_DATAGRAM_BYTES])
{
    struct group_seal *seal = group_seal_create(SECRET, strlen(SECRET), "s");
    group_message_encode(message, to + GROUP_PREFIX_BYTES);
    assert_true(group_seal_close(seal, to));
    group_seal_destroy(seal);
}

static char log_path[64];
static int stderr_before;

static int set_up_stranger(void **state)
{
    stranger_fd = socket(AF_INET, SOCK_DGRAM, 0);
    strcpy(log_path, "/tmp/tutti-group-XXXXXX");
    int fd = mkstemp(log_path);
    stderr_before = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
    return set_up(state);
}

static unsigned lines_logged(void)
{
    unsigned lines = 0;
    FILE *file = fopen(log_path, "r");
    for (int byte; (byte = fgetc(file)) != EOF;)
        lines += byte == '\n';
    fclose(file);
    return lines;
}

static int tear_down_stranger(void **state)
{
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    close(stranger_fd);
    unlink(log_path);
    return tear_down(state);
}

static void expect_only(const struct group_socket_counters *wanted)
{
    say(&a, GROUP_PEER_ALL); /* what was sent before it has been read by then */
    expect(&b, &a);
    struct group_socket_counters counters = group_socket_counters(b.socket);
    assert_int_equal(counters.received, b.count);
    assert_int_equal(counters.forged, wanted->forged);
    assert_int_equal(counters.odd, wanted->odd);
    assert_int_equal(counters.other_group, wanted->other_group);
    assert_int_equal(counters.replayed, wanted->replayed);
    assert_int_equal(b.count, 1);
}

static void forged_ones_are_dropped_and_said_once(void **state)
{
    uint8_t datagram[GROUP_DATAGRAM_BYTES];
    struct group_message message = {.kind = GROUP_WORD, .sender = 9, .counter = 1};
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        sealed(&message, datagram);
        datagram[GROUP_PREFIX_BYTES + i] ^= 0x40;
        send_raw(datagram, sizeof datagram, true);
    }
    expect_only(&(struct group_socket_counters){.forged = 40});
    assert_int_equal(lines_logged(), 1 + 1); /* a hears it too */
}

static void truncated_and_oversized_ones_are_dropped_and_said_once(void **state)
{
    static uint8_t large[60000];
    struct group_message message = {.kind = GROUP_WORD, .sender = 9, .counter = 1};
    (void)state;
    sealed(&message, large);
    static const size_t sizes[] = {
        0, 1, 4, 12, GROUP_DATAGRAM_BYTES - 1, GROUP_DATAGRAM_BYTES + 1, 1400, sizeof large};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        send_raw(large, sizes[i], false);
    send_raw(large, GROUP_DATAGRAM_BYTES, false); /* whole, it is heard */
    assert_comes_true(loop, &b.got);
    assert_int_equal(b.heard.sender, 9);
    struct group_socket_counters counters = group_socket_counters(b.socket);
    assert_int_equal(counters.odd, sizeof sizes / sizeof *sizes);
    assert_int_equal(counters.received, 1);
    assert_int_equal(lines_logged(), 1);
}

static void another_sessions_are_none_of_our_business(void **state)
{
    (void)state;
    open_ear(&c, 3, SECRET, "another");
    for (int i = 0; i < 20; i++)
        say(&c, GROUP_PEER_ALL);
    expect_only(&(struct group_socket_counters){.other_group = 20});
    assert_int_equal(c.count, 0);
    assert_int_equal(lines_logged(), 0);
}

static void a_replay_from_elsewhere_is_not_told(void **state)
{
    uint8_t datagram[GROUP_DATAGRAM_BYTES];
    (void)state;
    say(&a, GROUP_PEER_ALL);
    expect(&b, &a);
    group_peer of_a = b.from;
    struct group_message message = a.to_send;
    sealed(&message, datagram);
    for (int i = 0; i < 20; i++)
        send_raw(datagram, sizeof datagram, i % 2);
    b.count = 0;
    say(&a, GROUP_PEER_ALL);
    expect(&b, &a);
    assert_int_equal(b.count, 1);
    assert_int_equal(b.from, of_a);
    assert_int_equal(group_socket_counters(b.socket).replayed, 20);
}

static void a_flood_neither_keeps_members_out_nor_costs_a_hash_each(void **state)
{
    enum { FLOOD = 20000, ROUND = 100 };
    uint8_t datagram[GROUP_DATAGRAM_BYTES];
    struct group_message message = {.kind = GROUP_WORD, .sender = 9, .counter = 1};
    (void)state;
    say(&a, GROUP_PEER_ALL);
    expect(&b, &a);
    sealed(&message, datagram);
    datagram[GROUP_PREFIX_BYTES] ^= 1;
    struct mono_time begun = mono_clock_now();
    for (int i = 0; i < FLOOD / ROUND; i++) {
        bool once = true;
        for (int k = 0; k < ROUND; k++)
            send_raw(datagram, sizeof datagram, false);
        assert_comes_true(loop, &once); /* a few rounds of the loop */
    }
    for (bool heard = false; !heard;
         heard = b.got) { /* what is full may lose a word: it is said again */
        bool once = true;
        say(&a, GROUP_PEER_ALL);
        assert_comes_true(loop, &once);
        assert_true(mono_sub(mono_clock_now(), begun) < IO_TEST_LIMIT_NS);
    }
    struct group_socket_counters counters = group_socket_counters(b.socket);
    double seconds = ns_to_s(mono_sub(mono_clock_now(), begun));
    assert_true(counters.over_rate > 0);
    assert_true((double)counters.forged <=
                GROUP_STRANGERS_BURST + (seconds + 1) * GROUP_STRANGERS_PER_S);
    assert_int_equal(lines_logged(), 1);
}

#define MEMBER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define STRANGER(test) cmocka_unit_test_setup_teardown(test, set_up_stranger, tear_down_stranger)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MEMBER(all_hear_a_word_but_who_says_it),
        MEMBER(an_answer_goes_to_the_one_of_them_who_asked),
        MEMBER(each_has_a_port_of_its_own),
        MEMBER(a_named_peer_is_asked_without_multicast),
        MEMBER(names_are_addresses_with_or_without_port),
        MEMBER(a_message_arrives_when_the_kernel_gets_it),
        MEMBER(may_be_destroyed_by_a_message),
        MEMBER(what_is_no_secret_makes_no_socket),
        STRANGER(forged_ones_are_dropped_and_said_once),
        STRANGER(truncated_and_oversized_ones_are_dropped_and_said_once),
        STRANGER(another_sessions_are_none_of_our_business),
        STRANGER(a_replay_from_elsewhere_is_not_told),
        STRANGER(a_flood_neither_keeps_members_out_nor_costs_a_hash_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
