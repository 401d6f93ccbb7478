/*
 * decode_message.c: see decode_message.h. The head: type, serial, rate, count, damaged, the tag,
 * then the frame.
 */
#include "tutti/core/decode_message.h"

#include <string.h>

struct head {
    uint32_t type, serial, rate_hz, count, damaged, tag;
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

/* Asked for, or a piece. */
static bool is_picture(const struct head *head, size_t rest)
{
    if (head->count == 0)
        return rest == 0 && head->frame == 0;
    return head->count <= DECODE_PICTURE_PIECE_MAX && rest == head->count &&
           head->frame >= head->count && head->frame <= (int64_t)PICTURE_BYTES_MAX;
}

static bool has_text(const struct decode_message *message)
{
    return message->type == DECODE_FAILED || message->type == DECODE_TAG;
}

static bool is_good(const struct head *head, size_t rest)
{
    switch (head->type) {
    case DECODE_SEEK:
    case DECODE_END:
        return rest == 0 && is_position(head->frame);
    case DECODE_FILE:
        return rest == 0 && head->serial <= (DECODE_FILE_MP3 | DECODE_FILE_PICTURE) &&
               is_position(head->frame);
    case DECODE_OPENED:
        return is_opened(head, rest);
    case DECODE_PCM:
        return is_pcm(head, rest);
    case DECODE_FAILED:
        return rest > 0 && rest < DECODE_TEXT_MAX;
    case DECODE_TAG:
        return rest > 0 && rest < TRACK_TAG_MAX && head->tag < TRACK_TAGS;
    case DECODE_MEASURE:
        return rest == 0 && head->frame == 0;
    case DECODE_PICTURE:
        return is_picture(head, rest);
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
        .tag = head.type == DECODE_TAG ? (enum track_tag)head.tag : 0,
        .pcm = head.type == DECODE_PCM ? bytes + sizeof head : NULL,
        .picture = head.type == DECODE_PICTURE && rest > 0 ? bytes + sizeof head : NULL,
    };
    if (has_text(ret))
        memcpy(ret->text, bytes + sizeof head, rest);
    else
        ret->frame = head.frame;
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
        .tag = (uint32_t)message->tag,
        .frame = message->frame,
    };
    size_t rest = 0;
    memcpy(to, &head, sizeof head);
    if (message->type == DECODE_PCM)
        rest = message->count * DECODE_FRAME_BYTES;
    if (message->type == DECODE_PICTURE)
        rest = message->count;
    if (has_text(message)) {
        rest = strnlen(message->text,
                       message->type == DECODE_TAG ? TRACK_TAG_MAX - 1 : DECODE_TEXT_MAX - 1);
        memcpy(to + sizeof head, message->text, rest);
    }
    return sizeof head + rest;
}
