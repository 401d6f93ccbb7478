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

/* What is between the quotes; *at goes from the first of them to behind the second. */
static const char *scan_text(const char *text, size_t bytes, size_t *at, size_t *ret_length)
{
    size_t start = *at + 1, end = start;
    while (end < bytes && text[end] != '"')
        end += text[end] == '\\' ? 2 : 1;
    if (end > bytes)
        end = bytes;
    *ret_length = end > start ? end - start : 0;
    *at = end + 1;
    return text + start;
}

static bool keep_plain(const char *from, size_t length, char *to, size_t size)
{
    if (length >= size || memchr(from, '\\', length))
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

bool json_scan_string(const char *text, size_t bytes, const char *name, char *to, size_t size)
{
    int depth = 0;
    bool at_key = false, found = false;
    for (size_t i = 0; i < bytes;) {
        if (text[i] == '"') {
            size_t length;
            const char *string = scan_text(text, bytes, &i, &length);
            if (depth == 1 && !at_key && found)
                return keep_plain(string, length, to, size);
            if (depth == 1)
                found = at_key && length == strlen(name) && memcmp(string, name, length) == 0;
            continue;
        }
        char c = text[i++];
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (depth == 1 && (c == '{' || c == ','))
            at_key = true;
        else if (depth == 1 && c == ':')
            at_key = false;
        if (depth == 1 && c == ',')
            found = false;
    }
    return false;
}
