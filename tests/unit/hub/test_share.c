#include "../../../src/hub/share.h"
#include "../cmocka_all.h"

#include <stdio.h>

static void who_holds_nothing_gets_the_last_one(void **state)
{
    (void)state;
    assert_true(share_allows(0, 9, 10, 25));
    assert_false(share_allows(0, 10, 10, 25));
    assert_false(share_allows(1, 9, 10, 25));
    assert_true(share_allows(9, 9, 10, 100));
}

/* However much ten of them take, one after another: the next finds as much as a household needs. */
static void ten_leave_something_for_the_next(void **state)
{
    (void)state;
    static const int64_t limits[] = {32, 200, 500, 1024};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct share_table table = {0};
        char key[16];
        for (int who = 0; who < 10; who++) {
            snprintf(key, sizeof key, "10.0.0.%d", who);
            while (share_take(&table, key, limits[i], 25))
                ;
            assert_true(share_held(&table, key) > 0);
        }
        assert_true(table.used < limits[i]);
        assert_true(share_take(&table, "10.0.1.1", limits[i], 25));
        share_end(&table);
    }
}

static void what_is_given_back_is_free(void **state)
{
    (void)state;
    struct share_table table = {0};
    assert_true(share_take(&table, "ada", 2, 100));
    assert_true(share_take(&table, "grace", 2, 100));
    assert_false(share_take(&table, "ada", 2, 100));
    share_give(&table, "grace");
    share_give(&table, "grace"); /* who holds nothing gives nothing back */
    assert_int_equal(table.used, 1);
    assert_int_equal(share_held(&table, "grace"), 0);
    assert_int_equal(share_held(&table, "ada"), 1);
    assert_true(share_take(&table, "ada", 2, 100));
    share_end(&table);
}

static void many_are_taken_within_the_share(void **state)
{
    (void)state;
    struct share_table table = {0};
    assert_true(share_take_many(&table, "ada", 500, 100, 25)); /* nobody holds any */
    share_give_many(&table, "ada", 500);
    assert_int_equal(table.used, 0);
    assert_true(share_take_many(&table, "ada", 10, 100, 25));
    assert_true(share_take_many(&table, "ada", 12, 100, 25));
    assert_false(share_take_many(&table, "ada", 1, 100, 25)); /* a quarter of 78 */
    assert_false(share_take_many(&table, "grace", 79, 100, 25));
    assert_true(share_take_many(&table, "grace", 40, 100, 25));
    assert_false(share_take_many(&table, "grace", 1, 100, 25));
    assert_true(share_take_many(&table, "grace", 1, 100, 100));
    share_give_many(&table, "ada", 22);
    share_give_many(&table, "grace", 41);
    assert_int_equal(table.used, 0);
    share_end(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_holds_nothing_gets_the_last_one),
        cmocka_unit_test(ten_leave_something_for_the_next),
        cmocka_unit_test(what_is_given_back_is_free),
        cmocka_unit_test(many_are_taken_within_the_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
