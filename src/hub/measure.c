/*
 * measure.c: asks tutti-decode (codecs/helper.h), which is locked in while it looks at the file.
 */
#include "measure.h"

#include "tutti/base/units.h"

#include <stdio.h>
#include <time.h>

#define LOOK_EVERY_NS (2 * NS_PER_MS)

enum measure_result measure_track(int fd, double *ret_seconds, char why[HELPER_ERROR_MAX])
{
    enum helper_result result;
    enum measure_result measured = MEASURE_REFUSED;
    struct helper *helper = helper_create(fd, AUDIO_UNKNOWN, why);
    if (!helper)
        return MEASURE_NOT_KNOWN;
    while ((result = helper_open(helper)) == HELPER_AGAIN)
        nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_NS}, NULL);
    int64_t frames = result == HELPER_OK ? helper_length_frames(helper) : -1;
    if (result != HELPER_OK) {
        snprintf(why, HELPER_ERROR_MAX, "%s", helper_error(helper));
    } else if (frames < 0) {
        snprintf(why, HELPER_ERROR_MAX, "the file does not tell");
        measured = MEASURE_NOT_KNOWN;
    } else {
        *ret_seconds = (double)frames / helper_rate_hz(helper);
        measured = MEASURED;
    }
    helper_destroy(helper);
    return measured;
}
