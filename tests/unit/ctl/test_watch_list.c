#include "../../../src/ctl/watch_list.h"
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_list(cJSON *list, const char *wanted)
{
    char *text = cJSON_PrintUnformatted(list);
    assert_string_equal(text, wanted);
    free(text);
    /* Both ways round. */
    const cJSON *item, *before = NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (before)
            assert_ptr_equal(item->prev, before);
        before = item;
    }
    if (list->child)
        assert_ptr_equal(list->child->prev, before);
}

static void change(cJSON *list, const char *text)
{
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    watch_list_change(list, json);
    cJSON_Delete(json);
}

static void changes_are_taken_over(void **state)
{
    (void)state;
    cJSON *list = cJSON_Parse("[1,2,3]");
    change(list, "{\"at\":3,\"removed\":0,\"items\":[4,5]}");
    assert_list(list, "[1,2,3,4,5]");
    change(list, "{\"at\":0,\"removed\":1,\"items\":[7,8]}");
    assert_list(list, "[7,8,2,3,4,5]");
    change(list, "{\"at\":2,\"removed\":2,\"items\":[]}");
    assert_list(list, "[7,8,4,5]");
    change(list, "{\"at\":1,\"removed\":1,\"items\":[9]}");
    assert_list(list, "[7,9,4,5]");
    change(list, "{\"at\":3,\"removed\":1,\"items\":[]}");
    assert_list(list, "[7,9,4]");
    change(list, "{\"at\":0,\"removed\":3,\"items\":[]}");
    assert_list(list, "[]");
    change(list, "{\"at\":0,\"removed\":0,\"items\":[1]}");
    assert_list(list, "[1]");
    change(list, "{\"at\":0,\"removed\":1,\"items\":[2,3]}");
    assert_list(list, "[2,3]");
    cJSON_Delete(list);
}

static void what_does_not_fit_changes_nothing(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "{}",
        "{\"at\":4,\"removed\":0,\"items\":[1]}",
        "{\"at\":1,\"removed\":3,\"items\":[1]}",
        "{\"at\":-1,\"removed\":0,\"items\":[1]}",
        "{\"at\":0.5,\"removed\":0,\"items\":[1]}",
        "{\"at\":0,\"removed\":1e99,\"items\":[1]}",
        "{\"at\":0,\"removed\":1}",
        "{\"at\":0,\"removed\":1,\"items\":{}}",
        "{\"at\":\"0\",\"removed\":1,\"items\":[]}",
    };
    cJSON *list = cJSON_Parse("[1,2,3]");
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        change(list, odd[i]);
    assert_list(list, "[1,2,3]");
    cJSON_Delete(list);
    cJSON *json = cJSON_Parse("{\"at\":0,\"removed\":0,\"items\":[1]}");
    watch_list_change(NULL, json);
    cJSON_Delete(json);
}

static void the_status_tells_the_current_one(void **state)
{
    (void)state;
    cJSON *item = cJSON_Parse("{\"id\":\"a\",\"current\":true}");
    cJSON *here = cJSON_Parse("{\"item_id\":\"a\"}"), *there = cJSON_Parse("{\"item_id\":\"b\"}");
    cJSON *none = cJSON_Parse("{\"item_id\":null}");
    assert_true(watch_list_is_current(here, item));
    assert_false(watch_list_is_current(there, item));
    assert_false(watch_list_is_current(none, item));
    assert_true(watch_list_is_current(NULL, item));
    cJSON_Delete(item);
    cJSON_Delete(here);
    cJSON_Delete(there);
    cJSON_Delete(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_taken_over),
        cmocka_unit_test(what_does_not_fit_changes_nothing),
        cmocka_unit_test(the_status_tells_the_current_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
