#include "../cmocka_all.h"
#include "tutti/core/server_address.h"

#include <string.h>

static void what_both_can_use_is_read_in_one_way(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *path, *printed;
        bool tls;
        int port;
    } good[] = {
        {"http://hub", "hub", "", "http://hub", false, 80},
        {"HTTPS://Hub.Example/", "hub.example", "/", "https://hub.example", true, 443},
        {"http://hub:8700/api/", "hub", "/api/", "http://hub:8700", false, 8700},
        {"http://hub:80", "hub", "", "http://hub", false, 80},
        {"http://hub:00080", "hub", "", "http://hub", false, 80},
        {"https://hub:80", "hub", "", "https://hub:80", true, 80},
        {"http://hub:", "hub", "", "http://hub", false, 80},
        {"http://hub.local.:8700", "hub.local.", "", "http://hub.local.:8700", false, 8700},
        {"http://127.0.0.1:8700", "127.0.0.1", "", "http://127.0.0.1:8700", false, 8700},
        {"http://[::1]:8700", "::1", "", "http://[::1]:8700", false, 8700},
        {"http://[2001:DB8::1]/x", "2001:db8::1", "/x", "http://[2001:db8::1]", false, 80},
        {"http://[fe80::1%25eth0]:8700", "fe80::1%eth0", "", "http://[fe80::1%25eth0]:8700", false,
         8700},
        {"http://[fe80::1%Eth0]", "fe80::1%Eth0", "", "http://[fe80::1%25Eth0]", false, 80},
        {"http://xn--bcher-kva.example", "xn--bcher-kva.example", "",
         "http://xn--bcher-kva.example", false, 80},
        {"ws://hub/a?b=c", "hub", "/a?b=c", "http://hub", false, 80},
        {"wss://hub?b", "hub", "/?b", "https://hub", true, 443},
        {"http://hub/a%20b/...", "hub", "/a%20b/...", "http://hub", false, 80},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct server_address address;
        const char *problem = NULL;
        char printed[256];
        if (!server_address_parse(good[i].text, &address, &problem))
            fail_msg("%s: %s", good[i].text, problem);
        assert_string_equal(address.host, good[i].host);
        assert_string_equal(address.path, good[i].path);
        assert_int_equal(address.tls, good[i].tls);
        assert_int_equal(address.port, good[i].port);
        assert_true(server_address_print(&address, "http", printed, sizeof printed));
        assert_string_equal(printed, good[i].printed);
    }
}

static void what_cannot_work_is_refused_with_the_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem;
    } bad[] = {
        {"", "http://"},
        {"hub:8700", "http://"},
        {"ftp://hub", "http://"},
        {"http:/hub", "http://"},
        {"http://", "no host"},
        {"http:///x", "no host"},
        {"http://:80", "no host"},
        {"http://user:secret@hub", "take them out"},
        {"http://user@hub", "take them out"},
        {"http://b\xc3\xbc"
         "cher.example",
         "xn--"},
        {"http://hub/\xc3\xa9", "%XX"},
        {"http://hub/a b", "characters"},
        {"http://hub\\x", "characters"},
        {"http://hub/\x7f", "ASCII"},
        {"http://hub/#x", "characters"},
        {"http://h%75b", "its host is none"},
        {"http://.hub", "its host is none"},
        {"http://::1", "an IPv6 address in []"},
        {"http://hub,other", "its host is none"},
        {"http://[::1", "IPv6"},
        {"http://[]", "IPv6"},
        {"http://[hub]", "IPv6"},
        {"http://[fe80::1%25]", "IPv6"},
        {"http://[::1]x", "IPv6"},
        {"http://hub:0", "1 to 65535"},
        {"http://hub:65536", "1 to 65535"},
        {"http://hub:999999999999", "1 to 65535"},
        {"http://hub:80x", "1 to 65535"},
        {"http://hub:-1", "1 to 65535"},
        {"http://hub:1:2", "1 to 65535"},
        {"http://hub/a/../b", ".."},
        {"http://hub/.", ".."},
        {"http://hub/a/..?x", ".."},
    };
    struct server_address address;
    const char *problem;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (server_address_parse(bad[i].text, &address, &problem))
            fail_msg("%s was taken", bad[i].text);
        if (!strstr(problem, bad[i].problem))
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].text, problem, bad[i].problem);
    }
    char text[3000] = "http://";
    memset(text + 7, 'a', SERVER_HOST_MAX);
    assert_false(server_address_parse(text, &address, &problem));
    assert_non_null(strstr(problem, "too long"));
    text[10] = '/';
    memset(text + 11, 'a', SERVER_PATH_MAX);
    assert_false(server_address_parse(text, &address, &problem));
    assert_non_null(strstr(problem, "too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_both_can_use_is_read_in_one_way),
        cmocka_unit_test(what_cannot_work_is_refused_with_the_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
