/*
 * describe.h: what a file says of itself, asked of tutti-decode (helper.h).
 */
#ifndef TUTTI_CODECS_DESCRIBE_H
#define TUTTI_CODECS_DESCRIBE_H

#include "tutti/codecs/helper.h"
#include "tutti/core/audio_probe.h"
#include "tutti/core/track_tags.h"

#include <stdbool.h>

/* fd: a complete file; stays the caller's. kind: AUDIO_MP3, or what else it is. Waits for the process,
 * some seconds at most: not in a loop. False: it is not known, and the tags are none. */
bool describe_file(int fd, enum audio_kind kind, struct track_tags *ret);

/* Of one that is asked for more: waits until it is open, or is not; likewise not in a loop. */
enum helper_result describe_open(struct helper *helper);

#endif
