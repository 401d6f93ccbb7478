/*
 * members.h: the members of the daemon's objects, whatever they turn out to be.
 */
#ifndef TUTTI_CTL_MEMBERS_H
#define TUTTI_CTL_MEMBERS_H

#include <cjson/cJSON.h>
#include <stdbool.h>

const cJSON *member(const cJSON *object, const char *name);     /* NULL if there is none */
const char *member_text(const cJSON *object, const char *name); /* "" if there is none */
double member_number(const cJSON *object, const char *name);    /* NAN if there is none */
bool member_is_true(const cJSON *object, const char *name);

#endif
