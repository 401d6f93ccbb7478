#include "../cmocka_all.h"
#include "tutti/core/web_url.h"

#include <string.h>

static const char base[] = "http://hub:8700/api";

/* What Chromium's and Firefox' new URL(reference, base).href gives, less the fragment, which is not
 * sent; and but for paths that begin with a slash, which are below the backend's own. */
static const struct {
    const char *reference, *href;
} browsers[] = {
    {"http://a/x.mp3", "http://a/x.mp3"},
    {"https://a/x.mp3", "https://a/x.mp3"},
    {"HTTP://A.Example/X.mp3", "http://a.example/X.mp3"},
    {"http://a", "http://a/"},
    {"http://a?b", "http://a/?b"},
    /* blanks, tabs, line ends */
    {"http://a/my song.mp3", "http://a/my%20song.mp3"},
    {"http://a/x.mp3?q=my song", "http://a/x.mp3?q=my%20song"},
    {"  \t http://a/x.mp3 \n\x01", "http://a/x.mp3"},
    {"ht\ttp://a/\nx.m\rp3", "http://a/x.mp3"},
    {"http://a/x.mp3 #t=10", "http://a/x.mp3%20"},
    /* a bare % stays as it is */
    {"http://a/100%.mp3", "http://a/100%.mp3"},
    {"http://a/100%zz %20.mp3", "http://a/100%zz%20%20.mp3"},
    {"http://a/50%off?p=5%", "http://a/50%off?p=5%"},
    /* backslashes */
    {"http:\\\\a\\b\\x.mp3", "http://a/b/x.mp3"},
    {"http://a\\b?c\\d", "http://a/b?c\\d"},
    {"\\\\a\\x.mp3", "http://a/x.mp3"},
    {"static\\x.mp3", "http://hub:8700/api/static/x.mp3"},
    /* letters of any language, and signs */
    {"http://a/caf\xc3\xa9 \xf0\x9f\x8e\xb5.mp3", "http://a/caf%C3%A9%20%F0%9F%8E%B5.mp3"},
    {"http://a/x?q=\xc3\xa9", "http://a/x?q=%C3%A9"},
    {"http://a/\"<>`{}^|[]'.mp3", "http://a/%22%3C%3E%60%7B%7D%5E|[]'.mp3"},
    {"http://a/?\"<>`{}^|'", "http://a/?%22%3C%3E`{}^|%27"},
    {"http://a/\x7f\x02z", "http://a/%7F%02z"},
    {"http://a/a+b&c=d;e,f:g@h!$~*()", "http://a/a+b&c=d;e,f:g@h!$~*()"},
    /* dot segments */
    {"http://a/b/../c/./d", "http://a/c/d"},
    {"http://a/b/..", "http://a/"},
    {"http://a/b/c/..", "http://a/b/"},
    {"http://a/../../x", "http://a/x"},
    {"http://a/b/%2e%2E/x/%2e/y", "http://a/x/y"},
    {"http://a/b/.%2e/x", "http://a/x"},
    {"http://a/.../x", "http://a/.../x"},
    {"http://a/b//c", "http://a/b//c"},
    {"http://a/b//../c", "http://a/b/c"},
    {"http://a/?/../x", "http://a/?/../x"},
    /* authorities */
    {"http:///a/x.mp3", "http://a/x.mp3"},
    {"https:a/x.mp3", "https://a/x.mp3"},
    {"https:/a/x.mp3", "https://a/x.mp3"},
    {"//a/x.mp3", "http://a/x.mp3"},
    {"http://a:80/x", "http://a/x"},
    {"https://a:443/x", "https://a/x"},
    {"https://a:80/x", "https://a:80/x"},
    {"http://a:/x", "http://a/x"},
    {"http://a:0080/x", "http://a/x"},
    {"http://a:0/x", "http://a:0/x"},
    {"http://[::1]:8700/x", "http://[::1]:8700/x"},
    {"http://[2001:DB8::1]/x", "http://[2001:db8::1]/x"},
    {"http://%61%2e%62/x", "http://a.b/x"},
    {"http://a./x", "http://a./x"},
    {"http://a_b/x", "http://a_b/x"},
    /* relative: below the backend's address */
    {"x.mp3", "http://hub:8700/api/x.mp3"},
    {"/static/my song.mp3", "http://hub:8700/api/static/my%20song.mp3"},
    {"http:x.mp3", "http://hub:8700/api/x.mp3"},
    {"http:/x.mp3", "http://hub:8700/api/x.mp3"},
    {"12:30.mp3", "http://hub:8700/api/12:30.mp3"},
    {"./x.mp3", "http://hub:8700/api/x.mp3"},
    {"?x", "http://hub:8700/api/?x"},
};

