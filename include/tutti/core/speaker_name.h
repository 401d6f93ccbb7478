/*
 * speaker_name.h: what a speaker is called that nobody has given a name.
 */
#ifndef TUTTI_CORE_SPEAKER_NAME_H
#define TUTTI_CORE_SPEAKER_NAME_H

#include <stddef.h>

/*
 * The host name, unless it is what every fresh system is called: then "tutti-" and the first four
 * digits of id, which tell two such speakers apart.
 */
void speaker_name(const char *host, const char *id, char *to, size_t size);

#endif
