/*
 * test_formats.c: lists of formats, and what a stored file is called and served as.
 */
#include "../../../src/hub/formats.h"
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

static void test_lists(void **state)
{
    (void)state;
    formats_t formats = 0;
    assert_true(formats_parse("mp3 mp4 flac ogg wav aiff", &formats));
    assert_true(formats == formats_played());
    assert_true(formats_parse("  MP3   Flac ", &formats));
    assert_true(formats_have(formats, AUDIO_MP3) && formats_have(formats, AUDIO_FLAC));
    assert_false(formats_have(formats, AUDIO_MP4));
    static const char *const wrong[] = {"",    " ",     "mp",   "mp33",          "mp3,flac",
                                        "wma", "avi",   "aac",  "a ZIP archive", "mp3 zip",
                                        "all", "mp3\n", "mp3;", "text (JSON)"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(formats_parse(wrong[i], &formats));
}

/* Of every kind: either nobody plays it, or its file's name leads back to its media type. */
static void test_what_is_stored_is_served_as_what_it_is(void **state)
{
    (void)state;
    for (int kind = 0; kind < AUDIO_KINDS; kind++) {
        char why[AUDIO_REFUSAL_MAX], ending[8], path[64];
        formats_refusal(formats_played(), (enum audio_kind)kind, why);
        assert_int_equal(why[0] == '\0', audio_kind_is_played((enum audio_kind)kind));
        if (why[0])
            continue;
        formats_ending((enum audio_kind)kind, ending);
        snprintf(path, sizeof path, "uploads/0a.%s", ending);
        assert_string_equal(formats_media_type(path), audio_kind_media_type((enum audio_kind)kind));
    }
    assert_string_equal(formats_media_type("uploads/0a.mp3"), "audio/mpeg");
    assert_string_equal(formats_media_type("uploads/0a"), "application/octet-stream");
    assert_string_equal(formats_media_type("uploads/0a.html"), "application/octet-stream");
}

static void test_the_longest_refusal_is_whole(void **state)
{
    (void)state;
    char why[AUDIO_REFUSAL_MAX];
    formats_t all_but_aiff = formats_played() & ~((formats_t)1 << AUDIO_AIFF);
    formats_refusal(all_but_aiff, AUDIO_AIFF, why);
    assert_non_null(strstr(why, "[media] formats)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_what_is_stored_is_served_as_what_it_is),
        cmocka_unit_test(test_the_longest_refusal_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