static void addresses_are_taken_as_browsers_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof browsers / sizeof *browsers; i++) {
        char url[256];
        const char *problem = NULL;
        if (!web_url_resolve(base, browsers[i].reference, url, sizeof url, &problem))
            fail_msg("%s: %s", browsers[i].reference, problem);
        assert_string_equal(url, browsers[i].href);
    }
}

/* As they are sent, they stay. */
static void what_came_out_goes_in_unchanged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof browsers / sizeof *browsers; i++) {
        char url[256];
        const char *problem;
        assert_true(web_url_resolve("", browsers[i].href, url, sizeof url, &problem));
        assert_string_equal(url, browsers[i].href);
    }
}

static void of_the_others_it_is_said_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *reference, *problem;
    } bad[] = {
        {"ftp://a/x.mp3", "http or https"},
        {"file:///etc/passwd", "http or https"},
        {"FILE:///etc/passwd", "http or https"},
        {"f\tile:///etc/passwd", "http or https"},
        {"data:audio/mpeg;base64,AAAA", "http or https"},
        {"javascript:alert(1)", "http or https"},
        {"blob:http://a/x", "http or https"},
        {"C:\\Music\\x.mp3", "http or https"},
        {"wss://a/x", "http or https"},
        {"", "no address"},
        {" \n\t ", "no address"},
        {"#x", "no address"},
        {"http://", "no host"},
        {"https:", "no host"},
        {"http://?x", "no host"},
        {"http://:80/x", "no host"},
        {"http://a b/x", "no host"},
        {"http://a%/x", "no host"},
        {"http://a%20b/x", "no host"},
        {"http://a%00b/x", "no host"},
        {"http://a<b/x", "no host"},
        {"http://a]b/x", "no host"},
        {"http://a:b:80/x", "no host"},
        {"http://a:65536/x", "port"},
        {"http://a:99999999999/x", "port"},
        {"http://a:8o/x", "port"},
        {"http://a:-1/x", "port"},
        {"http://user:secret@a/x", "user:password@"},
        {"http://user@a/x", "user:password@"},
        {"//user@a/x", "user:password@"},
    };
    char url[256];
    const char *problem;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (web_url_resolve(base, bad[i].reference, url, sizeof url, &problem))
            fail_msg("%s was taken as %s", bad[i].reference, url);
        if (!strstr(problem, bad[i].problem))
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].reference, problem, bad[i].problem);
    }
    assert_false(web_url_resolve("", "x.mp3", url, sizeof url, &problem));
    assert_false(web_url_resolve("ftp://hub", "x.mp3", url, sizeof url, &problem));
}

static void nothing_is_cut(void **state)
{
    (void)state;
    char reference[20000] = "http://a/", url[64];
    const char *problem;
    memset(reference + 9, ' ', sizeof reference - 10);
    reference[9] = reference[sizeof reference - 2] = 'x';
    assert_false(web_url_resolve(base, reference, url, sizeof url, &problem));
    assert_non_null(strstr(problem, "too long"));
    reference[30] = 'x';
    reference[31] = '\0'; /* 20 blanks are 60 characters */
    assert_false(web_url_resolve(base, reference, url, sizeof url, &problem));
    assert_true(strlen(url) < sizeof url);
    for (size_t size = 0; size < 30; size++) {
        bool fits = web_url_resolve(base, "y", url, size, &problem);
        assert_int_equal(fits, size > strlen("http://hub:8700/api/y"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_taken_as_browsers_do),
        cmocka_unit_test(what_came_out_goes_in_unchanged),
        cmocka_unit_test(of_the_others_it_is_said_what_is_wrong),
        cmocka_unit_test(nothing_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
