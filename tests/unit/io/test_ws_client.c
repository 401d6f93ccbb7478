#include "../../../src/io/ws_client_internal.h"
#include "stamps_on.h"
#include "tutti/base/log.h"
#include "tutti/io/ws_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

static struct loop *loop;
static char dir[64];
static struct io_test_helper server;
static int silent_port, proxy_port;

/* What one client saw. */
static struct {
    struct ws_client *client;
    bool opened, ended, got_text;
    enum ws_client_end end;
    int status;
    char reason[256];
    char text[256]; /* of the last message, its beginning */
    size_t bytes;
    int messages;
    struct mono_time received;
    bool destroy_in_open, destroy_in_text, destroy_in_end;
} seen;

static void destroy_client(void)
{
    ws_client_destroy(seen.client);
    seen.client = NULL;
}

static void on_open(void *user, struct mono_time now)
{
    assert_ptr_equal(user, &seen);
    assert_true(mono_sub(mono_clock_now(), now) >= 0);
    seen.opened = true;
    if (seen.destroy_in_open)
        destroy_client();
}

static void on_text(void *user, const char *text, size_t bytes, struct mono_time received)
{
    assert_ptr_equal(user, &seen);
    assert_int_equal(strlen(text), bytes);
    snprintf(seen.text, sizeof seen.text, "%s", text);
    seen.bytes = bytes;
    seen.received = received;
    seen.messages++;
    seen.got_text = true;
    if (seen.destroy_in_text)
        destroy_client();
}

static void on_end(void *user, enum ws_client_end end, int status, const char *reason)
{
    assert_ptr_equal(user, &seen);
    assert_false(seen.ended);
    seen.ended = true;
    seen.end = end;
    seen.status = status;
    snprintf(seen.reason, sizeof seen.reason, "%s", reason);
    if (seen.destroy_in_end)
        destroy_client();
}

static const struct ws_client_handlers handlers = {on_open, on_text, on_end};

static struct io_test_helper start_server(const char *certificate)
{
    const char *const argv[] = {"/usr/bin/python3", HELPERS "/ws_server.py", certificate, NULL};
    return io_test_helper_start(argv);
}

static void connect_url(const char *url)
{
    memset(&seen, 0, sizeof seen);
    seen.client = ws_client_create(loop, url, &handlers, &seen);
    assert_non_null(seen.client);
    assert_false(seen.ended); /* never before create has returned */
}

static void connect_to(const char *path)
{
    char url[256];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/%s", server.port, path);
    connect_url(url);
}

static void expect_end(enum ws_client_end end, int status)
{
    assert_comes_true(loop, &seen.ended);
    assert_int_equal(seen.end, end);
    assert_int_equal(seen.status, status);
    assert_true(seen.reason[0] != '\0');
    assert_false(ws_client_is_open(seen.client));
    destroy_client();
}

static int set_up(void **state)
{
    (void)state;
    loop = loop_create(NULL);
    return loop ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    destroy_client();
    loop_destroy(loop);
    return 0;
}

/* --- messages --- */

static void sends_and_receives_text(void **state)
{
    (void)state;
    connect_to("echo");
    assert_false(ws_client_send(seen.client, "too early"));
    assert_comes_true(loop, &seen.opened);
    assert_int_equal(ws_client_last_sent_at(seen.client).ns, 0);
    struct mono_time before = mono_clock_now();
    assert_true(ws_client_send(seen.client, "h\xc3\xa9llo"));
    assert_comes_true(loop, &seen.got_text);
    assert_string_equal(seen.text, "h\xc3\xa9llo");
    struct mono_time sent = ws_client_last_sent_at(seen.client);
    assert_true(mono_sub(sent, before) >= 0);
    assert_true(mono_sub(seen.received, sent) >= 0);
    assert_true(mono_sub(mono_clock_now(), seen.received) >= 0);
}

static bool all_came(void *user)
{
    return seen.messages == *(int *)user;
}

