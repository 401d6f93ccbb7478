/*
 * speaker_key.h: who this speaker is, for a hub that it comes back to: made of the machine's id, which
 * nobody can tell from it, and of the speaker's place on it (several may run on one machine). So a room keeps
 * its name and volume when all that the speaker kept is lost. No secret to be let in by: that is device_key.h's.
 */
#ifndef TUTTI_IO_SPEAKER_KEY_H
#define TUTTI_IO_SPEAKER_KEY_H

#include <stdbool.h>

#define SPEAKER_KEY_MAX 33 /* 32 hex digits */

/* place: where it keeps its state. False: the machine has no id. */
bool speaker_key(const char *place, char key[SPEAKER_KEY_MAX]);

#endif
