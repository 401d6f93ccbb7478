/*
 * text.h: words from outside (names, titles, a backend's reasons), made harmless for whoever reads
 * them in a terminal or in a log.
 *
 * Harmful is what a terminal may obey or be led astray by: control characters of both sets (C0 with
 * DEL, and C1, U+0080 to U+009F), line and paragraph separators, the marks that turn the direction
 * of writing, with which one name can pass for another, and bytes that are no UTF-8.
 */
#ifndef TUTTI_BASE_TEXT_H
#define TUTTI_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is this character of Unicode harmless? */
bool text_is_harmless(uint32_t character);

/* Replaces each harmful character, in place, by this one, which is ASCII. */
void text_defuse(char *text, char by);

#endif
