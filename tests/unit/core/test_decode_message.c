/*
 * test_decode_message.c: what is built is parsed to the same, and nothing out of bounds is parsed.
 */
#include "../cmocka_all.h"
#include "tutti/core/decode_message.h"

#include <stdlib.h>
#include <string.h>

static unsigned char bytes[DECODE_MESSAGE_MAX + 1];

static bool parses(size_t count)
{
    struct decode_message message;
    return decode_message_parse(bytes, count, &message);
}

static void built_is_parsed(void **state)
{
    (void)state;
    const struct decode_message messages[] = {
        {.type = DECODE_SEEK, .serial = 7, .frame = 123456789012},
        {.type = DECODE_FILE, .serial = 1, .frame = 4096},
        {.type = DECODE_OPENED, .rate_hz = 44100, .frame = -1},
        {.type = DECODE_OPENED, .rate_hz = 192000, .frame = 0},
        {.type = DECODE_PCM, .serial = 1, .frame = 5, .count = 1, .damaged = 3},
        {.type = DECODE_PCM, .serial = UINT32_MAX, .count = DECODE_PCM_FRAMES_MAX},
        {.type = DECODE_END, .serial = 2, .frame = DECODE_FRAME_MAX},
        {.type = DECODE_FAILED, .text = "it is not music"},
        {.type = DECODE_TAG, .tag = TRACK_TAG_ALBUM, .text = "Rooms"},
        {.type = DECODE_MEASURE},
        {.type = DECODE_FILE, .serial = DECODE_FILE_MP3 | DECODE_FILE_PICTURE, .frame = 1},
        {.type = DECODE_PICTURE},
        {.type = DECODE_PICTURE, .count = 1, .frame = PICTURE_BYTES_MAX},
        {.type = DECODE_PICTURE, .count = DECODE_PICTURE_PIECE_MAX, .frame = 9000},
    };
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct decode_message parsed;
        size_t count = decode_message_build(&messages[i], bytes);
        assert_true(count <= DECODE_MESSAGE_MAX);
        assert_true(decode_message_parse(bytes, count, &parsed));
        assert_int_equal(parsed.type, messages[i].type);
        assert_int_equal(parsed.serial, messages[i].serial);
        assert_int_equal(parsed.rate_hz, messages[i].rate_hz);
        assert_int_equal(parsed.count, messages[i].count);
        assert_int_equal(parsed.damaged, messages[i].damaged);
        assert_true(parsed.frame == messages[i].frame);
        assert_int_equal(parsed.tag, messages[i].tag);
        assert_string_equal(parsed.text, messages[i].text);
        assert_true((parsed.pcm != NULL) == (parsed.type == DECODE_PCM));
        assert_true((parsed.picture != NULL) ==
                    (parsed.type == DECODE_PICTURE && parsed.count > 0));
    }
}

static void length_must_fit(void **state)
{
    (void)state;
    const struct decode_message pcm = {.type = DECODE_PCM, .count = 3};
    size_t count = decode_message_build(&pcm, bytes);
    for (size_t cut = 0; cut <= count + 1; cut++)
        assert_true(parses(cut) == (cut == count));
    const struct decode_message piece = {.type = DECODE_PICTURE, .count = 3, .frame = 7};
    count = decode_message_build(&piece, bytes);
    for (size_t cut = 0; cut <= count + 1; cut++)
        assert_true(parses(cut) == (cut == count));
    const struct decode_message seek = {.type = DECODE_SEEK};
    count = decode_message_build(&seek, bytes);
    for (size_t cut = 0; cut <= count + 1; cut++)
        assert_true(parses(cut) == (cut == count));
}

static void numbers_have_bounds(void **state)
{
    (void)state;
    const struct decode_message wrong[] = {
        {.type = DECODE_SEEK, .frame = -1},
        {.type = DECODE_SEEK, .frame = DECODE_FRAME_MAX + 1},
        {.type = DECODE_OPENED, .rate_hz = DECODE_RATE_MIN_HZ - 1},
        {.type = DECODE_OPENED, .rate_hz = DECODE_RATE_MAX_HZ + 1},
        {.type = DECODE_OPENED, .rate_hz = 44100, .frame = -2},
        {.type = DECODE_PCM, .count = 0},
        {.type = DECODE_PCM, .count = 1, .frame = -1},
        {.type = DECODE_END, .frame = INT64_MIN},
        {.type = DECODE_FAILED, .text = ""},
        {.type = (enum decode_message_type)0},
        {.type = DECODE_TAG, .text = ""},
        {.type = DECODE_TAG, .tag = TRACK_TAGS, .text = "Rooms"},
        {.type = DECODE_FILE, .serial = 4},
        {.type = DECODE_FILE, .frame = -1},
        {.type = DECODE_PICTURE, .frame = 1},
        {.type = DECODE_PICTURE, .count = 2, .frame = 1},
        {.type = DECODE_PICTURE, .count = 1, .frame = PICTURE_BYTES_MAX + 1},
        {.type = (enum decode_message_type)10},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(parses(decode_message_build(&wrong[i], bytes)));
}

static void text_ends(enum decode_message_type type, size_t longest)
{
    struct decode_message message = {.type = type};
    memset(message.text, 'x', sizeof message.text);
    size_t count = decode_message_build(&message, bytes);
    assert_true(decode_message_parse(bytes, count, &message));
    assert_int_equal(strlen(message.text), longest);
    assert_false(parses(count + 1));
}

static void texts_end(void **state)
{
    (void)state;
    text_ends(DECODE_FAILED, DECODE_TEXT_MAX - 1);
    text_ends(DECODE_TAG, TRACK_TAG_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_is_parsed),
        cmocka_unit_test(length_must_fit),
        cmocka_unit_test(numbers_have_bounds),
        cmocka_unit_test(texts_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
