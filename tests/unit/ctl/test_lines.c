#include "../../../src/ctl/lines.h"
#include "../cmocka_all.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void lines_are_whole_however_they_come(void **state)
{
    (void)state;
    int ends[2];
    struct lines lines = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_null(lines_next(&lines));
    assert_int_equal(lines_fill(&lines, ends[0]), -EAGAIN);
    assert_int_equal(write(ends[1], "one\ntw", 6), 6);
    assert_int_equal(lines_fill(&lines, ends[0]), 6);
    assert_string_equal(lines_next(&lines), "one");
    assert_null(lines_next(&lines));
    assert_int_equal(write(ends[1], "o\n\nfour\n", 8), 8);
    assert_int_equal(lines_fill(&lines, ends[0]), 8);
    assert_string_equal(lines_next(&lines), "two");
    assert_string_equal(lines_next(&lines), "");
    assert_string_equal(lines_next(&lines), "four");
    assert_null(lines_next(&lines));
    close(ends[1]);
    assert_int_equal(lines_fill(&lines, ends[0]), 0);
    close(ends[0]);
    lines_finish(&lines);
}

static void long_lines_grow_the_buffer_and_it_is_used_again(void **state)
{
    (void)state;
    enum { LONG = 150000 };
    static char text[LONG];
    int ends[2];
    struct lines lines = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    memset(text, 'x', LONG - 1);
    text[LONG - 1] = '\n';
    for (int round = 0; round < 20; round++) {
        size_t at = 0;
        char *line;
        while ((line = lines_next(&lines)) == NULL) {
            ssize_t sent = at < LONG ? write(ends[1], text + at, LONG - at) : 0;
            at += sent > 0 ? (size_t)sent : 0;
            assert_true(lines_fill(&lines, ends[0]) > 0);
        }
        assert_int_equal(strlen(line), LONG - 1);
    }
    assert_true(lines.capacity < 5 * LONG);
    close(ends[0]);
    close(ends[1]);
    lines_finish(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_whole_however_they_come),
        cmocka_unit_test(long_lines_grow_the_buffer_and_it_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
