/*
 * describe.c: see describe.h.
 */
#include "tutti/codecs/describe.h"

#include "tutti/base/units.h"

#include <time.h>

#define LOOK_EVERY_NS (2 * NS_PER_MS)

enum helper_result describe_open(struct helper *helper)
{
    enum helper_result result;
    while ((result = helper_open(helper)) == HELPER_AGAIN)
        nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_NS}, NULL);
    return result;
}

bool describe_file(int fd, enum audio_kind kind, struct track_tags *ret)
{
    char error[HELPER_ERROR_MAX];
    struct helper *helper = helper_create(fd, kind, error);
    *ret = track_tags_none();
    if (!helper)
        return false;
    enum helper_result result = describe_open(helper);
    if (result == HELPER_OK)
        *ret = *helper_tags(helper);
    helper_destroy(helper);
    return result == HELPER_OK;
}
