#include "../../../src/ctl/m3u.h"
#include "../../../src/ctl/text.h"
#include "../cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int utf8(void **state)
{
    (void)state;
    text_use_utf8();
    return 0;
}

static void assert_entry(struct m3u_reader *reader, const char *path, const char *label)
{
    struct m3u_entry entry;
    assert_true(m3u_next(reader, &entry));
    assert_string_equal(entry.path, path);
    assert_string_equal(entry.label, label);
}

static void begin(struct m3u_reader *reader, const char *text)
{
    m3u_begin(reader, text, strlen(text));
}

static void entries_have_a_path_and_a_label(void **state)
{
    (void)state;
    struct m3u_reader reader;
    struct m3u_entry entry;
    begin(&reader,
          "\xef\xbb\xbf#EXTM3U\r\n\r\n#EXTINF:61 x=\"y\",Ferry - Harbour\r\nPier/07.mp3\r\n"
          "# a comment\rmusic\\Meadow.flac\n#EXTINF:-1,Ferry, again - Tide\n"
          "file:///srv/K%c3%bcche%20%zz.mp3\n  lantern  \nlast.mp3");
    assert_entry(&reader, "Pier/07.mp3", "Ferry - Harbour");
    assert_entry(&reader, "music/Meadow.flac", "Meadow");
    assert_entry(&reader, "/srv/Küche %zz.mp3", "Ferry, again - Tide");
    assert_entry(&reader, "lantern", "lantern");
    assert_entry(&reader, "last.mp3", "last");
    assert_false(m3u_next(&reader, &entry));
    begin(&reader, "");
    assert_false(m3u_next(&reader, &entry));
}

static void what_is_no_utf8_is_latin1(void **state)
{
    (void)state;
    struct m3u_reader reader;
    begin(&reader, "#EXTINF:1,Gr\xf6\xdf"
                   "e\nK\xfc"
                   "che.mp3\nKüche.mp3\n");
    assert_entry(&reader, "Küche.mp3", "Größe");
    assert_entry(&reader, "Küche.mp3", "Küche");
}

static void nothing_in_a_file_is_harmful(void **state)
{
    (void)state;
    struct m3u_reader reader;
    struct m3u_entry entry;
    static const char controls[] =
        "#EXTINF:1,a\033[2Jb\nc\0d\a\xe2\x80\xae.mp3\nfile://%1b%00%ff\n";
    m3u_begin(&reader, controls, sizeof controls - 1);
    assert_entry(&reader, "c?d??.mp3", "a?[2Jb");
    assert_true(m3u_next(&reader, &entry));
    assert_true(text_is_clean(entry.path) && text_is_clean(entry.label));
    assert_false(m3u_next(&reader, &entry));

    char line[10001];
    memset(line, 'x', sizeof line);
    line[10000] = '\n';
    m3u_begin(&reader, line, sizeof line);
    assert_true(m3u_next(&reader, &entry));
    assert_int_equal(strlen(entry.path), M3U_PATH_MAX - 1);
    assert_int_equal(strlen(entry.label), M3U_LABEL_MAX - 1);
    assert_false(m3u_next(&reader, &entry));
}

static void any_bytes_are_read_to_their_end(void **state)
{
    (void)state;
    static const char alphabet[] = "#EXTINF:,./\\\r\n %\xc3\xbc\xff file:M";
    srand48(20);
    for (int round = 0; round < 20000; round++) {
        char bytes[64];
        size_t count = (size_t)(lrand48() % (long)sizeof bytes), entries = 0;
        for (size_t i = 0; i < count; i++)
            bytes[i] = alphabet[lrand48() % (long)sizeof alphabet];
        struct m3u_reader reader;
        struct m3u_entry entry;
        m3u_begin(&reader, bytes, count);
        while (m3u_next(&reader, &entry)) {
            char words[32];
            assert_true(text_is_clean(entry.path) && text_is_clean(entry.label));
            m3u_path_words(entry.path, 2, words, sizeof words);
            assert_true(++entries <= count);
        }
    }
}