static void keeps_the_order_of_many(void **state)
{
    (void)state;
    int wanted = WS_CLIENT_QUEUE_MAX;
    connect_to("echo");
    assert_comes_true(loop, &seen.opened);
    for (int i = 0; i < wanted; i++) {
        char text[32];
        snprintf(text, sizeof text, "message %d", i);
        assert_true(ws_client_send(seen.client, text));
    }
    assert_false(ws_client_send(seen.client, "one too many"));
    assert_true(io_test_run(loop, all_came, &wanted, IO_TEST_LIMIT_NS));
    assert_string_equal(seen.text, "message 63");
}

static void assembles_fragments(void **state)
{
    (void)state;
    connect_to("fragments");
    assert_comes_true(loop, &seen.got_text);
    assert_string_equal(seen.text, "one two three");
}

static void passes_over_binary_and_takes_empty_ones(void **state)
{
    (void)state;
    connect_to("binary");
    assert_comes_true(loop, &seen.got_text);
    assert_string_equal(seen.text, "text");
    destroy_client();
    connect_to("empty");
    assert_comes_true(loop, &seen.got_text);
    assert_int_equal(seen.bytes, 0);
}

static void takes_a_large_message_whole_and_echoes_one(void **state)
{
    (void)state;
    connect_to("big3000000");
    assert_comes_true(loop, &seen.got_text);
    assert_int_equal(seen.bytes, 3000000);
    seen.got_text = false;
    char *large = malloc(500001);
    memset(large, 'y', 500000);
    large[500000] = '\0';
    assert_true(ws_client_send(seen.client, large));
    free(large);
    assert_comes_true(loop, &seen.got_text);
    assert_int_equal(seen.bytes, 500000);
    assert_int_equal(seen.text[0], 'y');
}

static void closes_on_a_message_beyond_the_bound(void **state)
{
    (void)state;
    char path[32];
    snprintf(path, sizeof path, "big%u", WS_CLIENT_MESSAGE_MAX_BYTES);
    connect_to(path);
    assert_comes_true(loop, &seen.got_text);
    assert_int_equal(seen.bytes, WS_CLIENT_MESSAGE_MAX_BYTES);
    destroy_client();
    snprintf(path, sizeof path, "big%u", WS_CLIENT_MESSAGE_MAX_BYTES + 1);
    connect_to(path);
    expect_end(WS_CLIENT_LOST, 1009);
}

static void answers_pings(void **state)
{
    (void)state;
    connect_to("ping");
    assert_comes_true(loop, &seen.got_text);
    assert_string_equal(seen.text, "pong came");
}

static void sends_path_and_query_as_given(void **state)
{
    (void)state;
    connect_to("path?token=abc%20def&x=1");
    assert_comes_true(loop, &seen.got_text);
    assert_string_equal(seen.text, "/path?token=abc%20def&x=1");
}

/* Cookies, policies, what proxies add: 64 KiB of them, few and long, or many and short. */
static void takes_many_headers_in_the_answer(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "headers-one-5000",      "headers-one-65000", "headers-cookies-5000",
        "headers-cookies-65000", "headers-many-5000", "headers-many-65000",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        connect_to(paths[i]);
        assert_comes_true(loop, &seen.opened);
        assert_true(ws_client_send(seen.client, "still there"));
        assert_comes_true(loop, &seen.got_text);
        assert_string_equal(seen.text, "still there");
        destroy_client();
    }
    connect_to("headers-cookies-200000");
    expect_end(WS_CLIENT_UNREACHABLE, 0);
    if (!strstr(seen.reason, "header"))
        fail_msg("\"%s\" does not say what is wrong", seen.reason);
}

/* --- ends --- */

