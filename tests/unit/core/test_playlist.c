#include "../cmocka_all.h"
#include "tutti/core/playlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST PROTOCOL_PLAYLIST_MAX

static size_t comparisons;

/* Ours instead of libc's: counted. */
int strcmp(const char *a, const char *b)
{
    comparisons++;
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

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

static uint64_t digest_of(size_t count)
{
    struct playlist_message whole = {items, count};
    assert_true(playlist_index_create(&whole));
    uint64_t digest = playlist_id_digest(&whole);
    whole.items = NULL; /* which are the test's own */
    whole.count = 0;
    playlist_message_finish(&whole);
    return digest;
}

static void a_digest_is_of_the_ids_in_their_order(void **state)
{
    (void)state;
    uint64_t digest = digest_of(3), none = digest_of(0);
    assert_true(digest != 0 && none != 0 && digest != none && digest_of(2) != digest);
    strcpy(items[1].name, "only a name");
    assert_true(digest_of(3) == digest);
    strcpy(items[0].id, "2");
    strcpy(items[1].id, "1");
    assert_true(digest_of(3) != digest);
    assert_true(playlist_id_digest(&playlist) == 0); /* no index */
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

/* --- with an index ------------------------------------------------------------------------- */

static struct playlist_message make(size_t count, unsigned tracks)
{
    struct playlist_message made = {.items = calloc(count + 1, sizeof *made.items), .count = count};
    assert_non_null(made.items);
    for (size_t i = 0; i < count; i++) {
        snprintf(made.items[i].id, PROTOCOL_ID_MAX, "%zu", i * 7919 % count);
        snprintf(made.items[i].track_id, PROTOCOL_ID_MAX, "t%zu", i % tracks);
    }
    return made;
}

static struct playlist_message make_with_index(size_t count, unsigned tracks)
{
    struct playlist_message made = make(count, tracks);
    assert_true(playlist_index_create(&made));
    return made;
}

static void an_index_finds_what_looking_through_finds(void **state)
{
    (void)state;
    for (unsigned tracks = 1; tracks <= 40; tracks += 13) {
        struct playlist_message with = make_with_index(100, tracks), without = with;
        without.index = NULL;
        for (int i = -1; i <= 100; i++) {
            char id[PROTOCOL_ID_MAX], track[PROTOCOL_ID_MAX];
            snprintf(id, sizeof id, "%d", i);
            snprintf(track, sizeof track, "t%d", i);
            assert_ptr_equal(playlist_find(&with, id), playlist_find(&without, id));
            assert_ptr_equal(playlist_find_track(&with, track),
                             playlist_find_track(&without, track));
            assert_int_equal(playlist_count_track(&with, track),
                             playlist_count_track(&without, track));
        }
        playlist_message_finish(&with);
    }
}

/* 2^15 > 20,000. */
static void a_search_takes_few_comparisons_however_many_items(void **state)
{
    (void)state;
    struct playlist_message most = make_with_index(MOST, 1), other = make_with_index(MOST, 1);
    comparisons = 0;
    assert_non_null(playlist_find(&most, "19999"));
    assert_null(playlist_find(&most, "none"));
    assert_true(comparisons <= 2 * 16);
    comparisons = 0;
    assert_ptr_equal(playlist_find_track(&most, "t0"), &most.items[0]);
    assert_int_equal(playlist_count_track(&most, "t0"), MOST);
    assert_true(comparisons <= 3 * 16);
    comparisons = 0;
    assert_true(playlist_equal(&most, &other));
    assert_int_equal(comparisons, 0);
    playlist_message_finish(&most);
    playlist_message_finish(&other);
}

static void equality_is_the_same_with_an_index(void **state)
{
    (void)state;
    struct playlist_message a = make_with_index(50, 5), b = make(50, 5), c = make(50, 5);
    strcpy(b.items[7].name, "only a name");
    strcpy(c.items[7].media_url, "/elsewhere");
    assert_true(playlist_index_create(&b) && playlist_index_create(&c));
    assert_true(playlist_equal(&a, &b));
    assert_false(playlist_equal(&a, &c));
    assert_true(playlist_prints(&a)[6] == playlist_prints(&b)[6]);
    assert_true(playlist_prints(&a)[7] != playlist_prints(&b)[7]);
    playlist_message_finish(&a);
    playlist_message_finish(&b);
    playlist_message_finish(&c);
}

static void what_is_shared_stays_until_the_last_has_finished(void **state)
{
    (void)state;
    struct playlist_message first = make_with_index(3, 3);
    assert_true(playlist_is_last(&first));
    struct playlist_message second = playlist_share(&first);
    assert_false(playlist_is_last(&first));
    playlist_message_finish(&first);
    assert_int_equal(first.count, 0);
    assert_true(playlist_is_last(&second));
    assert_string_equal(second.items[2].track_id, "t2");
    playlist_message_finish(&second);
}

/* --- changes ------------------------------------------------------------------------------- */

static size_t apply(uint64_t *list, size_t count, const struct playlist_change *change,
                    const uint64_t *to)
{
    size_t rest = count - change->at - change->removed;
    memmove(list + change->at + change->added, list + change->at + change->removed,
            rest * sizeof *list);
    memcpy(list + change->at, to + change->at, change->added * sizeof *list);
    return count - change->removed + change->added;
}

/* How many items are told. */
static size_t change_list(uint64_t *list, size_t count, const uint64_t *to, size_t to_count)
{
    struct playlist_change changes[PLAYLIST_CHANGES_MAX];
    size_t told = 0, many = playlist_compare(list, count, to, to_count, changes);
    for (size_t i = 0; i < many; i++) {
        count = apply(list, count, &changes[i], to);
        told += changes[i].added;
    }
    assert_int_equal(count, to_count);
    assert_memory_equal(list, to, to_count * sizeof *list);
    return told;
}

static void small_changes_are_told_in_few_items(void **state)
{
    (void)state;
    uint64_t list[12] = {1, 2, 3, 4, 5, 6, 7};
    assert_int_equal(change_list(list, 7, (uint64_t[]){1, 2, 3, 4, 5, 6, 7}, 7), 0);
    assert_int_equal(change_list(list, 7, (uint64_t[]){1, 2, 3, 8, 4, 5, 6, 7}, 8), 1);
    assert_int_equal(change_list(list, 8, (uint64_t[]){2, 3, 8, 4, 5, 6, 7}, 7), 0);
    assert_int_equal(change_list(list, 7, (uint64_t[]){3, 8, 4, 5, 6, 2, 7}, 7), 1); /* down */
    assert_int_equal(change_list(list, 7, (uint64_t[]){6, 3, 8, 4, 5, 2, 7}, 7), 1); /* up */
    assert_int_equal(change_list(list, 7, (uint64_t[]){6, 3, 8, 9, 5, 2, 7}, 7), 1);
    assert_int_equal(change_list(list, 7, (uint64_t[]){0}, 0), 0);
    assert_int_equal(change_list(list, 0, (uint64_t[]){5, 5}, 2), 2);
}

static void any_change_can_be_told(void **state)
{
    (void)state;
    srand(20261128);
    uint64_t list[64], to[64];
    size_t count = 0;
    for (int round = 0; round < 20000; round++) {
        size_t to_count = (size_t)rand() % 9;
        for (size_t i = 0; i < to_count; i++)
            to[i] = (uint64_t)(rand() % 3);
        change_list(list, count, to, to_count);
        count = to_count;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(items_are_found_by_either_id, set_up),
        cmocka_unit_test_setup(steps_end_at_the_ends, set_up),
        cmocka_unit_test_setup(equality_is_of_tracks_places_and_order, set_up),
        cmocka_unit_test_setup(a_digest_is_of_the_ids_in_their_order, set_up),
        cmocka_unit_test_setup(a_media_path_is_what_follows_static, set_up),
        cmocka_unit_test(an_index_finds_what_looking_through_finds),
        cmocka_unit_test(a_search_takes_few_comparisons_however_many_items),
        cmocka_unit_test(equality_is_the_same_with_an_index),
        cmocka_unit_test(what_is_shared_stays_until_the_last_has_finished),
        cmocka_unit_test(small_changes_are_told_in_few_items),
        cmocka_unit_test(any_change_can_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
