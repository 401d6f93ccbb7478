/*
 * attached_picture.h: the picture that a file brings along for its track, as libavformat finds it: ID3's APIC,
 * MP4's covr, the picture blocks of FLAC and Ogg.
 */
#ifndef TUTTI_DECODE_ATTACHED_PICTURE_H
#define TUTTI_DECODE_ATTACHED_PICTURE_H

#include <libavformat/avformat.h>
#include <stddef.h>

/* The one that says to be the front cover, else the first, of those that core/picture.h takes. The
 * bytes are the file's. NULL: there is none. */
const unsigned char *attached_picture_find(const AVFormatContext *file, size_t *ret_bytes);

#endif
