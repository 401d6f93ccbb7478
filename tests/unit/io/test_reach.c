#include "io_test.h"
#include "tutti/io/reach.h"

#include <sys/stat.h>

/* Nobody whom this machine knows, in a group of no one's. */
static const struct reach_user stranger = {.uid = 54321, .groups = {54320}, .group_count = 1};

static char dir[64];
static char inner[96];
static char path[128];
static char why[REACH_WHY_MAX];

static int set_up(void **state)
{
    (void)state;
    io_test_make_dir(dir);
    chmod(dir, 0755);
    snprintf(inner, sizeof inner, "%s/inner", dir);
    mkdir(inner, 0755);
    snprintf(path, sizeof path, "%s/secret", inner);
    io_test_write_file(path, "secret\n", 0600);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    io_test_remove_dir(dir);
    return 0;
}

static struct reach_user owner(void)
{
    struct stat status;
    stat(path, &status);
    return (struct reach_user){.uid = status.st_uid};
}

static struct reach_user group_of_it(void)
{
    struct stat status;
    stat(path, &status);
    return (struct reach_user){.uid = 54321, .groups = {54320, status.st_gid}, .group_count = 2};
}

static void goes_by_owner_group_and_the_rest(void **state)
{
    (void)state;
    struct reach_user own = owner(), member = group_of_it();
    assert_true(reach_can_read(path, &own, why));
    assert_false(reach_can_read(path, &member, why));
    assert_false(reach_can_read(path, &stranger, why));
    assert_non_null(strstr(why, path));
    chmod(path, 0640);
    assert_true(reach_can_read(path, &member, why));
    assert_false(reach_can_read(path, &stranger, why));
    chmod(path, 0604);
    assert_true(reach_can_read(path, &stranger, why));
    assert_false(reach_can_read(path, &member, why)); /* its class says no */
}

static void a_directory_above_it_may_be_in_the_way(void **state)
{
    (void)state;
    chmod(path, 0644);
    assert_true(reach_can_read(path, &stranger, why));
    chmod(inner, 0700);
    assert_false(reach_can_read(path, &stranger, why));
    assert_non_null(strstr(why, inner));
    assert_null(strstr(why, path));
    chmod(inner, 0711); /* to pass through is enough */
    assert_true(reach_can_read(path, &stranger, why));
}

static void a_link_is_followed_and_what_is_missing_is_said(void **state)
{
    (void)state;
    char link[128];
    snprintf(link, sizeof link, "%s/link", dir);
    assert_int_equal(symlink(path, link), 0);
    assert_false(reach_can_read(link, &stranger, why));
    assert_non_null(strstr(why, path));
    unlink(path);
    assert_false(reach_can_read(link, &stranger, why));
    assert_non_null(strstr(why, "does not exist"));
}

static void a_unit_does_not_see_homes_and_temporary_files(void **state)
{
    (void)state;
    struct reach_user root = {.uid = 0};
    assert_false(reach_unit_can_read("/home/someone/token", &root, why));
    assert_false(reach_unit_can_read("/tmp/token", &root, why));
    assert_non_null(strstr(why, "/tmp/token"));
    assert_true(reach_unit_can_read("/etc/passwd", &root, why));
}

static void finds_users_with_their_groups(void **state)
{
    (void)state;
    struct reach_user user = {0};
    assert_true(reach_find_user("root", &user));
    assert_int_equal(user.uid, 0);
    assert_true(user.group_count >= 1 && user.groups[0] == 0);
    assert_false(reach_find_user("nobody of this name", &user));
    user = reach_any_user();
    chmod(path, 0640);
    assert_false(reach_can_read(path, &user, why));
    assert_true(reach_can_read("/etc/passwd", &user, why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(goes_by_owner_group_and_the_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_directory_above_it_may_be_in_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_is_followed_and_what_is_missing_is_said, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_unit_does_not_see_homes_and_temporary_files, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(finds_users_with_their_groups, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
