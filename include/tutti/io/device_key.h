/*
 * device_key.h: by what a speaker is known to a hub that it asks to be let in: all of it follows
 * from one secret of its own, which it keeps. Random, because copies of one card's image have one machine's id
 * (speaker_key.h).
 */
#ifndef TUTTI_IO_DEVICE_KEY_H
#define TUTTI_IO_DEVICE_KEY_H

#include <stdbool.h>

#define DEVICE_SECRET_MAX 65
#define DEVICE_KEY_MAX 65
#define DEVICE_ID_MAX 17
#define DEVICE_SIGN_MAX 5

/* Hex digits; false: no random numbers, or no memory. */
bool device_key_new(char secret[DEVICE_SECRET_MAX]);
bool device_key_id(const char *secret, char id[DEVICE_ID_MAX]);
/* The key for one hub; another one for each number. */
bool device_key_for(const char *secret, const char *url, unsigned number, char key[DEVICE_KEY_MAX]);

/* Four digits from the key and the hub's address as hub_proof_place() spells it: the hub shows them,
 * and so does the speaker, which neither has told the other. */
bool device_key_sign(const char *key, const char *place, char sign[DEVICE_SIGN_MAX]);

#endif
