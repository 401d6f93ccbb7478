/*
 * test_covers.c: pictures are kept once, found again after a start, bounded, and removed only when it
 * is known, twice, that no track has them.
 */
#include "../../../src/hub/covers.h"
#include "../cmocka_all.h"
#include "../remove_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static struct covers *covers;

static int start(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/tutti-covers-XXXXXX");
    assert_non_null(mkdtemp(directory));
    covers = covers_create(directory, 0);
    assert_non_null(covers);
    return 0;
}

static int end(void **state)
{
    (void)state;
    covers_destroy(covers);
    remove_tree(directory);
    return 0;
}

/* A jpeg that is unlike that of any other number. */
static bool keep(unsigned number, char name[COVER_NAME_MAX])
{
    unsigned char bytes[200] = {0xff, 0xd8, 0xff};
    memcpy(bytes + 8, &number, sizeof number);
    return covers_keep(covers, bytes, sizeof bytes, name);
}

static bool is_there(const char *name)
{
    struct cover_file file;
    int fd = covers_open(covers, name, &file);
    if (fd >= 0)
        close(fd);
    assert_true(fd >= 0 || fd == -ENOENT);
    return fd >= 0;
}

static void full_path(const char *name, char path[256])
{
    snprintf(path, 256, "%s/" COVERS_FOLDER "%s", directory, name);
}

/* What tracks have: 1: this one; 0: none; -errno. */
struct tracks {
    const char *have;
    int unknown;
    int asked;
};

static int is_used(void *user, const char *name)
{
    struct tracks *tracks = user;
    tracks->asked++;
    return tracks->unknown ? tracks->unknown : tracks->have && strcmp(tracks->have, name) == 0;
}

static void one_is_kept_once(void **state)
{
    (void)state;
    char first[COVER_NAME_MAX], again[COVER_NAME_MAX], other[COVER_NAME_MAX];
    struct cover_file file;
    unsigned char bytes[3];
    assert_true(keep(1, first) && keep(1, again) && keep(2, other));
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    int fd = covers_open(covers, first, &file);
    assert_true(fd >= 0 && file.bytes == 200 && file.kind == PICTURE_JPEG);
    assert_int_equal(read(fd, bytes, sizeof bytes), sizeof bytes);
    assert_memory_equal(bytes, "\xff\xd8\xff", 3);
    close(fd);
}

static void only_pictures_are(void **state)
{
    (void)state;
    static unsigned char large[PICTURE_BYTES_MAX + 1] = {0xff, 0xd8, 0xff};
    char name[COVER_NAME_MAX] = "x";
    assert_false(covers_keep(covers, (const unsigned char *)"<svg xmlns='...'></svg>", 23, name));
    assert_string_equal(name, "");
    assert_false(covers_keep(covers, large, sizeof large, name));
    assert_true(covers_keep(covers, large, sizeof large - 1, name));
    assert_false(covers_keep(NULL, large, 100, name));
    assert_string_equal(name, "");
}

static void what_is_there_is_found_after_a_start(void **state)
{
    (void)state;
    char first[COVER_NAME_MAX], again[COVER_NAME_MAX], part[256];
    struct stat before, after;
    char path[256];
    assert_true(keep(1, first));
    full_path(first, path);
    full_path(".part7", part);
    assert_int_equal(stat(path, &before), 0);
    close(open(part, O_CREAT | O_WRONLY, 0600));
    covers_destroy(covers);
    covers = covers_create(directory, 0);
    assert_int_equal(access(part, F_OK), -1); /* what a kill left */
    assert_true(keep(1, again));
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino);
}