static void tells_the_status_of_a_refusal(void **state)
{
    (void)state;
    connect_to("403?token=0123456789abcdef");
    expect_end(WS_CLIENT_REFUSED, 403);
    connect_to("401");
    expect_end(WS_CLIENT_REFUSED, 401);
    connect_to("404");
    expect_end(WS_CLIENT_REFUSED, 404);
    assert_non_null(strstr(seen.reason, "WebSocket library"));
    connect_to("503");
    expect_end(WS_CLIENT_REFUSED, 503);
    connect_to("200");
    expect_end(WS_CLIENT_REFUSED, 200);
}

static void does_not_follow_redirects(void **state)
{
    (void)state;
    connect_to("302?token=0123456789abcdef");
    expect_end(WS_CLIENT_REFUSED, 302);
    assert_non_null(strstr(seen.reason, "http://127.0.0.1:1/api"));
    assert_non_null(strstr(seen.reason, "put that address into url"));
    assert_null(strstr(seen.reason, "0123456789"));
}

/* --- proxies --- */

static void connect_to_host(const char *host)
{
    char url[128];
    snprintf(url, sizeof url, "ws://%s:%d/echo", host, server.port);
    connect_url(url);
}

static void forget_variables(void)
{
    static const char *const names[] = {"http_proxy",  "https_proxy", "all_proxy", "no_proxy",
                                        "HTTPS_PROXY", "ALL_PROXY",   "NO_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

static int no_variables(void **state)
{
    forget_variables();
    return set_up(state);
}

static int no_variables_again(void **state)
{
    forget_variables();
    return tear_down(state);
}

static void goes_by_the_proxy_of_the_environment(void **state)
{
    (void)state;
    char text[100], line[100], expected[100];
    snprintf(text, sizeof text, "http://user:p%%40ss@127.0.0.1:%d/", proxy_port);
    setenv("http_proxy", text, 1);
    setenv("no_proxy", "127.0.0.1, .example", 1);
    /* Only the proxy knows that name. */
    connect_to_host("hub.invalid");
    assert_comes_true(loop, &seen.opened);
    assert_true(ws_client_send(seen.client, "by proxy"));
    assert_comes_true(loop, &seen.got_text);
    assert_string_equal(seen.text, "by proxy");
    assert_non_null(fgets(line, sizeof line, server.output));
    snprintf(expected, sizeof expected, "proxied hub.invalid:%d dXNlcjpwQHNz\n", server.port);
    assert_string_equal(line, expected);
    destroy_client();
    setenv("no_proxy", "invalid", 1);
    connect_to_host("hub.invalid");
    expect_end(WS_CLIENT_UNREACHABLE, 0);
    assert_null(strstr(seen.reason, "proxy"));
}

/* lws by itself knows http_proxy only, whatever the scheme, and no exceptions. */
static void does_not_go_by_a_proxy_that_is_not_for_it(void **state)
{
    (void)state;
    char url[100];
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("no_proxy", "localhost,127.0.0.0/8", 1);
    connect_to_host("127.0.0.1");
    assert_comes_true(loop, &seen.opened);
    destroy_client();
    connect_to_host("localhost");
    assert_comes_true(loop, &seen.opened);
    destroy_client();
    unsetenv("no_proxy");
    connect_to_host("127.0.0.1");
    expect_end(WS_CLIENT_UNREACHABLE, 0);
    assert_non_null(strstr(seen.reason, "by the proxy 127.0.0.1 port 1"));
    snprintf(url, sizeof url, "wss://127.0.0.1:%d/echo", server.port);
    connect_url(url); /* http_proxy is not for https: it gets to a server that speaks no TLS */
    expect_end(WS_CLIENT_UNREACHABLE, 0);
    assert_null(strstr(seen.reason, "proxy"));
    setenv("all_proxy", "socks5://127.0.0.1:1", 1);
    unsetenv("http_proxy");
    connect_to_host("127.0.0.1");
    expect_end(WS_CLIENT_UNREACHABLE, 0);
    assert_non_null(strstr(seen.reason, "name this host in no_proxy"));
}

/* "[fe80::1%25eth0]" of this machine; NULL: it has none. */
static const char *link_local(void)
{
    static char text[80];
    char digits[33], name[20];
    unsigned scope;
    FILE *list = fopen("/proc/net/if_inet6", "r");
    bool found = false;
    while (list && !found && fscanf(list, "%32s %*x %*x %x %*x %19s", digits, &scope, name) == 3)
        found = scope == 0x20;
    if (list)
        fclose(list);
    size_t at = (size_t)snprintf(text, sizeof text, "[");
    for (size_t i = 0; i < 32; i += 4)
        at += (size_t)snprintf(text + at, sizeof text - at, i ? ":%.4s" : "%.4s", digits + i);
    snprintf(text + at, sizeof text - at, "%%25%s]", name);
    return found ? text : NULL;
}

/* The same reading of an address as REST has. */
static void takes_addresses_in_all_their_forms(void **state)
{
    (void)state;
    static const char *const hosts[] = {"LocalHost", "127.0.0.1"};
    const char *const literals[] = {"[::1]", "[0:0:0:0:0:0:0:1]", link_local()};
    char url[100];
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        connect_to_host(hosts[i]);
        assert_comes_true(loop, &seen.opened);
        destroy_client();
    }
    if (access("/proc/net/if_inet6", R_OK) != 0)
        skip(); /* no IPv6 here */
    struct io_test_helper other = start_server("::");
    for (size_t i = 0; i < sizeof literals / sizeof *literals && literals[i]; i++) {
        snprintf(url, sizeof url, "ws://%s:%d/echo", literals[i], other.port);
        connect_url(url);
        assert_comes_true(loop, &seen.opened);
        destroy_client();
    }
    io_test_helper_stop(&other);
}

static void tells_how_an_open_one_was_lost(void **state)
{
    (void)state;
    connect_to("close1011");
    expect_end(WS_CLIENT_LOST, 1011);
    assert_true(seen.opened);
    connect_to("close1012"); /* lws calls it 1002 */
    expect_end(WS_CLIENT_LOST, 1002);
    connect_to("fin");
    expect_end(WS_CLIENT_LOST, 0);
    connect_to("reset");
    expect_end(WS_CLIENT_LOST, 0);
}

static int unused_port(void)
{
    struct io_test_helper other = start_server(NULL);
    int port = other.port;
    io_test_helper_stop(&other);
    return port;
}

static void says_that_nobody_listens(void **state)
{
    (void)state;
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", unused_port());
    connect_url(url);
    expect_end(WS_CLIENT_UNREACHABLE, 0);
    assert_false(seen.opened);
}

static void says_that_the_name_is_unknown(void **state)
{
    (void)state;
    connect_url("ws://no-such-name.invalid:80/");
    expect_end(WS_CLIENT_UNREACHABLE, 0);
    assert_non_null(strstr(seen.reason, "no-such-name.invalid"));
}

/* The server listens on IPv4 only; the name has both addresses, or just that one. */
static void reaches_an_ipv4_server_by_name(void **state)
{
    (void)state;
    char url[64];
    snprintf(url, sizeof url, "ws://localhost:%d/echo", server.port);
    connect_url(url);
    assert_comes_true(loop, &seen.opened);
}

/* A hosts file of our own, in a mount namespace of our own; skipped where that is not allowed. */
static void need_hosts(const char *text)
{
    char path[100];
    snprintf(path, sizeof path, "%s/hosts", dir);
    io_test_write_file(path, text, 0644);
    if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount(path, "/etc/hosts", "none", MS_BIND, NULL) == 0)
        return;
    print_message("no mount namespaces here\n");
    skip();
}

