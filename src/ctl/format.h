/*
 * format.h: what people read: times, and the daemon's answers in 80 columns.
 */
#ifndef TUTTI_CTL_FORMAT_H
#define TUTTI_CTL_FORMAT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* "83", "1:23", "1:02:03", "1:23.5" -> milliseconds; false for anything else. */
bool format_parse_time(const char *text, double *ret_ms);
/* "1:23" */
void format_time(double ms, char *to, size_t size);

void format_status(const cJSON *status);
void format_playlist(const cJSON *playlist);
void format_requests(const cJSON *requests);

#endif