static void files_of_others_are_not_served(void **state)
{
    (void)state;
    char path[256];
    static const char html[] = "<!doctype html><script>alert(1)</script>";
    full_path("00000000000000000000000000000000", path);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, html, sizeof html), sizeof html);
    close(fd);
    full_path("11111111111111111111111111111111", path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    full_path("22222222222222222222222222222222", path);
    assert_int_equal(mkdir(path, 0700), 0);
    static const char *const names[] = {"00000000000000000000000000000000",
                                        "11111111111111111111111111111111",
                                        "22222222222222222222222222222222",
                                        "33333333333333333333333333333333",
                                        "..",
                                        "",
                                        "../covers/00000000000000000000000",
                                        "0000000000000000000000000000000G"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_false(is_there(names[i]));
}

static void what_no_track_has_is_removed(void **state)
{
    (void)state;
    char used[COVER_NAME_MAX], unused[COVER_NAME_MAX];
    assert_true(keep(1, used) && keep(2, unused));
    struct tracks tracks = {.have = used};
    assert_int_equal(covers_sweep(covers, is_used, &tracks), 0);
    assert_int_equal(tracks.asked, 2);
    assert_true(is_there(unused)); /* whoever keeps it may not have named it yet */
    assert_int_equal(covers_sweep(covers, is_used, &tracks), 1);
    assert_int_equal(tracks.asked, 4);
    assert_true(is_there(used) && !is_there(unused));
    tracks.have = NULL;
    assert_int_equal(covers_sweep(covers, is_used, &tracks), 0);
    assert_int_equal(covers_sweep(covers, is_used, &tracks), 1);
    assert_false(is_there(used));
    assert_true(keep(2, unused) && is_there(unused)); /* once more */
}

static void what_is_kept_again_stays(void **state)
{
    (void)state;
    char name[COVER_NAME_MAX];
    struct tracks tracks = {0};
    for (int i = 0; i < 5; i++) {
        assert_true(keep(1, name));
        assert_int_equal(covers_sweep(covers, is_used, &tracks), 0);
    }
    assert_true(is_there(name));
}

static void what_is_not_known_removes_nothing(void **state)
{
    (void)state;
    char one[COVER_NAME_MAX], two[COVER_NAME_MAX];
    struct tracks tracks = {0};
    assert_true(keep(1, one) && keep(2, two));
    assert_int_equal(covers_sweep(covers, is_used, &tracks), 0);
    tracks.unknown = -EIO;
    for (int i = 0; i < 5; i++)
        assert_int_equal(covers_sweep(covers, is_used, &tracks), -EIO);
    assert_true(is_there(one) && is_there(two));
}

static void there_are_so_many(void **state)
{
    (void)state;
    char name[COVER_NAME_MAX], path[256];
    covers_destroy(covers);
    for (unsigned i = 0; i < COVERS_MAX; i++) {
        snprintf(name, sizeof name, "%032x", i);
        full_path(name, path);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    covers = covers_create(directory, 0);
    assert_false(keep(1, name));
    struct tracks tracks = {0};
    for (unsigned i = 0; i < COVERS_MAX / COVERS_SWEPT; i++) { /* a part of them at a time */
        tracks.asked = 0;
        assert_int_equal(covers_sweep(covers, is_used, &tracks), 0);
        assert_int_equal(tracks.asked, COVERS_SWEPT);
    }
    assert_int_equal(covers_sweep(covers, is_used, &tracks), COVERS_SWEPT);
    assert_true(keep(1, name));
}

static void a_full_disk_has_no_room(void **state)
{
    (void)state;
    char name[COVER_NAME_MAX];
    covers_destroy(covers);
    covers = covers_create(directory, INT64_MAX / 2);
    assert_false(keep(1, name));
    assert_string_equal(name, "");
}

static void without_a_directory_there_are_none(void **state)
{
    (void)state;
    assert_null(covers_create("/nowhere/at/all", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_is_kept_once, start, end),
        cmocka_unit_test_setup_teardown(only_pictures_are, start, end),
        cmocka_unit_test_setup_teardown(what_is_there_is_found_after_a_start, start, end),
        cmocka_unit_test_setup_teardown(files_of_others_are_not_served, start, end),
        cmocka_unit_test_setup_teardown(what_no_track_has_is_removed, start, end),
        cmocka_unit_test_setup_teardown(what_is_kept_again_stays, start, end),
        cmocka_unit_test_setup_teardown(what_is_not_known_removes_nothing, start, end),
        cmocka_unit_test_setup_teardown(there_are_so_many, start, end),
        cmocka_unit_test_setup_teardown(a_full_disk_has_no_room, start, end),
        cmocka_unit_test(without_a_directory_there_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
