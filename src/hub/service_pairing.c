/*
 * service_pairing.c: a speaker asks to be let in, a host decides, the speaker gets its token.
 */
#include "hub_clock.h"
#include "pairing.h"
#include "service_internal.h"
#include "tutti/base/log.h"
#include "tutti/base/text.h"
#include "tutti/io/device_key.h"
#include "tutti/io/hub_proof.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX "0123456789abcdef"
#define KEY_DIGITS_MIN 32
#define NS_PER_S INT64_C(1000000000)

static const char *const status_names[] = {"waiting", "allowed", "denied"};

/* --- asking -------------------------------------------------------------------------------- */

struct asker {
    const char *device_id, *name, *key;
    char sign[DEVICE_SIGN_MAX];
    unsigned char key_hash[PAIRING_KEY_HASH_BYTES];
};

static bool is_digits(const char *text, const char *digits, size_t least, size_t most)
{
    size_t length = text ? strlen(text) : 0;
    return length >= least && length <= most && strspn(text, digits) == length;
}

/* NULL, or what is wrong with it. */
static const char *read_asker(const cJSON *body, const char *place, struct asker *ret)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    *ret = (struct asker){.device_id = service_text(body, "device_id"),
                          .name = service_text(body, "name"),
                          .key = service_text(body, "key")};
    if (!is_digits(ret->device_id, HEX, 8, PAIRING_DEVICE_MAX - 1))
        return "device_id: 8 to 32 hex digits are wanted";
    if (!ret->name)
        return "name: a text of 1 to 255 bytes is wanted";
    if (!is_digits(ret->key, HEX, KEY_DIGITS_MIN, 2 * KEY_DIGITS_MIN))
        return "key: 32 to 64 hex digits are wanted";
    if (!EVP_Digest(ret->key, strlen(ret->key), hash, NULL, EVP_sha256(), NULL) ||
        !device_key_sign(ret->key, place ? place : "", ret->sign))
        return "key: it cannot be hashed";
    memcpy(ret->key_hash, hash, sizeof ret->key_hash);
    return NULL;
}

static bool random_id(char id[PAIRING_ID_MAX])
{
    char digits[HUB_PROOF_NONCE_MAX];
    bool good = hub_proof_nonce(digits);
    snprintf(id, PAIRING_ID_MAX, "%s", good ? digits : "");
    return good;
}

static struct reply tell(const struct pairing *entry)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "status", status_names[entry->status]);
    cJSON_AddStringToObject(answer, "sign", entry->sign);
    if (entry->status == PAIRING_ALLOWED) {
        cJSON_AddStringToObject(answer, "session_id", entry->session_id);
        cJSON_AddStringToObject(answer, "guest_token", entry->token);
    }
    return (struct reply){.status = 200, .body = answer};
}

static struct reply begin(struct service *service, const struct caller *caller,
                          const struct asker *asker, int64_t now_ns)
{
    char shown[STORE_NAME_MAX], id[PAIRING_ID_MAX];
    if (!random_id(id))
        return reply_error(500, "There are no random numbers");
    if (pairing_is_sign_taken(service->pairings, asker->sign))
        return reply_error(409,
                           "key: its sign is that of another speaker that waits; take another");
    if (!rate_table_take(&service->joins, caller->address, service->limits.joins_per_minute,
                         now_ns))
        return reply_error(429, "Too many logins and joins from this address; wait a minute");
    struct pairing *entry =
        pairing_add(service->pairings, caller->address, service->limits.share_percent);
    if (!entry)
        return reply_error(507, "As many speakers ask to be let in as may, or as an address may");
    memcpy(entry->id, id, sizeof entry->id);
    snprintf(entry->device_id, sizeof entry->device_id, "%s", asker->device_id);
    snprintf(entry->name, sizeof entry->name, "%s", asker->name);
    snprintf(entry->sign, sizeof entry->sign, "%s", asker->sign);
    memcpy(entry->key_hash, asker->key_hash, sizeof entry->key_hash);
    entry->began_ns = entry->heard_ns = now_ns;
    snprintf(shown, sizeof shown, "%s", entry->name);
    text_defuse(shown, '?');
    log_info("%s: \"%.60s\" wants to join (sign %s)", caller->address, shown, entry->sign);
    return tell(entry);
}

