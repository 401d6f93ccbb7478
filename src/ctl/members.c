/*
 * members.c: see members.h.
 */
#include "members.h"

#include <math.h>

const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *member_text(const cJSON *object, const char *name)
{
    const cJSON *value = member(object, name);
    return cJSON_IsString(value) ? value->valuestring : "";
}

double member_number(const cJSON *object, const char *name)
{
    const cJSON *value = member(object, name);
    return cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

bool member_is_true(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(member(object, name));
}
