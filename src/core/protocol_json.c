/*
 * protocol_json.c: see protocol_json.h.
 */
#include "protocol_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

cJSON *json_parse(const char *text, size_t bytes)
{
    cJSON *root = cJSON_ParseWithLength(text, bytes);
    if (root && !cJSON_IsObject(root) && !cJSON_IsArray(root)) {
        cJSON_Delete(root);
        return NULL;
    }
    return root;
}

bool json_string(const cJSON *object, const char *name, char *to, size_t size)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsString(member) || strlen(member->valuestring) >= size)
        return false;
    strcpy(to, member->valuestring);
    return true;
}

bool json_optional_string(const cJSON *object, const char *name, char *to, size_t size)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!member || cJSON_IsNull(member)) {
        to[0] = '\0';
        return true;
    }
    return json_string(object, name, to, size);
}

bool json_number(const cJSON *object, const char *name, double *ret_number)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(member) || !isfinite(member->valuedouble))
        return false;
    *ret_number = member->valuedouble;
    return true;
}
