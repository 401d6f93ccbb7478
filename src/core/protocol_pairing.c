/*
 * protocol_pairing.c: asking to be let in, and what is answered.
 */
#include "protocol_json.h"
#include "tutti/core/protocol.h"

#include <string.h>

char *protocol_build_pairing(const char *device_id, const char *name, const char *key)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "device_id", device_id);
    cJSON_AddStringToObject(body, "name", name);
    cJSON_AddStringToObject(body, "key", key);
    char *text = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    return text;
}

static bool read_status(const cJSON *root, enum pairing_answer_status *ret)
{
    static const char *const names[] = {"waiting", "allowed", "denied"};
    const char *status = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "status"));
    for (int i = 0; status && i < 3; i++) {
        if (strcmp(status, names[i]) == 0) {
            *ret = (enum pairing_answer_status)i;
            return true;
        }
    }
    return false;
}

static bool read_answer(const cJSON *root, struct pairing_answer *ret)
{
    if (!read_status(root, &ret->status))
        return false;
    if (ret->status == PAIRING_IS_WAITING)
        return json_string(root, "sign", ret->sign, sizeof ret->sign) && strlen(ret->sign) == 4 &&
               strspn(ret->sign, "0123456789") == 4;
    return ret->status == PAIRING_IS_DENIED ||
           (json_string(root, "session_id", ret->session_id, sizeof ret->session_id) &&
            json_string(root, "guest_token", ret->token, sizeof ret->token) && ret->session_id[0] &&
            ret->token[0]);
}

bool protocol_parse_pairing(const char *text, size_t bytes, struct pairing_answer *ret_answer)
{
    cJSON *root = json_parse(text, bytes);
    *ret_answer = (struct pairing_answer){0};
    bool good = read_answer(root, ret_answer);
    cJSON_Delete(root);
    return good;
}
