/*
 * group_seal.c: OpenSSL's HKDF and HMAC around a message.
 *
 * The cheap checks come first: size, magic and tag cost nothing, and what is another group's is
 * never hashed. The seal is compared in constant time.
 */
#include "group_seal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 32
#define HMAC_BYTES 32
#define SEALED_BYTES (GROUP_DATAGRAM_BYTES - GROUP_SEAL_BYTES)

static const uint8_t MAGIC[4] = {'t', 't', 'g', '1'};
/* What a key or a tag is for, so that they have nothing to do with each other. */
static const char KEY_PURPOSE[] = "tutti group 1 key ";
static const char TAG_PURPOSE[] = "tutti group 1 tag ";

struct group_seal {
    EVP_MAC_CTX *mac; /* with the key in it */
    uint8_t tag[GROUP_TAG_BYTES];
};

/* HKDF-SHA256 without salt; info: the purpose, and whose session. */
static bool derive(const void *secret, size_t secret_bytes, const char *purpose,
                   const char *session_id, uint8_t *to, size_t bytes)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *derivation = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    char digest[] = "SHA256";
    char info[128];
    size_t purpose_bytes = strlen(purpose), id_bytes = strnlen(session_id, 64);
    memcpy(info, purpose, purpose_bytes);
    memcpy(info + purpose_bytes, session_id, id_bytes);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret,
                                          secret_bytes),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, purpose_bytes + id_bytes),
        OSSL_PARAM_construct_end(),
    };
    bool done = derivation && EVP_KDF_derive(derivation, to, bytes, parameters) == 1;
    EVP_KDF_CTX_free(derivation);
    EVP_KDF_free(kdf);
    return done;
}

static EVP_MAC_CTX *keyed_hmac(const uint8_t key[KEY_BYTES])
{
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC_free(hmac); /* the context has a reference of its own */
    if (mac && EVP_MAC_init(mac, key, KEY_BYTES, parameters) == 1)
        return mac;
    EVP_MAC_CTX_free(mac);
    return NULL;
}

struct group_seal *group_seal_create(const void *secret, size_t bytes, const char *session_id)
{
    uint8_t key[KEY_BYTES];
    struct group_seal *seal = calloc(1, sizeof *seal);
    if (seal && bytes >= GROUP_SECRET_MIN_BYTES &&
        derive(secret, bytes, KEY_PURPOSE, session_id, key, sizeof key) &&
        derive(secret, bytes, TAG_PURPOSE, session_id, seal->tag, sizeof seal->tag))
        seal->mac = keyed_hmac(key);
    OPENSSL_cleanse(key, sizeof key);
    if (seal && seal->mac)
        return seal;
    group_seal_destroy(seal);
    return NULL;
}

void group_seal_destroy(struct group_seal *seal)
{
    if (!seal)
        return;
    EVP_MAC_CTX_free(seal->mac); /* wipes the key */
    free(seal);
}

static bool hash(struct group_seal *seal, const uint8_t *datagram, uint8_t to[HMAC_BYTES])
{
    size_t bytes = 0;
    return EVP_MAC_init(seal->mac, NULL, 0, NULL) == 1 &&
           EVP_MAC_update(seal->mac, datagram, SEALED_BYTES) == 1 &&
           EVP_MAC_final(seal->mac, to, &bytes, HMAC_BYTES) == 1 && bytes == HMAC_BYTES;
}

bool group_seal_close(struct group_seal *seal, uint8_t to[GROUP_DATAGRAM_BYTES])
{
    uint8_t hmac[HMAC_BYTES];
    memcpy(to, MAGIC, sizeof MAGIC);
    memcpy(to + sizeof MAGIC, seal->tag, sizeof seal->tag);
    if (!hash(seal, to, hmac))
        return false;
    memcpy(to + SEALED_BYTES, hmac, GROUP_SEAL_BYTES);
    return true;
}

enum group_opened group_seal_open(struct group_seal *seal, const uint8_t *from, size_t bytes)
{
    uint8_t hmac[HMAC_BYTES];
    if (bytes != GROUP_DATAGRAM_BYTES || memcmp(from, MAGIC, sizeof MAGIC) != 0)
        return GROUP_NO_DATAGRAM;
    if (memcmp(from + sizeof MAGIC, seal->tag, sizeof seal->tag) != 0)
        return GROUP_OTHER_GROUP;
    if (!hash(seal, from, hmac) || CRYPTO_memcmp(hmac, from + SEALED_BYTES, GROUP_SEAL_BYTES) != 0)
        return GROUP_FORGED;
    return GROUP_OPENED;
}
