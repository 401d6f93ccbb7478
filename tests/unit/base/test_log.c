#include "../cmocka_all.h"
#include "tutti/base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Everything that a log call writes to stderr, into text. */
static void capture(char *text, size_t size, const char *message)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0);
    dup2(ends[1], STDERR_FILENO);
    log_info("%s", message);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t len = read(ends[0], text, size - 1);
    close(ends[0]);
    text[len > 0 ? len : 0] = '\0';
}

static void a_secret_never_reaches_the_log(void **state)
{
    (void)state;
    char text[LOG_LINE_MAX + 1];
    log_add_secret("0123456789abcdef");
    capture(text, sizeof text, "token=0123456789abcdef again 0123456789abcdef.");
    assert_null(strstr(text, "0123456789abcdef"));
    assert_non_null(strstr(text, "token=*** again ***."));
    log_forget_secrets();
}

static void outside_text_cannot_forge_a_line(void **state)
{
    (void)state;
    char text[LOG_LINE_MAX + 1];
    capture(text, sizeof text, "name\n2026 error: forged\033[2J");
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_null(strchr(text, '\033'));
}

static void a_long_line_is_cut_and_says_so(void **state)
{
    (void)state;
    char longest[2 * LOG_LINE_MAX];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    char text[LOG_LINE_MAX + 1];
    capture(text, sizeof text, longest);
    assert_true(strlen(text) <= LOG_LINE_MAX);
    assert_non_null(strstr(text, "x...\n"));
}

/* What is cut off must not leave the beginning of a secret behind. */
static void a_secret_at_the_cut_is_masked_all_the_same(void **state)
{
    (void)state;
    static const char secret[] = "0123456789abcdef";
    log_add_secret(secret);
    for (size_t before = LOG_LINE_MAX - 80; before < LOG_LINE_MAX + 8; before++) {
        char message[2 * LOG_LINE_MAX];
        memset(message, 'x', before);
        strcpy(message + before, secret);
        char text[LOG_LINE_MAX + 1];
        capture(text, sizeof text, message);
        assert_null(strstr(text, "0123"));
    }
    log_forget_secrets();
}

static void levels_parse_by_name_only(void **state)
{
    (void)state;
    enum log_level level = LOG_INFO;
    assert_true(log_level_parse("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_false(log_level_parse("Debug", &level));
    assert_int_equal(level, LOG_DEBUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_never_reaches_the_log),
        cmocka_unit_test(outside_text_cannot_forge_a_line),
        cmocka_unit_test(a_long_line_is_cut_and_says_so),
        cmocka_unit_test(a_secret_at_the_cut_is_masked_all_the_same),
        cmocka_unit_test(levels_parse_by_name_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
