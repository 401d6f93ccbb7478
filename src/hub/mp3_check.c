/*
 * mp3_check.c: libmpg123 fed by hand, frame by frame.
 */
#include "mp3_check.h"

#include <mpg123.h>
#include <stdlib.h>

#define DECODED_FRAMES 8
/* So many are a piece of music; fewer may be an accident in something else. */
#define FRAMES_MIN 4
/* How far to look for the next frame in garbage. */
#define RESYNC_BYTES 65536

struct mp3_check {
    mpg123_handle *mpg;
    unsigned frames;
    unsigned decoded;
    double seconds;
    bool over; /* nothing more can be learned */
};

struct mp3_check *mp3_check_create(void)
{
    int error;
    struct mp3_check *check = calloc(1, sizeof *check);
    if (!check)
        return NULL;
    mpg123_init();
    check->mpg = mpg123_new(NULL, &error);
    if (!check->mpg) {
        free(check);
        return NULL;
    }
    mpg123_param(check->mpg, MPG123_ADD_FLAGS, MPG123_QUIET | MPG123_SKIP_ID3V2, 0);
    mpg123_param(check->mpg, MPG123_RESYNC_LIMIT, RESYNC_BYTES, 0);
    check->over = mpg123_open_feed(check->mpg) != MPG123_OK;
    return check;
}

void mp3_check_destroy(struct mp3_check *check)
{
    if (!check)
        return;
    mpg123_delete(check->mpg);
    free(check);
}

static void count_frame(struct mp3_check *check)
{
    struct mpg123_frameinfo info;
    if (mpg123_info(check->mpg, &info) != MPG123_OK || info.rate <= 0)
        return;
    check->frames++;
    check->seconds += (double)mpg123_spf(check->mpg) / (double)info.rate;
    if (check->frames > DECODED_FRAMES)
        return;
    unsigned char *audio;
    size_t bytes = 0;
    off_t number;
    if (mpg123_framebyframe_decode(check->mpg, &number, &audio, &bytes) == MPG123_OK && bytes > 0)
        check->decoded++;
}

void mp3_check_feed(struct mp3_check *check, const void *bytes, size_t count)
{
    if (check->over)
        return;
    if (mpg123_feed(check->mpg, bytes, count) != MPG123_OK) {
        check->over = true;
        return;
    }
    for (;;) {
        int result = mpg123_framebyframe_next(check->mpg);
        if (result == MPG123_NEED_MORE)
            return;
        if (result != MPG123_OK && result != MPG123_NEW_FORMAT) {
            check->over = true;
            return;
        }
        count_frame(check);
    }
}

bool mp3_check_result(const struct mp3_check *check, double *ret_seconds)
{
    /* The first frame may lack what the one before it should have held. */
    unsigned wanted = check->frames < DECODED_FRAMES ? check->frames : DECODED_FRAMES;
    if (check->frames < FRAMES_MIN || check->decoded + 2 < wanted)
        return false;
    *ret_seconds = check->seconds;
    return true;
}
