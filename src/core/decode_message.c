/*
 * decode_message.c: see decode_message.h. The head: type, serial, rate, count, damaged, a zero,
 * then the frame.
 */
#include "tutti/core/decode_message.h"

#include <string.h>

struct head {
    uint32_t type, serial, rate_hz, count, damaged, zero;
    int64_t frame;
};

_Static_assert(sizeof(struct head) == DECODE_HEAD_BYTES, "the head has no holes");

static bool is_position(int64_t frame)
{
    return frame >= 0 && frame <= DECODE_FRAME_MAX;
}

static bool is_opened(const struct head *head, size_t rest)
{
    return rest == 0 && head->rate_hz >= DECODE_RATE_MIN_HZ &&
           head->rate_hz <= DECODE_RATE_MAX_HZ && (head->frame == -1 || is_position(head->frame));
}

static bool is_pcm(const struct head *head, size_t rest)
{
    return head->count > 0 && head->count <= DECODE_PCM_FRAMES_MAX &&
           rest == head->count * DECODE_FRAME_BYTES && is_position(head->frame);
}

static bool is_good(const struct head *head, size_t rest)
{
    switch (head->type) {
    case DECODE_SEEK:
    case DECODE_END:
        return rest == 0 && is_position(head->frame);
    case DECODE_OPENED:
        return is_opened(head, rest);
    case DECODE_PCM:
        return is_pcm(head, rest);
    case DECODE_FAILED:
        return rest > 0 && rest < DECODE_TEXT_MAX;
    default:
        return false;
    }
}

bool decode_message_parse(const unsigned char *bytes, size_t count, struct decode_message *ret)
{
    struct head head;
    if (count < sizeof head)
        return false;
    memcpy(&head, bytes, sizeof head);
    size_t rest = count - sizeof head;
    if (!is_good(&head, rest))
        return false;
    *ret = (struct decode_message){
        .type = (enum decode_message_type)head.type,
        .serial = head.serial,
        .rate_hz = head.rate_hz,
        .count = head.count,
        .damaged = head.damaged,
        .frame = head.type == DECODE_FAILED ? 0 : head.frame,
        .pcm = head.type == DECODE_PCM ? bytes + sizeof head : NULL,
    };
    if (head.type == DECODE_FAILED)
        memcpy(ret->text, bytes + sizeof head, rest);
    return true;
}

size_t decode_message_build(const struct decode_message *message, unsigned char *to)
{
    struct head head = {
        .type = (uint32_t)message->type,
        .serial = message->serial,
        .rate_hz = message->rate_hz,
        .count = message->count,
        .damaged = message->damaged,
        .frame = message->frame,
    };
    size_t rest = 0;
    memcpy(to, &head, sizeof head);
    if (message->type == DECODE_PCM)
        rest = message->count * DECODE_FRAME_BYTES;
    if (message->type == DECODE_FAILED) {
        rest = strnlen(message->text, DECODE_TEXT_MAX - 1);
        memcpy(to + sizeof head, message->text, rest);
    }
    return sizeof head + rest;
}
