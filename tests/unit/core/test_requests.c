#include "../cmocka_all.h"
#include "tutti/core/requests.h"

#include <stdio.h>
#include <string.h>

static struct requests requests;
static struct playlist_item item = {.id = "i1", .track_id = "t1", .name = "Harbour"};
static const struct playlist_message playlist = {&item, 1};

static int set_up(void **state)
{
    (void)state;
    return requests_init(&requests) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    requests_finish(&requests);
    return 0;
}

static void put(const char *id, enum request_status status)
{
    struct request_message message = {.status = status, .new_position = -1};
    snprintf(message.id, sizeof message.id, "%s", id);
    requests_put(&requests, &message, &playlist);
}

static void a_request_is_followed_to_its_end(void **state)
{
    (void)state;
    put("r1", REQUEST_PENDING);
    put("r2", REQUEST_PENDING);
    requests_mark_mine(&requests, "r1");
    requests_mark_mine(&requests, "unheard of");
    put("r1", REQUEST_DENIED);
    assert_int_equal(requests.count, 2);
    assert_int_equal(requests_find(&requests, "r1")->message.status, REQUEST_DENIED);
    assert_true(requests_find(&requests, "r1")->mine);
    assert_false(requests_find(&requests, "r2")->mine);
    assert_null(requests_find(&requests, "r3"));
    put("r1", REQUEST_PENDING); /* by a socket that was slower */
    assert_int_equal(requests_find(&requests, "r1")->message.status, REQUEST_DENIED);
    requests_clear(&requests);
    assert_null(requests_find(&requests, "r1"));
}

static void an_item_is_called_by_its_name_even_when_it_is_gone(void **state)
{
    (void)state;
    struct request_message message = {.id = "r", .item_id = "i1", .summary = "i1"};
    requests_put(&requests, &message, &playlist);
    assert_string_equal(requests_find(&requests, "r")->message.summary, "Harbour");
    message.status = REQUEST_APPROVED;
    requests_put(&requests, &message, &(struct playlist_message){NULL, 0});
    assert_string_equal(requests_find(&requests, "r")->message.summary, "Harbour");
    assert_int_equal(requests_find(&requests, "r")->message.status, REQUEST_APPROVED);
}

static void the_decided_make_room_first(void **state)
{
    (void)state;
    char id[16];
    for (int i = 0; i < REQUESTS_MAX; i++) {
        snprintf(id, sizeof id, "r%d", i);
        put(id, i == 100 ? REQUEST_APPROVED : REQUEST_PENDING);
    }
    put("more", REQUEST_PENDING);
    assert_int_equal(requests.count, REQUESTS_MAX);
    assert_null(requests_find(&requests, "r100"));
    assert_non_null(requests_find(&requests, "r0"));
    put("yet more", REQUEST_PENDING);
    assert_int_equal(requests.count, REQUESTS_MAX);
    assert_null(requests_find(&requests, "r0"));
    assert_non_null(requests_find(&requests, "more"));
    assert_string_equal(requests.entries[REQUESTS_MAX - 1].message.id, "yet more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_followed_to_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_item_is_called_by_its_name_even_when_it_is_gone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_decided_make_room_first, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