static void paths_are_alike_from_their_ends(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int likeness;
    } cases[] = {
        {"/srv/music/Ferry/07.mp3", "Ferry/07.mp3", 2},
        {"07.mp3", "Ferry/Pier/07.mp3", 1},
        {"C:/Music/Ferry/07.mp3", "albums/ferry/07.MP3", 2},
        {"/home/Music/07.mp3", "Ferry/07.mp3", 0},
        {"../Ferry/./07.mp3", "Ferry/07.mp3", 2},
        {"Ferry/Pier/../07.mp3", "Ferry/07.mp3", 2},
        {"../../../etc/passwd", "Ferry/07.mp3", 0},
        {"Ferry//07.mp3", "Ferry/07.mp3", 2},
        {"7.mp3", "Ferry/07.mp3", 0},
        {"", "Ferry/07.mp3", 0},
        {"..", "", 0},
        {"/", ".", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(m3u_likeness(cases[i].a, cases[i].b), cases[i].likeness);
        assert_int_equal(m3u_likeness(cases[i].b, cases[i].a), cases[i].likeness);
    }
}

static void a_search_is_for_words(void **state)
{
    (void)state;
    char words[32];
    m3u_words("  Ferry's (Küche) - 07!", words, sizeof words);
    assert_string_equal(words, "Ferry s Küche 07");
    m3u_words("Ferry and a word that is cut off before this", words, sizeof words);
    assert_string_equal(words, "Ferry and a word that is cut");
    m3u_words("- - -", words, sizeof words);
    assert_string_equal(words, "");
    m3u_path_words("/srv/Ferry/Pier/07 - Harbour.mp3", 2, words, sizeof words);
    assert_string_equal(words, "Pier 07 Harbour");
    m3u_path_words("/srv/Ferry/Pier/07 - Harbour.mp3", 1, words, sizeof words);
    assert_string_equal(words, "07 Harbour");
    m3u_path_words("..", 2, words, sizeof words);
    assert_string_equal(words, "");
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const struct m3u_entry entries[] = {{"Ferry/07 - Harbour.mp3", "Ferry - Harbour"},
                                               {"#1\nsecond", "\033Tide"}};
    char *text = NULL;
    size_t count = 0;
    FILE *out = open_memstream(&text, &count);
    m3u_write_head(out);
    m3u_write(out, &entries[0], 61.6);
    m3u_write(out, &entries[1], (double)NAN);
    fclose(out);
    assert_string_equal(text, "#EXTM3U\n#EXTINF:62,Ferry - Harbour\nFerry/07 - Harbour.mp3\n"
                              "#EXTINF:-1,?Tide\n./#1?second\n");
    struct m3u_reader reader;
    m3u_begin(&reader, text, count);
    assert_entry(&reader, entries[0].path, entries[0].label);
    assert_entry(&reader, "./#1?second", "?Tide");
    free(text);
}

static void a_playlists_file_is_known_by_its_name(void **state)
{
    (void)state;
    assert_true(m3u_is_name("Sunday.m3u") && m3u_is_name("x/Sunday.M3U8"));
    assert_false(m3u_is_name("Sunday") || m3u_is_name("Sunday.m3u.mp3") || m3u_is_name(".m3u"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_have_a_path_and_a_label),
        cmocka_unit_test(what_is_no_utf8_is_latin1),
        cmocka_unit_test(nothing_in_a_file_is_harmful),
        cmocka_unit_test(any_bytes_are_read_to_their_end),
        cmocka_unit_test(paths_are_alike_from_their_ends),
        cmocka_unit_test(a_search_is_for_words),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_playlists_file_is_known_by_its_name),
    };
    return cmocka_run_group_tests(tests, utf8, NULL);
}
