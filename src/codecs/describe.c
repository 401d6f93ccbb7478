/*
 * describe.c: see describe.h.
 */
#include "tutti/codecs/describe.h"

#include "tutti/base/units.h"
#include "tutti/codecs/helper.h"

#include <time.h>

#define LOOK_EVERY_NS (5 * NS_PER_MS)

bool describe_file(int fd, enum audio_kind kind, struct track_tags *ret)
{
    char error[HELPER_ERROR_MAX];
    enum helper_result result;
    struct helper *helper = helper_create(fd, kind, error);
    *ret = track_tags_none();
    if (!helper)
        return false;
    while ((result = helper_open(helper)) == HELPER_AGAIN)
        nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_NS}, NULL);
    if (result == HELPER_OK)
        *ret = *helper_tags(helper);
    helper_destroy(helper);
    return result == HELPER_OK;
}
