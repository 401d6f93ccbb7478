/*
 * service_proof.c: showing a speaker that this is its hub; see io/hub_proof.h.
 */
#include "hub_clock.h"
#include "service_internal.h"
#include "tutti/io/hub_proof.h"

#include <stdio.h>
#include <string.h>

struct search {
    const char *nonce;
    const char *question;
    char session_id[STORE_ID_MAX]; /* "" until it is found */
};

static void compare(void *user, const char *session_id)
{
    struct search *search = user;
    char question[HUB_PROOF_MAX];
    if (!search->session_id[0] && hub_proof_question(session_id, search->nonce, question) &&
        hub_proof_is_same(question, search->question))
        snprintf(search->session_id, sizeof search->session_id, "%s", session_id);
}

static bool is_hex(const char *text, size_t digits)
{
    return text && strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

struct reply service_proof(struct service *service, const struct caller *caller, const cJSON *body)
{
    char answer[HUB_PROOF_MAX];
    struct search search = {service_text(body, "nonce"), service_text(body, "question"), ""};
    if (!is_hex(search.nonce, HUB_PROOF_NONCE_MAX - 1) ||
        !is_hex(search.question, HUB_PROOF_MAX - 1))
        return reply_error(422, "nonce and question: 32 and 64 hex digits are wanted");
    /* Each look is at all sessions. */
    if (!rate_table_take(&service->proofs, caller->address, service->limits.failures_per_minute,
                         hub_clock_steady_ns()))
        return reply_error(429, "Too many questions for a proof from this address; wait a minute");
    int result = store_each_session_id(service->store, compare, &search);
    if (result < 0)
        return service_store_error(result, "The hub cannot read its sessions");
    if (!search.session_id[0])
        return reply_error(404, "There is no such session here");
    if (!caller->place || !hub_proof_answer(search.session_id, search.nonce, caller->place, answer))
        return reply_error(500, "There is no proof to be had");
    cJSON *proof = cJSON_CreateObject();
    cJSON_AddStringToObject(proof, "answer", answer);
    return (struct reply){.status = 200, .body = proof};
}
