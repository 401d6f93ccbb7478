#include "../cmocka_all.h"
#include "tutti/core/options.h"

#include <stdio.h>
#include <string.h>

struct target {
    char name[16];
    char secret[16];
    char even[8];
    int64_t count;
    int64_t least;
    double ratio;
    bool flag;
    int color;
};

static bool has_even_length(const char *text)
{
    return strlen(text) % 2 == 0;
}

#define AT(member) .offset = offsetof(struct target, member)

static const struct option_spec specs[] = {
    {.section = "a",
     .key = "name",
     .kind = OPTION_TEXT,
     AT(name),
     .size = 16,
     .fallback = "Bob",
     .help = "What it is called."},
    {.section = "a",
     .key = "secret",
     .kind = OPTION_TEXT,
     AT(secret),
     .size = 16,
     .fallback = "",
     .help = ".hush is a dot file.",
     .secret = true},
    {.section = "a",
     .key = "even",
     .kind = OPTION_TEXT,
     AT(even),
     .size = 8,
     .fallback = "",
     .help = "Even.",
     .takes = "an even number of characters",
     .valid = has_even_length},
    {.section = "b",
     .key = "count",
     .kind = OPTION_INTEGER,
     AT(count),
     .low = -5,
     .high = 1e12,
     .fallback = "7",
     .help = "How many."},
    {.section = "b",
     .key = "least",
     .kind = OPTION_INTEGER,
     AT(least),
     .low = -9,
     .high = 9,
     .fallback = "-2",
     .help = "At least so many."},
    {.section = "b",
     .key = "ratio",
     .kind = OPTION_REAL,
     AT(ratio),
     .low = -1.5,
     .high = 1.5,
     .fallback = "0.25",
     .help = "How much, at a length that does not fit into one line of a "
             "configuration file and so must be broken somewhere."},
    {.section = "b",
     .key = "flag",
     .kind = OPTION_BOOL,
     AT(flag),
     .fallback = "yes",
     .help = "Whether."},
    {.section = "b",
     .key = "color",
     .kind = OPTION_CHOICE,
     AT(color),
     .choices = "red | green | dark blue",
     .fallback = "green",
     .help = "Which -x \\ one."},
};
static const struct option_table table = {specs, sizeof specs / sizeof *specs, "TEST"};

static char error[OPTIONS_ERROR_MAX];

static struct target fresh(void)
{
    struct target target;
    memset(&target, 0xaa, sizeof target);
    options_init(&table, &target);
    return target;
}

static bool set(struct target *target, const char *section, const char *key, const char *value)
{
    error[0] = '\0';
    bool good = options_set(&table, target, section, key, value, error);
    assert_int_equal(good, error[0] == '\0');
    assert_null(strchr(error, '\n'));
    return good;
}

static void starts_with_the_defaults(void **state)
{
    (void)state;
    struct target target = fresh();
    assert_string_equal(target.name, "Bob");
    assert_string_equal(target.secret, "");
    assert_int_equal(target.count, 7);
    assert_true(target.ratio == 0.25);
    assert_true(target.flag);
    assert_int_equal(target.color, 1);
}

static void takes_values_of_each_kind(void **state)
{
    (void)state;
    struct target target = fresh();
    assert_true(set(&target, "a", "name", "K\xc3\xbc\x63he \xf0\x9f\x8e\xb5"));
    assert_string_equal(target.name, "K\xc3\xbc\x63he \xf0\x9f\x8e\xb5");
    assert_true(set(&target, "b", "count", "-5"));
    assert_int_equal(target.count, -5);
    assert_true(set(&target, "b", "count", "1000000000000"));
    assert_int_equal(target.count, INT64_C(1000000000000));
    assert_true(set(&target, "b", "ratio", "-1.5"));
    assert_true(target.ratio == -1.5);
    assert_true(set(&target, "b", "ratio", "1e-3"));
    assert_true(target.ratio == 1e-3);
    assert_true(set(&target, "b", "flag", "No"));
    assert_false(target.flag);
    assert_true(set(&target, "b", "color", "red"));
    assert_int_equal(target.color, 0);
    assert_true(set(&target, "a", "even", "four"));
}

