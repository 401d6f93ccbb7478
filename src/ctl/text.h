/*
 * text.h: words from the network, made fit for a terminal: counted in columns, and harmless.
 *
 * Harmless: what is not (tutti/base/text.h), or has no width, is replaced by U+FFFD. Call
 * text_use_utf8() first.
 */
#ifndef TUTTI_CTL_TEXT_H
#define TUTTI_CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The environment's character set if that is UTF-8, C.UTF-8 if not. Once, at the start. */
void text_use_utf8(void);

/* The columns that text takes once it is harmless. */
int text_columns(const char *text);

/*
 * A harmless copy of from in at most columns, ending in an ellipsis if it had to be cut. Returns
 * the columns taken. to: always terminated; also cut where it is full.
 */
int text_fit(char *to, size_t size, const char *from, int columns);

/* A harmless copy of all that fits. */
void text_clean(char *to, size_t size, const char *from);

bool text_is_clean(const char *text);

/* Regardless of upper and lower case. */
bool text_equals(const char *a, const char *b);
bool text_contains(const char *text, const char *part);
bool text_begins(const char *text, const char *part);

#endif
