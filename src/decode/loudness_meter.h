/*
 * loudness_meter.h: how loud a track is from its beginning to its end, by libebur128.
 */
#ifndef TUTTI_DECODE_LOUDNESS_METER_H
#define TUTTI_DECODE_LOUDNESS_METER_H

#include "track.h"
#include "tutti/core/loudness.h"

#include <stdbool.h>

/* Plays all of it, as speakers do: mono on both channels. Afterwards it is at its end. False: there is
 * no measure of it: silence, nothing that decodes, or a build without the library. */
bool loudness_meter_run(struct track *track, struct loudness *ret);

#endif
