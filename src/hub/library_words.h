/*
 * library_words.h: between words of people and files, and what the index takes. Pure.
 */
#ifndef TUTTI_HUB_LIBRARY_WORDS_H
#define TUTTI_HUB_LIBRARY_WORDS_H

#include "library_index.h"

#include <stdbool.h>

/* Of so many words, what each becomes. */
#define LIBRARY_WORDS_MAX 16
#define LIBRARY_MATCH_MAX (2 * LIBRARY_TEXT_MAX + 4 * LIBRARY_WORDS_MAX)

/* As FTS5 asks: each word is one that something begins with. What follows the first
 * LIBRARY_WORDS_MAX is ignored. False: there are no words. */
bool library_words_match(const char *words, char to[LIBRARY_MATCH_MAX]);

/* Is a file with this name worth a look? */
bool library_words_is_track(const char *file);

/* What there is no tag for, a file's place may tell: "Pier/07 - Harbour.mp3" is number 7,
 * "Harbour", of the album "Pier". folder: "" for none. Of what is told already nothing is changed.
 * All of it is harmless text then. */
void library_words_complete(struct track_tags *tags, const char *folder, const char *file);

#endif
