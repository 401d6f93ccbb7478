/*
 * fuzz_decoder.c: any bytes as an mp3: whole or growing, read through, sought in.
 *
 * The first bytes of an input say how it is treated. Besides what the sanitizers find, a decoder
 * must come to an end, and never ask for bytes of a complete file.
 */
#include "fuzz.h"
#include "tutti/audio/decoder.h"
#include "tutti/codecs/helper.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEAD_BYTES 3
#define READ_FRAMES 1152
/* Far more than an input of the usual size can keep a decoder busy. */
#define STEPS_MAX 20000

static float frames[READ_FRAMES * DECODER_CHANNELS];

static struct decoder *open_input(int fd, int64_t available_bytes, int64_t bytes)
{
    char error[DECODER_ERROR_MAX];
    struct decoder *decoder = NULL;
    for (int step = 0; step < STEPS_MAX; step++) {
        if (decoder_open(fd, available_bytes, bytes, &decoder, error) != DECODER_AGAIN)
            return decoder;
        if (decoder_wants_time(decoder))
            continue;
        if (available_bytes == bytes)
            abort();
        available_bytes = bytes;
    }
    abort();
}

static void read_through(struct decoder *decoder, int64_t bytes, int64_t seek_to, int seek_after)
{
    for (int step = 0; step < STEPS_MAX; step++) {
        size_t count = 0;
        enum decoder_result result = decoder_read(decoder, frames, READ_FRAMES, &count);
        if (result == DECODER_END || result == DECODER_ERROR)
            return;
        if (result == DECODER_OK && (count == 0 || count > READ_FRAMES))
            abort();
        if (result == DECODER_AGAIN && !decoder_wants_time(decoder)) {
            if (bytes < 0)
                abort();
            decoder_set_available(decoder, bytes, true);
            bytes = -1;
        }
        if (step == seek_after)
            decoder_seek(decoder, seek_to);
    }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    if (size < HEAD_BYTES)
        return 0;
    int64_t bytes = (int64_t)size - HEAD_BYTES;
    int64_t available_bytes = data[0] & 1 ? bytes : bytes / 2;
    helper_set_program("/nowhere/tutti-decode"); /* what is decoded elsewhere is no matter here */
    if (fd < 0)
        fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, data + HEAD_BYTES, (size_t)bytes, 0) != bytes)
        return 0;
    struct decoder *decoder = open_input(fd, available_bytes, bytes);
    if (!decoder)
        return 0;
    read_through(decoder, bytes, (data[1] << 8 | data[2]) * 16, data[0] >> 2);
    decoder_seek(decoder, data[1] << 8);
    decoder_destroy(decoder);
    return 0;
}
