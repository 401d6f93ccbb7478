#include "../../../src/ctl/lookup.h"
#include "../../../src/ctl/members.h"
#include "../../../src/ctl/text.h"
#include "../cmocka_all.h"

static cJSON *playlist, *requests;

static int setup(void **state)
{
    (void)state;
    text_use_utf8();
    playlist = cJSON_Parse("[{\"id\":\"i1\",\"track_id\":\"harbour\",\"name\":\"Harbour\"},"
                           "{\"id\":\"i2\",\"track_id\":\"t2\",\"name\":\"Harbour (Live)\"},"
                           "{\"id\":\"i3\",\"track_id\":\"t3\",\"name\":\"Meadow\"},"
                           "{\"id\":\"i4\",\"track_id\":\"t3\",\"name\":\"Meadow\"},"
                           "{\"id\":\"i5\",\"track_id\":\"99\",\"name\":\"Lake 2\"},"
                           "{\"id\":\"i6\",\"track_id\":\"t6\",\"name\":\"Born in 2000\"}]");
    requests =
        cJSON_Parse("[{\"id\":\"ab12cd\"},{\"id\":\"ab12ef\"},{\"id\":\"7\"},{\"id\":\"70\"}]");
    return playlist && requests ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    cJSON_Delete(playlist);
    cJSON_Delete(requests);
    return 0;
}

static const char *item(const char *word, enum lookup_aim aim)
{
    char error[LOOKUP_ERROR_MAX] = "";
    const cJSON *found = lookup_item(playlist, word, aim, error);
    assert_true(found || error[0]);
    return found ? member_text(found, "id") : NULL;
}

static void the_most_exact_way_wins(void **state)
{
    (void)state;
    assert_string_equal(item("1", LOOKUP_ITEM), "i1");
    assert_string_equal(item("5", LOOKUP_ITEM), "i5");
    assert_string_equal(item("i3", LOOKUP_ITEM), "i3");
    assert_string_equal(item("t2", LOOKUP_ITEM), "i2");
    assert_string_equal(item("99", LOOKUP_ITEM), "i5"); /* no such number, but such a track */
    assert_string_equal(item("HARBOUR", LOOKUP_ITEM),
                        "i1"); /* the whole name, though two begin so */
    assert_string_equal(item("live", LOOKUP_ITEM), "i2");
    assert_string_equal(item("2", LOOKUP_ITEM), "i2"); /* the number, not a part of "Lake 2" */
}

static void what_matches_nothing_is_told(void **state)
{
    (void)state;
    char error[LOOKUP_ERROR_MAX];
    assert_null(lookup_item(playlist, "sea", LOOKUP_ITEM, error));
    assert_string_equal(error, "nothing on the playlist matches sea; see tuttictl playlist");
    assert_null(item("0", LOOKUP_ITEM));
    assert_null(item("7", LOOKUP_ITEM));
    assert_null(lookup_item(playlist, "2000", LOOKUP_ITEM, error)); /* whose name has it, or not */
    assert_string_equal(error, "there is no track 2000: the playlist has 6");
    assert_null(lookup_item(playlist, "12", LOOKUP_TRACK, error));
    assert_string_equal(error, "there is no track 12: the playlist has 6");
    assert_null(item("", LOOKUP_ITEM));
    assert_null(lookup_item(NULL, "1", LOOKUP_ITEM, error));
}

static void what_is_ambiguous_is_told(void **state)
{
    (void)state;
    char error[LOOKUP_ERROR_MAX];
    assert_null(lookup_item(playlist, "ar", LOOKUP_ITEM, error));
    assert_string_equal(error, "ar matches 2 tracks: 1 Harbour, 2 Harbour (Live)");
    assert_null(lookup_item(playlist, "e", LOOKUP_ITEM, error));
    assert_string_equal(error, "e matches 4 tracks: 2 Harbour (Live), 3 Meadow, 4 Meadow ...");
}

static void two_items_of_one_track_differ_only_as_items(void **state)
{
    (void)state;
    char error[LOOKUP_ERROR_MAX];
    assert_string_equal(item("meadow", LOOKUP_TRACK), "i3");
    assert_string_equal(item("t3", LOOKUP_TRACK), "i3");
    assert_null(lookup_item(playlist, "t3", LOOKUP_ITEM, error));
    assert_string_equal(error, "t3 matches 2 tracks: 3 Meadow, 4 Meadow");
}

static void requests_are_named_by_a_beginning(void **state)
{
    (void)state;
    char error[LOOKUP_ERROR_MAX] = "";
    assert_string_equal(lookup_request(requests, "ab12c", error), "ab12cd");
    assert_string_equal(lookup_request(requests, "7", error), "7"); /* whole, though 70 begins so */
    assert_string_equal(lookup_request(requests, "unheard", error), "unheard");
    assert_string_equal(error, "");
    assert_null(lookup_request(requests, "ab", error));
    assert_string_equal(error, "the ids of 2 requests begin with ab; see tuttictl requests");
    assert_int_equal(lookup_request_prefix(requests), 5);
    assert_int_equal(lookup_request_prefix(NULL), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_exact_way_wins),
        cmocka_unit_test(what_matches_nothing_is_told),
        cmocka_unit_test(what_is_ambiguous_is_told),
        cmocka_unit_test(two_items_of_one_track_differ_only_as_items),
        cmocka_unit_test(requests_are_named_by_a_beginning),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
