/*
 * test_group_message.c: what was said is what is understood; what nobody says is refused.
 */
#include "../cmocka_all.h"
#include "tutti/core/group_message.h"

#include <math.h>
#include <string.h>

static struct group_message example(void)
{
    return (struct group_message){
        .kind = GROUP_ANSWER,
        .sender = UINT64_C(0xfedcba9876543210),
        .counter = UINT64_MAX,
        .sent_at = {INT64_C(123456789012345)},
        .nonce = 77,
        .received_at = {-5},
        .word = {.reference = UINT64_C(0x8000000000000001),
                 .doubted = 3,
                 .evidence = GROUP_EVIDENCE_ECHO,
                 .uncertainty_ns = 12345,
                 .wired = true,
                 .playing = true,
                 .members = 24,
                 .age_ms = UINT32_MAX,
                 .next_ms = 2000,
                 .line = {.segments = 2,
                          .segment = {{{-1000}, INT64_C(1790000000) * NS_PER_S, -123e-6},
                                      {{2000}, INT64_C(1790000000) * NS_PER_S + 1, 1.5e-12}},
                          .uncertainty_ns = 5000000},
                 .heard_ns = INT64_C(1790000001) * NS_PER_S,
                 .heard_at_known = true,
                 .heard_at = {99},
                 .playlist = UINT64_C(0xabcdef0123456789),
                 .off_ns = -71000000,
                 .off_bound_ns = 9000000,
                 .crystal = -500e-6},
    };
}

static void assert_word_equal(const struct group_word *a, const struct group_word *b)
{
    assert_int_equal(a->reference, b->reference);
    assert_int_equal(a->doubted, b->doubted);
    assert_int_equal(a->evidence, b->evidence);
    assert_int_equal(a->uncertainty_ns, b->uncertainty_ns);
    assert_int_equal(a->wired, b->wired);
    assert_int_equal(a->playing, b->playing);
    assert_int_equal(a->members, b->members);
    assert_int_equal(a->age_ms, b->age_ms);
    assert_int_equal(a->next_ms, b->next_ms);
    assert_int_equal(a->heard_ns, b->heard_ns);
    assert_int_equal(a->heard_at_known, b->heard_at_known);
    assert_int_equal(a->heard_at.ns, b->heard_at.ns);
    assert_int_equal(a->playlist, b->playlist);
    assert_int_equal(a->off_ns, b->off_ns);
    assert_int_equal(a->off_bound_ns, b->off_bound_ns);
    assert_true(fabs(a->crystal - b->crystal) < 1e-12);
    assert_int_equal(a->line.segments, b->line.segments);
    assert_int_equal(a->line.uncertainty_ns, b->line.uncertainty_ns);
    for (int i = 0; i < GROUP_SEGMENTS; i++) {
        assert_int_equal(a->line.segment[i].from.ns, b->line.segment[i].from.ns);
        assert_int_equal(a->line.segment[i].offset_ns, b->line.segment[i].offset_ns);
        assert_true(fabs(a->line.segment[i].frequency - b->line.segment[i].frequency) < 1e-12);
    }
}

static void what_was_said_is_understood(void **state)
{
    (void)state;
    struct group_message said = example(), understood;
    uint8_t bytes[GROUP_MESSAGE_BYTES];
    group_message_encode(&said, bytes);
    assert_true(group_message_decode(bytes, sizeof bytes, &understood));
    assert_int_equal(understood.kind, said.kind);
    assert_int_equal(understood.sender, said.sender);
    assert_int_equal(understood.counter, said.counter);
    assert_int_equal(understood.sent_at.ns, said.sent_at.ns);
    assert_int_equal(understood.nonce, said.nonce);
    assert_int_equal(understood.received_at.ns, said.received_at.ns);
    assert_word_equal(&understood.word, &said.word);
}

static void assert_refused(const struct group_message *message)
{
    struct group_message understood = {.counter = 42};
    uint8_t bytes[GROUP_MESSAGE_BYTES];
    group_message_encode(message, bytes);
    assert_false(group_message_decode(bytes, sizeof bytes, &understood));
    assert_int_equal(understood.counter, 42);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    struct group_message message = example();
    message.kind = 0;
    assert_refused(&message);
    message.kind = GROUP_ANSWER + 1;
    assert_refused(&message);
    message = example();
    message.sender = 0;
    assert_refused(&message);
    message = example();
    message.sent_at.ns = INT64_MAX;
    assert_refused(&message);
    message = example();
    message.word.line.segments = GROUP_SEGMENTS + 1;
    assert_refused(&message);
    message = example();
    message.word.line.segment[0].from.ns = message.word.line.segment[1].from.ns + 1;
    assert_refused(&message);
    message = example();
    message.word.line.segment[1].offset_ns = INT64_MIN;
    assert_refused(&message);
    message = example();
    message.word.line.uncertainty_ns = -1;
    assert_refused(&message);
    message = example();
    message.word.uncertainty_ns = -1;
    assert_refused(&message);
    message = example();
    message.word.off_bound_ns = -1;
    assert_refused(&message);
    message = example();
    message.word.evidence = GROUP_EVIDENCE_ECHO + 1;
    assert_refused(&message);
}

static void sizes_and_versions_of_others_are_refused(void **state)
{
    (void)state;
    struct group_message message = example(), understood;
    uint8_t bytes[GROUP_MESSAGE_BYTES + 1] = {0};
    group_message_encode(&message, bytes);
    for (size_t size = 0; size <= sizeof bytes; size++)
        assert_int_equal(group_message_decode(bytes, size, &understood),
                         size == GROUP_MESSAGE_BYTES);
    bytes[0]++;
    assert_false(group_message_decode(bytes, GROUP_MESSAGE_BYTES, &understood));
}

/* Whatever the bytes: it is refused, or says again what it was understood to say. */
static void any_bytes_are_refused_or_understood(void **state)
{
    (void)state;
    struct group_message message = example(), understood, again;
    uint8_t bytes[GROUP_MESSAGE_BYTES];
    unsigned understood_count = 0;
    for (size_t i = 1; i < GROUP_MESSAGE_BYTES; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            group_message_encode(&message, bytes);
            bytes[i] ^= (uint8_t)(1u << bit);
            if (!group_message_decode(bytes, sizeof bytes, &understood))
                continue;
            understood_count++;
            group_message_encode(&understood, bytes);
            assert_true(group_message_decode(bytes, sizeof bytes, &again));
            assert_word_equal(&again.word, &understood.word);
        }
    assert_true(understood_count > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_said_is_understood),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(sizes_and_versions_of_others_are_refused),
        cmocka_unit_test(any_bytes_are_refused_or_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
