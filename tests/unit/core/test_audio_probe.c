/*
 * test_audio_probe.c: the verdict does not depend on how the bytes come, work is bounded, and
 * beginnings are where libavformat has them. Whole files are judged in
 * tests/unit/hub/test_track_check.c.
 */
#include "../cmocka_all.h"
#include "tutti/core/audio_probe.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (3 << 20)
#define FRAME_BYTES 417

static unsigned char bytes[BYTES_MAX];
static size_t count;

static void begin(void)
{
    count = 0;
    memset(bytes, 0, sizeof bytes);
}

static void add(const char *text, size_t size)
{
    memcpy(bytes + count, text, size);
    count += size;
}

static void add_frames(int frames, char mode)
{
    while (frames-- > 0) {
        memcpy(bytes + count, "\xff\xfb\x90", 3);
        bytes[count + 3] = (unsigned char)mode;
        count += FRAME_BYTES;
    }
}

static void add_music(int frames)
{
    add_frames(frames, 0x64);
}

static void add_id3(size_t says, size_t has)
{
    char head[10] = "ID3\3\0\0";
    for (int i = 0; i < 4; i++)
        head[6 + i] = (char)(says >> (7 * (3 - i)) & 0x7f);
    add(head, sizeof head);
    count += has;
}

/* As it comes, at most `more` bytes at a time, as much as a window kept of it. */
static struct audio_probe probe_by(size_t more)
{
    struct audio_probe probe;
    size_t came = 0;
    bool done = false;
    audio_probe_init(&probe);
    while (!done) {
        came = count - came < more ? count : came + more;
        size_t at = (size_t)probe.offset < came ? (size_t)probe.offset : came;
        size_t there = came - at;
        if (there > AUDIO_PROBE_WINDOW_BYTES)
            there = AUDIO_PROBE_WINDOW_BYTES;
        int64_t before = probe.offset;
        bool at_end = at + there == count;
        done = audio_probe_step(&probe, bytes + at, there, at_end);
        assert_true(!at_end || done);
        if (there == AUDIO_PROBE_WINDOW_BYTES)
            assert_true(done || probe.offset > before);
        if (there == AUDIO_PROBE_WINDOW_BYTES && !done)
            came = (size_t)before + there; /* what was not shown comes again */
    }
    return probe;
}

static struct audio_probe probe(void)
{
    static const size_t pieces[] = {1, 977, 40000};
    struct audio_probe first = probe_by(BYTES_MAX);
    for (size_t i = count > 200000 ? 1 : 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct audio_probe other = probe_by(pieces[i]);
        assert_int_equal(other.kind, first.kind);
        assert_int_equal(other.begin, first.begin);
        assert_int_equal(other.tag.frames, first.tag.frames);
    }
    return first;
}

static void check_begin(size_t at)
{
    struct audio_probe verdict = probe();
    assert_int_equal(verdict.kind, AUDIO_MP3);
    assert_int_equal(verdict.begin, at);
}

static void test_where_music_begins(void **state)
{
    (void)state;
    begin();
    add_music(10);
    check_begin(0);
    begin();
    count = 70000;
    add_music(10);
    check_begin(70000);
    begin();
    add_id3(300000, 300000);
    add_music(10);
    check_begin(300010);
    begin();
    add_id3(1000, 1000);
    add_id3(0, 0);
    add_id3(70000, 70000);
    add_music(10);
    check_begin(3 * 10 + 71000);
}

static void test_wrong_sizes_of_tags(void **state)
{
    (void)state;
    begin();
    add_id3(100, 90000);
    add_music(10);
    check_begin(90010);
    begin();
    add_id3(90000000, 90000); /* far beyond the end */
    add_music(10);
    check_begin(90010);
    begin();
    add_id3(2000000, 2000000 - 10 * FRAME_BYTES); /* to the end */
    add_music(10);
    assert_int_equal(probe().kind, AUDIO_UNKNOWN); /* farther in than is looked */
}

static void test_rows_in_a_tag_are_no_music(void **state)
{
    (void)state;
    begin();
    add_id3(20000, 0);
    add_music(40);
    count = 20010;
    memset(bytes + 40 * FRAME_BYTES + 10, 0, BYTES_MAX - 40 * FRAME_BYTES - 10);
    add_music(10);
    check_begin(20010);
}

static void test_short_rows_are_no_music(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 50; i++) {
        add_music(3);
        count += 9000;
    }
    assert_int_equal(probe().kind, AUDIO_UNKNOWN);
    add_music(4);
    size_t end = count;
    check_begin(end - 4 * FRAME_BYTES);
}

static void test_two_headers_begin_if_a_row_follows_soon(void **state)
{
    (void)state;
    begin();
    add_music(2);
    count += 2000;
    add_music(10);
    check_begin(0);
    begin();
    add_music(2);
    count += 20000;
    add_music(10);
    check_begin(2 * FRAME_BYTES + 20000);
}

