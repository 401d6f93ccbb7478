/*
 * ogg_end.h: where an Ogg ends. Its header does not tell, and libavformat tells of some codecs where
 * the last sample is, of others how many there are: not the same where the first one is not 0, as
 * in what was cut out of something longer, or recorded off the air.
 */
#ifndef TUTTI_DECODE_OGG_END_H
#define TUTTI_DECODE_OGG_END_H

#include <stdbool.h>
#include <stdint.h>

/* The granule position of its last whole page. False: there is none, or it is of another stream
 * than the first. */
bool ogg_end_find(int fd, int64_t bytes, int64_t *ret_granule);

#endif
