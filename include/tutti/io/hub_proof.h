/*
 * hub_proof.h: how a hub shows a speaker that it is the one whose session the speaker is a member
 * of, before it is sent a token: on a new address, say.
 *
 * Both know the session's id, 122 random bits that only members are told. The speaker asks with a
 * nonce and the question's HMAC, so that nobody else learns which session it is about; the answer is
 * an HMAC of the nonce and of the address at which the hub was called, as the hub sees it. Somebody
 * in between who passes the question on gets an answer for the true hub's address, not for his own.
 */
#ifndef TUTTI_IO_HUB_PROOF_H
#define TUTTI_IO_HUB_PROOF_H

#include <stdbool.h>
#include <stddef.h>

#define HUB_PROOF_NONCE_MAX 33
#define HUB_PROOF_MAX 65
#define HUB_PROOF_PLACE_MAX 64

/* 32 hex digits, from the system's random numbers. False: there are none. */
bool hub_proof_nonce(char nonce[HUB_PROOF_NONCE_MAX]);

/* 64 hex digits each. False: no memory. */
bool hub_proof_question(const char *session_id, const char *nonce, char to[HUB_PROOF_MAX]);
bool hub_proof_answer(const char *session_id, const char *nonce, const char *place,
                      char to[HUB_PROOF_MAX]);

/* In a time that does not depend on how much of it is right. */
bool hub_proof_is_same(const char *a, const char *b);

/* "[ADDRESS]:PORT" in one spelling, without a scope; IPv4 as IPv4 also where it is mapped. False: it
 * is no numeric address. */
bool hub_proof_place(const char *address, int port, char to[HUB_PROOF_PLACE_MAX]);

#endif
