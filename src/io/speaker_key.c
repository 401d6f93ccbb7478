/*
 * speaker_key.c: see speaker_key.h.
 */
#include "tutti/io/speaker_key.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-id128.h>

/* Ours alone: the machine's id for another program is another. */
static const sd_id128_t APP =
    SD_ID128_MAKE(8c, 1f, 5d, 0e, 43, a7, 4b, 62, 9e, 20, d1, 77, b8, 36, f4, 95);

bool speaker_key(const char *place, char key[SPEAKER_KEY_MAX])
{
    unsigned char text[sizeof(sd_id128_t) + 1024], digest[EVP_MAX_MD_SIZE];
    sd_id128_t machine;
    size_t length = strlen(place);
    if (sd_id128_get_machine_app_specific(APP, &machine) < 0 ||
        length > sizeof text - sizeof machine)
        return false;
    memcpy(text, &machine, sizeof machine);
    memcpy(text + sizeof machine, place, length);
    if (!EVP_Digest(text, sizeof machine + length, digest, NULL, EVP_sha256(), NULL))
        return false;
    for (size_t i = 0; i < (SPEAKER_KEY_MAX - 1) / 2; i++)
        snprintf(key + 2 * i, 3, "%02x", digest[i]);
    return true;
}
