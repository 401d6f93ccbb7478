#include "../cmocka_all.h"
#include "tutti/core/proxy.h"

#include <string.h>

static enum proxy_kind choose(const char *no_proxy, const char *host)
{
    struct proxy proxy;
    struct proxy_environment environment = {.http_proxy = "proxy:3128", .no_proxy = no_proxy};
    return proxy_choose(&environment, false, host, &proxy);
}

/* curl's own unit test of no_proxy (tests/unit/unit1614.c) has these kinds. */
static void exceptions_are_read_as_curl_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *no_proxy, *host;
        bool excepted;
    } cases[] = {
        {NULL, "hub", false},
        {"", "hub", false},
        {"*", "hub", true},
        {"hub", "hub", true},
        {"HUB", "hub", true},
        {"other, hub", "hub", true},
        {"other hub", "hub", true},
        {"other,hub,", "hub", true},
        {"hub2", "hub", false},
        {"example.com", "www.example.com", true},
        {".example.com", "www.example.com", true},
        {".example.com", "example.com", true},
        {"example.com.", "www.example.com.", true},
        {"example.com", "notexample.com", false},
        {"www.example.com", "example.com", false},
        {"local", "hub.local", true},
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.10", false},
        {"10.0.0.0/8", "10.1.2.3", true},
        {"10.0.0.0/8", "11.1.2.3", false},
        {"192.168.0.0/23", "192.168.1.9", true},
        {"192.168.0.0/23", "192.168.2.9", false},
        {"10.0.0.0/33", "10.0.0.0", false},
        {"::1", "::1", true},
        {"[::1]", "::1", true},
        {"2001:db8::/32", "2001:db8::9", true},
        {"2001:db8::/32", "2001:db9::9", false},
        {"fe80::/10", "fe80::1%eth0", true},
        {"10.0.0.0/8", "ten.example", false},
        {"0.1", "127.0.0.1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool excepted = choose(cases[i].no_proxy, cases[i].host) == PROXY_NONE;
        if (excepted != cases[i].excepted)
            fail_msg("no_proxy=%s and %s", cases[i].no_proxy, cases[i].host);
    }
}

static void the_scheme_says_which_variable_counts(void **state)
{
    (void)state;
    struct proxy proxy;
    struct proxy_environment environment = {.http_proxy = "a:1", .https_proxy = "b:2"};
    assert_int_equal(proxy_choose(&environment, false, "hub", &proxy), PROXY_HTTP);
    assert_string_equal(proxy.host, "a");
    assert_int_equal(proxy_choose(&environment, true, "hub", &proxy), PROXY_HTTP);
    assert_string_equal(proxy.host, "b");
    environment = (struct proxy_environment){.http_proxy = "", .all_proxy = "c:3"};
    assert_int_equal(proxy_choose(&environment, false, "hub", &proxy), PROXY_HTTP);
    assert_int_equal(proxy.port, 3);
    environment = (struct proxy_environment){.http_proxy = "a:1"};
    assert_int_equal(proxy_choose(&environment, true, "hub", &proxy), PROXY_NONE);
}

static void a_proxy_is_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *login;
        int port;
    } good[] = {
        {"proxy", "proxy", "", 1080},
        {"http://proxy:3128/", "proxy", "", 3128},
        {"HTTP://10.0.0.1:8080", "10.0.0.1", "", 8080},
        {"http://[::1]:3128", "::1", "", 3128},
        {"http://user:p%40ss@proxy:3128", "proxy", "user:p@ss", 3128},
        {"user:p@ss@proxy", "proxy", "user:p@ss", 1080},
    };
    static const char *const unusable[] = {
        "socks5://proxy:1080", "https://proxy:443", "http://", "http://:3128", "proxy:0",
        "proxy:70000",         "ftp://proxy:1",
    };
    struct proxy proxy;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct proxy_environment environment = {.http_proxy = good[i].text};
        assert_int_equal(proxy_choose(&environment, false, "hub", &proxy), PROXY_HTTP);
        assert_string_equal(proxy.host, good[i].host);
        assert_string_equal(proxy.login, good[i].login);
        assert_int_equal(proxy.port, good[i].port);
    }
    for (size_t i = 0; i < sizeof unusable / sizeof *unusable; i++) {
        struct proxy_environment environment = {.http_proxy = unusable[i]};
        assert_int_equal(proxy_choose(&environment, false, "hub", &proxy), PROXY_UNUSABLE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exceptions_are_read_as_curl_reads_them),
        cmocka_unit_test(the_scheme_says_which_variable_counts),
        cmocka_unit_test(a_proxy_is_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
