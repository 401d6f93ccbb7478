#include "../cmocka_all.h"
#include "tutti/core/speaker_name.h"

static void expect(const char *host, const char *name)
{
    char to[64];
    speaker_name(host, "3fa9c0d1e2b34455", to, sizeof to);
    assert_string_equal(to, name);
}

static void is_the_host_name_where_somebody_gave_it_one(void **state)
{
    (void)state;
    expect("kitchen", "kitchen");
    expect("kitchen.local", "kitchen.local");
    expect("raspberrypi2", "raspberrypi2");
    expect("debianbox", "debianbox");
}

static void is_its_own_where_all_are_called_the_same(void **state)
{
    (void)state;
    static const char *const hosts[] = {"raspberrypi",
                                        "raspberrypi.local",
                                        "RaspberryPi",
                                        "localhost",
                                        "localhost.localdomain",
                                        "(none)",
                                        ""};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        expect(hosts[i], "tutti-3fa9");
}

static void without_an_id_the_host_name_has_to_do(void **state)
{
    (void)state;
    char to[64];
    speaker_name("raspberrypi", "", to, sizeof to);
    assert_string_equal(to, "raspberrypi");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_host_name_where_somebody_gave_it_one),
        cmocka_unit_test(is_its_own_where_all_are_called_the_same),
        cmocka_unit_test(without_an_id_the_host_name_has_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