/* getaddrinfo() puts 127.0.0.1, the loopback's own address, first. */
#define TWO_FACED "127.0.0.9 twofaced\n127.0.0.1 twofaced\n127.0.0.1 localhost\n"

static void tries_the_addresses_of_a_name_in_turn(void **state)
{
    (void)state;
    char url[64];
    need_hosts(TWO_FACED);
    struct io_test_helper second = start_server("127.0.0.9");
    snprintf(url, sizeof url, "ws://twofaced:%d/echo", second.port);
    connect_url(url);
    assert_comes_true(loop, &seen.opened);
    destroy_client();
    io_test_helper_stop(&second);
    snprintf(url, sizeof url, "ws://twofaced:%d/403", server.port);
    connect_url(url);
    expect_end(WS_CLIENT_REFUSED, 403); /* an answer is an answer: no other address is tried */
    umount("/etc/hosts");
}

/* A listener whose queue is full: it answers no more connections, not even with a refusal. */
static void fill_up(int *fds, int count, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fds[0], (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    for (int i = 1; i < count; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(fds[i], (struct sockaddr *)&at, sizeof at);
    }
}

static void leaves_an_address_that_does_not_answer(void **state)
{
    (void)state;
    char url[64];
    int fds[4];
    need_hosts(TWO_FACED);
    struct io_test_helper second = start_server("127.0.0.9");
    fill_up(fds, 4, second.port);
    snprintf(url, sizeof url, "ws://twofaced:%d/echo", second.port);
    struct mono_time start = mono_clock_now();
    connect_url(url);
    assert_comes_true(loop, &seen.opened);
    assert_true(mono_sub(mono_clock_now(), start) >= 2 * NS_PER_S); /* it was the first */
    destroy_client();
    io_test_helper_stop(&second);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    umount("/etc/hosts");
}

static void gives_up_a_server_that_never_answers(void **state)
{
    (void)state;
    char url[64];
    int64_t limit = ws_client_connect_limit_ns;
    ws_client_connect_limit_ns = NS_PER_S / 2;
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", silent_port);
    connect_url(url);
    expect_end(WS_CLIENT_TIMEOUT, 0);
    ws_client_connect_limit_ns = limit;
}

/* The patience of half a minute, shortened. */
static struct ws_client_patience shorten_patience(void)
{
    struct ws_client_patience patience = ws_client_patience;
    ws_client_patience = (struct ws_client_patience){
        .silence_ns = NS_PER_S, .pinged_silence_ns = 2 * NS_PER_S, .answer_ns = 2 * NS_PER_S};
    return patience;
}

static void notices_a_frozen_peer(void **state)
{
    (void)state;
    struct ws_client_patience patience = shorten_patience();
    struct io_test_helper frozen = start_server(NULL);
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/echo", frozen.port);
    connect_url(url);
    assert_comes_true(loop, &seen.opened);
    /* While it lives, its pongs keep the connection beyond the limit. */
    assert_false(io_test_run(loop, io_test_flag, &seen.ended, 4 * NS_PER_S));
    kill(frozen.pid, SIGSTOP);
    expect_end(WS_CLIENT_TIMEOUT, 0);
    assert_non_null(strstr(seen.reason, "nothing was heard"));
    ws_client_patience = patience;
    io_test_helper_stop(&frozen);
}

static struct {
    int right, wrong, theirs;
} pings;

/* What the server has counted so far. */
static void count_pings(void)
{
    seen.got_text = false;
    assert_true(ws_client_send(seen.client, "how many?"));
    assert_comes_true(loop, &seen.got_text);
    assert_int_equal(
        sscanf(seen.text, "right %d wrong %d theirs %d", &pings.right, &pings.wrong, &pings.theirs),
        3);
}

/* A board that is busy: by the time the loop looks, a ping has come and all timers are due. */
static struct loop_timer *busy;

static void be_busy(void *user, struct mono_time now)
{
    (void)user;
    (void)now;
    nanosleep(&(struct timespec){.tv_nsec = 250 * NS_PER_MS}, NULL);
    loop_timer_set_in(busy, 0);
}

static void answers_each_ping_with_its_own_payload(void **state)
{
    (void)state;
    struct ws_client_patience patience = shorten_patience();
    connect_to("pings200");
    assert_comes_true(loop, &seen.opened);
    busy = loop_timer_create(loop, be_busy, NULL);
    loop_timer_set_in(busy, 0);
    assert_false(io_test_run(loop, io_test_flag, &seen.ended, 5 * NS_PER_S));
    loop_timer_destroy(busy);
    count_pings();
    assert_true(pings.right >= 5);
    assert_int_equal(pings.wrong, 0);
    if (!getenv("TUTTI_EMULATED")) /* which does not tell what the kernel has received */
        assert_int_equal(pings.theirs, 0);
    ws_client_patience = patience;
}

/* Pings that come more rarely than the first patience lasts: then it gets longer. */
static void pings_nobody_who_has_pinged_lately(void **state)
{
    (void)state;
    struct ws_client_patience patience = shorten_patience();
    io_test_not_emulated(); /* an emulator does not tell what the kernel has received */
    connect_to("pings1400");
    assert_comes_true(loop, &seen.opened);
    assert_false(io_test_run(loop, io_test_flag, &seen.ended, 2 * NS_PER_S));
    count_pings();
    int before = pings.theirs;
    assert_false(io_test_run(loop, io_test_flag, &seen.ended, 4 * NS_PER_S));
    count_pings();
    assert_int_equal(pings.theirs, before);
    assert_int_equal(pings.wrong, 0);
    ws_client_patience = patience;
}

static void pings_a_silent_peer(void **state)
{
    (void)state;
    struct ws_client_patience patience = shorten_patience();
    connect_to("pings0");
    assert_comes_true(loop, &seen.opened);
    assert_false(io_test_run(loop, io_test_flag, &seen.ended, 3500 * NS_PER_MS));
    count_pings();
    assert_true(pings.theirs >= 1);
    ws_client_patience = patience;
}

static void refuses_addresses_that_make_no_sense(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "http://127.0.0.1/",
        "ws://",
        "ws://127.0.0.1:0/",
        "ws://127.0.0.1:70000/",
        "ws://a b/c",
        "ws://user:secret@127.0.0.1/",
        "ws://127.0.0.1/a/../b",
        "ws://a/\r\nX: y",
        "127.0.0.1:80",
    };
    log_set_level(LOG_ERROR);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(ws_client_create(loop, bad[i], &handlers, &seen));
    char *endless = malloc(5001);
    memset(endless, 'a', 5000);
    memcpy(endless, "ws://", 5);
    endless[5000] = '\0';
    assert_null(ws_client_create(loop, endless, &handlers, &seen));
    free(endless);
}

