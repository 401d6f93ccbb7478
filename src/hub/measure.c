/*
 * measure.c: asks tutti-decode (codecs/helper.h), which is locked in while it looks at the file.
 */
#include "measure.h"

#include "hub_clock.h"
#include "track_check.h"
#include "tutti/base/units.h"
#include "tutti/codecs/describe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY_NS (2 * NS_PER_MS)
/* For a decoder that hangs, and for tracks that are longer than a day. */
#define LOUDNESS_NS (30 * NS_PER_S)
#define PIECE_BYTES (64 * 1024)

static enum measure_result take_length(const struct helper *helper, struct measurement *track,
                                       char *why)
{
    int64_t frames = helper_length_frames(helper);
    if (frames < 0) {
        snprintf(why, HELPER_ERROR_MAX, "the file does not tell");
        return MEASURE_NOT_KNOWN;
    }
    track->seconds = (double)frames / helper_rate_hz(helper);
    return MEASURED;
}

static enum measure_result take(const struct helper *helper, enum helper_result opened,
                                struct measurement *track, char *why)
{
    if (opened == HELPER_OK)
        track->tags = *helper_tags(helper);
    if (track->kind == AUDIO_MP3) /* whose length is known, and which speakers play by themselves */
        return MEASURED;
    if (opened == HELPER_OK)
        return take_length(helper, track, why);
    snprintf(why, HELPER_ERROR_MAX, "%s", helper_error(helper));
    return MEASURE_REFUSED;
}

enum measure_result measure_track(int fd, struct measurement *track, char why[HELPER_ERROR_MAX])
{
    struct helper *helper = helper_create(fd, track->kind, why);
    track->tags = track_tags_none();
    if (!helper)
        return track->kind == AUDIO_MP3 ? MEASURED : MEASURE_NOT_KNOWN;
    enum measure_result result = take(helper, describe_open(helper), track, why);
    helper_destroy(helper);
    return result;
}

/* Between two looks there is only waiting. */
static void measure_if_untold(struct helper *helper)
{
    const int64_t until_ns = hub_clock_steady_ns() + LOUDNESS_NS;
    if (loudness_is_known(&helper_tags(helper)->loudness))
        return;
    while (helper_measure(helper) == HELPER_AGAIN && hub_clock_steady_ns() < until_ns)
        nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_NS}, NULL);
}

static void keep_picture(struct helper *helper, struct covers *covers, char name[COVER_NAME_MAX])
{
    const unsigned char *bytes = NULL;
    size_t count = 0;
    enum helper_result result;
    while ((result = helper_picture(helper, &bytes, &count)) == HELPER_AGAIN)
        nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_NS}, NULL);
    if (result == HELPER_OK && bytes)
        covers_keep(covers, bytes, count, name);
}

enum measure_result measure_description(int fd, struct covers *covers, bool cover_only,
                                        struct measurement *track, char why[HELPER_ERROR_MAX])
{
    struct helper *helper = helper_create(fd, track->kind, why);
    track->tags = track_tags_none();
    if (!helper)
        return MEASURE_NOT_KNOWN;
    enum helper_result opened = describe_open(helper);
    if (opened == HELPER_OK)
        keep_picture(helper, covers, track->cover);
    if (opened == HELPER_OK && !cover_only)
        measure_if_untold(helper);
    if (opened != HELPER_OK)
        snprintf(why, HELPER_ERROR_MAX, "%s", helper_error(helper));
    track->tags = *helper_tags(helper);
    helper_destroy(helper);
    return opened == HELPER_OK ? MEASURED : MEASURE_REFUSED;
}

/* 0, or -errno. */
static int feed(struct track_check *check, int fd)
{
    char piece[PIECE_BYTES];
    off_t at = 0;
    ssize_t got = 0;
    do {
        got = pread(fd, piece, sizeof piece, at);
        if (got > 0)
            track_check_feed(check, piece, (size_t)got);
        at += got > 0 ? got : 0;
    } while ((got > 0 && !track_check_is_refused(check)) || (got < 0 && errno == EINTR));
    return got < 0 ? -errno : 0;
}

static enum measure_result check_kind(int fd, formats_t formats, struct measurement *ret, char *why)
{
    char refusal[AUDIO_REFUSAL_MAX];
    struct track_check *check = track_check_create(formats);
    int result = check ? feed(check, fd) : -ENOMEM;
    bool taken = result == 0 && track_check_result(check, &ret->seconds);
    if (check)
        ret->kind = track_check_kind(check);
    if (result < 0) {
        snprintf(why, HELPER_ERROR_MAX, "it cannot be read: %s", strerror(-result));
    } else if (!taken) {
        track_check_refusal(check, refusal);
        snprintf(why, HELPER_ERROR_MAX, "%s", refusal);
    }
    track_check_destroy(check);
    return result < 0 ? MEASURE_NOT_KNOWN : taken ? MEASURED : MEASURE_REFUSED;
}

enum measure_result measure_file(int fd, formats_t formats, struct measurement *ret,
                                 char why[HELPER_ERROR_MAX])
{
    *ret = (struct measurement){.seconds = -1, .tags = track_tags_none()};
    enum measure_result result = check_kind(fd, formats, ret, why);
    return result == MEASURED ? measure_track(fd, ret, why) : result;
}
