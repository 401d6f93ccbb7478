/*
 * formats.h: which kinds of files a hub takes, of those that speakers play ([media] formats).
 */
#ifndef TUTTI_HUB_FORMATS_H
#define TUTTI_HUB_FORMATS_H

#include "tutti/core/audio_probe.h"

#include <stdbool.h>
#include <stdint.h>

#define FORMATS_TEXT_MAX 64

/* A bit for each kind. */
typedef uint64_t formats_t;

/* All that speakers play. */
formats_t formats_played(void);
bool formats_have(formats_t formats, enum audio_kind kind);
/* "mp3 flac": their names, whatever their case. False: no such list, or an empty one. */
bool formats_parse(const char *text, formats_t *ret);
/* Why a file of this kind is refused, as a sentence without a subject. Empty if it is not. */
void formats_refusal(formats_t formats, enum audio_kind kind, char to[AUDIO_REFUSAL_MAX]);

/* A stored file's ending, "flac", and its media type by its name, as in an HTTP header. */
void formats_ending(enum audio_kind kind, char to[8]);
const char *formats_media_type(const char *path);
/* By that ending. */
enum audio_kind formats_kind(const char *path);

#endif
