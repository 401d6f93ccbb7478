/*
 * fuzz_decode.c: any bytes as what a decoding process says: only what is within bounds is parsed,
 * and what is parsed is the same when it is built and parsed again.
 */
#include "fuzz.h"
#include "tutti/core/decode_message.h"

#include <string.h>

static void check_bounds(const struct decode_message *message, const uint8_t *data, size_t size)
{
    FUZZ_CHECK(message->frame >= -1 && message->frame <= DECODE_FRAME_MAX);
    FUZZ_CHECK(memchr(message->text, '\0', sizeof message->text));
    FUZZ_CHECK(message->tag < TRACK_TAGS);
    if (message->type == DECODE_OPENED)
        FUZZ_CHECK(message->rate_hz >= DECODE_RATE_MIN_HZ &&
                   message->rate_hz <= DECODE_RATE_MAX_HZ);
    FUZZ_CHECK((message->type == DECODE_PCM) == (message->pcm != NULL));
    FUZZ_CHECK(!message->picture ||
               (message->type == DECODE_PICTURE && message->count > 0 &&
                message->count <= message->frame && message->frame <= (int64_t)PICTURE_BYTES_MAX &&
                message->picture + message->count == data + size));
    if (message->type != DECODE_PCM)
        return;
    FUZZ_CHECK(message->frame >= 0 && message->count > 0);
    FUZZ_CHECK(message->count <= DECODE_PCM_FRAMES_MAX);
    FUZZ_CHECK(message->pcm + message->count * DECODE_FRAME_BYTES == data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char again[DECODE_MESSAGE_MAX];
    struct decode_message message, same;
    if (!decode_message_parse(data, size, &message))
        return 0;
    check_bounds(&message, data, size);
    size_t built = decode_message_build(&message, again);
    FUZZ_CHECK(built <= sizeof again);
    if (message.type == DECODE_FAILED ||
        message.type == DECODE_TAG) /* whose text may have had a zero in it */
        return 0;
    FUZZ_CHECK(built == size && decode_message_parse(again, built, &same));
    FUZZ_CHECK(same.type == message.type && same.frame == message.frame);
    return 0;
}
