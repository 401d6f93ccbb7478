/*
 * test_library.c: the library's own thread, which keeps up with directories that do not rest.
 */
#include "../../../src/hub/library.h"
#include "../cmocka_all.h"
#include "../remove_tree.h"
#include "tutti/base/log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_MS 50
/* Of a machine that has much to do. */
#define PATIENCE_STEPS (40 * 1000 / STEP_MS)

struct house {
    char directory[64];
    char root[96];
    struct library *library;
    atomic_int reads;
};

static int read_anything(void *user, int fd, const atomic_bool *stop, struct library_reading *ret)
{
    struct house *house = user;
    (void)fd;
    (void)stop;
    *ret = (struct library_reading){.kind = AUDIO_MP3, .duration_s = 60, .tags = track_tags_none()};
    house->reads++;
    return 1;
}

static void put(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void wait_a_step(void)
{
    poll(NULL, 0, STEP_MS);
}

/* Whether so many files are read before patience is over, while something happens in the folder. */
static bool reads(struct house *house, int count, const char *restless)
{
    for (int i = 0; i < PATIENCE_STEPS && house->reads < count; i++) {
        if (restless)
            put(house->root, restless);
        wait_a_step();
    }
    return house->reads >= count;
}

static int setup(void **state)
{
    struct house *house = calloc(1, sizeof *house);
    log_set_level(LOG_ERROR);
    strcpy(house->directory, "/tmp/tutti-house-XXXXXX");
    assert_non_null(mkdtemp(house->directory));
    snprintf(house->root, sizeof house->root, "%s/music", house->directory);
    assert_int_equal(mkdir(house->root, 0700), 0);
    put(house->root, "first.mp3");
    house->library = library_create(&(struct library_config){.data_directory = house->directory,
                                                             .directories = house->root,
                                                             .tracks_max = 100,
                                                             .read = read_anything,
                                                             .read_user = house});
    assert_non_null(house->library);
    for (int i = 0; i < PATIENCE_STEPS && !library_is_complete(house->library); i++)
        wait_a_step();
    assert_true(library_is_complete(house->library));
    assert_int_equal(house->reads, 1);
    *state = house;
    return 0;
}

static int teardown(void **state)
{
    struct house *house = *state;
    library_destroy(house->library);
    int failed = remove_tree(house->directory);
    free(house);
    return failed;
}

static void what_comes_is_read(void **state)
{
    struct house *house = *state;
    put(house->root, "second.mp3");
    assert_true(reads(house, 2, NULL));
}

/* A copy of thousands of files takes an hour, in which no second is quiet. */
static void what_comes_is_read_while_more_comes(void **state)
{
    struct house *house = *state;
    put(house->root, "second.mp3");
    assert_true(reads(house, 2, "being copied.part"));
}

/* Somebody puts another directory in its place, or mounts another disk there. */
static void another_directory_of_its_name_is_read(void **state)
{
    struct house *house = *state;
    char other[128], away[128];
    snprintf(other, sizeof other, "%s/other", house->directory);
    snprintf(away, sizeof away, "%s/away", house->directory);
    assert_int_equal(mkdir(other, 0700), 0);
    put(other, "second.mp3");
    assert_int_equal(rename(house->root, away), 0);
    assert_int_equal(rename(other, house->root), 0);
    assert_true(reads(house, 2, NULL));
    put(house->root, "third.mp3");
    assert_true(reads(house, 3, NULL));
}

static void another_folder_of_its_name_is_read(void **state)
{
    struct house *house = *state;
    char folder[128], file[160];
    snprintf(folder, sizeof folder, "%s/album", house->root);
    snprintf(file, sizeof file, "%s/one.mp3", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    put(folder, "one.mp3");
    assert_true(reads(house, 2, NULL));
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    put(folder, "two.mp3");
    assert_true(reads(house, 3, NULL));
    put(folder, "three.mp3");
    assert_true(reads(house, 4, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_comes_is_read),
        TEST(what_comes_is_read_while_more_comes),
        TEST(another_directory_of_its_name_is_read),
        TEST(another_folder_of_its_name_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
