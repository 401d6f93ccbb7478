/*
 * sanity.h: what damage makes of music must not be loud.
 *
 * A decoder cannot see that a frame's contents are wrong; it decodes them to something, up to any
 * level. So samples far beyond full scale, or that are no numbers, are silenced, and much of them
 * means that it is no music at all. In a track that is known to be damaged also short bursts are
 * turned down to a level that music often has; what lasts, or comes again and again, is music.
 * An undamaged track passes unchanged.
 */
#ifndef TUTTI_AUDIO_SANITY_H
#define TUTTI_AUDIO_SANITY_H

#include <stdbool.h>
#include <stddef.h>

/* Zero at first. */
struct sanity {
    bool damaged;    /* known to be; set from outside, too */
    int insane_runs; /* of checks with insane samples, less those without */
    int loudness;    /* how much of late is loud, in parts of a block */
};

/* Stereo frames, changed in place. False: they have been insane for too long. */
bool sanity_check(struct sanity *sanity, float *frames, size_t count);

#endif
