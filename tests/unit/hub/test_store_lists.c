/*
 * test_store_lists.c: as many saved playlists as there may be, of as many tracks: anybody may ask for their
 * names, which must not cost the loop what their tracks would.
 */
#include "../../../src/hub/store.h"
#include "../../../src/hub/store_internal.h"
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* LISTS_MAX of service_lists.c, and [limits] playlist_items as it comes. */
#define LISTS 200
#define TRACKS 1000
/* Of SQLite's machine: a few for each list, not for each track. */
#define OPERATIONS 100
#define OPERATIONS_MAX (100 * LISTS)

static int setup(void **state)
{
    char directory[] = "/tmp/tutti-lists-XXXXXX";
    assert_non_null(mkdtemp(directory));
    *state = store_open(directory);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct store *store = *state;
    char file[sizeof store->path], *slash;
    snprintf(file, sizeof file, "%s", store->path);
    store_close(store);
    assert_int_equal(unlink(file), 0);
    slash = strrchr(file, '/');
    *slash = '\0';
    return rmdir(file);
}

static void fill(struct store *store)
{
    assert_int_equal(
        db_run(store->db,
               "WITH RECURSIVE l(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM l WHERE n < ?1 - 1),"
               " t(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM t WHERE n < ?2 - 1)"
               " INSERT INTO saved (list, position, track_id, name, media_type)"
               " SELECT 'List ' || l.n, t.n, 'x', 'x', 'audio/mpeg' FROM l, t",
               "ii", (int64_t)LISTS, (int64_t)TRACKS),
        0);
}

static int count_operations(void *user)
{
    *(int *)user += OPERATIONS;
    return 0;
}

struct told {
    int lists;
    int64_t tracks;
    char last[STORE_NAME_MAX];
};

static void take(void *user, const char *name, int64_t tracks)
{
    struct told *told = user;
    assert_true(strcmp(told->last, name) < 0);
    snprintf(told->last, sizeof told->last, "%s", name);
    told->lists++;
    told->tracks += tracks;
}

static void none(void **state)
{
    struct told told = {0};
    int64_t others = -1;
    assert_int_equal(store_each_list(*state, take, &told), 0);
    assert_int_equal(store_count_other_lists(*state, "Evening", &others), 0);
    assert_int_equal(told.lists, 0);
    assert_int_equal(others, 0);
}

static void what_they_are_costs_little(void **state)
{
    struct store *store = *state;
    struct told told = {0};
    int64_t others = -1;
    int operations = 0;
    fill(store);
    sqlite3_progress_handler(store->db, OPERATIONS, count_operations, &operations);
    assert_int_equal(store_each_list(store, take, &told), 0);
    assert_int_equal(store_count_other_lists(store, "list 7", &others), 0);
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    assert_int_equal(told.lists, LISTS);
    assert_int_equal(told.tracks, LISTS * TRACKS);
    assert_int_equal(others, LISTS - 1); /* case does not count */
    assert_in_range(operations, 1, OPERATIONS_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(none),
        TEST(what_they_are_costs_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