struct reply service_ask_pairing(struct service *service, const struct caller *caller,
                                 const cJSON *body)
{
    struct asker asker;
    int64_t now_ns = hub_clock_steady_ns();
    const char *wrong = read_asker(body, caller->place, &asker);
    if (!service->pairing)
        return reply_error(403, "This hub lets speakers in by their invite code only: [house] "
                                "pairing is off");
    if (wrong)
        return reply_error(422, wrong);
    if (!service->pairings)
        service->pairings = calloc(1, sizeof *service->pairings);
    if (!service->pairings)
        return reply_error(500, "Out of memory");
    pairing_forget_old(service->pairings, now_ns);
    struct pairing *entry = pairing_of_key(service->pairings, asker.key_hash);
    if (!entry)
        return begin(service, caller, &asker, now_ns);
    if (entry->status == PAIRING_WAITING)
        entry->heard_ns = now_ns;
    return tell(entry);
}

/* --- deciding ------------------------------------------------------------------------------ */

static int describe(struct service *service, const struct pairing *entry, const char *session_id,
                    cJSON *list)
{
    int known = store_has_member_named(service->store, session_id, entry->name);
    if (known < 0)
        return known;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", entry->id);
    cJSON_AddStringToObject(json, "device_id", entry->device_id);
    cJSON_AddStringToObject(json, "name", entry->name);
    cJSON_AddStringToObject(json, "sign", entry->sign);
    cJSON_AddStringToObject(json, "address", entry->address);
    cJSON_AddNumberToObject(json, "waiting_s",
                            (double)((hub_clock_steady_ns() - entry->began_ns) / NS_PER_S));
    cJSON_AddBoolToObject(json, "same_name",
                          known == 1 || pairing_has_double(service->pairings, entry));
    cJSON_AddItemToArray(list, json);
    return 0;
}

struct reply service_list_pairing(struct service *service, const struct caller *caller,
                                  const char *session_id)
{
    struct admission admission;
    struct reply refusal;
    if (!service_admit(service, caller, session_id, ROLE_HOST, &admission, &refusal))
        return refusal;
    cJSON *list = cJSON_CreateArray();
    int result = 0;
    if (service->pairings)
        pairing_forget_old(service->pairings, hub_clock_steady_ns());
    for (int i = 0; service->pairings && result == 0 && i < PAIRING_MAX; i++) {
        const struct pairing *entry = &service->pairings->entries[i];
        if (entry->used && entry->status == PAIRING_WAITING)
            result = describe(service, entry, session_id, list);
    }
    if (result == 0)
        return (struct reply){.status = 200, .body = list};
    cJSON_Delete(list);
    return service_store_error(result, "The hub cannot read who its members are");
}

static struct reply decided(struct pairing *entry, enum pairing_status status)
{
    entry->status = status;
    entry->heard_ns = hub_clock_steady_ns();
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "id", entry->id);
    cJSON_AddStringToObject(answer, "name", entry->name);
    cJSON_AddStringToObject(answer, "status", status_names[status]);
    return (struct reply){.status = 200, .body = answer};
}

/* It has its token from here on, of which nobody else is told. */
static struct reply allow(struct service *service, struct pairing *entry,
                          const struct admission *admission)
{
    int result = service_begin(service);
    if (result < 0)
        return service_store_error(result, "The guest could not be stored");
    struct reply reply = service_commit(
        service, service_seat(service, &admission->session, entry->name, entry->address));
    const char *token =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reply.body, "guest_token"));
    if (reply.status != 200 || !token)
        return reply;
    snprintf(entry->token, sizeof entry->token, "%s", token);
    snprintf(entry->session_id, sizeof entry->session_id, "%s", admission->session.id);
    cJSON_Delete(reply.body);
    return decided(entry, PAIRING_ALLOWED);
}

struct reply service_decide_pairing(struct service *service, const struct caller *caller,
                                    const char *session_id, const char *id, const cJSON *body)
{
    struct admission admission;
    struct reply refusal;
    const cJSON *allowed = cJSON_GetObjectItemCaseSensitive(body, "allow");
    if (!service_admit(service, caller, session_id, ROLE_HOST, &admission, &refusal))
        return refusal;
    if (!cJSON_IsBool(allowed))
        return reply_error(422, "allow: true or false is wanted");
    if (service->pairings)
        pairing_forget_old(service->pairings, hub_clock_steady_ns());
    struct pairing *entry = service->pairings ? pairing_find(service->pairings, id) : NULL;
    if (!entry)
        return reply_error(404, "Nobody of this id asks to be let in");
    if (entry->status != PAIRING_WAITING)
        return reply_error(409, "This has been decided");
    return cJSON_IsTrue(allowed) ? allow(service, entry, &admission)
                                 : decided(entry, PAIRING_DENIED);
}

void service_forget_pairings(struct service *service)
{
    if (service->pairings)
        OPENSSL_cleanse(service->pairings, sizeof *service->pairings);
    free(service->pairings);
    service->pairings = NULL;
}
