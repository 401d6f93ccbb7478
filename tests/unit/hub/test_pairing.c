#include "../../../src/hub/pairing.h"
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)

static struct pairing_table table;

static int set_up(void **state)
{
    (void)state;
    memset(&table, 0, sizeof table);
    return 0;
}

static struct pairing *add(const char *address, const char *name, unsigned char key)
{
    struct pairing *entry = pairing_add(&table, address, 25);
    if (!entry)
        return NULL;
    snprintf(entry->id, sizeof entry->id, "id%u", key);
    snprintf(entry->name, sizeof entry->name, "%s", name);
    snprintf(entry->device_id, sizeof entry->device_id, "%08x", key);
    snprintf(entry->sign, sizeof entry->sign, "%04u", key);
    memset(entry->key_hash, key, sizeof entry->key_hash);
    return entry;
}

static void who_is_not_heard_of_is_forgotten_and_wiped(void **state)
{
    (void)state;
    struct pairing *old = add("a", "old", 1), *young = add("a", "young", 2);
    old->heard_ns = 0;
    snprintf(old->token, sizeof old->token, "secret");
    young->heard_ns = 10 * NS_PER_S;
    pairing_forget_old(&table, 599 * NS_PER_S);
    assert_ptr_equal(pairing_find(&table, "id1"), old);
    pairing_forget_old(&table, 601 * NS_PER_S);
    assert_null(pairing_find(&table, "id1"));
    assert_int_equal(old->token[0], 0);
    assert_ptr_equal(pairing_find(&table, "id2"), young);
    pairing_forget_old(&table, 610 * NS_PER_S);
    assert_null(pairing_find(&table, "id2"));
}

static void one_is_known_by_its_key_alone(void **state)
{
    (void)state;
    unsigned char hash[PAIRING_KEY_HASH_BYTES];
    struct pairing *one = add("a", "one", 1);
    memset(hash, 1, sizeof hash);
    assert_ptr_equal(pairing_of_key(&table, hash), one);
    hash[31] = 2;
    assert_null(pairing_of_key(&table, hash));
    memset(hash, 0, sizeof hash); /* as unused entries have it */
    assert_null(pairing_of_key(&table, hash));
    assert_true(pairing_is_sign_taken(&table, "0001"));
    assert_false(pairing_is_sign_taken(&table, ""));
}

static void doubles_are_seen(void **state)
{
    (void)state;
    struct pairing *one = add("a", "Kitchen", 1), *two = add("b", "kitchen", 2);
    struct pairing *three = add("c", "Study", 3);
    assert_true(pairing_has_double(&table, one) && pairing_has_double(&table, two));
    assert_false(pairing_has_double(&table, three));
    strcpy(three->device_id, one->device_id);
    assert_true(pairing_has_double(&table, three));
}

static void an_address_has_its_share(void **state)
{
    (void)state;
    int taken = 0;
    for (int i = 0; i < 1000; i++)
        taken += add("flood", "x", (unsigned char)i) != NULL;
    assert_in_range(taken, 1, PAIRING_MAX / 4);
    for (int i = 0; i < 10; i++) {
        char address[16];
        snprintf(address, sizeof address, "other%d", i);
        assert_non_null(add(address, "y", (unsigned char)i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(who_is_not_heard_of_is_forgotten_and_wiped, set_up),
        cmocka_unit_test_setup(one_is_known_by_its_key_alone, set_up),
        cmocka_unit_test_setup(doubles_are_seen, set_up),
        cmocka_unit_test_setup(an_address_has_its_share, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
