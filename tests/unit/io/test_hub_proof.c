#include "../cmocka_all.h"
#include "tutti/io/hub_proof.h"

#include <string.h>

#define SESSION "0123456789abcdef0123456789abcdef"
#define NONCE "00112233445566778899aabbccddeeff"

static void an_answer_is_for_one_session_one_question_and_one_address(void **state)
{
    (void)state;
    char answer[HUB_PROOF_MAX], again[HUB_PROOF_MAX], question[HUB_PROOF_MAX];
    assert_true(hub_proof_answer(SESSION, NONCE, "[10.0.0.1]:8700", answer));
    assert_int_equal(strspn(answer, "0123456789abcdef"), 64);
    assert_true(hub_proof_answer(SESSION, NONCE, "[10.0.0.1]:8700", again));
    assert_true(hub_proof_is_same(answer, again));
    assert_true(hub_proof_answer(SESSION, NONCE, "[10.0.0.2]:8700", again));
    assert_false(hub_proof_is_same(answer, again));
    assert_true(hub_proof_answer(SESSION, "ff", "[10.0.0.1]:8700", again));
    assert_false(hub_proof_is_same(answer, again));
    assert_true(hub_proof_answer("another", NONCE, "[10.0.0.1]:8700", again));
    assert_false(hub_proof_is_same(answer, again));
    assert_true(hub_proof_question(SESSION, NONCE, question));
    assert_false(hub_proof_is_same(answer, question));
    assert_false(hub_proof_is_same(answer, ""));
}

static void a_nonce_comes_once(void **state)
{
    (void)state;
    char one[HUB_PROOF_NONCE_MAX], two[HUB_PROOF_NONCE_MAX];
    assert_true(hub_proof_nonce(one) && hub_proof_nonce(two));
    assert_int_equal(strspn(one, "0123456789abcdef"), 32);
    assert_string_not_equal(one, two);
}

static void a_place_has_one_spelling(void **state)
{
    (void)state;
    char place[HUB_PROOF_PLACE_MAX];
    assert_true(hub_proof_place("192.168.1.5", 8700, place));
    assert_string_equal(place, "[192.168.1.5]:8700");
    assert_true(hub_proof_place("::ffff:192.168.1.5", 8700, place));
    assert_string_equal(place, "[192.168.1.5]:8700");
    assert_true(hub_proof_place("FE80:0::5%eth0", 80, place));
    assert_string_equal(place, "[fe80::5]:80");
    assert_false(hub_proof_place("hub.local", 8700, place));
    assert_false(hub_proof_place("", 8700, place));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_for_one_session_one_question_and_one_address),
        cmocka_unit_test(a_nonce_comes_once),
        cmocka_unit_test(a_place_has_one_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