/* --- leaving --- */

static void leaves_with_a_close_frame_at_once(void **state)
{
    (void)state;
    char line[64];
    connect_to("left");
    assert_comes_true(loop, &seen.opened);
    destroy_client();
    /* The loop does not run: the frame is out already. */
    assert_non_null(fgets(line, sizeof line, server.output));
    assert_string_equal(line, "left 1000\n");
    assert_false(io_test_run(loop, io_test_never, NULL, 50 * NS_PER_MS));
    assert_false(seen.ended); /* silent once destroyed */
}

static void what_is_queued_goes_before_the_close_frame(void **state)
{
    (void)state;
    char line[64];
    connect_to("left");
    assert_comes_true(loop, &seen.opened);
    for (int i = 0; i < 10; i++)
        assert_true(ws_client_send(seen.client, "last words"));
    destroy_client();
    assert_non_null(fgets(line, sizeof line, server.output));
    assert_string_equal(line, "left 1000\n");
}

static void may_be_destroyed_in_any_callback(void **state)
{
    (void)state;
    connect_to("flood10");
    seen.destroy_in_open = true;
    assert_comes_true(loop, &seen.opened);
    assert_false(io_test_run(loop, io_test_flag, &seen.got_text, 50 * NS_PER_MS));
    connect_to("flood10");
    seen.destroy_in_text = true;
    assert_comes_true(loop, &seen.got_text);
    assert_false(io_test_run(loop, io_test_never, NULL, 50 * NS_PER_MS));
    assert_int_equal(seen.messages, 1);
    connect_to("fin");
    seen.destroy_in_end = true;
    assert_comes_true(loop, &seen.ended);
    connect_to("403");
    seen.destroy_in_end = true;
    assert_comes_true(loop, &seen.ended);
    assert_false(io_test_run(loop, io_test_never, NULL, 50 * NS_PER_MS));
}

