/*
 * Where callers are (address.h), and by which names they call (names.h).
 */
#include "../../../src/hub/address.h"
#include "../../../src/hub/names.h"
#include "../cmocka_all.h"

static void addresses_are_counted_by_household(void **state)
{
    (void)state;
    static const struct {
        const char *text, *group;
    } cases[] = {
        {"192.0.2.7", "192.0.2.7"},
        {"::ffff:192.0.2.7", "192.0.2.7"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:db8:1:2::1", "2001:db8:1:2::/64"},
        {"::1", "::1"},
    };
    char group[ADDRESS_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(address_group(cases[i].text, group));
        assert_string_equal(group, cases[i].group);
    }
    assert_false(address_group("evil.example", group));
    assert_false(address_group("", group));
}

static void only_a_trusted_proxy_is_believed(void **state)
{
    (void)state;
    static const char trusted[] = "127.0.0.1, ::1";
    char who[ADDRESS_MAX];
    assert_true(address_is_listed("127.0.0.1", trusted));
    assert_true(address_is_listed("::ffff:127.0.0.1", trusted));
    assert_false(address_is_listed("127.0.0.2", trusted));
    assert_false(address_is_listed("127.0.0.1", ""));
    assert_true(address_forwarded("203.0.113.9", trusted, who));
    assert_string_equal(who, "203.0.113.9");
    /* What the caller had sent himself comes first. */
    assert_true(address_forwarded("10.0.0.1, 10.0.0.2, 203.0.113.9, 127.0.0.1", trusted, who));
    assert_string_equal(who, "203.0.113.9");
    assert_false(address_forwarded("127.0.0.1", trusted, who));
    assert_false(address_forwarded("", trusted, who));
    assert_false(address_forwarded("10.0.0.1, nonsense", trusted, who));
}

static void the_hub_has_its_names(void **state)
{
    (void)state;
    static const char *const ours[] = {
        "192.0.2.7:8700", "[2001:db8::1]:8700", "localhost",       "localhost:8700",    "hub:8700",
        "HUB.local",      "hub.local.",         "hub.home.arpa:1", "music.example:8700"};
    static const char *const others[] = {"evil.example",
                                         "hub.evil.example",
                                         "hub.local.evil",
                                         "192.0.2.7.evil.com",
                                         "",
                                         ":8700",
                                         "hub.example",
                                         "xhub"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_true(names_have_host(ours[i], "hub", "music.example other.example"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(names_have_host(others[i], "hub", "music.example other.example"));
    assert_true(names_have_host("evil.example", "hub", "*"));
    assert_false(names_have_host(".local", "", ""));
}

static void pages_of_others_do_not_call(void **state)
{
    (void)state;
    assert_true(names_have_origin("http://192.0.2.7:8700", "192.0.2.7:8700", "hub", ""));
    assert_true(names_have_origin("https://hub.local", "192.0.2.7:8700", "hub", ""));
    assert_true(names_have_origin("http://music.example:80", "hub", "hub", "music.example"));
    /* An address of somebody else's is no better than a name. */
    assert_true(names_have_origin("http://[::1]:8700", "[::1]:8700", "hub", ""));
    assert_true(names_have_origin("https://hub.local:8443", "hub.local", "hub", ""));
    assert_true(names_have_origin("http://music.example:8123", "hub:8700", "hub", "music.example"));
    assert_false(names_have_origin("http://192.0.2.7:8123", "192.0.2.7:8700", "hub", ""));
    assert_false(names_have_origin("http://localhost:8123", "localhost:8700", "hub", ""));
    assert_false(names_have_origin("http://hub.local:8123", "192.0.2.7:8700", "hub", ""));
    assert_false(names_have_origin("http://[::1]:8123", "[::1]:8700", "hub", ""));
    assert_false(names_have_origin("http://203.0.113.5", "192.0.2.7:8700", "hub", ""));
    assert_false(names_have_origin("http://evil.example", "hub:8700", "hub", ""));
    assert_false(names_have_origin("null", "hub:8700", "hub", ""));
    assert_false(names_have_origin("", "hub:8700", "hub", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_counted_by_household),
        cmocka_unit_test(only_a_trusted_proxy_is_believed),
        cmocka_unit_test(the_hub_has_its_names),
        cmocka_unit_test(pages_of_others_do_not_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
