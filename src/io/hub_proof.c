/*
 * hub_proof.c: HMAC-SHA256 over labelled texts, with the session's id as its key.
 */
#include "tutti/io/hub_proof.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static void to_hex(const unsigned char *bytes, size_t count, char *to)
{
    for (size_t i = 0; i < count; i++)
        snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

bool hub_proof_nonce(char nonce[HUB_PROOF_NONCE_MAX])
{
    unsigned char bytes[(HUB_PROOF_NONCE_MAX - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    to_hex(bytes, sizeof bytes, nonce);
    return true;
}

static bool sign(const char *key, const char *text, char to[HUB_PROOF_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    if (!HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)text, strlen(text),
              digest, &bytes) ||
        2 * bytes + 1 != HUB_PROOF_MAX)
        return false;
    to_hex(digest, bytes, to);
    return true;
}

bool hub_proof_question(const char *session_id, const char *nonce, char to[HUB_PROOF_MAX])
{
    char text[128];
    snprintf(text, sizeof text, "tutti: is it your session?\n%.64s", nonce);
    return sign(session_id, text, to);
}

bool hub_proof_answer(const char *session_id, const char *nonce, const char *place,
                      char to[HUB_PROOF_MAX])
{
    char text[256];
    snprintf(text, sizeof text, "tutti: it is mine, here\n%.64s\n%.64s", nonce, place);
    return sign(session_id, text, to);
}

bool hub_proof_is_same(const char *a, const char *b)
{
    size_t length = strlen(a);
    return length == strlen(b) && CRYPTO_memcmp(a, b, length) == 0;
}

bool hub_proof_place(const char *address, int port, char to[HUB_PROOF_PLACE_MAX])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    char bare[INET6_ADDRSTRLEN + 1], text[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(address, "%"), address);
    if (inet_pton(AF_INET, bare, bytes) == 1)
        inet_ntop(AF_INET, bytes, text, sizeof text);
    else if (inet_pton(AF_INET6, bare, bytes) != 1)
        return false;
    else if (memcmp(bytes, mapped, sizeof mapped) == 0)
        inet_ntop(AF_INET, bytes + sizeof mapped, text, sizeof text);
    else
        inet_ntop(AF_INET6, bytes, text, sizeof text);
    snprintf(to, HUB_PROOF_PLACE_MAX, "[%s]:%d", text, port);
    return true;
}