static void may_be_destroyed_before_it_is_open(void **state)
{
    (void)state;
    char url[64];
    connect_url("ws://no-such-name.invalid/");
    destroy_client();
    connect_to("echo");
    destroy_client();
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", silent_port);
    connect_url(url);
    assert_false(io_test_run(loop, io_test_never, NULL, 50 * NS_PER_MS));
    destroy_client();
    assert_false(io_test_run(loop, io_test_never, NULL, 50 * NS_PER_MS));
    assert_false(seen.opened || seen.ended);
    ws_client_destroy(NULL);
}

static int count_descriptors(void)
{
    int count = 0;
    DIR *descriptors = opendir("/proc/self/fd");
    assert_non_null(descriptors);
    while (readdir(descriptors))
        count++;
    closedir(descriptors);
    return count;
}

/* Of a process with the server and a loop, before its first client. */
static int descriptors_at_first;

static bool are_descriptors_as_at_first(void *user)
{
    (void)user;
    return count_descriptors() == descriptors_at_first;
}

/* Nor do the tests before this one. A name may still be looked up of a client that is no more: its
 * descriptor goes with the answer. */
static void leaves_no_descriptors_behind(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        connect_to(i % 3 == 0 ? "echo" : i % 3 == 1 ? "403" : "fin");
        assert_comes_true(loop, i % 3 == 0 ? &seen.opened : &seen.ended);
        destroy_client();
    }
    if (!io_test_run(loop, are_descriptors_as_at_first, NULL, IO_TEST_LIMIT_NS))
        fail_msg("%d descriptors, at first %d", count_descriptors(), descriptors_at_first);
}

