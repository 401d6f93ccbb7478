/*
 * mp3_check.h: is this an mp3, and how long does it play? Answered while the bytes come in, so that
 * no step takes long and nothing is read twice.
 *
 * The first frames are decoded; of the rest the headers are walked. The length is that of the
 * frames that are there: what tags claim is not believed.
 */
#ifndef TUTTI_HUB_MP3_CHECK_H
#define TUTTI_HUB_MP3_CHECK_H

#include <stdbool.h>
#include <stddef.h>

struct mp3_check;

struct mp3_check *mp3_check_create(void);
void mp3_check_destroy(struct mp3_check *check);
void mp3_check_feed(struct mp3_check *check, const void *bytes, size_t count);
/* After the last byte. False: it is no mp3. */
bool mp3_check_result(const struct mp3_check *check, double *ret_seconds);

#endif
