/*
 * test_mp3_walk.c: which frames count, in rows of headers with and without damage.
 */
#include "../cmocka_all.h"
#include "tutti/core/mp3_walk.h"

#include <string.h>

#define BYTES_MAX 200000
#define FRAME_BYTES 417

static unsigned char bytes[BYTES_MAX];
static size_t count;

static void begin(void)
{
    count = 0;
    memset(bytes, 0, sizeof bytes);
}

static void add_frames(int frames, const char header[5], size_t size)
{
    while (frames-- > 0) {
        memcpy(bytes + count, header, 4);
        count += size;
    }
}

static void add_music(int frames)
{
    add_frames(frames, "\xff\xfb\x90\x64", FRAME_BYTES);
}

/* In windows of so many bytes. */
static struct mp3_walk walk_by(size_t window)
{
    struct mp3_walk walk;
    enum mp3_walk_result result;
    mp3_walk_init(&walk, 0);
    do {
        size_t at = (size_t)walk.offset;
        size_t there = at > count ? 0 : count - at < window ? count - at : window;
        int64_t before = walk.offset, frames = walk.frames;
        result = mp3_walk_step(&walk, bytes + at, there, at + there >= count);
        if (result == MP3_WALK_MORE)
            assert_true(walk.offset > before);
        if (result == MP3_WALK_FRAME)
            assert_int_equal(walk.frames, frames + 1);
    } while (result != MP3_WALK_END);
    return walk;
}

static struct mp3_walk walk(void)
{
    struct mp3_walk by_window = walk_by(MP3_WALK_WINDOW_BYTES), at_once = walk_by(BYTES_MAX);
    assert_int_equal(by_window.frames, at_once.frames);
    assert_int_equal(by_window.damaged, at_once.damaged);
    assert_int_equal(mp3_walk_samples(&by_window), mp3_walk_samples(&at_once));
    return at_once;
}

static void test_whole_frames_count(void **state)
{
    (void)state;
    begin();
    add_music(100);
    struct mp3_walk all = walk();
    assert_int_equal(all.frames, 100);
    assert_int_equal(mp3_walk_samples(&all), 100 * 1152);
    count -= 1; /* the last one is cut */
    assert_int_equal(walk().frames, 99);
    count += 1 + 128; /* what is behind it is no frame */
    assert_int_equal(walk().frames, 100);
    assert_int_equal(walk().damaged, 0);
}

static void test_garbage_between_frames(void **state)
{
    (void)state;
    begin();
    add_music(10);
    count += 5000;
    add_music(10);
    assert_int_equal(walk().frames, 20);
    assert_int_equal(walk().damaged, 1);
    bytes[5 * FRAME_BYTES] = 0; /* a broken header */
    assert_int_equal(walk().frames, 19);
    assert_int_equal(walk().damaged, 2);
}

static void test_a_lone_header_in_garbage_is_no_frame(void **state)
{
    (void)state;
    begin();
    add_music(10);
    count += 3000;
    memcpy(bytes + count - 1500, "\xff\xfb\x90\x64", 4);
    add_music(10);
    assert_int_equal(walk().frames, 20);
}

static void test_a_header_that_lies_about_its_size(void **state)
{
    (void)state;
    static const unsigned char bitrates[] = {0x10, 0x50, 0xa0, 0xe0};
    for (int i = 0; i < 4; i++) {
        begin();
        add_music(20);
        bytes[7 * FRAME_BYTES + 2] = bitrates[i];
        struct mp3_walk all = walk();
        assert_int_equal(all.frames, 19);
        assert_int_equal(all.damaged, 1);
    }
}

static void test_a_change_of_format_needs_a_row(void **state)
{
    (void)state;
    begin();
    add_music(10);
    add_frames(3, "\xff\xf3\x80\xc0", 208);
    add_music(10);
    assert_int_equal(walk().frames, 20); /* three are no row */
    begin();
    add_music(10);
    add_frames(10, "\xff\xf3\x80\xc0", 208);
    struct mp3_walk all = walk();
    assert_int_equal(all.frames, 20);
    assert_true(all.mixed);
    assert_int_equal(all.damaged, 0);
    assert_int_equal(all.like_first, 10);
    assert_int_equal(mp3_walk_samples(&all), 10 * 1152 + 10 * 576 * 2);
}

static void test_nothing_is_no_frame(void **state)
{
    (void)state;
    begin();
    assert_int_equal(walk().frames, 0);
    count = 100000;
    assert_int_equal(walk().frames, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_frames_count),
        cmocka_unit_test(test_garbage_between_frames),
        cmocka_unit_test(test_a_lone_header_in_garbage_is_no_frame),
        cmocka_unit_test(test_a_header_that_lies_about_its_size),
        cmocka_unit_test(test_a_change_of_format_needs_a_row),
        cmocka_unit_test(test_nothing_is_no_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
