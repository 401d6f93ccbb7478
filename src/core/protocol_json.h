/*
 * protocol_json.h: bounded, typed access to parsed JSON, shared by the protocol's sources.
 */
#ifndef TUTTI_CORE_PROTOCOL_JSON_H
#define TUTTI_CORE_PROTOCOL_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* NULL unless text is one JSON object or array, with a nesting that cJSON bounds. */
cJSON *json_parse(const char *text, size_t bytes);

/* A string member that fits; false otherwise, to[] untouched. */
bool json_string(const cJSON *object, const char *name, char *to, size_t size);
/* Like json_string(), but an absent or null member gives "". */
bool json_optional_string(const cJSON *object, const char *name, char *to, size_t size);
/* A finite number. */
bool json_number(const cJSON *object, const char *name, double *ret_number);

/* A text member of the outermost object, read as far as that goes in what is no JSON as a whole (it
 * may hold a bare Infinity): the first of that name. False: none, or not plain, or too long. */
bool json_scan_string(const char *text, size_t bytes, const char *name, char *to, size_t size);

#endif