/* --- TLS --- */

static const char *cert(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s.pem", dir, name);
    return path;
}

static void connect_tls(struct io_test_helper *tls, const char *certificate, const char *ca,
                        const char *host)
{
    char url[64];
    loop_destroy(loop);
    loop = loop_create(ca ? cert(ca) : NULL);
    assert_non_null(loop);
    *tls = start_server(cert(certificate));
    snprintf(url, sizeof url, "wss://%s:%d/echo", host, tls->port);
    connect_url(url);
}

static void talks_tls_to_a_trusted_server(void **state)
{
    (void)state;
    struct io_test_helper tls;
    connect_tls(&tls, "good", "ca", "localhost");
    assert_comes_true(loop, &seen.opened);
    assert_true(ws_client_send(seen.client, "secret"));
    assert_comes_true(loop, &seen.got_text);
    assert_string_equal(seen.text, "secret");
    destroy_client();
    io_test_helper_stop(&tls);
    connect_tls(&tls, "good", "ca", "127.0.0.1");
    assert_comes_true(loop, &seen.opened);
    destroy_client();
    io_test_helper_stop(&tls);
}

/* A callback that keeps the loop from an answer that is there already. */
static struct mono_time answer_there;

static void hold_up(void *user, struct mono_time now)
{
    struct loop_timer **timer = user;
    struct timespec late = {0, 40 * NS_PER_MS};
    struct pollfd answer = {.fd = lws_get_socket_fd(seen.client->wsi), .events = POLLIN};
    if (ws_client_last_sent_at(seen.client).ns == 0) {
        loop_timer_set(*timer, mono_add(now, NS_PER_MS / 10));
        return;
    }
    assert_int_equal(poll(&answer, 1, 5000), 1);
    answer_there = mono_clock_now();
    nanosleep(&late, NULL);
}

