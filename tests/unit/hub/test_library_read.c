/*
 * test_library_read.c: what a file of the library is, and that it is as long as an upload of it.
 */
#include "../../../src/hub/library_read.h"
#include "../../../src/hub/track_check.h"
#include "../cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const files[] = {
    TEST_DATA_DIR "/cbr44.mp3",  TEST_DATA_DIR "/low8.mp3",     TEST_DATA_DIR "/mono22.mp3",
    TEST_DATA_DIR "/rate11.mp3", TEST_DATA_DIR "/rate32.mp3",   TEST_DATA_DIR "/vbr48.mp3",
    TEST_MUSIC_DIR "/pier.mp3",  TEST_MUSIC_DIR "/harbour.mp3", TEST_MUSIC_DIR "/sine997.mp3",
};

static unsigned char *load(const char *path, size_t *ret_bytes)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *ret_bytes = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*ret_bytes + 4096);
    assert_int_equal(fread(bytes, 1, *ret_bytes, file), *ret_bytes);
    fclose(file);
    return bytes;
}

static double as_upload(const unsigned char *bytes, size_t count)
{
    double seconds = -1;
    struct track_check *check = track_check_create(formats_played());
    track_check_feed(check, bytes, count);
    assert_true(track_check_result(check, &seconds));
    track_check_destroy(check);
    return seconds;
}

static int as_file(const unsigned char *bytes, size_t count, struct library_reading *ret)
{
    char path[] = "/tmp/tutti-read-XXXXXX";
    struct library_reader reader = {formats_played(), helper_files_create()};
    atomic_bool stop = false;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, bytes, count), count);
    int result = library_read(&reader, fd, &stop, ret);
    helper_files_destroy(reader.decoder);
    close(fd);
    return result;
}

static void test_as_long_as_an_upload(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct library_reading reading;
        size_t count;
        unsigned char *bytes = load(files[i], &count);
        assert_int_equal(as_file(bytes, count, &reading), 1);
        assert_int_equal(reading.kind, AUDIO_MP3);
        assert_true(fabs(reading.duration_s - as_upload(bytes, count)) < 1e-9);
        free(bytes);
    }
}

/* Its tag speaks of more, or of another file: then the frames are counted. */
static void test_a_tag_that_does_not_go_with_the_file(void **state)
{
    (void)state;
    struct library_reading whole, reading;
    size_t count;
    unsigned char *bytes = load(TEST_MUSIC_DIR "/pier.mp3", &count);
    assert_int_equal(as_file(bytes, count, &whole), 1);
    assert_int_equal(as_file(bytes, count / 2, &reading), 1);
    assert_true(fabs(reading.duration_s - as_upload(bytes, count / 2)) < 1e-9);
    assert_true(reading.duration_s < 0.6 * whole.duration_s);
    free(bytes);
}

static void test_what_is_no_track(void **state)
{
    (void)state;
    static const char page[] = "<!DOCTYPE html><html><body>no music</body></html>";
    struct library_reading reading;
    unsigned char zeros[100000] = {0};
    assert_int_equal(as_file((const unsigned char *)page, sizeof page, &reading), 0);
    assert_int_equal(as_file(zeros, sizeof zeros, &reading), 0);
    assert_int_equal(as_file(zeros, 0, &reading), 0);
}

static void test_it_stops_when_it_is_told(void **state)
{
    (void)state;
    struct library_reading reading;
    struct library_reader reader = {formats_played(), NULL};
    atomic_bool stop = true;
    int fd = open(TEST_MUSIC_DIR "/pier.mp3", O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(library_read(&reader, fd, &stop, &reading), -ECANCELED);
    close(fd);
    assert_int_equal(library_read(&reader, -1, &stop, &reading), -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_long_as_an_upload),
        cmocka_unit_test(test_a_tag_that_does_not_go_with_the_file),
        cmocka_unit_test(test_what_is_no_track),
        cmocka_unit_test(test_it_stops_when_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
