/*
 * test_picture.c: what is a picture is one by its bytes, whatever else it may be called.
 */
#include "../cmocka_all.h"
#include "tutti/core/picture.h"

#include <string.h>

static enum picture_kind kind_of(const char *magic, size_t count)
{
    unsigned char bytes[64] = {0};
    memcpy(bytes, magic, count);
    return picture_kind(bytes, sizeof bytes);
}
#define KIND_OF(text) kind_of(text, sizeof text - 1)

static void three_kinds_are_known(void **state)
{
    (void)state;
    assert_int_equal(KIND_OF("\xff\xd8\xff\xe0\0\x10JFIF"), PICTURE_JPEG);
    assert_int_equal(KIND_OF("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), PICTURE_PNG);
    assert_int_equal(KIND_OF("RIFF\x10\0\0\0WEBPVP8 "), PICTURE_WEBP);
    assert_string_equal(picture_media_type(PICTURE_JPEG), "image/jpeg");
    assert_string_equal(picture_media_type(PICTURE_PNG), "image/png");
    assert_string_equal(picture_media_type(PICTURE_WEBP), "image/webp");
    assert_string_equal(picture_ending(PICTURE_JPEG), "jpg");
    assert_string_equal(picture_ending(PICTURE_PNG), "png");
    assert_string_equal(picture_ending(PICTURE_WEBP), "webp");
}

static void nothing_else_is(void **state)
{
    (void)state;
    assert_int_equal(KIND_OF("<svg xmlns='http://www.w3.org/2000/svg'>"), PICTURE_NONE);
    assert_int_equal(KIND_OF("<?xml version='1.0'?><svg/>"), PICTURE_NONE);
    assert_int_equal(KIND_OF("<!doctype html><script>"), PICTURE_NONE);
    assert_int_equal(KIND_OF("GIF89a"), PICTURE_NONE);
    assert_int_equal(KIND_OF("BM"), PICTURE_NONE);
    assert_int_equal(KIND_OF(" \xff\xd8\xff"), PICTURE_NONE);
    assert_int_equal(KIND_OF("\xff\xd8\xfe"), PICTURE_NONE);
    assert_int_equal(KIND_OF("\x89PNG\n\x1a\n"), PICTURE_NONE);
    assert_int_equal(KIND_OF("RIFF\x10\0\0\0WAVEfmt "), PICTURE_NONE);
    assert_int_equal(KIND_OF("XXXX\x10\0\0\0WEBPVP8 "), PICTURE_NONE);
    assert_int_equal(KIND_OF("http://elsewhere/cover.jpg"), PICTURE_NONE); /* "-->" of ID3 */
    assert_null(picture_media_type(PICTURE_NONE));
    assert_null(picture_ending(PICTURE_NONE));
}

static void short_ones_are_none(void **state)
{
    (void)state;
    static const unsigned char jpeg[PICTURE_PROBE_BYTES] = {0xff, 0xd8, 0xff};
    for (size_t count = 0; count < sizeof jpeg; count++)
        assert_int_equal(picture_kind(jpeg, count), PICTURE_NONE);
    assert_int_equal(picture_kind(jpeg, sizeof jpeg), PICTURE_JPEG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_kinds_are_known),
        cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(short_ones_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
