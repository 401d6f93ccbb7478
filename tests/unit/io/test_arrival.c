#include "../../../src/io/arrival.h"
#include "../../../src/io/loop_internal.h"
#include "../../../src/io/ws_arrival.h"
#include "stamps_on.h"

#include <sys/eventfd.h>

#define LATE_NS (30 * NS_PER_MS)

static const struct wall_time WALL = {INT64_C(1700000000) * NS_PER_S};
static const struct mono_time MONO = {77 * NS_PER_S};

static void a_stamp_is_as_old_by_one_clock_as_by_the_other(void **state)
{
    (void)state;
    struct mono_time at = {0};
    struct wall_time stamp = {WALL.ns - 5 * NS_PER_MS};
    assert_true(arrival_convert(stamp, WALL, MONO, 200, &at));
    assert_int_equal(at.ns, MONO.ns - 5 * NS_PER_MS);
}

static void a_stamp_of_the_same_moment_is_not_of_the_future(void **state)
{
    (void)state;
    struct mono_time at = {0};
    struct wall_time stamp = {WALL.ns + 3 * NS_PER_US};
    assert_true(arrival_convert(stamp, WALL, MONO, 200, &at));
    assert_int_equal(at.ns, MONO.ns);
}

static void what_no_clock_can_say_is_no_stamp(void **state)
{
    (void)state;
    struct mono_time at = {42};
    assert_false(arrival_convert((struct wall_time){WALL.ns + NS_PER_MS}, WALL, MONO, 200, &at));
    assert_false(arrival_convert((struct wall_time){WALL.ns - 2 * NS_PER_S}, WALL, MONO, 200, &at));
    assert_false(arrival_convert((struct wall_time){0}, WALL, MONO, 200, &at));
    assert_false(arrival_convert(WALL, WALL, MONO, NS_PER_MS, &at));
    assert_int_equal(at.ns, 42);
}

/* --- real sockets, read late --- */

static void wait_for(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wanted, 1, 5000), 1);
}

static void be_busy(void)
{
    struct timespec late = {0, LATE_NS};
    nanosleep(&late, NULL);
}

static struct msghdr message_for(struct iovec *room, char *control)
{
    return (struct msghdr){.msg_iov = room,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = ARRIVAL_CONTROL_BYTES};
}

