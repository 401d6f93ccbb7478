/*
 * track_check.h: what is this, does the hub take it, and how long does it play if it is an mp3?
 * Answered while the bytes come in, so that no step takes long, nothing is read twice, and no more
 * than a window of them is kept.
 *
 * The judgement is core's (audio_probe.h, mp3_walk.h), and so the one of every speaker.
 */
#ifndef TUTTI_HUB_MP3_CHECK_H
#define TUTTI_HUB_MP3_CHECK_H

#include "formats.h"

#include <stdbool.h>
#include <stddef.h>

struct track_check;

struct track_check *track_check_create(formats_t formats);
void track_check_destroy(struct track_check *check);
void track_check_feed(struct track_check *check, const void *bytes, size_t count);
/* Is it known already that it is nothing that is taken? */
bool track_check_is_refused(const struct track_check *check);
/* After the last byte. False: it is not taken. *ret_seconds < 0: not known, as of all but mp3s. */
bool track_check_result(struct track_check *check, double *ret_seconds);
/* Once that is known. */
enum audio_kind track_check_kind(const struct track_check *check);
/* Why it is refused, as a sentence without a subject. */
void track_check_refusal(const struct track_check *check, char to[AUDIO_REFUSAL_MAX]);

#endif
