/* In a network of its own, where only the loopback is, and what the test makes of it. */
#include "../../../src/io/net_interfaces.h"
#include "io_test.h"

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct net_interface list[NET_INTERFACES_MAX];

static void set_loopback(bool up)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = up ? IFF_UP : 0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

static int own_network(void **state)
{
    *state = NULL;
    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        *state = "no";
    return 0;
}

static void skip_without_one(void **state)
{
    if (*state)
        skip();
}

static void what_is_down_does_not_count(void **state)
{
    skip_without_one(state);
    set_loopback(false);
    assert_int_equal(net_interfaces_list("", list), 0);
    assert_int_equal(net_interfaces_list("lo", list), 0);
}

static void the_loopback_is_better_than_nothing(void **state)
{
    skip_without_one(state);
    set_loopback(true);
    assert_int_equal(net_interfaces_list("", list), 1);
    assert_string_equal(list[0].name, "lo");
    assert_true(list[0].loopback && list[0].ipv4 && !list[0].wireless);
    assert_int_equal(list[0].index, if_nametoindex("lo"));
    assert_int_equal(net_interfaces_list("nosuch0", list), 0);
}

static void note(void *user)
{
    *(bool *)user = true;
}

static void a_change_is_told(void **state)
{
    skip_without_one(state);
    bool changed = false;
    struct loop *loop = loop_create(NULL);
    set_loopback(true);
    struct net_watch *watch = net_watch_create(loop, note, &changed);
    assert_non_null(watch);
    for (int i = 0; i < 2; i++) {
        set_loopback(i == 1);
        assert_comes_true(loop, &changed);
        changed = false;
    }
    net_watch_destroy(watch);
    net_watch_destroy(NULL);
    loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_down_does_not_count, own_network),
        cmocka_unit_test_setup(the_loopback_is_better_than_nothing, own_network),
        cmocka_unit_test_setup(a_change_is_told, own_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
