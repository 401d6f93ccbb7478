#include "../cmocka_all.h"
#include "tutti/core/playlist.h"

#include <string.h>

static struct playlist_item items[3];
static const struct playlist_message playlist = {items, 3};

static int set_up(void **state)
{
    static const char *const tracks[] = {"a", "b", "a"};
    static const char *const ids[] = {"1", "2", "3"};
    (void)state;
    memset(items, 0, sizeof items);
    for (int i = 0; i < 3; i++) {
        strcpy(items[i].id, ids[i]);
        strcpy(items[i].track_id, tracks[i]);
    }
    return 0;
}

static void items_are_found_by_either_id(void **state)
{
    (void)state;
    assert_ptr_equal(playlist_find(&playlist, "3"), &items[2]);
    assert_null(playlist_find(&playlist, "4"));
    assert_ptr_equal(playlist_find_track(&playlist, "a"), &items[0]);
    assert_null(playlist_find_track(&playlist, "c"));
    assert_int_equal(playlist_count_track(&playlist, "a"), 2);
}

static void steps_end_at_the_ends(void **state)
{
    (void)state;
    assert_ptr_equal(playlist_step(&playlist, &items[1], 1), &items[2]);
    assert_ptr_equal(playlist_step(&playlist, &items[1], -1), &items[0]);
    assert_ptr_equal(playlist_step(&playlist, &items[1], 0), &items[1]);
    assert_null(playlist_step(&playlist, &items[2], 1));
    assert_null(playlist_step(&playlist, &items[0], -1));
}

static void equality_is_of_tracks_places_and_order(void **state)
{
    (void)state;
    struct playlist_item others[3];
    struct playlist_message other = {others, 3};
    memcpy(others, items, sizeof items);
    strcpy(others[1].name, "only a name");
    assert_true(playlist_equal(&playlist, &other));
    strcpy(others[1].media_url, "/elsewhere");
    assert_false(playlist_equal(&playlist, &other));
    memcpy(others, items, sizeof items);
    others[0] = items[2];
    others[2] = items[0];
    assert_false(playlist_equal(&playlist, &other));
    assert_false(playlist_equal(&playlist, &(struct playlist_message){others, 2}));
}

static void a_media_path_is_what_follows_static(void **state)
{
    (void)state;
    char path[PROTOCOL_PATH_MAX] = "as before";
    assert_false(playlist_media_path(&items[0], path));
    strcpy(items[0].media_url, "/static/uploads/x.mp3");
    assert_true(playlist_media_path(&items[0], path));
    assert_string_equal(path, "uploads/x.mp3");
    strcpy(items[0].media_url, "http://house:8700/static/uploads/y.mp3");
    assert_true(playlist_media_path(&items[0], path));
    assert_string_equal(path, "uploads/y.mp3");
    strcpy(items[0].media_url, "http://elsewhere/y.mp3");
    assert_false(playlist_media_path(&items[0], path));
    strcpy(items[0].media_url, "/static/");
    assert_false(playlist_media_path(&items[0], path));
    strcpy(items[0].media_url, "/static/");
    memset(items[0].media_url + 8, 'x', PROTOCOL_PATH_MAX);
    assert_false(playlist_media_path(&items[0], path));
    assert_string_equal(path, "uploads/y.mp3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(items_are_found_by_either_id, set_up),
        cmocka_unit_test_setup(steps_end_at_the_ends, set_up),
        cmocka_unit_test_setup(equality_is_of_tracks_places_and_order, set_up),
        cmocka_unit_test_setup(a_media_path_is_what_follows_static, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
