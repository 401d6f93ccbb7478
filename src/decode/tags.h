/*
 * tags.h: which of a file's own words is the track's title, and so on, as libavformat names them.
 */
#ifndef TUTTI_DECODE_TAGS_H
#define TUTTI_DECODE_TAGS_H

#include "tutti/core/track_tags.h"

#include <libavformat/avformat.h>

/* As the file has it; NULL: it has none. */
const char *tags_find(const AVFormatContext *file, const AVStream *stream, enum track_tag tag);

#endif
