/*
 * test_helper_files.c: many files asked about by one process, good ones after bad ones, and the
 * processes that crash, hang or talk nonsense over them.
 */
#include "../cmocka_all.h"
#include "tutti/codecs/helper_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Files that are what the fake makes of them. */
static enum helper_files_result ask_for(struct helper_files *files, const char *mode, bool picture,
                                        struct helper_told *ret)
{
    char error[HELPER_ERROR_MAX] = "", path[64];
    int fd = memfd_create("file", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, mode, strlen(mode)), strlen(mode));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int reading = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(reading >= 0);
    enum helper_files_result result =
        helper_files_ask(files, reading, (int64_t)strlen(mode), AUDIO_FLAC, picture, ret, error);
    close(reading);
    close(fd);
    assert_int_equal(error[0] != '\0', result != HELPER_FILE_TOLD);
    return result;
}

static enum helper_files_result ask(struct helper_files *files, const char *mode,
                                    struct helper_told *ret)
{
    return ask_for(files, mode, false, ret);
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    struct helper_told told;
    helper_set_program(FAKE_DECODE);
    struct helper_files *files = helper_files_create();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(files, "tagged", &told), HELPER_FILE_TOLD);
        assert_string_equal(told.tags.title, "Harbour");
        assert_true(told.rate_hz == 8000 && told.length_frames == 20000);
        assert_int_equal(ask(files, "good", &told), HELPER_FILE_TOLD);
        assert_string_equal(told.tags.title, ""); /* not the one's before */
        assert_int_equal(ask(files, "refuse", &told), HELPER_FILE_REFUSED);
    }
    helper_files_destroy(files);
}

/* The one after it is asked about by another process. */
static void test_a_bad_one_is_the_only_one(void **state)
{
    (void)state;
    static const char *const bad[] = {"crash", "exit", "noise", "chatter", "hang"};
    struct helper_told told;
    helper_set_program(FAKE_DECODE);
    struct helper_files *files = helper_files_create();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(ask(files, bad[i], &told), HELPER_FILE_REFUSED);
        assert_int_equal(ask(files, "good", &told), HELPER_FILE_TOLD);
    }
    helper_files_destroy(files);
}

static void test_pictures(void **state)
{
    (void)state;
    static const char *const bad[] = {"picture short", "picture long", "picture too large",
                                      "picture svg"};
    struct helper_told told;
    helper_set_program(FAKE_DECODE);
    struct helper_files *files = helper_files_create();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(ask_for(files, "picture", true, &told), HELPER_FILE_TOLD);
        assert_int_equal(told.picture_bytes, 20000);
        assert_true(told.picture[0] == 0xff && told.picture[19999] == 2 && told.rate_hz == 8000);
        assert_int_equal(ask_for(files, "good", true, &told), HELPER_FILE_TOLD);
        assert_true(!told.picture && told.picture_bytes == 0); /* not the one's before */
        assert_int_equal(ask_for(files, bad[i], true, &told), HELPER_FILE_REFUSED);
        assert_null(told.picture);
    }
    assert_int_equal(ask(files, "picture", &told), HELPER_FILE_REFUSED); /* which was not wanted */
    assert_int_equal(ask(files, "good", &told), HELPER_FILE_TOLD);
    helper_files_destroy(files);
}

static void test_without_a_decoder(void **state)
{
    (void)state;
    struct helper_told told;
    helper_set_program("/nowhere/tutti-decode");
    struct helper_files *files = helper_files_create();
    assert_int_equal(ask(files, "good", &told), HELPER_FILE_NOT_ASKED);
    helper_files_destroy(files);
    helper_files_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_a_bad_one_is_the_only_one),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_without_a_decoder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
