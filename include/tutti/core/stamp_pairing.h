/*
 * stamp_pairing.h: does a driver's time stamp belong to the position that came with it?
 *
 * snd_pcm_status tells a time stamp and a delay in one call, and drivers differ in what they mean.
 * Some take both in the call (HDA, AC97). snd-aloop stamps the last step of its pointer and leaves
 * the delay as it was then: the two are one observation, milliseconds old. snd-usb-audio stamps the
 * last step as well, but computes the delay anew in each call: paired with the stamp, it would be
 * ahead of the truth by up to 5 ms.
 *
 * Which it is shows in looks with the same old stamp: a position that went on in between is of the
 * call; one that stood still, though time enough for any driver's resolution went by, is of the
 * stamp. Until that is known the call's time is taken: a position can then be stale, which
 * dac_clock sees through, but never ahead.
 */
#ifndef TUTTI_CORE_STAMP_PAIRING_H
#define TUTTI_CORE_STAMP_PAIRING_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <stdint.h>

enum stamp_pairing_kind {
    STAMP_PAIRING_UNKNOWN,
    STAMP_PAIRING_OF_STAMP, /* position and stamp are one observation */
    STAMP_PAIRING_OF_CALL,  /* the position is of the time of the call */
};

struct stamp_pairing {
    unsigned moved; /* looks with the stamp of the one before, and another position */
    unsigned stood; /* looks long after the first with that stamp, and the same position */
    bool has_first; /* the oldest look with the present stamp: */
    struct mono_time first_stamp, first_called;
    int64_t first_position_frames;
};

void stamp_pairing_init(struct stamp_pairing *pairing);

/*
 * The time of a position. before, after: our clock around the call. stamp: the driver's, in our
 * clock. Always in [stamp, after]; the middle of the call where the stamp is not believed.
 */
struct mono_time stamp_pairing_choose(struct stamp_pairing *pairing, struct mono_time before,
                                      struct mono_time after, struct mono_time stamp,
                                      int64_t position_frames);

enum stamp_pairing_kind stamp_pairing_kind(const struct stamp_pairing *pairing);

/* "unknown", "stamp", "call". */
const char *stamp_pairing_name(enum stamp_pairing_kind kind);

#endif
