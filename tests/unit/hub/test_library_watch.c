/*
 * test_library_watch.c: which folders are said to have changed, and what is beyond the bound.
 */
#include "../../../src/hub/library_watch.h"
#include "../cmocka_all.h"
#include "../remove_tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT "the root"

struct watched {
    char directory[64];
    struct library_watch *watch;
};

static void path_of(const struct watched *watched, const char *name, char to[256])
{
    snprintf(to, 256, "%s/%s", watched->directory, name);
}

static bool add(struct watched *watched, const char *name)
{
    char path[256];
    path_of(watched, name, path);
    mkdir(path, 0700); /* or it is there */
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    bool added = library_watch_add(watched->watch, ROOT, name, fd);
    close(fd);
    return added;
}

static void touch(struct watched *watched, const char *name)
{
    char path[256];
    path_of(watched, name, path);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static const char *next(struct watched *watched)
{
    static char path[256];
    const char *root = "";
    assert_true(library_watch_read(watched->watch));
    if (!library_watch_next(watched->watch, &root, path, sizeof path))
        return "none";
    assert_string_equal(root, ROOT);
    return path;
}

static int setup(void **state)
{
    struct watched *watched = calloc(1, sizeof *watched);
    strcpy(watched->directory, "/tmp/tutti-watch-XXXXXX");
    assert_non_null(mkdtemp(watched->directory));
    watched->watch = library_watch_create(2);
    assert_non_null(watched->watch);
    *state = watched;
    return 0;
}

static int teardown(void **state)
{
    struct watched *watched = *state;
    library_watch_destroy(watched->watch);
    int failed = remove_tree(watched->directory);
    free(watched);
    return failed;
}

static void test_the_folder_that_changed(void **state)
{
    struct watched *watched = *state;
    assert_true(add(watched, "a") && add(watched, "b"));
    assert_string_equal(next(watched), "none");
    touch(watched, "b/1.mp3");
    touch(watched, "b/2.mp3");
    assert_string_equal(next(watched), "b");
    assert_string_equal(next(watched), "none");
    touch(watched, "a/1.mp3");
    touch(watched, "b/1.mp3");
    assert_string_equal(next(watched), "a");
    assert_string_equal(next(watched), "b");
}

static void test_no_more_than_the_bound(void **state)
{
    struct watched *watched = *state;
    assert_true(add(watched, "a") && add(watched, "b"));
    assert_false(add(watched, "c"));
    assert_true(add(watched, "a"));
    touch(watched, "c/1.mp3");
    assert_string_equal(next(watched), "none");
    touch(watched, "a/1.mp3");
    assert_string_equal(next(watched), "a");
}

static void test_a_folder_that_moves_or_goes(void **state)
{
    struct watched *watched = *state;
    char from[256], to[256];
    assert_true(add(watched, "a") && add(watched, "b"));
    path_of(watched, "a", from);
    path_of(watched, "z", to);
    assert_int_equal(rename(from, to), 0);
    assert_false(library_watch_read(watched->watch)); /* another one may be there by now */
    assert_string_equal(next(watched), "a");
    assert_true(add(watched, "z")); /* seen again, under its new name */
    touch(watched, "z/1.mp3");
    assert_string_equal(next(watched), "z");
    path_of(watched, "b", from);
    assert_int_equal(rmdir(from), 0);
    assert_false(library_watch_read(watched->watch));
    assert_true(add(watched, "c")); /* there is room again */
    assert_string_equal(next(watched), "none");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_folder_that_changed),
        TEST(test_no_more_than_the_bound),
        TEST(test_a_folder_that_moves_or_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
