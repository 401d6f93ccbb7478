#include "../../../src/ctl/add.h"
#include "../../../src/ctl/text.h"
#include "../cmocka_all.h"

#include <string.h>

static int utf8(void **state)
{
    (void)state;
    text_use_utf8();
    return 0;
}

static void a_track_is_called_as_its_file(void **state)
{
    (void)state;
    static const struct {
        const char *path, *name;
    } cases[] = {
        {"music/Harbour.mp3", "Harbour"},
        {"a.b.mp3", "a.b"},
        {"/x/noend", "noend"},
        {".mp3", ".mp3"},
        {"a\033b.mp3", "a\uFFFDb"},
        {"Größe.mp3", "Größe"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[64];
        add_name_of(cases[i].path, name, sizeof name);
        assert_string_equal(name, cases[i].name);
    }
}

static void the_bar_fits_its_line(void **state)
{
    (void)state;
    char bar[512];
    add_bar(bar, sizeof bar, "Harbour", 3.2e6, 7.1e6, 79);
    assert_string_equal(bar, "Harbour [#############                 ]  45 %  3.2 of 7.1 MB");
    add_bar(bar, sizeof bar, "a name that is much too long for one line of a terminal", 5e9, 5e9,
            79);
    assert_true(text_columns(bar) <= 79);
    assert_non_null(strstr(bar, "100 %"));
    add_bar(bar, sizeof bar, "x", 9e9, 5, 79);
    assert_non_null(strstr(bar, "100 %"));
    add_bar(bar, sizeof bar, "x", -1, 0, 79);
    assert_non_null(strstr(bar, "  0 %"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_track_is_called_as_its_file),
        cmocka_unit_test(the_bar_fits_its_line),
    };
    return cmocka_run_group_tests(tests, utf8, NULL);
}
