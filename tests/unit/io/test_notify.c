#include "io_test.h"
#include "tutti/io/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

static char dir[64];
static int receiver;

static int set_up(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    io_test_make_dir(dir);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", dir);
    receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return bind(receiver, (struct sockaddr *)&address, sizeof address) ||
           setenv("NOTIFY_SOCKET", address.sun_path, 1);
}

static int tear_down(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    close(receiver);
    io_test_remove_dir(dir);
    return 0;
}

static void expect_message(const char *expected)
{
    char text[1024];
    ssize_t got = recv(receiver, text, sizeof text - 1, MSG_DONTWAIT);
    assert_true(got > 0);
    text[got] = '\0';
    assert_string_equal(text, expected);
}

static void systemd_is_told(void **state)
{
    (void)state;
    notify_ready();
    expect_message("READY=1");
    notify_status("playing Kitchen \xc2\xb7 +12 \xc2\xb5s");
    expect_message("STATUS=playing Kitchen \xc2\xb7 +12 \xc2\xb5s");
    notify_alive();
    expect_message("WATCHDOG=1");
    notify_reloading();
    expect_message("RELOADING=1");
    notify_stopping();
    expect_message("STOPPING=1");
}

static void a_status_stays_one_assignment(void **state)
{
    (void)state;
    notify_status("a\nSTOPPING=1\r\tb");
    expect_message("STATUS=a STOPPING=1  b");
}

static void a_status_that_was_cut_ends_at_a_character(void **state)
{
    (void)state;
    notify_status("12 \xc2");
    expect_message("STATUS=12 ");
    notify_status("12 \xe2\x82");
    expect_message("STATUS=12 ");
    notify_status("12 \xf0\x9f\x8e");
    expect_message("STATUS=12 ");
    notify_status("12 \xf0\x9f\x8e\xb5");
    expect_message("STATUS=12 \xf0\x9f\x8e\xb5");
    notify_status("12 \xe2\x82\xac");
    expect_message("STATUS=12 \xe2\x82\xac");
    notify_status("");
    expect_message("STATUS=");
}

static void the_watchdog_is_fed_twice_in_its_time(void **state)
{
    (void)state;
    assert_int_equal(notify_watchdog_interval_ns(), 0);
    setenv("WATCHDOG_USEC", "10000000", 1);
    assert_int_equal(notify_watchdog_interval_ns(), 5 * NS_PER_S);
    setenv("WATCHDOG_PID", "1", 1); /* somebody else's */
    assert_int_equal(notify_watchdog_interval_ns(), 0);
    unsetenv("WATCHDOG_PID");
    setenv("WATCHDOG_USEC", "nonsense", 1);
    assert_int_equal(notify_watchdog_interval_ns(), 0);
}

static void without_systemd_nothing_happens(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    notify_ready();
    notify_status("x");
    notify_alive();
    assert_int_equal(recv(receiver, dir, 0, MSG_DONTWAIT), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(systemd_is_told),
        TEST(a_status_stays_one_assignment),
        TEST(a_status_that_was_cut_ends_at_a_character),
        TEST(the_watchdog_is_fed_twice_in_its_time),
        TEST(without_systemd_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
