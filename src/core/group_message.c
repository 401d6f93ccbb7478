/*
 * group_message.c: fixed fields, one after another, in network order.
 *
 * A reader and a writer walk over the same fields; what is left of the size is zero, and not looked
 * at, so that a later version may use it. Values that no honest speaker sends are refused here, so
 * that nothing after this need fear an overflow.
 */
#include "tutti/core/group_message.h"

#include <math.h>
#include <string.h>

static const uint8_t VERSION = 1;
/* UTC until 2096, and monotonic clocks of twelve years: sums of any two of each fit. */
static const int64_t UTC_MAX_NS = INT64_C(4000000000) * NS_PER_S;
static const int64_t CLOCK_MAX_NS = INT64_C(400000000) * NS_PER_S;
static const double FREQUENCY_MAX = 2e-3;
static const double FREQUENCY_UNIT = 1e-12;

enum {
    WIRED = 1,
    PLAYING = 2,
    HEARD_AT = 4,
};

/* --- writing -------------------------------------------------------------------------------- */

static uint8_t *put(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        to[i] = (uint8_t)value;
        value >>= 8;
    }
    return to + bytes;
}

static uint8_t *put_frequency(uint8_t *to, double frequency)
{
    double bounded = fmin(fmax(frequency, -FREQUENCY_MAX), FREQUENCY_MAX);
    return put(to, (uint64_t)llround(bounded / FREQUENCY_UNIT), 4);
}

static uint8_t *put_line(uint8_t *to, const struct group_line *line)
{
    to = put(to, line->segments, 1);
    to = put(to, (uint64_t)line->uncertainty_ns, 8);
    for (int i = 0; i < GROUP_SEGMENTS; i++) {
        to = put(to, (uint64_t)line->segment[i].from.ns, 8);
        to = put(to, (uint64_t)line->segment[i].offset_ns, 8);
        to = put_frequency(to, line->segment[i].frequency);
    }
    return to;
}

static uint8_t *put_word(uint8_t *to, const struct group_word *word)
{
    int flags = (word->wired ? WIRED : 0) | (word->playing ? PLAYING : 0) |
                (word->heard_at_known ? HEARD_AT : 0);
    to = put(to, word->reference, 8);
    to = put(to, word->doubted, 8);
    to = put(to, (uint64_t)word->evidence, 1);
    to = put(to, (uint64_t)flags, 1);
    to = put(to, word->members > UINT8_MAX ? UINT8_MAX : word->members, 1);
    to = put(to, (uint64_t)word->uncertainty_ns, 8);
    to = put(to, word->age_ms, 4);
    to = put(to, word->next_ms, 4);
    to = put_line(to, &word->line);
    to = put(to, (uint64_t)word->heard_ns, 8);
    to = put(to, (uint64_t)word->heard_at.ns, 8);
    to = put(to, word->playlist, 8);
    to = put(to, (uint64_t)word->off_ns, 8);
    to = put(to, (uint64_t)word->off_bound_ns, 8);
    return put_frequency(to, word->crystal);
}

void group_message_encode(const struct group_message *message, uint8_t to[GROUP_MESSAGE_BYTES])
{
    memset(to, 0, GROUP_MESSAGE_BYTES);
    to = put(to, VERSION, 1);
    to = put(to, (uint64_t)message->kind, 1);
    to = put(to, message->sender, 8);
    to = put(to, message->counter, 8);
    to = put(to, (uint64_t)message->sent_at.ns, 8);
    to = put(to, message->nonce, 8);
    to = put(to, (uint64_t)message->received_at.ns, 8);
    put_word(to, &message->word);
}

/* --- reading -------------------------------------------------------------------------------- */

struct reader {
    const uint8_t *at;
    bool bad;
};

static uint64_t get(struct reader *reader, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | *reader->at++;
    return value;
}

static int64_t get_ns(struct reader *reader, int64_t least, int64_t most)
{
    int64_t ns = (int64_t)get(reader, 8);
    if (ns < least || ns > most)
        reader->bad = true;
    return ns;
}

/* A UTC, or what makes one of a monotonic clock. */
static int64_t get_utc(struct reader *reader)
{
    return get_ns(reader, -UTC_MAX_NS, UTC_MAX_NS);
}

static int64_t get_bound(struct reader *reader)
{
    return get_ns(reader, 0, UTC_MAX_NS);
}

static struct peer_time get_time(struct reader *reader)
{
    return (struct peer_time){get_ns(reader, -CLOCK_MAX_NS, CLOCK_MAX_NS)};
}

static double get_frequency(struct reader *reader)
{
    double frequency = (double)(int32_t)get(reader, 4) * FREQUENCY_UNIT;
    if (fabs(frequency) > FREQUENCY_MAX)
        reader->bad = true;
    return frequency;
}

static void get_line(struct reader *reader, struct group_line *line)
{
    line->segments = (unsigned)get(reader, 1);
    line->uncertainty_ns = get_bound(reader);
    for (int i = 0; i < GROUP_SEGMENTS; i++) {
        line->segment[i].from = get_time(reader);
        line->segment[i].offset_ns = get_utc(reader);
        line->segment[i].frequency = get_frequency(reader);
    }
    bool backwards =
        line->segments == GROUP_SEGMENTS && line->segment[1].from.ns < line->segment[0].from.ns;
    if (line->segments > GROUP_SEGMENTS || backwards)
        reader->bad = true;
}

static void get_word(struct reader *reader, struct group_word *word)
{
    word->reference = get(reader, 8);
    word->doubted = get(reader, 8);
    word->evidence = (enum group_evidence)get(reader, 1);
    int flags = (int)get(reader, 1);
    word->wired = flags & WIRED;
    word->playing = flags & PLAYING;
    word->heard_at_known = flags & HEARD_AT;
    word->members = (unsigned)get(reader, 1);
    word->uncertainty_ns = get_bound(reader);
    word->age_ms = (uint32_t)get(reader, 4);
    word->next_ms = (uint32_t)get(reader, 4);
    get_line(reader, &word->line);
    word->heard_ns = get_utc(reader);
    word->heard_at = get_time(reader);
    word->playlist = get(reader, 8);
    word->off_ns = get_utc(reader);
    word->off_bound_ns = get_bound(reader);
    word->crystal = get_frequency(reader);
    if (word->evidence > GROUP_EVIDENCE_ECHO)
        reader->bad = true;
}

bool group_message_decode(const uint8_t *from, size_t bytes, struct group_message *ret_message)
{
    struct group_message message = {0};
    struct reader reader = {from, false};
    if (bytes != GROUP_MESSAGE_BYTES || get(&reader, 1) != VERSION)
        return false;
    message.kind = (enum group_message_kind)get(&reader, 1);
    message.sender = get(&reader, 8);
    message.counter = get(&reader, 8);
    message.sent_at = get_time(&reader);
    message.nonce = get(&reader, 8);
    message.received_at = get_time(&reader);
    get_word(&reader, &message.word);
    if (reader.bad || message.sender == 0 || message.kind < GROUP_WORD ||
        message.kind > GROUP_ANSWER)
        return false;
    *ret_message = message;
    return true;
}
