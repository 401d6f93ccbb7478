/*
 * lean.c: options of libraries that cost memory and are of no use here.
 *
 * libcurl has OpenSSL load everything, even where only plain HTTP is spoken; what OpenSSL was told
 * not to load before that, it never loads. Measured on amd64: 1.4 MB less resident.
 */
#include "tutti/io/lean.h"

#include <malloc.h>
#include <openssl/ssl.h>

void lean_start(bool tls)
{
    /* The threads beside the loop are few and short: one heap is enough for all. */
    mallopt(M_ARENA_MAX, 1);
    /* As it is at first, but for good: what is large never becomes a part of that heap, where giving
     * it back would keep the others waiting. */
    mallopt(M_MMAP_THRESHOLD, 131072);
    if (tls)
        return;
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
                            OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
                        NULL);
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_SSL_STRINGS | OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}
