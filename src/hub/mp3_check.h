/*
 * mp3_check.h: is this an mp3, and how long does it play? Answered while the bytes come in, so that
 * no step takes long, nothing is read twice, and no more than a window of them is kept.
 *
 * The judgement is core's (audio_probe.h, mp3_walk.h), and so the one of every speaker.
 */
#ifndef TUTTI_HUB_MP3_CHECK_H
#define TUTTI_HUB_MP3_CHECK_H

#include "tutti/core/audio_probe.h"

#include <stdbool.h>
#include <stddef.h>

struct mp3_check;

struct mp3_check *mp3_check_create(void);
void mp3_check_destroy(struct mp3_check *check);
void mp3_check_feed(struct mp3_check *check, const void *bytes, size_t count);
/* Is it known already that it is no mp3? */
bool mp3_check_is_refused(const struct mp3_check *check);
/* After the last byte. False: it is no mp3. */
bool mp3_check_result(struct mp3_check *check, double *ret_seconds);
/* Why it is refused, as a sentence without a subject. */
void mp3_check_refusal(const struct mp3_check *check, char to[AUDIO_REFUSAL_MAX]);

#endif