/* Behind zeros an Info frame of libavcodec's is no music: its header differs from the music's. */
static void test_it_begins_where_two_headers_are_the_same(void **state)
{
    (void)state;
    begin();
    count = 5000;
    add_frames(1, 0);
    add_frames(5, 0x44);
    add_frames(5, 0x64); /* the mode's extension */
    check_begin(5000 + FRAME_BYTES);
    begin();
    add_frames(1, (char)0xc4);
    add_frames(1, 0x44);
    add_frames(1, 0x46);
    add_frames(10, 0x04);
    check_begin(3 * FRAME_BYTES);
}

static void add_changing(int frames)
{
    for (int i = 0; i < frames; i++)
        add_frames(1, i % 2 ? 0x44 : 0x04);
}

/* It is not refused for that. */
static void test_where_no_two_are_the_same_it_begins_with_the_first(void **state)
{
    (void)state;
    begin();
    count = 1000;
    add_changing(20);
    check_begin(1000);
    begin();
    count = 1000;
    add_changing(200); /* so far libavformat compares */
    add_music(10);
    check_begin(1000);
    begin();
    count = 66000;
    add_changing(20);
    check_begin(66000);
    begin();
    count = 1000;
    add_changing(20);
    count += 30000;
    add_music(10);
    check_begin(31000 + 20 * FRAME_BYTES);
}

static void test_names_behind_tags(void **state)
{
    (void)state;
    begin();
    add_id3(50000, 50000);
    add("fLaC", 4);
    count += 5000;
    add_music(10);
    assert_int_equal(probe().kind, AUDIO_FLAC);
    begin();
    assert_int_equal(probe().kind, AUDIO_EMPTY);
    char why[AUDIO_REFUSAL_MAX];
    for (int kind = 0; kind < AUDIO_KINDS; kind++) {
        audio_probe_refusal((enum audio_kind)kind, why);
        assert_int_equal(strlen(why) > 0, !audio_kind_is_played((enum audio_kind)kind));
    }
}

/* As an archive of mp3s has them, or a film with mp3 as its sound. */
static void test_what_has_a_sure_name_is_no_mp3_whatever_is_in_it(void **state)
{
    (void)state;
    static const struct {
        size_t at, bytes;
        const char *magic;
        enum audio_kind kind;
    } files[] = {
        {8, 4, "AVI ", AUDIO_AVI},
        {0, 4, "FORM", AUDIO_AIFF},
        {0, 4, "fLaC", AUDIO_FLAC},
        {0, 4, "OggS", AUDIO_OGG},
        {4, 4, "ftyp", AUDIO_MP4},
        {4, 4, "moov", AUDIO_MP4},
        {4, 4, "mdat", AUDIO_MP4},
        {0, 4, "\x1a\x45\xdf\xa3", AUDIO_MATROSKA},
        {0, 8, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", AUDIO_ASF},
        {0, 4, "ADIF", AUDIO_AAC},
        {0, 4, "\0\0\1\xba", AUDIO_MPEG_PS},
        {0, 5, "#!AMR", AUDIO_AMR},
        {0, 4, "caff", AUDIO_CAF},
        {0, 4, ".snd", AUDIO_AU},
        {0, 4, "MAC ", AUDIO_MONKEYS},
        {0, 4, "wvpk", AUDIO_WAVPACK},
        {0, 4, "MPCK", AUDIO_MUSEPACK},
        {0, 3, "MP+", AUDIO_MUSEPACK},
        {0, 4, "MThd", AUDIO_MIDI},
        {0, 4, "PK\3\4", AUDIO_ZIP},
        {0, 4, "PK\5\6", AUDIO_ZIP},
        {0, 3, "\x1f\x8b\x08", AUDIO_GZIP},
        {0, 6, "Rar!\x1a\x07", AUDIO_RAR},
        {0, 6, "7z\xbc\xaf\x27\x1c", AUDIO_7Z},
        {0, 5, "%PDF-", AUDIO_PDF},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        begin();
        memcpy(bytes, "RIFF", files[i].at == 8 ? 4 : 0);
        memcpy(bytes + files[i].at, files[i].magic, files[i].bytes);
        count = 5000;
        add_music(20);
        assert_int_equal(probe().kind, files[i].kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_music_begins),
        cmocka_unit_test(test_wrong_sizes_of_tags),
        cmocka_unit_test(test_rows_in_a_tag_are_no_music),
        cmocka_unit_test(test_short_rows_are_no_music),
        cmocka_unit_test(test_two_headers_begin_if_a_row_follows_soon),
        cmocka_unit_test(test_it_begins_where_two_headers_are_the_same),
        cmocka_unit_test(test_where_no_two_are_the_same_it_begins_with_the_first),
        cmocka_unit_test(test_names_behind_tags),
        cmocka_unit_test(test_what_has_a_sure_name_is_no_mp3_whatever_is_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
