/*
 * speaker_words.h: what is said of one speaker of the session, in a table's fields.
 */
#ifndef TUTTI_CTL_SPEAKER_WORDS_H
#define TUTTI_CTL_SPEAKER_WORDS_H

#include <cjson/cJSON.h>
#include <stddef.h>

#define SPEAKER_WORDS_MAX 64

/* How far off its sound is, as far as it is known. */
void speaker_words_sound(const cJSON *speaker, char *to, size_t size);
/* "60 %", "60 % muted", or "-" where nobody sets it. */
void speaker_words_volume(const cJSON *speaker, char *to, size_t size);

#endif
