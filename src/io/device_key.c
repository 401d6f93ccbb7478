/*
 * device_key.c: HMAC-SHA256 under the secret, with a label for each use.
 */
#include "tutti/io/device_key.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define DIGEST_BYTES 32
#define SIGNS 10000u

static void to_hex(const unsigned char *bytes, size_t count, char *to)
{
    for (size_t i = 0; i < count; i++)
        snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

bool device_key_new(char secret[DEVICE_SECRET_MAX])
{
    unsigned char bytes[DIGEST_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    to_hex(bytes, sizeof bytes, secret);
    return true;
}

static bool derive(const char *secret, const char *text, unsigned char to[EVP_MAX_MD_SIZE])
{
    unsigned bytes = 0;
    return HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text,
                strlen(text), to, &bytes) &&
           bytes == DIGEST_BYTES;
}

bool device_key_id(const char *secret, char id[DEVICE_ID_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (!derive(secret, "tutti: device", digest))
        return false;
    to_hex(digest, (DEVICE_ID_MAX - 1) / 2, id);
    return true;
}

bool device_key_for(const char *secret, const char *url, unsigned number, char key[DEVICE_KEY_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[640];
    snprintf(text, sizeof text, "tutti: key %u\n%.550s", number, url);
    if (!derive(secret, text, digest))
        return false;
    to_hex(digest, DIGEST_BYTES, key);
    return true;
}

bool device_key_sign(const char *key, const char *place, char sign[DEVICE_SIGN_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[160];
    uint32_t number = 0;
    snprintf(text, sizeof text, "tutti: sign\n%.100s", place);
    if (!derive(key, text, digest))
        return false;
    for (int i = 0; i < 4; i++)
        number = number << 8 | digest[i];
    snprintf(sign, DEVICE_SIGN_MAX, "%04u", number % SIGNS);
    return true;
}
