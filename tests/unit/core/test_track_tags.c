/*
 * test_track_tags.c: what files say of themselves is within bounds, harmless, and understood.
 */
#include "../cmocka_all.h"
#include "tutti/core/track_tags.h"
#include "tutti/core/utf8.h"

#include <math.h>
#include <string.h>

static struct track_tags tags;

static void take(enum track_tag tag, const char *text)
{
    track_tags_take(&tags, tag, text, strlen(text));
}

static int start(void **state)
{
    (void)state;
    tags = track_tags_none();
    return 0;
}

static void texts_are_kept(void **state)
{
    (void)state;
    assert_false(track_tags_are_told(&tags));
    take(TRACK_TAG_TITLE, "  Harbour \n");
    take(TRACK_TAG_ARTIST, "Küche");
    take(TRACK_TAG_ALBUM, "Rooms");
    assert_string_equal(tags.title, "Harbour");
    assert_string_equal(tags.artist, "Küche");
    assert_string_equal(tags.album, "Rooms");
    assert_true(track_tags_are_told(&tags));
}

static void texts_are_harmless(void **state)
{
    (void)state;
    take(TRACK_TAG_TITLE, "a\x1b[2Jb\nc");
    take(TRACK_TAG_ARTIST, "\xff\xfe K\xc3");
    take(TRACK_TAG_ALBUM, " \t ");
    assert_string_equal(tags.title, "a?[2Jb?c");
    assert_string_equal(tags.artist, "?? K?");
    assert_string_equal(tags.album, "");
}

static void texts_end_with_a_character(void **state)
{
    char text[2 * TRACK_TAG_MAX];
    (void)state;
    for (size_t from = 0; from < 2; from++) { /* an odd number of bytes, then an even one */
        memset(text, 'x', sizeof text);
        for (size_t i = from; i + 1 < sizeof text; i += 2)
            memcpy(text + i, "ü", 2);
        track_tags_take(&tags, TRACK_TAG_TITLE, text, sizeof text);
        assert_true(strlen(tags.title) >= TRACK_TAG_MAX - 2);
        assert_true(utf8_is_valid(tags.title, strlen(tags.title)));
        assert_null(strchr(tags.title, '?'));
    }
}

static void text_ends_at_a_zero(void **state)
{
    (void)state;
    track_tags_take(&tags, TRACK_TAG_TITLE, "Bath\0room", 9);
    assert_string_equal(tags.title, "Bath");
}

static void numbers_on_the_album(void **state)
{
    (void)state;
    assert_int_equal(tags.number, 0);
    take(TRACK_TAG_NUMBER, "3/12");
    assert_int_equal(tags.number, 3);
    static const char *const wrong[] = {"", "A1", "0", "-2", "10000", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        take(TRACK_TAG_NUMBER, wrong[i]);
    assert_int_equal(tags.number, 3);
    take(TRACK_TAG_NUMBER, "07");
    assert_int_equal(tags.number, 7);
}

static void gains_and_peaks(void **state)
{
    (void)state;
    assert_false(loudness_is_known(&tags.loudness));
    take(TRACK_TAG_TRACK_GAIN, "-6.52 dB");
    take(TRACK_TAG_TRACK_PEAK, "0.988553");
    take(TRACK_TAG_ALBUM_GAIN, "+3,25 dB");
    take(TRACK_TAG_ALBUM_PEAK, "1");
    assert_float_equal(tags.loudness.track_gain_db, -6.52, 1e-9);
    assert_float_equal(tags.loudness.track_peak, 0.988553, 1e-9);
    assert_float_equal(tags.loudness.album_gain_db, 3.25, 1e-9);
    assert_float_equal(tags.loudness.album_peak, 1, 1e-9);
}

/* Opus: to -23 LUFS, which is 5 dB below ReplayGain's. */
static void gains_of_opus(void **state)
{
    (void)state;
    take(TRACK_TAG_R128_TRACK_GAIN, "-2560");
    take(TRACK_TAG_R128_ALBUM_GAIN, "128");
    assert_float_equal(tags.loudness.track_gain_db, -5, 1e-9);
    assert_float_equal(tags.loudness.album_gain_db, 5.5, 1e-9);
}

static void nonsense_is_no_gain(void **state)
{
    static const char *const wrong[] = {"",  "loud", "nan",   "inf", "-",  "+",
                                        ".", "-999", "1e300", "0x1", "--1"};
    (void)state;
    take(TRACK_TAG_TRACK_GAIN, "-1");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        take(TRACK_TAG_TRACK_GAIN, wrong[i]);
        take(TRACK_TAG_ALBUM_PEAK, wrong[i]);
        assert_false(fabs(tags.loudness.track_gain_db) > LOUDNESS_GAIN_MAX_DB);
    }
    take(TRACK_TAG_ALBUM_PEAK, "0");
    take(TRACK_TAG_ALBUM_PEAK, "1000000");
    assert_false(tags.loudness.album_peak > LOUDNESS_PEAK_MAX || tags.loudness.album_peak <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(texts_are_kept, start),
        cmocka_unit_test_setup(texts_are_harmless, start),
        cmocka_unit_test_setup(texts_end_with_a_character, start),
        cmocka_unit_test_setup(text_ends_at_a_zero, start),
        cmocka_unit_test_setup(numbers_on_the_album, start),
        cmocka_unit_test_setup(gains_and_peaks, start),
        cmocka_unit_test_setup(gains_of_opus, start),
        cmocka_unit_test_setup(nonsense_is_no_gain, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
