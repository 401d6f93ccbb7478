#include "../../../src/ctl/duration.h"
#include "../cmocka_all.h"

#include <math.h>

static void people_write_times_in_four_ways(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double ms;
    } good[] = {{"0", 0},           {"83", 83e3},        {"1:23", 83e3},
                {"1:23.5", 83.5e3}, {"1:02:03", 3723e3}, {"90:00", 5400e3}};
    static const char *const bad[] = {"",     "-1",  "1:",  ":5",   "1:60", "a",        "1:2:3:4",
                                      "1:2x", "nan", "inf", "0x10", "1e3",  "99999999", " 5"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double ms = -1;
        assert_true(duration_parse(good[i].text, &ms));
        assert_true(ms == good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double ms = -1;
        assert_false(duration_parse(bad[i], &ms));
        assert_true(ms == -1);
    }
}

static void times_are_shown_as_clocks_do(void **state)
{
    (void)state;
    static const struct {
        double ms;
        const char *text;
    } cases[] = {{0, "0:00"},         {999, "0:00"}, {83500, "1:23"},
                 {3723e3, "1:02:03"}, {-5, "0:00"},  {NAN, "?"},
                 {INFINITY, "?"},     {1e300, "?"},  {366.0 * 24 * 3600e3, "8784:00:00"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[DURATION_MAX];
        duration_format(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_write_times_in_four_ways),
        cmocka_unit_test(times_are_shown_as_clocks_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
