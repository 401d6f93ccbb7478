/*
 * test_helper.c: a decoding process that is good is exact, and one that is not is a failed track:
 * at once or after five seconds, in one line, and gone.
 */
#include "../cmocka_all.h"
#include "tutti/codecs/helper.h"
#include "tutti/core/decode_message.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LENGTH 20000
#define WAIT_MS 9000

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static struct helper *start(const char *mode)
{
    char error[HELPER_ERROR_MAX] = "";
    int fd = memfd_create("file", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, mode, strlen(mode)), strlen(mode));
    struct helper *helper = helper_create(fd, AUDIO_FLAC, error);
    close(fd);
    if (!helper)
        fail_msg("not started: %s", error);
    return helper;
}

static enum helper_result open_now(struct helper *helper)
{
    enum helper_result result = helper_open(helper);
    for (int ms = 0; ms < WAIT_MS && result == HELPER_AGAIN; ms++) {
        sleep_ms(1);
        result = helper_open(helper);
    }
    return result;
}

static enum helper_result seek_now(struct helper *helper, int64_t frame)
{
    enum helper_result result = helper_seek(helper, frame);
    for (int ms = 0; ms < WAIT_MS && result == HELPER_AGAIN; ms++) {
        sleep_ms(1);
        result = helper_seek(helper, frame);
    }
    return result;
}

/* Reads so much, or to the end, and checks every sample; the frames read. */
static int64_t check_from(struct helper *helper, int64_t frame, int64_t limit)
{
    float frames[2 * 333];
    int64_t at = frame;
    for (int ms = 0; ms < WAIT_MS && at < frame + limit;) {
        size_t count = 0;
        switch (helper_read(helper, frames, 333, &count)) {
        case HELPER_OK:
            break;
        case HELPER_AGAIN:
            sleep_ms(1);
            ms++;
            continue;
        case HELPER_END:
            return at - frame;
        case HELPER_ERROR:
            fail_msg("%s", helper_error(helper));
        }
        for (size_t i = 0; i < count; i++, at++) {
            assert_true(frames[2 * i] == (float)at / 32768);
            assert_true(frames[2 * i + 1] == -frames[2 * i]);
        }
    }
    return at - frame;
}

static void good_one_is_exact(void **state)
{
    (void)state;
    struct helper *helper = start("good");
    assert_int_equal(open_now(helper), HELPER_OK);
    assert_int_equal(helper_rate_hz(helper), 8000);
    assert_int_equal(helper_length_frames(helper), LENGTH);
    assert_int_equal(seek_now(helper, 0), HELPER_OK);
    assert_int_equal(check_from(helper, 0, INT64_MAX / 2), LENGTH);
    helper_destroy(helper);
}

static void tags_are_harmless(void **state)
{
    (void)state;
    struct helper *helper = start("tagged");
    assert_int_equal(open_now(helper), HELPER_OK);
    const struct track_tags *tags = helper_tags(helper);
    assert_string_equal(tags->title, "Har?bour");
    assert_string_equal(tags->artist, "");
    assert_int_equal(tags->number, 3);
    assert_true(tags->loudness.track_gain_db == -6.5);
    helper_destroy(helper);
}

static enum helper_result look_at_picture(struct helper *helper, const unsigned char **ret_bytes,
                                          size_t *ret_count)
{
    enum helper_result result = helper_picture(helper, ret_bytes, ret_count);
    for (int ms = 0; ms < WAIT_MS && result == HELPER_AGAIN; ms++) {
        sleep_ms(1);
        result = helper_picture(helper, ret_bytes, ret_count);
    }
    return result;
}

static void picture_is_whole(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        size_t bytes;
    } shown[] = {{"picture", 20000}, {"picture largest", PICTURE_BYTES_MAX}, {"picture none", 0}};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const unsigned char *bytes = NULL;
        size_t count = 1;
        struct helper *helper = start(shown[i].mode);
        assert_int_equal(open_now(helper), HELPER_OK);
        assert_int_equal(look_at_picture(helper, &bytes, &count), HELPER_OK);
        assert_int_equal(count, shown[i].bytes);
        assert_true((bytes != NULL) == (count > 0));
        for (size_t at = 3; at < count; at++)
            assert_true(bytes[at] == (unsigned char)(at / DECODE_PICTURE_PIECE_MAX));
        assert_int_equal(look_at_picture(helper, &bytes, &count), HELPER_OK); /* the same again */
        assert_int_equal(count, shown[i].bytes);
        helper_destroy(helper);
    }
}

