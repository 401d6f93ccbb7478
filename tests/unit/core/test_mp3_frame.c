/*
 * test_mp3_frame.c: headers, rows of them, tags, and what a tag trims.
 */
#include "../cmocka_all.h"
#include "tutti/core/mp3_frame.h"

#include <string.h>

static void test_headers(void **state)
{
    (void)state;
    static const struct {
        unsigned char bytes[4];
        unsigned rate_hz;
        int channels, samples, size;
    } headers[] = {
        {{0xff, 0xfb, 0x90, 0x64}, 44100, 2, 1152, 417},
        {{0xff, 0xfb, 0x92, 0x64}, 44100, 2, 1152, 418},
        {{0xff, 0xfa, 0xe4, 0xc4}, 48000, 1, 1152, 960}, /* with a checksum */
        {{0xff, 0xfb, 0xe8, 0x00}, 32000, 2, 1152, 1440},
        {{0xff, 0xf3, 0x80, 0xc0}, 22050, 1, 576, 208},
        {{0xff, 0xe3, 0xea, 0x00}, 8000, 2, 576, 1441},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct mp3_header header;
        assert_true(mp3_header_parse(headers[i].bytes, &header));
        assert_int_equal(header.rate_hz, headers[i].rate_hz);
        assert_int_equal(header.channels, headers[i].channels);
        assert_int_equal(header.samples, headers[i].samples);
        assert_int_equal(header.bytes, headers[i].size);
        assert_true(header.bytes <= MP3_FRAME_BYTES_MAX);
    }
}

static void test_what_is_no_header(void **state)
{
    (void)state;
    static const unsigned char others[][4] = {
        {0xff, 0xfd, 0x90, 0x64}, /* layer II */
        {0xff, 0xff, 0x90, 0x64}, /* layer I */
        {0xff, 0xf9, 0x90, 0x64}, /* ADTS */
        {0xff, 0xeb, 0x90, 0x64}, /* a version that there is not */
        {0xff, 0xfb, 0x00, 0x64}, /* free format */
        {0xff, 0xfb, 0xf0, 0x64}, {0xff, 0xfb, 0x9c, 0x64},
        {0xff, 0xdb, 0x90, 0x64}, {0xfe, 0xfb, 0x90, 0x64},
    };
    struct mp3_header header;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(mp3_header_parse(others[i], &header));
}

static void put_header(unsigned char *to)
{
    memcpy(to, "\xff\xfb\x90\x64", 4);
}

static void test_rows(void **state)
{
    (void)state;
    unsigned char bytes[4 * 417] = {0};
    int whole;
    for (int i = 0; i < 3; i++)
        put_header(bytes + i * 417);
    assert_int_equal(mp3_row_at(bytes, sizeof bytes, 0, 3, &whole), MP3_ROW);
    assert_int_equal(mp3_row_at(bytes, sizeof bytes, 0, 4, &whole), MP3_NO_ROW);
    assert_int_equal(whole, 3);
    assert_int_equal(mp3_row_at(bytes, sizeof bytes, 1, 1, &whole), MP3_NO_ROW);
    assert_int_equal(mp3_row_at(bytes, 2 * 417 + 3, 0, 3, &whole), MP3_ROW_CUT);
    assert_int_equal(whole, 2);
    assert_int_equal(mp3_row_at(bytes, 2 * 417 - 1, 0, 3, &whole), MP3_ROW_CUT);
    assert_int_equal(whole, 1);
    bytes[417 + 2] = 0x94; /* another rate */
    assert_int_equal(mp3_row_at(bytes, sizeof bytes, 0, 2, &whole), MP3_NO_ROW);
}

/* A frame of 417 bytes with a tag of 385 frames, 120000 bytes, delay 576 and padding 1134. */
static struct mp3_tag tag_of(const char *name, const char *encoder)
{
    unsigned char frame[417] = {0};
    struct mp3_header header;
    struct mp3_tag tag;
    put_header(frame);
    memcpy(frame + 36, name, 4);
    memcpy(frame + 40, "\0\0\0\7\0\0\1\x81\0\1\xd4\xc0", 12);
    memcpy(frame + 52 + 100, encoder, 9);
    memcpy(frame + 52 + 100 + 21, "\x24\x04\x6e", 3);
    assert_true(mp3_header_parse(frame, &header));
    mp3_tag_parse(frame, &header, &tag);
    return tag;
}

static void test_tags(void **state)
{
    (void)state;
    struct mp3_tag tag = tag_of("Info", "LAME3.100");
    assert_true(tag.is_tag_frame);
    assert_int_equal(tag.frames, 385);
    assert_int_equal(tag.stream_bytes, 120000);
    assert_true(tag.has_delay);
    assert_int_equal(tag.delay_samples, 576);
    assert_int_equal(tag.padding_samples, 1134);
    assert_true(tag_of("Xing", "Lavc58.13").has_delay);
    assert_true(tag_of("Xing", "Lavf58.13").has_delay);
    tag = tag_of("Xing", "GOGO3.13a");
    assert_true(tag.is_tag_frame);
    assert_false(tag.has_delay);
    assert_false(tag_of("Hing", "LAME3.100").is_tag_frame);
}

static void test_a_tag_never_reads_beyond_its_frame(void **state)
{
    (void)state;
    unsigned char frame[96] = {0xff, 0xfb, 0x14, 0x00}; /* 32 kbit/s at 48 kHz */
    struct mp3_header header;
    struct mp3_tag tag;
    memcpy(frame + 36, "Xing\0\0\0\7", 8);
    assert_true(mp3_header_parse(frame, &header));
    assert_int_equal(header.bytes, sizeof frame);
    mp3_tag_parse(frame, &header, &tag);
    assert_false(tag.is_tag_frame);
}

static void test_trims(void **state)
{
    (void)state;
    struct mp3_tag tag = tag_of("Info", "LAME3.100");
    int64_t samples = 385 * 1152;
    struct mp3_trim trim = mp3_tag_trim(&tag, 1152, 120000);
    assert_int_equal(mp3_trim_played(&trim, samples), samples - 576 - 1134);
    assert_int_equal(mp3_trim_played(&trim, 576 + 529), 0);
    assert_int_equal(mp3_trim_played(&trim, 576 + 530), 1);
    /* Streams glued together: much more than the tag tells of, and its end is believed no more. */
    trim = mp3_tag_trim(&tag, 1152, 240000);
    assert_int_equal(mp3_tag_frames(&tag, 240000), 0);
    assert_int_equal(mp3_trim_played(&trim, 2 * samples), 2 * samples - 576 - 529);
    /* A little more: the next stream is played behind what is trimmed. */
    trim = mp3_tag_trim(&tag, 1152, 121000);
    assert_int_equal(mp3_trim_played(&trim, samples + 1152), samples - 576 - 1134 + 1152);
    tag = tag_of("Xing", "GOGO3.13a");
    trim = mp3_tag_trim(&tag, 1152, 120000);
    assert_int_equal(mp3_trim_played(&trim, samples), samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_what_is_no_header),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_a_tag_never_reads_beyond_its_frame),
        cmocka_unit_test(test_trims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
