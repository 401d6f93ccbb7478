/*
 * audio_kind.h: what a file is called, by its first bytes.
 */
#ifndef TUTTI_CORE_AUDIO_KIND_H
#define TUTTI_CORE_AUDIO_KIND_H

#include "tutti/core/audio_probe.h"

/* So many bytes are enough for every kind. */
#define AUDIO_KIND_BYTES 16384

/*
 * By the bytes at the beginning, or behind the tags. *ret_sure: it is that, whatever is in it; else
 * it is only what to call it when no music is found. AUDIO_UNKNOWN: no name.
 */
enum audio_kind audio_kind_of(const unsigned char *bytes, size_t count, bool *ret_sure);

#endif