static void expect_an_arrival_before_the_loop_came_to_it(void)
{
    struct loop_timer *timer = loop_timer_create(loop, hold_up, &timer);
    assert_comes_true(loop, &seen.opened);
    seen.got_text = false;
    assert_true(ws_client_send(seen.client, "echo"));
    loop_timer_set_in(timer, 0);
    assert_comes_true(loop, &seen.got_text);
    assert_true(mono_sub(seen.received, ws_client_last_sent_at(seen.client)) > 0);
    assert_true(mono_sub(seen.received, mono_add(answer_there, 50 * NS_PER_US)) < 0);
    loop_timer_destroy(timer);
}

static void a_message_arrives_when_the_kernel_gets_it(void **state)
{
    struct io_test_helper tls;
    (void)state;
    int stamps_fd = io_test_turn_stamps_on();
    connect_to("echo");
    expect_an_arrival_before_the_loop_came_to_it();
    destroy_client();
    connect_tls(&tls, "good", "ca", "localhost");
    expect_an_arrival_before_the_loop_came_to_it();
    destroy_client();
    io_test_helper_stop(&tls);
    close(stamps_fd);
}

static void expect_tls_failure(const char *certificate, const char *ca, const char *why)
{
    struct io_test_helper tls;
    connect_tls(&tls, certificate, ca, "localhost");
    assert_comes_true(loop, &seen.ended);
    assert_int_equal(seen.end, WS_CLIENT_UNREACHABLE);
    assert_false(seen.opened);
    if (!strstr(seen.reason, why))
        fail_msg("%s: \"%s\" does not say \"%s\"", certificate, seen.reason, why);
    destroy_client();
    io_test_helper_stop(&tls);
}

static void says_what_is_wrong_with_a_certificate(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    expect_tls_failure("expired", "ca", "expired");
    expect_tls_failure("future", "ca", "not yet valid");
    expect_tls_failure("wronghost", "ca", "ostname mismatch");
    expect_tls_failure("selfsigned", "ca", "self-signed");
    expect_tls_failure("good", NULL, "certificate");
}

static int start_all(void **state)
{
    (void)state;
    char command[300];
    io_test_make_dir(dir);
    snprintf(command, sizeof command, HELPERS "/make_certs.sh %s >/dev/null 2>&1", dir);
    if (system(command) != 0)
        return -1;
    server = start_server(NULL);
    if (fscanf(server.output, "%d%d%*c", &silent_port, &proxy_port) != 2 ||
        !(loop = loop_create(NULL)))
        return -1;
    descriptors_at_first = count_descriptors();
    loop_destroy(loop);
    return 0;
}

static int stop_all(void **state)
{
    (void)state;
    io_test_helper_stop(&server);
    io_test_remove_dir(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sends_and_receives_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_the_order_of_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(assembles_fragments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(passes_over_binary_and_takes_empty_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_a_large_message_whole_and_echoes_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(closes_on_a_message_beyond_the_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_pings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sends_path_and_query_as_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_many_headers_in_the_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_the_status_of_a_refusal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(does_not_follow_redirects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_by_the_proxy_of_the_environment, no_variables,
                                        no_variables_again),
        cmocka_unit_test_setup_teardown(does_not_go_by_a_proxy_that_is_not_for_it, no_variables,
                                        no_variables_again),
        cmocka_unit_test_setup_teardown(takes_addresses_in_all_their_forms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_how_an_open_one_was_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_that_nobody_listens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_that_the_name_is_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reaches_an_ipv4_server_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tries_the_addresses_of_a_name_in_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_an_address_that_does_not_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_up_a_server_that_never_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(notices_a_frozen_peer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_each_ping_with_its_own_payload, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pings_nobody_who_has_pinged_lately, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pings_a_silent_peer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_addresses_that_make_no_sense, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_with_a_close_frame_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_queued_goes_before_the_close_frame, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(may_be_destroyed_in_any_callback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(may_be_destroyed_before_it_is_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_no_descriptors_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(talks_tls_to_a_trusted_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_arrives_when_the_kernel_gets_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(says_what_is_wrong_with_a_certificate, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, start_all, stop_all);
}
