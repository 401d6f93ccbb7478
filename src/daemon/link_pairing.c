/*
 * link_pairing.c: a guest without a code asks to be let in, and again until somebody has decided.
 */
#include "link_internal.h"
#include "tutti/base/log.h"
#include "tutti/core/server_address.h"
#include "tutti/io/device_key.h"
#include "tutti/io/hub_proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Somebody stands before the page and waits for the sound. */
static const int64_t ASK_AGAIN_NS = 3 * NS_PER_S;
/* The hub has forgotten the denial by then. */
static const int64_t DENIED_NS = 660 * NS_PER_S;

bool link_may_ask(const struct link *link)
{
    const struct settings *settings = link->config.settings;
    return settings->backend.role == SETTINGS_GUEST && !settings->backend.join_code[0] &&
           !settings->backend.session_id[0] && !link->config.state->asked_code[0];
}

static void wait_for_decision(struct link *link, const char *problem, int64_t wait_ns)
{
    membership_not_obtained(&link->member.machine);
    link_set_state(link, link->member.machine.has_kept ? LINK_REFUSED : LINK_JOINING, problem);
    link_orders_not_connected(link, problem);
    loop_timer_set_in(link->connection.retry, wait_ns);
}

/* The sign goes with the address that was called: one that only passes for the hub, and asks it in
 * our name, shows there another one than we do. By name, the owner has said which hub it is. */
static bool is_right_sign(const struct link *link, const char *sign)
{
    struct server_address address;
    const char *problem;
    char place[HUB_PROOF_PLACE_MAX], right[DEVICE_SIGN_MAX];
    if (!server_address_parse(link->config.settings->backend.url, &address, &problem))
        return false;
    return !hub_proof_place(address.host, address.port, place) ||
           (device_key_sign(link->member.pairing_key, place, right) && strcmp(sign, right) == 0);
}

static void waiting(struct link *link, const struct pairing_answer *answer)
{
    char problem[PROTOCOL_REASON_MAX];
    if (is_right_sign(link, answer->sign))
        snprintf(problem, sizeof problem,
                 "waiting to be let in by the session's host, with the sign %s", answer->sign);
    else
        snprintf(problem, sizeof problem,
                 "the hub is called at another address than its own, and what stands between may "
                 "be anybody: name it in [backend] url, or set join_code");
    wait_for_decision(link, problem, ASK_AGAIN_NS);
}

static enum link_pairing take_answer(struct link *link, const struct pairing_answer *answer,
                                     struct link_pass *ret_pass)
{
    switch (answer->status) {
    case PAIRING_IS_WAITING:
        waiting(link, answer);
        break;
    case PAIRING_IS_DENIED:
        wait_for_decision(link, "the session's host has not let this speaker in", DENIED_NS);
        break;
    case PAIRING_IS_ALLOWED:
        *ret_pass = (struct link_pass){0};
        memcpy(ret_pass->session_id, answer->session_id, sizeof ret_pass->session_id);
        memcpy(ret_pass->token, answer->token, sizeof ret_pass->token);
        log_info("backend: let in by the session's host");
        return LINK_PAIRING_LET_IN;
    }
    return LINK_PAIRING_WAITS;
}

enum link_pairing link_take_pairing(struct link *link, const struct http_response *response,
                                    struct link_pass *ret_pass)
{
    struct pairing_answer answer;
    if (response->status == 404 || response->status == 405) {
        wait_for_decision(link, "this backend lets nobody in without a code: set join_code",
                          DENIED_NS);
        return LINK_PAIRING_WAITS;
    }
    if (response->status == 409) { /* another has this sign */
        link->member.pairing_number++;
        wait_for_decision(link, "asking to be let in by the session's host", ASK_AGAIN_NS);
        return LINK_PAIRING_WAITS;
    }
    if (response->status != 200)
        return LINK_PAIRING_FAILED;
    return protocol_parse_pairing(response->body, response->body_bytes, &answer)
               ? take_answer(link, &answer, ret_pass)
               : LINK_PAIRING_NONSENSE;
}

/* Each hub is shown a key of its own: what one knows opens nothing at another. */
static bool make_key(struct link *link, char device_id[DEVICE_ID_MAX])
{
    struct session_state *state = link->config.state;
    char *secret = state->device_secret;
    if (!secret[0] && !device_key_new(secret))
        return false;
    log_add_secret(secret);
    bool good = device_key_id(secret, device_id) &&
                device_key_for(secret, link->config.settings->backend.url,
                               link->member.pairing_number, link->member.pairing_key);
    log_add_secret(link->member.pairing_key);
    return good;
}

struct http_call *link_ask(struct link *link,
                           void (*answered)(void *user, const struct http_response *response))
{
    char url[PROTOCOL_URL_MAX], device_id[DEVICE_ID_MAX];
    const char *base = link->config.settings->backend.url;
    struct http_call *call = NULL;
    if (!make_key(link, device_id))
        return NULL;
    char *json = protocol_build_pairing(device_id, link->config.settings->backend.name,
                                        link->member.pairing_key);
    if (json && protocol_url(url, sizeof url, base, "/pairing"))
        call = link_call(
            link,
            &(struct http_request){
                .method = "POST", .url = url, .json = json, .on_done = answered, .user = link});
    free(json);
    return call;
}