static void bad_pictures_fail(void **state)
{
    (void)state;
    static const char *const bad[] = {"picture short", "picture long", "picture too large",
                                      "picture svg", "picture unasked"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const unsigned char *bytes = NULL;
        size_t count = 0;
        struct helper *helper = start(bad[i]);
        if (open_now(helper) == HELPER_OK)
            assert_int_equal(look_at_picture(helper, &bytes, &count), HELPER_ERROR);
        assert_string_equal(helper_error(helper), "its decoder makes no sense");
        assert_null(bytes);
        helper_destroy(helper);
    }
}

static void seeks_are_exact(void **state)
{
    (void)state;
    struct helper *helper = start("good");
    static const int64_t places[] = {15000, 3, 19999, 1000, 1500, 1400, 700, 17999, 18000, 0};
    assert_int_equal(open_now(helper), HELPER_OK);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int64_t left = LENGTH - places[i];
        assert_int_equal(seek_now(helper, places[i]), HELPER_OK);
        assert_true(check_from(helper, places[i], 2500) >= (left < 2500 ? left : 2500));
    }
    assert_int_equal(seek_now(helper, LENGTH), HELPER_END);
    assert_int_equal(seek_now(helper, LENGTH * 10), HELPER_END);
    assert_int_equal(seek_now(helper, INT64_MAX), HELPER_END);
    assert_int_equal(seek_now(helper, 10), HELPER_OK);
    assert_true(check_from(helper, 10, 100) >= 100);
    helper_destroy(helper);
}

static void fails_with(const char *mode, const char *line)
{
    struct helper *helper = start(mode);
    enum helper_result result = open_now(helper);
    if (result == HELPER_OK)
        result = seek_now(helper, 100);
    assert_int_equal(result, HELPER_ERROR);
    assert_string_equal(helper_error(helper), line);
    assert_int_equal(helper_seek(helper, 0), HELPER_ERROR); /* and stays so */
    helper_destroy(helper);
}

static void bad_ones_fail(void **state)
{
    (void)state;
    fails_with("crash", "its decoder crashed (Aborted)");
    fails_with("exit", "its decoder ended (exit status 5)");
    fails_with("refuse", "there is no ?[2Jsound");
    fails_with("noise", "its decoder makes no sense");
    fails_with("twice", "its decoder makes no sense");
    fails_with("elsewhere", "its decoder makes no sense");
}

static void hanging_ones_are_ended(void **state)
{
    (void)state;
    fails_with("hang", "its decoder hangs, and was ended");
    fails_with("silent", "its decoder hangs, and was ended");
}

static void without_the_program(void **state)
{
    char error[HELPER_ERROR_MAX];
    int fd = memfd_create("file", MFD_CLOEXEC);
    (void)state;
    helper_set_program("/nowhere/tutti-decode");
    assert_null(helper_create(fd, AUDIO_FLAC, error));
    assert_string_equal(error, "needs tutti-codecs: apt install tutti-codecs");
    helper_set_program("/dev/null");
    assert_null(helper_create(fd, AUDIO_FLAC, error));
    assert_string_equal(error, "its decoder cannot be started: Permission denied");
    close(fd);
    helper_set_program(FAKE_DECODE);
    assert_null(helper_create(-1, AUDIO_FLAC, error));
    assert_string_equal(error, "its decoder cannot be started: Bad file descriptor");
}

static int count_files(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void nothing_is_left(void **state)
{
    (void)state;
    int before = count_files();
    for (int i = 0; i < 100; i++) {
        struct helper *helper = start("good");
        if (i % 2)
            seek_now(helper, 500);
        helper_destroy(helper);
    }
    assert_int_equal(count_files(), before);
    for (int ms = 0; ms < WAIT_MS && waitpid(-1, NULL, WNOHANG) >= 0; ms++)
        sleep_ms(1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no children */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_one_is_exact),      cmocka_unit_test(tags_are_harmless),
        cmocka_unit_test(seeks_are_exact),        cmocka_unit_test(bad_ones_fail),
        cmocka_unit_test(without_the_program),    cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(hanging_ones_are_ended), cmocka_unit_test(picture_is_whole),
        cmocka_unit_test(bad_pictures_fail),
    };
    helper_set_program(FAKE_DECODE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
