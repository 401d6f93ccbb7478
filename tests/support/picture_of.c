/*
 * picture_of.c: picture_of FILE [mp3]: the picture that a track brings along, to stdout, as tutti-decode has
 * it of one file, and of one of many: which must be the same. Exit status 1: there is none; 2: no track.
 */
#include "tutti/codecs/describe.h"
#include "tutti/codecs/helper_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int fail(const char *why)
{
    fprintf(stderr, "picture_of: %s\n", why);
    return 2;
}

static enum helper_result wait_for_picture(struct helper *helper, const unsigned char **ret,
                                           size_t *ret_count)
{
    enum helper_result result;
    while ((result = helper_picture(helper, ret, ret_count)) == HELPER_AGAIN)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    return result;
}

int main(int argc, char **argv)
{
    char error[HELPER_ERROR_MAX] = "";
    const enum audio_kind kind = argc > 2 ? AUDIO_MP3 : AUDIO_UNKNOWN;
    const unsigned char *bytes = NULL;
    size_t count = 0;
    struct helper_told told;
    struct stat status;
    int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &status) < 0)
        return fail("picture_of FILE [mp3]");
    helper_set_program(DECODE_PROGRAM);
    struct helper *helper = helper_create(fd, kind, error);
    if (!helper)
        return fail(error);
    if (describe_open(helper) != HELPER_OK || wait_for_picture(helper, &bytes, &count) != HELPER_OK)
        return fail(helper_error(helper));
    struct helper_files *files = helper_files_create();
    if (!files ||
        helper_files_ask(files, fd, status.st_size, kind, true, &told, error) != HELPER_FILE_TOLD)
        return fail(error);
    if (told.picture_bytes != count || (count > 0 && memcmp(told.picture, bytes, count) != 0))
        return fail("of many files it is another one");
    if (count > 0)
        fwrite(bytes, 1, count, stdout);
    helper_destroy(helper);
    helper_files_destroy(files);
    return count == 0;
}
