/*
 * decode_ref.c: decode_ref FILE.mp3 > FRAMES: the gapless track as interleaved stereo float, its
 * sampling rate on stderr. Independent of tutti's own decoder.
 */
#include <mpg123.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    unsigned char buffer[65536];
    int error, channels, encoding;
    long rate;
    size_t got;
    mpg123_init();
    mpg123_handle *mpg = argc == 2 ? mpg123_new(NULL, &error) : NULL;
    if (!mpg ||
        mpg123_param(mpg, MPG123_ADD_FLAGS, MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_FORCE_STEREO,
                     0) ||
        mpg123_open(mpg, argv[1]) || mpg123_getformat(mpg, &rate, &channels, &encoding))
        return 1;
    fprintf(stderr, "%ld\n", rate);
    while (mpg123_read(mpg, buffer, sizeof buffer, &got) == MPG123_OK || got > 0)
        fwrite(buffer, 1, got, stdout);
    mpg123_delete(mpg);
    return 0;
}
