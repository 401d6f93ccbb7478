/*
 * decode_track.c: what a speaker's decoder makes of a file: "decode_track FILE [SEEK COUNT]...".
 *
 * The first line is "rate length" (-1: not known); then the samples, raw stereo floats: all of
 * them, or COUNT frames from each frame SEEK on. Fails with the decoder's line on stderr.
 */
#include "tutti/audio/decoder.h"
#include "tutti/codecs/helper.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STEP_FRAMES 1000

static void wait_a_little(const struct decoder *decoder)
{
    if (decoder_wants_time(decoder))
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
}

static int fail(const char *error)
{
    fprintf(stderr, "%s\n", error);
    return 1;
}

/* From where it is; the frames written, or -1. */
static int64_t copy(struct decoder *decoder, int64_t limit)
{
    float frames[STEP_FRAMES * DECODER_CHANNELS];
    int64_t done = 0;
    while (done < limit) {
        size_t count = limit - done < STEP_FRAMES ? (size_t)(limit - done) : STEP_FRAMES;
        enum decoder_result result = decoder_read(decoder, frames, count, &count);
        if (result == DECODER_END)
            break;
        if (result == DECODER_ERROR)
            return -1;
        if (result == DECODER_AGAIN) {
            wait_a_little(decoder);
            continue;
        }
        fwrite(frames, DECODER_CHANNELS * sizeof *frames, count, stdout);
        done += (int64_t)count;
    }
    return done;
}

static bool copy_from(struct decoder *decoder, int64_t frame, int64_t count)
{
    enum decoder_result result;
    while ((result = decoder_seek(decoder, frame)) == DECODER_AGAIN)
        wait_a_little(decoder);
    return result == DECODER_END || (result == DECODER_OK && copy(decoder, count) >= 0);
}

int main(int argc, char **argv)
{
    char error[DECODER_ERROR_MAX] = "it cannot be read";
    struct decoder *decoder = NULL;
    struct stat about;
    helper_set_program(DECODE_PROGRAM);
    int fd = argc < 2 ? -1 : open(argv[1], O_RDONLY | O_CLOEXEC);
    enum decoder_result result = fd < 0 || fstat(fd, &about) < 0 ? DECODER_ERROR : DECODER_AGAIN;
    while (result == DECODER_AGAIN) {
        result = decoder_open(fd, about.st_size, about.st_size, &decoder, error);
        if (result == DECODER_AGAIN)
            wait_a_little(decoder);
    }
    if (result != DECODER_OK)
        return fail(error);
    while (decoder_walk(decoder)) {
    }
    printf("%u %lld\n", decoder_rate_hz(decoder), (long long)decoder_length_frames(decoder));
    bool good = argc > 2 || copy_from(decoder, 0, INT64_MAX);
    for (int i = 2; i + 1 < argc; i += 2)
        good = good && copy_from(decoder, atoll(argv[i]), atoll(argv[i + 1]));
    if (!good)
        fail(decoder_error(decoder));
    decoder_destroy(decoder);
    close(fd);
    return good ? 0 : 1;
}
