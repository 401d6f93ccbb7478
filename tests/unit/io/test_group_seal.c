#include "../../../src/io/group_seal.h"
#include "../cmocka_all.h"

#include <string.h>

#define SECRET "0123456789abcdef"

static uint8_t datagram[GROUP_DATAGRAM_BYTES];

static struct group_seal *seal_for(const char *secret, const char *session_id)
{
    struct group_seal *seal = group_seal_create(secret, strlen(secret), session_id);
    assert_non_null(seal);
    return seal;
}

static void make_datagram(struct group_seal *seal)
{
    for (size_t i = 0; i < GROUP_MESSAGE_BYTES; i++)
        datagram[GROUP_PREFIX_BYTES + i] = (uint8_t)(i * 7);
    assert_true(group_seal_close(seal, datagram));
}

static void members_of_a_session_open_each_others(void **state)
{
    (void)state;
    struct group_seal *one = seal_for(SECRET, "s1"), *other = seal_for(SECRET, "s1");
    for (int i = 0; i < 3; i++) { /* the key is used again and again */
        make_datagram(one);
        assert_int_equal(group_seal_open(other, datagram, sizeof datagram), GROUP_OPENED);
        assert_int_equal(datagram[GROUP_PREFIX_BYTES + 5], 35);
    }
    group_seal_destroy(one);
    group_seal_destroy(other);
}

static void no_byte_can_be_altered(void **state)
{
    (void)state;
    struct group_seal *seal = seal_for(SECRET, "s1");
    make_datagram(seal);
    for (size_t i = 0; i < sizeof datagram; i++) {
        datagram[i] ^= 1;
        assert_int_not_equal(group_seal_open(seal, datagram, sizeof datagram), GROUP_OPENED);
        datagram[i] ^= 1;
    }
    assert_int_equal(group_seal_open(seal, datagram, sizeof datagram), GROUP_OPENED);
    group_seal_destroy(seal);
}

static void whose_it_is_not_says_why(void **state)
{
    (void)state;
    struct group_seal *seal = seal_for(SECRET, "s1"), *session = seal_for(SECRET, "s2");
    struct group_seal *stranger = seal_for("fedcba9876543210", "s1");
    make_datagram(seal);
    assert_int_equal(group_seal_open(session, datagram, sizeof datagram), GROUP_OTHER_GROUP);
    assert_int_equal(group_seal_open(stranger, datagram, sizeof datagram), GROUP_OTHER_GROUP);
    datagram[GROUP_PREFIX_BYTES] ^= 0x80; /* by one who has listened, and knows the tag */
    assert_int_equal(group_seal_open(seal, datagram, sizeof datagram), GROUP_FORGED);
    datagram[0] = 'x';
    assert_int_equal(group_seal_open(seal, datagram, sizeof datagram), GROUP_NO_DATAGRAM);
    group_seal_destroy(seal);
    group_seal_destroy(session);
    group_seal_destroy(stranger);
}

static void no_other_size_is_a_datagram(void **state)
{
    (void)state;
    struct group_seal *seal = seal_for(SECRET, "s1");
    uint8_t longer[GROUP_DATAGRAM_BYTES + 1];
    make_datagram(seal);
    memcpy(longer, datagram, sizeof datagram);
    longer[sizeof datagram] = 0;
    for (size_t bytes = 0; bytes <= sizeof longer; bytes++)
        assert_int_equal(group_seal_open(seal, longer, bytes),
                         bytes == sizeof datagram ? GROUP_OPENED : GROUP_NO_DATAGRAM);
    group_seal_destroy(seal);
}

static void the_secret_is_not_to_be_seen(void **state)
{
    (void)state;
    struct group_seal *seal = seal_for(SECRET, SECRET);
    make_datagram(seal);
    assert_null(memmem(datagram, sizeof datagram, SECRET, 8));
    group_seal_destroy(seal);
}

static void a_secret_that_is_none_makes_no_group(void **state)
{
    (void)state;
    assert_null(group_seal_create("short", 5, "s1"));
    assert_null(group_seal_create("", 0, "s1"));
    group_seal_destroy(NULL);
}

/* What other programs would have to derive: computed with Python's hmac and hashlib. */
static void derivation_and_seal_are_the_standard_ones(void **state)
{
    (void)state;
    static const uint8_t tag[] = {0x19, 0xc2, 0x3c, 0xba, 0xbb, 0x72, 0x57, 0x05};
    static const uint8_t end[] = {0x96, 0xed, 0xcd, 0xf1, 0xef, 0x6e, 0xe0, 0x20,
                                  0xc9, 0x0a, 0x5d, 0xad, 0x5c, 0xb7, 0xf9, 0xe8};
    struct group_seal *seal = seal_for(SECRET, "s1");
    make_datagram(seal);
    assert_memory_equal(datagram, "ttg1", 4);
    assert_memory_equal(datagram + 4, tag, sizeof tag);
    assert_memory_equal(datagram + sizeof datagram - GROUP_SEAL_BYTES, end, sizeof end);
    group_seal_destroy(seal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_a_session_open_each_others),
        cmocka_unit_test(no_byte_can_be_altered),
        cmocka_unit_test(whose_it_is_not_says_why),
        cmocka_unit_test(no_other_size_is_a_datagram),
        cmocka_unit_test(the_secret_is_not_to_be_seen),
        cmocka_unit_test(a_secret_that_is_none_makes_no_group),
        cmocka_unit_test(derivation_and_seal_are_the_standard_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
