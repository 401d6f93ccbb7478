/*
 * duration.h: times within a track, as people write and read them.
 */
#ifndef TUTTI_CTL_DURATION_H
#define TUTTI_CTL_DURATION_H

#include <stdbool.h>
#include <stddef.h>

/* "83", "1:23", "1:02:03", "1:23.5" -> milliseconds; false for anything else. */
bool duration_parse(const char *text, double *ret_ms);

#define DURATION_MAX 24
/* "1:23", "1:02:03"; "?" for what is no time. */
void duration_format(double ms, char to[DURATION_MAX]);

#endif