static void udp_pair(int to[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    to[0] = socket(AF_INET, SOCK_DGRAM, 0);
    to[1] = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(to[0], (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(getsockname(to[0], (struct sockaddr *)&address, &bytes), 0);
    assert_int_equal(connect(to[1], (struct sockaddr *)&address, bytes), 0);
}

static void a_datagram_came_when_the_kernel_got_it(void **state)
{
    (void)state;
    struct arrival_clock clock;
    char data[16], control[ARRIVAL_CONTROL_BYTES];
    struct iovec room = {data, sizeof data};
    struct msghdr message = message_for(&room, control);
    struct mono_time at;
    int ends[2];
    arrival_clock_init(&clock);
    udp_pair(ends);
    assert_int_equal(arrival_ask(ends[0]), 0);
    struct mono_time before = mono_clock_now();
    assert_int_equal(send(ends[1], "x", 1, 0), 1);
    wait_for(ends[0]);
    struct mono_time there = mono_clock_now();
    be_busy();
    assert_int_equal(recvmsg(ends[0], &message, 0), 1);
    assert_true(arrival_of(&clock, &message, &at));
    assert_true(mono_sub(at, mono_add(before, -50 * NS_PER_US)) >= 0);
    assert_true(mono_sub(at, mono_add(there, 50 * NS_PER_US)) <= 0);
    arrival_clock_close(&clock);
    close(ends[0]);
    close(ends[1]);
}

/* Stands in for the kernel's word that the wall clock was set: a descriptor that can be read. */
static void a_wall_clock_that_was_set_makes_stamps_worthless(void **state)
{
    (void)state;
    struct arrival_clock clock;
    char data[16], control[ARRIVAL_CONTROL_BYTES];
    struct iovec room = {data, sizeof data};
    struct mono_time at;
    int ends[2];
    arrival_clock_init(&clock);
    int timer_fd = clock.timer_fd;
    clock.timer_fd = eventfd(1, EFD_NONBLOCK);
    udp_pair(ends);
    assert_int_equal(arrival_ask(ends[0]), 0);
    for (int i = 0; i < 2; i++) { /* also what is read of another socket a little later */
        struct msghdr message = message_for(&room, control);
        assert_int_equal(send(ends[1], "x", 1, 0), 1);
        wait_for(ends[0]);
        assert_int_equal(recvmsg(ends[0], &message, 0), 1);
        assert_false(arrival_of(&clock, &message, &at));
    }
    close(timer_fd);
    arrival_clock_close(&clock);
    close(ends[0]);
    close(ends[1]);
}

/* --- TCP, of which libwebsockets reads --- */

static struct loop *loop;
static int near, far;
static struct ws_arrival arrival;
static struct mono_time there;

static void tcp_pair(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
    near = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(near, (struct sockaddr *)&address, bytes), 0);
    far = accept(listener, NULL, NULL);
    close(listener);
}

static int set_up_tcp(void **state)
{
    (void)state;
    loop = loop_create(NULL);
    tcp_pair();
    memset(&arrival, 0, sizeof arrival);
    ws_arrival_start(&arrival, loop, near);
    return 0;
}

static int tear_down_tcp(void **state)
{
    (void)state;
    ws_arrival_stop(&arrival);
    close(near);
    close(far);
    loop_destroy(loop);
    return 0;
}

static void arrive(const char *text)
{
    char data[64];
    ssize_t bytes = (ssize_t)strlen(text);
    assert_int_equal(send(far, text, strlen(text), 0), bytes);
    while (recv(near, data, sizeof data, MSG_PEEK) < bytes)
        ;
    there = mono_clock_now();
    be_busy();
}

static void data_came_when_the_kernel_got_it(void **state)
{
    (void)state;
    struct mono_time before = mono_clock_now();
    arrive("hello");
    assert_true(io_test_run(loop, io_test_flag, &arrival.known, IO_TEST_LIMIT_NS));
    struct mono_time at = ws_arrival_time(&arrival, mono_clock_now());
    assert_true(mono_sub(at, mono_add(before, -50 * NS_PER_US)) >= 0);
    assert_true(mono_sub(at, mono_add(there, 50 * NS_PER_US)) <= 0);
}

static void what_came_after_the_peek_is_not_told_too_early(void **state)
{
    (void)state;
    arrive("hello");
    assert_true(io_test_run(loop, io_test_flag, &arrival.known, IO_TEST_LIMIT_NS));
    arrive("hello, and more");
    struct mono_time now = mono_clock_now();
    assert_int_equal(ws_arrival_time(&arrival, now).ns, now.ns);
}

static void of_two_pieces_the_last_counts(void **state)
{
    (void)state;
    arrive("hello");
    struct mono_time first_there = there;
    assert_int_equal(send(far, "more", 4, 0), 4);
    assert_true(io_test_run(loop, io_test_flag, &arrival.known, IO_TEST_LIMIT_NS));
    struct mono_time at = ws_arrival_time(&arrival, mono_clock_now());
    assert_true(mono_sub(at, first_there) > LATE_NS / 2);
}

static void without_a_peek_it_is_now(void **state)
{
    (void)state;
    struct mono_time now = mono_clock_now();
    assert_int_equal(ws_arrival_time(&arrival, now).ns, now.ns);
    ws_arrival_stop(&arrival);
    ws_arrival_stop(&arrival);
    assert_int_equal(ws_arrival_time(&arrival, now).ns, now.ns);
}

static int stamps_fd;

static int turn_stamps_on(void **state)
{
    (void)state;
    stamps_fd = io_test_turn_stamps_on();
    return 0;
}

static int turn_stamps_off(void **state)
{
    (void)state;
    close(stamps_fd);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stamp_is_as_old_by_one_clock_as_by_the_other),
        cmocka_unit_test(a_stamp_of_the_same_moment_is_not_of_the_future),
        cmocka_unit_test(what_no_clock_can_say_is_no_stamp),
        cmocka_unit_test(a_datagram_came_when_the_kernel_got_it),
        cmocka_unit_test(a_wall_clock_that_was_set_makes_stamps_worthless),
        cmocka_unit_test_setup_teardown(data_came_when_the_kernel_got_it, set_up_tcp,
                                        tear_down_tcp),
        cmocka_unit_test_setup_teardown(what_came_after_the_peek_is_not_told_too_early, set_up_tcp,
                                        tear_down_tcp),
        cmocka_unit_test_setup_teardown(of_two_pieces_the_last_counts, set_up_tcp, tear_down_tcp),
        cmocka_unit_test_setup_teardown(without_a_peek_it_is_now, set_up_tcp, tear_down_tcp),
    };
    return cmocka_run_group_tests(tests, turn_stamps_on, turn_stamps_off);
}
