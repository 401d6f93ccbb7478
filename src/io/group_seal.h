/*
 * group_seal.h: the wrapping of a group's messages: who does not have the group's key can neither
 * make nor alter one.
 *
 * A datagram: 4 bytes of magic and version, 8 bytes of tag that say which group it is for, the
 * message (GROUP_MESSAGE_BYTES), and the first 16 bytes of HMAC-SHA256 (RFC 2104, truncated as its
 * section 5 has it) over all that. Both the HMAC's key and the tag come from HKDF-SHA256 (RFC 5869)
 * over the secret: neither leads back to it, nor does the tag to the key. It hides nothing: what
 * speakers say of their clocks is no secret. Replay is not this module's business: counter and
 * nonce are inside the message.
 */
#ifndef TUTTI_IO_GROUP_SEAL_H
#define TUTTI_IO_GROUP_SEAL_H

#include "tutti/core/group_message.h"

#define GROUP_TAG_BYTES 8
#define GROUP_SEAL_BYTES 16
#define GROUP_PREFIX_BYTES (4 + GROUP_TAG_BYTES)
#define GROUP_DATAGRAM_BYTES (GROUP_PREFIX_BYTES + GROUP_MESSAGE_BYTES + GROUP_SEAL_BYTES)

struct group_seal;

enum group_opened {
    GROUP_OPENED,
    GROUP_NO_DATAGRAM, /* of another size, or without our magic: something else talks here */
    GROUP_OTHER_GROUP, /* another session's */
    GROUP_FORGED,      /* for our group, but not sealed with its key */
};

/* secret: what only members know; at least GROUP_SECRET_MIN_BYTES, not kept. session_id: groups of
 * one secret but different sessions are different groups. NULL when out of memory, or without HMAC
 * or HKDF. */
#define GROUP_SECRET_MIN_BYTES 8
struct group_seal *group_seal_create(const void *secret, size_t bytes, const char *session_id);
void group_seal_destroy(struct group_seal *seal); /* NULL is fine */

/* Writes the whole datagram around the message at to + GROUP_PREFIX_BYTES. False: the library
 * failed. */
bool group_seal_close(struct group_seal *seal, uint8_t to[GROUP_DATAGRAM_BYTES]);

/* bytes: the datagram's whole size, which may be more than is at `from`. The message is at
 * from + GROUP_PREFIX_BYTES. */
enum group_opened group_seal_open(struct group_seal *seal, const uint8_t *from, size_t bytes);

#endif
