#include "io_test.h"
#include "tutti/io/background.h"
#include "tutti/io/session_saver.h"

static struct loop *loop;
static struct background *background;
static struct session_saver *saver;
static char dir[64], state_dir[100];

static int set_up(void **state)
{
    (void)state;
    io_test_make_dir(dir);
    snprintf(state_dir, sizeof state_dir, "%s/state", dir);
    loop = loop_create(NULL);
    background = loop ? background_create(loop) : NULL;
    saver = background ? session_saver_create(background, state_dir) : NULL;
    return saver ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    session_saver_destroy(saver);
    background_destroy(background);
    loop_destroy(loop);
    io_test_remove_dir(dir);
    return 0;
}

static void save_volume(double volume)
{
    struct session_state kept;
    session_state_init(&kept);
    session_state_device(&kept, "card")->volume = volume;
    session_saver_save(saver, &kept);
}

static double kept_volume(void)
{
    struct session_state kept;
    session_file_load(state_dir, &kept);
    return kept.devices[0].volume;
}

/* A rotary knob: the disk is asked twice, for the first turn and for the last. */
static void of_many_changes_the_latest_is_saved(void **state)
{
    (void)state;
    for (int i = 1; i <= 20000; i++)
        save_volume(i / 200.0);
    while (kept_volume() < 100)
        io_test_run(loop, io_test_never, NULL, 5 * NS_PER_MS);
    assert_true(session_saver_count(saver) <= 2);
}

static void what_comes_later_is_saved_too(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        save_volume(i);
        while (session_saver_count(saver) < (uint64_t)i)
            io_test_run(loop, io_test_never, NULL, 5 * NS_PER_MS);
        assert_true(kept_volume() == i);
    }
}

static void leaving_saves_what_was_to_be_saved(void **state)
{
    (void)state;
    for (int i = 1; i <= 50; i++)
        save_volume(i);
    session_saver_destroy(saver);
    saver = NULL;
    assert_true(background_destroy(background));
    background = NULL;
    assert_true(kept_volume() == 50);
}

static void a_disk_that_is_full_does_not_stop_it(void **state)
{
    (void)state;
    assert_int_equal(mkdir(state_dir, 0700), 0);
    char path[140];
    snprintf(path, sizeof path, "%s/state.json.new", state_dir);
    assert_int_equal(mkdir(path, 0700), 0); /* in the way */
    save_volume(1);
    save_volume(2);
    while (session_saver_count(saver) < 2)
        io_test_run(loop, io_test_never, NULL, 5 * NS_PER_MS);
    assert_int_equal(rmdir(path), 0);
    save_volume(3);
    while (session_saver_count(saver) < 3)
        io_test_run(loop, io_test_never, NULL, 5 * NS_PER_MS);
    assert_true(kept_volume() == 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_many_changes_the_latest_is_saved),
        TEST(what_comes_later_is_saved_too),
        TEST(leaving_saves_what_was_to_be_saved),
        TEST(a_disk_that_is_full_does_not_stop_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
