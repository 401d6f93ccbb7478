/*
 * utf8.h: what is broadcast in a text frame must be UTF-8, or its receivers close their sockets.
 */
#ifndef TUTTI_CORE_UTF8_H
#define TUTTI_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* As RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF; no zero bytes. */
bool utf8_is_valid(const char *text, size_t bytes);

#endif
