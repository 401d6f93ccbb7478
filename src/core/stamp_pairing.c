/*
 * stamp_pairing.c: two counters of contradicting evidence, for as long as a device is open.
 *
 * A stamp that is believed wrongly makes a speaker late for good, one that is disbelieved wrongly
 * costs some precision: so one look in eight that speaks against the stamp is enough.
 */
#include "tutti/core/stamp_pairing.h"

#include <string.h>

/* An older stamp, or one from the future, is not one. */
static const int64_t STAMP_AGE_MAX_NS = 50 * NS_PER_MS;
/* A position that is of the call has moved by then: USB counts frames of 1 ms. */
static const int64_t STOOD_NS = 3 * NS_PER_MS / 2;
/* Fewer looks are no evidence. */
static const unsigned STOOD_MIN = 2;
static const unsigned STOOD_PER_MOVED = 8;
/* Evidence is halved here, so that a driver that changes its ways is seen to. */
static const unsigned EVIDENCE_MAX = 256;

void stamp_pairing_init(struct stamp_pairing *pairing)
{
    memset(pairing, 0, sizeof *pairing);
}

enum stamp_pairing_kind stamp_pairing_kind(const struct stamp_pairing *pairing)
{
    if (pairing->stood >= STOOD_MIN && pairing->stood > STOOD_PER_MOVED * pairing->moved)
        return STAMP_PAIRING_OF_STAMP;
    return pairing->moved > 0 ? STAMP_PAIRING_OF_CALL : STAMP_PAIRING_UNKNOWN;
}

const char *stamp_pairing_name(enum stamp_pairing_kind kind)
{
    static const char *const names[] = {"unknown", "stamp", "call"};
    return names[kind];
}

static void count_evidence(struct stamp_pairing *pairing, struct mono_time called,
                           int64_t position_frames)
{
    if (position_frames > pairing->first_position_frames)
        pairing->moved++;
    else if (position_frames == pairing->first_position_frames &&
             mono_sub(called, pairing->first_called) >= STOOD_NS)
        pairing->stood++;
    if (pairing->moved + pairing->stood > EVIDENCE_MAX) {
        pairing->moved = (pairing->moved + 1) / 2;
        pairing->stood /= 2;
    }
}

struct mono_time stamp_pairing_choose(struct stamp_pairing *pairing, struct mono_time before,
                                      struct mono_time after, struct mono_time stamp,
                                      int64_t position_frames)
{
    struct mono_time middle = mono_add(before, mono_sub(after, before) / 2);
    bool is_of_call = mono_sub(stamp, before) >= 0;
    bool is_none = mono_sub(stamp, after) > 0 || mono_sub(before, stamp) > STAMP_AGE_MAX_NS;
    if (is_none)
        return middle;
    if (is_of_call)
        return stamp;
    if (pairing->has_first && mono_sub(stamp, pairing->first_stamp) == 0) {
        count_evidence(pairing, middle, position_frames);
    } else {
        pairing->has_first = true;
        pairing->first_stamp = stamp;
        pairing->first_called = middle;
        pairing->first_position_frames = position_frames;
    }
    return stamp_pairing_kind(pairing) == STAMP_PAIRING_OF_STAMP ? stamp : middle;
}