static void refuses_what_is_not_allowed_and_says_what_is(void **state)
{
    (void)state;
    static const struct {
        const char *section, *key, *value, *says;
    } bad[] = {
        {"a", "name", "sixteen letters.", "at most 15 bytes"},
        {"a", "name", "\xff", "at most 15 bytes"},
        {"a", "name", "\xc3", "at most 15 bytes"},
        {"a", "name", "\xed\xa0\x80", "at most 15 bytes"},     /* a surrogate */
        {"a", "name", "\xc0\xaf", "at most 15 bytes"},         /* an overlong slash */
        {"a", "name", "\xf5\x80\x80\x80", "at most 15 bytes"}, /* beyond Unicode */
        {"a", "name", "a\tb", "at most 15 bytes"},
        {"a", "even", "odd", "an even number of characters"},
        {"b", "count", "", "a whole number from -5 to 1000000000000"},
        {"b", "count", "-6", "from -5"},
        {"b", "count", "1.5", "whole number"},
        {"b", "count", "12x", "whole number"},
        {"b", "count", "0x10", "whole number"},
        {"b", "count", " 1", "whole number"},
        {"b", "count", "1e99", "whole number"},
        {"b", "ratio", "1.51", "a number from -1.5 to 1.5"},
        {"b", "ratio", "nan", "a number"},
        {"b", "ratio", "inf", "a number"},
        {"b", "ratio", "1,5", "a number"},
        {"b", "ratio", "--1", "a number"},
        {"b", "ratio", "e", "a number"},
        {"b", "flag", "maybe", "true or false"},
        {"b", "flag", "", "true or false"},
        {"b", "color", "gree", "red | green"},
        {"b", "color", "greenish", "red | green"},
        {"b", "color", "", "red | green"},
        {"b", "color", "|", "red | green"},
        {"a", "nme", "x", "has no key nme; it has name secret even"},
        {"c", "name", "x", "there is no section [c]; there are a b"},
        {"", "", "", "there is no section []"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct target target = fresh(), before = target;
        if (set(&target, bad[i].section, bad[i].key, bad[i].value))
            fail_msg("[%s] %s = %s was taken", bad[i].section, bad[i].key, bad[i].value);
        if (!strstr(error, bad[i].says))
            fail_msg("\"%s\" does not say \"%s\"", error, bad[i].says);
        assert_memory_equal(&target, &before, sizeof target);
    }
}

static void never_repeats_a_secret(void **state)
{
    (void)state;
    struct target target = fresh();
    assert_false(set(&target, "a", "secret", "0123456789abcdef0123"));
    assert_null(strstr(error, "0123"));
    assert_true(options_is_secret(&table, "a", "secret"));
    assert_false(options_is_secret(&table, "a", "name"));
    assert_false(options_is_secret(&table, "b", "secret"));
}

static void compares_two_targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < table.count; i++) {
        struct target a = fresh(), b = fresh();
        assert_true(options_are_equal(&specs[i], &a, &b));
        static const char *const other[] = {"x", "x", "xx", "8", "3", "0.5", "no", "red"};
        assert_true(set(&b, specs[i].section, specs[i].key, other[i]));
        assert_false(options_are_equal(&specs[i], &a, &b));
    }
}

static void names_environment_variables(void **state)
{
    (void)state;
    char name[OPTIONS_NAME_MAX];
    options_variable(&table, &specs[3], name);
    assert_string_equal(name, "TEST_B_COUNT");
    assert_false(options_is_unknown_variable(&table, "TEST_B_COUNT"));
    assert_true(options_is_unknown_variable(&table, "TEST_B_COUNTS"));
    assert_true(options_is_unknown_variable(&table, "TEST_A_COUNT"));
    assert_false(options_is_unknown_variable(&table, "TEST_SOMETHING"));
    assert_false(options_is_unknown_variable(&table, "PATH"));
}

static char printed[4000];

static void print_line(void *user, const char *line)
{
    size_t used = strlen(printed);
    assert_true(!user || strlen(line) <= 92);
    snprintf(printed + used, sizeof printed - used, "%s\n", line);
}

static const char *print(enum options_style style)
{
    printed[0] = '\0';
    bool wrapped = style != OPTIONS_MAN; /* troff does it by itself */
    options_print(&table, style, print_line, wrapped ? &wrapped : NULL);
    return printed;
}

static void prints_a_configuration_that_changes_nothing(void **state)
{
    (void)state;
    const char *text = print(OPTIONS_CONFIG);
    assert_non_null(strstr(text, "[a]\n# What it is called.\n# Takes a text of at most 15 bytes.\n"
                                 ";name = Bob\n"));
    assert_non_null(strstr(text, ";secret =\n"));
    assert_non_null(strstr(text, "[b]\n"));
    for (const char *at = text; *at; at = strchr(at, '\n') + 1)
        assert_true(*at == '#' || *at == ';' || *at == '[' || *at == '\n');
}

static void prints_every_option_for_help_and_manual(void **state)
{
    (void)state;
    for (size_t i = 0; i < table.count; i++) {
        assert_non_null(strstr(print(OPTIONS_HELP), specs[i].key));
        assert_non_null(strstr(print(OPTIONS_MAN), specs[i].key));
    }
    const char *man = print(OPTIONS_MAN);
    assert_non_null(strstr(man, "Which \\-x \\e one."));
    assert_non_null(strstr(man, ".BR secret \" =\"\n\\&.hush is a dot file.\n"));
    assert_non_null(strstr(man, ".BR least \" = \\-2\"\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_with_the_defaults),
        cmocka_unit_test(takes_values_of_each_kind),
        cmocka_unit_test(refuses_what_is_not_allowed_and_says_what_is),
        cmocka_unit_test(never_repeats_a_secret),
        cmocka_unit_test(compares_two_targets),
        cmocka_unit_test(names_environment_variables),
        cmocka_unit_test(prints_a_configuration_that_changes_nothing),
        cmocka_unit_test(prints_every_option_for_help_and_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
