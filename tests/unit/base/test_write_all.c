/*
 * test_write_all.c: all of it, or why not.
 */
#include "../cmocka_all.h"
#include "tutti/base/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#define BYTES 1000000 /* many times what a pipe holds */

static char given[BYTES], got[BYTES];

static void *write_to(void *fd)
{
    return (void *)(intptr_t)write_all((int)(intptr_t)fd, given, sizeof given);
}

static void what_is_taken_in_pieces_is_whole(void **state)
{
    (void)state;
    int ends[2];
    pthread_t writer;
    void *result;
    size_t count = 0;
    ssize_t more;
    for (size_t i = 0; i < sizeof given; i++)
        given[i] = (char)(i * 7 + i / 251);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_to, (void *)(intptr_t)ends[1]), 0);
    while (count < sizeof got && (more = read(ends[0], got + count, sizeof got - count)) > 0)
        count += (size_t)more;
    pthread_join(writer, &result);
    assert_int_equal((intptr_t)result, 0);
    assert_int_equal(count, sizeof given);
    assert_memory_equal(got, given, sizeof given);
    close(ends[0]);
    close(ends[1]);
}

static void why_it_could_not_be_is_said(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    assert_int_equal(write_all(full, "words", 5), -ENOSPC);
    assert_int_equal(write_all(full, "", 0), 0);
    close(full);
    assert_int_equal(write_all(full, "words", 5), -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_in_pieces_is_whole),
        cmocka_unit_test(why_it_could_not_be_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
